import type { AttentionReason, BillPaymentOutcome } from './outcome';

export type Stage =
  /** Nothing is known yet, not even whether an earlier run has sent it. */
  'registering' | 'validating' | 'submitting' | 'awaiting-result' | 'needs-attention' | 'recording' | 'closed';

/** Where a payment stands: the query's and every update's answer. Times are ISO 8601, UTC. */
export interface PaymentProgress {
  readonly paymentId: string;
  readonly stage: Stage;
  /** Only while it needs attention. */
  readonly reason?: AttentionReason;
  /** What the reason rests on, in words. */
  readonly because?: string;
  readonly serviceId: string;
  readonly serviceName?: string;
  readonly amount: number;
  readonly currency: string;
  readonly fundingAccount?: string;
  readonly startedAt: string;
  /** What came of sending it. Absent while it was not sent. */
  readonly submission?: {
    readonly kind: 'accepted' | 'rejected' | 'not-sent' | 'unknown';
    readonly at: string;
    readonly said: string;
  };
  /** What the provider said last, in words, and when; and its name. */
  readonly provider?: { readonly name: string; readonly said?: string; readonly at?: string };
  readonly callbacks: number;
  /** When a person is asked, if nothing is known by then. */
  readonly attentionAt: string;
  readonly attentionSince?: string;
  readonly outcome?: BillPaymentOutcome;
}

/** Argument of `resolvePayment`. */
export interface Resolution {
  readonly decision: 'paid' | 'declined';
  readonly operator: string;
  readonly note: string;
  readonly receiptNumber?: string;
  /** With `paid`: the prepaid token, when it came another way. */
  readonly token?: string;
  /** With `paid`: less than asked for was paid; the rest is released. Whole units. */
  readonly amount?: number;
  /** The provider's written confirmation, needed to decline what it has not called failed. */
  readonly providerCase?: string;
}

/** Argument of `cancelPayment`. */
export interface Cancellation {
  readonly operator: string;
  readonly note: string;
}

/** Argument of `checkStatusNow`. */
export interface StatusCheck {
  readonly operator: string;
}
