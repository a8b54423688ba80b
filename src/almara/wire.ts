import type { SaveBillNumberRequest } from '../payment/inquiry';
import type { AlmaraSettings } from './settings';

/** What we send, spelled as the provider's current samples spell it ("Bill Request Payment", modified 2026-04-30). */

export interface PaymentOrder {
  readonly paymentId: string;
  readonly serviceId: string;
  readonly accountNumber: string;
  /** Whole currency units: the provider's schema says integer. */
  readonly amount: number;
  readonly currency: string;
  readonly country: string;
  readonly payer: { readonly name: string; readonly msisdn: string };
  readonly description: string;
  readonly narration?: string | undefined;
  readonly saveBillerNumber: boolean;
  readonly callbackUrl: string;
}

export interface Bill {
  readonly serviceId: string;
  readonly accountNumber: string;
}

type Identifiers = Pick<AlmaraSettings, 'routeId' | 'serviceField'>;

/** One path, three meanings. */
const TRANSACTION_TYPE = { queryBill: 1, payment: 2, validateAccount: 3 } as const;

/**
 * Types 1 and 3. They carry no conversation id: the payment's must be seen by the provider with the payment and with
 * nothing else, and the field is optional here.
 */
export function billRequest(type: 'queryBill' | 'validateAccount', bill: Bill, settings: Identifiers): string {
  return JSON.stringify({ ...billOf(bill, settings), transactionType: TRANSACTION_TYPE[type] });
}

/** Type 2: the payment. */
export function paymentRequest(order: PaymentOrder, settings: Identifiers): string {
  return JSON.stringify({
    ...billOf(order, settings),
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
  });
}

function billOf({ serviceId, accountNumber }: Bill, { routeId, serviceField }: Identifiers) {
  return { routeId, [serviceField]: serviceId, accountNumber };
}

/** "Bill Number" (POST): the service has its own spelling here. */
export function saveNumberRequest(request: SaveBillNumberRequest, { serviceField }: Identifiers): string {
  return JSON.stringify({
    [serviceField === 'serviceCode' ? 'serviceCode' : 'serviceId']: request.serviceId,
    accountNumber: request.accountNumber,
    phoneNumber: request.phoneNumber,
    transactionDesc: request.description,
  });
}

export const PATHS = {
  billPayments: '/v1/bill-payments',
  billServices: '/v1/bill-services',
  billNumbers: '/v1/bill-numbers',
  assignedRoutes: '/v1/transaction-routes/assigned-routes',
  walletBalance: '/v1/customer-accounts/get-wallet-balance',
  health: '/api_health_check',
} as const;

/** Balances are asked for by ISO 4217 number: 404 is KES. */
export const WALLET_CURRENCY = '404';
