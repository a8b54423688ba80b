import type { Bill, SaveBillNumberRequest } from '../payment/inquiry';
import type { PaymentOrder } from '../payment/provider';
import { WHAT, type What } from './errors';
import { baseUrl, type AlmaraSettings } from './settings';
import type { Call, PaymentPost } from './transport';

/** What we send, spelled as the provider's current samples spell it. The pages of its documents are named by their titles. */

/** A call with what is needed to speak of it, and the statuses besides 2xx that its answer is read for. */
export interface Request extends Call {
  readonly what: What;
  readonly reads: readonly number[];
}

/** One path, three meanings. */
const TRANSACTION_TYPE = { queryBill: 1, payment: 2, validateAccount: 3 } as const;
/** Balances are asked for by ISO 4217 number: 404 is KES. */
const WALLET_CURRENCY = '404';
const JSON_CONTENT = { accept: 'application/json', 'content-type': 'application/json' } as const;

/** @throws Error that names the setting when an address is unusable or not https */
export function createRequests(settings: AlmaraSettings) {
  const api = baseUrl('ALMARA_API_URL', settings.apiUrl);
  const identity = baseUrl('ALMARA_IDENTITY_URL', settings.identityUrl);
  const { routeId, serviceField } = settings;

  const get = (what: What, path: string, reads: readonly number[] = [], query: Query = {}): Request => {
    const search = new URLSearchParams(query).toString();
    const url = `${api}${path}${search === '' ? '' : `?${search}`}`;
    return { method: 'GET', url, headers: { accept: 'application/json' }, what, reads };
  };
  const post = (what: What, path: string, body: object): Request => {
    return { method: 'POST', url: api + path, headers: JSON_CONTENT, body: JSON.stringify(body), what, reads: [400] };
  };
  const billOf = ({ serviceId, accountNumber }: Bill) => ({ routeId, [serviceField]: serviceId, accountNumber });
  /**
   * Types 1 and 3. They carry no conversation id: the payment's must be seen by the provider with the payment and with
   * nothing else, and the field is optional here.
   */
  const aboutBill = (type: 'queryBill' | 'validateAccount', bill: Bill): Request =>
    post(WHAT[type], '/v1/bill-payments', { ...billOf(bill), transactionType: TRANSACTION_TYPE[type] });

  return {
    /** "Token Request": OAuth 2 client credentials, form-encoded as every known client sends them. */
    token: (): Request => ({
      method: 'POST',
      url: `${identity}/connect/token`,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        grant_type: 'client_credentials',
        scope: settings.scope,
      }).toString(),
      what: WHAT.token,
      reads: [],
    }),
    /** "Bill Request Validation" (type 3; the documents of early 2026). */
    validateAccount: (bill: Bill) => aboutBill('validateAccount', bill),
    /** "Bill Request" of the older documents, type 1; still in the field table of "Bill Request Payment". */
    queryBill: (bill: Bill) => aboutBill('queryBill', bill),
    /** "Find Bill Request By Originator Converstion Id" (modified 2026-04-30). */
    findPayment: (paymentId: string) =>
      get(WHAT.findPayment, '/v1/bill-payments', [400, 404], { OriginatorConversationId: paymentId }),
    /** "Bill Request Payment" (type 2; modified 2026-04-30). */
    payment: (order: PaymentOrder): Omit<PaymentPost, 'mayStillSend'> => ({
      url: `${api}/v1/bill-payments`,
      headers: JSON_CONTENT,
      body: JSON.stringify({ ...billOf(order), ...paymentOf(order) }),
    }),
    /** "Find Bill Services"; the form of its answer is not documented. */
    services: () => get(WHAT.services, '/v1/bill-services'),
    /** "Find Bill Number By Service Id and Account Number" (modified 2026-04-30). */
    findBillNumber: ({ serviceId, accountNumber }: Bill) =>
      get(WHAT.findBillNumber, '/v1/bill-numbers', [400, 404], { ServiceId: serviceId, AccountNumber: accountNumber }),
    /** "Bill Number" (POST): the service has its own spelling here. */
    saveBillNumber: ({ serviceId, accountNumber, phoneNumber, description }: SaveBillNumberRequest) =>
      post(WHAT.saveBillNumber, '/v1/bill-numbers', {
        [serviceField === 'serviceCode' ? 'serviceCode' : 'serviceId']: serviceId,
        accountNumber,
        phoneNumber,
        transactionDesc: description,
      }),
    /** "Find Transaction Routes". */
    routes: () => get(WHAT.routes, '/v1/transaction-routes/assigned-routes'),
    /** "Balance Check". */
    wallet: () => get(WHAT.wallet, '/v1/customer-accounts/get-wallet-balance', [], { ccy: WALLET_CURRENCY }),
    /** "Health Check": no token, plain text. */
    health: (): Request => ({ ...get(WHAT.health, '/api_health_check'), headers: { accept: 'text/plain' } }),
    /** What names the merchant account, and no secret. */
    account: `${api}\n${settings.clientId}`,
  };
}

type Query = Readonly<Record<string, string>>;

function paymentOf(order: PaymentOrder) {
  return {
    transactionType: TRANSACTION_TYPE.payment,
    transactionDesc: order.description,
    originatorConversationId: order.paymentId,
    msisdn: order.payer.msisdn,
    // In every sample, though in no field table.
    narration: order.narration ?? order.description,
    amount: order.amount,
    customerNames: order.payer.name,
    countryCode: order.country,
    currencyCode: order.currency,
    saveBillerNumber: order.saveBillerNumber,
    callBackUrl: order.callbackUrl,
  };
}
