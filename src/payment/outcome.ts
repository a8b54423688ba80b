import type { Receipt } from './observation';

/** How a payment ended. A declined payment is a completed workflow with this as its result. */
export type BillPaymentOutcome = PaidOutcome | DeclinedOutcome | CancelledOutcome;

type WithoutReceipt<Outcome> = Outcome extends unknown ? Omit<Outcome, 'receipt'> : never;
/** What never changes of it: a receipt may be added later. */
export type OutcomeWithoutReceipt = WithoutReceipt<BillPaymentOutcome>;

interface Closed {
  readonly paymentId: string;
  /** One sentence for people: a closed run is read by its result alone. */
  readonly summary: string;
  /** ISO 8601, UTC. */
  readonly closedAt: string;
}

export interface PaidOutcome extends Closed {
  readonly kind: 'paid';
  /** Whole units; less than asked for only if a person said so. */
  readonly amount: number;
  readonly currency: string;
  readonly receipt: Receipt;
  readonly providerId?: string;
  readonly settledBy: SettledBy;
  readonly evidence: Evidence;
}

export interface DeclinedOutcome extends Closed {
  readonly kind: 'declined';
  readonly step: 'validation' | 'funds' | 'submission' | 'result';
  readonly reason: DeclineReason;
  readonly providerCode?: string;
  /** Could paying again under a new id help? Only if it was never sent, refused by a clear 400, or failed with a refusal code. */
  readonly retryable: boolean;
  readonly settledBy: SettledBy | 'none';
  readonly evidence: Evidence;
}

export interface CancelledOutcome extends Closed {
  readonly kind: 'cancelled';
  readonly by: string;
  readonly note: string;
}

/** Who brought it about: a callback had come when it was recorded, none had, or a person decided. */
export type SettledBy = 'callback' | 'poll' | 'operator';

export type DeclineReason =
  | 'account-invalid'
  | 'insufficient-funds'
  | 'unknown-funding-account'
  /** The provider has refused the request, or what is asked before it. */
  | 'rejected'
  /** It could not be sent in time. */
  | 'expired'
  /** The claim was taken, and the request could not leave. */
  | 'not-sent'
  | 'failed'
  | 'operator';

/** Why we say so. */
export type Evidence =
  | { readonly source: 'provider'; readonly said: string; readonly at: string }
  | {
      readonly source: 'operator';
      readonly operator: string;
      readonly note: string;
      readonly providerCase?: string;
      readonly at: string;
    }
  /** Nothing was sent. */
  | { readonly source: 'none'; readonly said: string };

/** Why a person is asked. */
export type AttentionReason =
  | 'provider-silent'
  | 'not-found'
  | 'failed-without-code'
  | 'ambiguous-code'
  | 'evidence-mismatch'
  /** Answers that cannot both be true: completed and then not, failed that broke off and came back. */
  | 'contradictory-answers'
  | 'paid-without-token'
  | 'id-in-use'
  | 'store-unavailable';
