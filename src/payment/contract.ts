import { defineSearchAttributeKey } from '@temporalio/common';

/**
 * The names of the wire contract (docs/wire-contract.md#names). Other languages and the Web UI use them: they do not change once
 * released.
 */

/** Workflows are started here. */
export const TASK_QUEUE = 'bill-payments';

export const WORKFLOWS = {
  billPayment: 'billPayment',
  billInquiry: 'billInquiry',
  billServices: 'billServices',
  saveBillNumber: 'saveBillNumber',
  providerCheck: 'providerCheck',
  paymentDispute: 'paymentDispute',
  reconcilePayments: 'reconcilePayments',
} as const;

export const SIGNALS = { providerCallback: 'providerCallback' } as const;

export const UPDATES = {
  resolvePayment: 'resolvePayment',
  checkStatusNow: 'checkStatusNow',
  cancelPayment: 'cancelPayment',
  resolveDispute: 'resolveDispute',
} as const;

export const QUERIES = { paymentProgress: 'paymentProgress', disputeProgress: 'disputeProgress' } as const;

/** Keyword search attributes. Never personal data: they are never encrypted. */
export const SEARCH_ATTRIBUTES = {
  state: defineSearchAttributeKey('BillPaymentState', 'KEYWORD'),
  reason: defineSearchAttributeKey('BillPaymentReason', 'KEYWORD'),
  service: defineSearchAttributeKey('BillService', 'KEYWORD'),
} as const;

export type BillPaymentState = 'InProgress' | 'NeedsAttention' | 'Disputed' | 'Paid' | 'Declined' | 'Cancelled';

/** One id finds a payment in the backend, in Temporal and at the provider (docs/words.md#what-is-paid). */
export function workflowIdOf(paymentId: string): string {
  return `bill-payment-${paymentId}`;
}

/** At most one for each payment, for ever. */
export function disputeWorkflowIdOf(paymentId: string): string {
  return `bill-payment-dispute-${paymentId}`;
}

/** The type of an `ApplicationFailure`: the causes a caller in any language can tell apart. */
export const FAILURES = {
  /** The request breaks the schema; details: `[InvalidField[]]`. */
  invalidRequest: 'InvalidRequest',
  /** The payment id is known with other content. */
  paymentConflict: 'PaymentConflict',
  /** A cancellation after the claim: the request may have left. */
  tooLate: 'TooLate',
  /** A decision the facts do not allow; the message says why. */
  refused: 'Refused',
} as const;

/** One wrong field of a request: the path as in `payer.msisdn`, and what it must be. */
export interface InvalidField {
  readonly field: string;
  readonly problem: string;
}
