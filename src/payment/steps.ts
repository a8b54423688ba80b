import type { Ending } from './ending';
import type { Closed, Facts } from './facts';
import type { Verdict } from './judge';
import type { DeclineReason } from './outcome';
import type { CheckedRequest } from './request';

/**
 * What the steps of a payment take and give: the contract between the workflow and its activities. A step takes the payment's id and
 * trusts the store for the rest; what a run asks for is a hint, what comes back is what is known.
 */

/** What was learnt at one moment. It was written down before it is told. */
export interface Look {
  readonly facts: Facts;
  readonly verdict: Verdict;
  /** When it was judged: epoch ms by the database's clock. */
  readonly at: number;
  /** What the provider said to this look, for people. Absent: it was not asked. */
  readonly said?: string;
}

export type Registration =
  | {
      readonly kind: 'open';
      readonly request: CheckedRequest;
      readonly serviceName?: string;
      /** The provider's name, for texts. */
      readonly provider: string;
      readonly look: Look;
      /** What is left of the time to send it, ms. */
      readonly expiresIn: number;
    }
  | ({ readonly kind: 'closed' } & Closed);

export type SubmitResult =
  | { readonly kind: 'looked'; readonly look: Look }
  /** Its money could not be held. Nothing was claimed or sent. */
  | {
      readonly kind: 'no-funds';
      readonly reason: Extract<DeclineReason, 'insufficient-funds' | 'unknown-funding-account'>;
      readonly said: string;
    };

/** Type of the failure with which a payment waits for money. */
export const WAITS_FOR_MONEY = 'WaitsForMoney';

/** Looks until there is an end, or another reason to ask a person. */
export interface PollInput {
  readonly paymentId: string;
  /** The reason for which a person is asked already. */
  readonly reason?: string;
  /** The first look comes so late, ms. Absent: at once. */
  readonly firstLookIn?: number;
  /** When a person is told that the store does not answer, ms from the start of the poll. Absent: one is asked already. */
  readonly storeWithin?: number;
}

export type PollResult =
  | { readonly kind: 'looked'; readonly look: Look }
  /** Our own store did not answer, and a person should have been asked by now. */
  | { readonly kind: 'store-away'; readonly because: string };

export interface RecordRequest {
  readonly paymentId: string;
  readonly ending: Ending;
}

export type RecordResult =
  /** Recorded, now or before: `isOutcomeOf` tells whether it is what was asked for. */
  | ({ readonly kind: 'closed' } & Closed)
  /** It does not end so: this is how it stands. */
  | { readonly kind: 'open'; readonly look: Look }
  /** A person's decision that is not taken: why, in a sentence for them. Nothing was changed. */
  | { readonly kind: 'refused'; readonly because: string };
