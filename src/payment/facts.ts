import type { CallbackEvidence } from './callback-evidence';
import type { Submission } from './observation';
import type { BillPaymentOutcome } from './outcome';
import type { Policy } from './policy';
import type { Seen } from './seen';

/** What the store knows of a payment, read at one moment. All times are epoch ms by the database's clock. */
export interface Facts {
  readonly paymentId: string;
  /** Whole currency units. */
  readonly amount: number;
  readonly currency: string;
  /** Its money is held from the claim on. */
  readonly fundingAccount?: string;
  readonly rules: Rules;
  readonly registeredAt: number;
  readonly claim: Claim;
  readonly seen: Seen;
  readonly callbacks: CallbackEvidence;
  /** Since when a person is asked: set by the first look that asks, for ever. */
  readonly attentionSince?: number;
  readonly closed?: Closed;
}

export interface Closed {
  readonly outcome: BillPaymentOutcome;
  /** Something authentic contradicts it. */
  readonly disputed: boolean;
}

/** Written down at the registration, and kept by every later run. */
export interface Rules {
  readonly policy: Policy;
  /** The service's receipt is useless without its token. */
  readonly prepaid: boolean;
  /** What a failure without any code means: `decline` is for deployments that cannot receive callbacks. */
  readonly failedWithoutCode: 'ask' | 'decline';
}

/** The right to send, once for ever. */
export type Claim =
  | { readonly kind: 'free' }
  /** Taken by the end of a payment that was not sent. */
  | { readonly kind: 'sealed' }
  | {
      readonly kind: 'taken';
      readonly at: number;
      /** Names the merchant account it is sent from. */
      readonly account: string;
      /** A request that is still on its way then is refused by the provider. */
      readonly sessionExpiresAt: number;
      /** What its holder has heard. Absent: nothing yet, or it died. */
      readonly answer?: Submission & { readonly at: number };
    };

/**
 * In place of the account of a claim that was taken by hand after a restore (docs/runbook.md). Nobody knows whether it was sent: what
 * any account is told of it counts.
 */
export const RESTORED = 'restored';

type ClaimOf =
  Pick<Extract<Claim, { kind: 'taken' }>, 'kind' | 'account'> | Pick<Exclude<Claim, { kind: 'taken' }>, 'kind'>;

/** From another merchant account than it was sent from, most answers say nothing about it. */
export const isOfAnotherAccount = (claim: ClaimOf, account: string): boolean =>
  claim.kind === 'taken' && claim.account !== account && claim.account !== RESTORED;

/**
 * Something is there under its id: a record was seen, or a callback has come, which only a request can cause. Of a payment that nobody
 * has claimed: it was sent before, and a restored store has forgotten it, or the id is somebody else's too.
 */
export const isKnownThere = ({ seen, callbacks }: Facts): boolean => seen.recordAt !== undefined || callbacks.count > 0;

/** Money is held for it now. */
export const isHeld = ({ claim, fundingAccount, closed }: Facts): boolean =>
  claim.kind === 'taken' && fundingAccount !== undefined && closed === undefined;

/** A store that was restored from a backup has forgotten the claim, and with it that the money is held: it is held before it is posted. */
export const mustHoldFirst = ({ claim, fundingAccount }: Facts, outcome: BillPaymentOutcome): boolean =>
  outcome.kind === 'paid' && claim.kind === 'free' && fundingAccount !== undefined;

/** It may have left us. */
export const mayBeSent = ({ claim }: Facts): boolean => claim.kind === 'taken' && claim.answer?.kind !== 'not-sent';
