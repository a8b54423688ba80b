import type { AttentionReason, BillPaymentOutcome } from './outcome';
import type { Expected, Look } from './look';
import type { Observation, PaymentRecord, Submission } from './observation';
import type { Policy } from './policy';
import type { CheckedRequest } from './request';

/** What the steps of a payment take and give: the contract between the workflow and its activities. */

export type Registration =
  | {
      readonly kind: 'open';
      readonly request: CheckedRequest;
      readonly policy: Policy;
      /** An earlier run took the claim: it may have been sent already. */
      readonly claimed: boolean;
      /** An earlier run has reserved its money. */
      readonly reserved: boolean;
      readonly serviceName?: string;
      readonly prepaid: boolean;
      readonly failedWithoutCode: 'ask' | 'decline';
    }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome; readonly disputed: boolean };

export interface ReserveRequest {
  readonly paymentId: string;
  readonly fundingAccount: string;
  readonly amount: number;
  readonly currency: string;
}

export type Reservation =
  | { readonly kind: 'reserved' }
  | { readonly kind: 'insufficient' }
  | { readonly kind: 'unknown-account' }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome };

export type SubmissionResult =
  | Submission
  /** The provider has a record under our id that no claim of ours explains. Nothing was sent. */
  | { readonly kind: 'id-in-use'; readonly record: PaymentRecord }
  /** Closed by somebody else meanwhile. Nothing was sent. */
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome };

/** Look until there is news, or until a deadline. Durations in ms, deadlines epoch ms. */
export interface PollInput {
  readonly expected: Expected;
  /** The last answer the workflow knows: the same again is no news. */
  readonly known?: Observation;
  /** How many callbacks it has weighed. */
  readonly knownCallbacks: number;
  readonly firstLookIn: number;
  readonly interval: number;
  readonly maxInterval: number;
  /** A payment that is still failed then has been failed for long enough: that is news. */
  readonly confirmAt?: number;
  readonly notFoundBy?: number;
  readonly overdueAt?: number;
}

export type PollResult =
  | { readonly kind: 'news' | 'not-found'; readonly look: Look }
  /** Without a look when our own store did not answer. */
  | { readonly kind: 'overdue'; readonly look?: Look };

/** Who did what and why, kept with what it looked like before. */
export interface OperatorAction {
  readonly action: 'resolvePayment' | 'cancelPayment';
  readonly operator: string;
  readonly note: string;
  /** Of the update that brought it: the same update acts once. Absent for the UI's Request Cancellation. */
  readonly updateId?: string;
  /** The rest of what they sent. */
  readonly argument?: Readonly<Record<string, unknown>>;
  readonly before: { readonly stage: string; readonly reason?: AttentionReason; readonly said?: string };
}

export interface CloseRequest {
  readonly paymentId: string;
  readonly outcome: BillPaymentOutcome;
  /** It closes without having been sent: takes the claim itself, or does not close. */
  readonly unsent: boolean;
  /** How many stored callbacks the verdict rests on. */
  readonly callbacksConsidered: number;
  readonly action?: OperatorAction;
}

export type CloseResult =
  | { readonly kind: 'recorded'; readonly outcome: BillPaymentOutcome }
  /**
   * An outcome was there already, of another run or of this one before a lost answer, and stands. It contradicts when another amount
   * was paid by it: then the payment is disputed.
   */
  | { readonly kind: 'stands'; readonly outcome: BillPaymentOutcome; readonly contradicts: boolean }
  /** A person's decision, and `BILLPAY_OPERATORS` does not name them. Nothing was changed. */
  | { readonly kind: 'not-an-operator' }
  /** Meant as unsent, but somebody holds the claim. Nothing was changed. */
  | { readonly kind: 'may-have-been-sent' }
  /** Something has come in that the decline did not know. Nothing was changed: read the facts and decide again. */
  | { readonly kind: 'reconsider'; readonly because: string };
