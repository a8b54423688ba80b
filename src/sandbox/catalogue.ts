/**
 * What the simulated provider offers. The GUID of KPLC POSTPAID is the documented callback's, that of KPLC PREPAID the
 * documented request's; the others are made up, as GUIDs in the documents are no constants to build on anyway.
 */

export interface CatalogueService {
  readonly serviceId: string;
  readonly serviceCode: string;
  readonly serviceCategory: number;
  readonly serviceCategoryDescription: string;
  readonly serviceType: number;
  readonly serviceTypeDescription: string;
}

function service(
  serviceId: string,
  serviceCode: string,
  category: readonly [number, string],
  type: readonly [number, string],
): CatalogueService {
  const [serviceCategory, serviceCategoryDescription] = category;
  const [serviceType, serviceTypeDescription] = type;
  return { serviceId, serviceCode, serviceCategory, serviceCategoryDescription, serviceType, serviceTypeDescription };
}

const ELECTRICITY = [2, 'ELECTRICITY'] as const;
const TELEVISION = [3, 'PAY TV'] as const;

export const SERVICES: readonly CatalogueService[] = [
  service('860a26ce-4828-f111-bc5a-0e7d952d79b7', 'KE-KPLC-POSTPAID', ELECTRICITY, [2, 'KPLC POSTPAID']),
  service('bc97d2b1-4828-f111-bc5a-0e7d952d79b7', 'KE-KPLC-PREPAID', ELECTRICITY, [1, 'KPLC PREPAID']),
  service('3d0f41a2-4828-f111-bc5a-0e7d952d79b7', 'KE-DSTV', TELEVISION, [3, 'DSTV']),
  service('4e1a52b3-4828-f111-bc5a-0e7d952d79b7', 'KE-GOTV', TELEVISION, [4, 'GOTV']),
  service('5f2b63c4-4828-f111-bc5a-0e7d952d79b7', 'KE-ZUKU', TELEVISION, [5, 'ZUKU']),
  service('6a3c74d5-4828-f111-bc5a-0e7d952d79b7', 'KE-NAIROBI-WATER', [4, 'WATER'], [6, 'NAIROBI WATER']),
];

/** By GUID or by code, in any case. */
export function findService(id: string): CatalogueService | undefined {
  const wanted = id.toLowerCase();
  return SERVICES.find(({ serviceId, serviceCode }) => serviceId === wanted || serviceCode.toLowerCase() === wanted);
}

/** By their ids: those whose payments come with a token. */
export const PREPAID_SERVICES: readonly string[] = SERVICES.filter(({ serviceTypeDescription }) =>
  serviceTypeDescription.includes('PREPAID'),
).map(({ serviceId }) => serviceId);

/** The route id of the documented payment request; no document names the category of a bill route. */
export const BILL_ROUTE_ID = '068d89af-be67-f011-bb46-0e7d952d79b7';

/** The field is misspelt on the wire. */
export const ROUTES = {
  routes: [
    {
      id: BILL_ROUTE_ID,
      category: '5',
      categoryDescription: 'Bill Payment',
      transactionTypeId: '5b1f3c52-be67-f011-bb46-0e7d952d79b7',
      categoryIsEnabled: true,
      routeIntergration: 'SANDBOX',
      country: 'Kenya',
      routeIsActive: true,
      channelTypes: [],
    },
    {
      id: '17ac90b0-be67-f011-bb46-0e7d952d79b7',
      category: '1',
      categoryDescription: 'Bank Transfer',
      transactionTypeId: '6c2f4d63-be67-f011-bb46-0e7d952d79b7',
      categoryIsEnabled: true,
      routeIntergration: 'KCB',
      country: 'Kenya',
      routeIsActive: true,
      channelTypes: [
        { channelType: 3, channelDescription: 'EFT' },
        { channelType: 4, channelDescription: 'RTGS' },
      ],
    },
  ],
} as const;

export const WALLET = {
  customerAccountBalanceList: [{ status: true, message: 'Success', balance: 250_000, type: 'Utility' }],
  status: true,
  balance: 250_000,
} as const;
