import type { BillPaymentOutcome } from './outcome';

/**
 * A recorded outcome that something authentic contradicts (design §4, §10). The outcome stands; people agree on what was true and
 * say so, and what follows (a refund, a correction with the provider) is theirs.
 */

/** What found the contradiction: a late callback, a close that met another outcome, reconciliation. */
export type RaisedBy = 'callback' | 'close' | 'reconciliation';

/** Argument of the `paymentDispute` workflow. */
export interface PaymentDispute {
  readonly paymentId: string;
  readonly raisedBy: RaisedBy;
  /** What contradicts the outcome, for people, without personal data. */
  readonly because: string;
  /** ISO 8601, UTC. */
  readonly raisedAt: string;
}

/** Argument of `resolveDispute`. */
export interface DisputeResolution {
  /** What was agreed about the bill, whatever was recorded. */
  readonly agreed: 'paid' | 'not-paid';
  readonly operator: string;
  readonly note: string;
  /** The provider's case that confirms it. */
  readonly providerCase?: string;
}

/** Answer of the `disputeProgress` query and of `resolveDispute`. Times are ISO 8601, UTC. */
export interface DisputeProgress {
  readonly paymentId: string;
  readonly raisedBy: RaisedBy;
  readonly because: string;
  readonly raisedAt: string;
  /** What is recorded, and stays. Absent until the store has answered. */
  readonly recorded?: BillPaymentOutcome;
  readonly resolution?: DisputeResolution & { readonly at: string };
}

/** Result of the `paymentDispute` workflow. */
export interface PaymentDisputeOutcome {
  readonly paymentId: string;
  readonly agreed: DisputeResolution['agreed'];
  readonly operator: string;
  readonly note: string;
  readonly resolvedAt: string;
  /** One sentence for people: a closed run is read by its result alone. */
  readonly summary: string;
}
