import type { Claimable } from '../../src/payment/claim';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import { timeOf } from './moments';
import { changedRow, type Row, type RowParts } from './row';

/**
 * One payment and the world around it. What the store keeps is the product's own: the rules of `src/payment` read and write it. There is
 * no run among it: whatever a run asks for may be asked at any time, by any number of runs, in any order.
 */
export interface State {
  /** Index of `TICKS`. */
  readonly tick: number;
  readonly row: Row;
  readonly inbox: readonly Callback[];
  /** Callbacks came that were not kept. */
  readonly isCut: boolean;
  /** An end that was decided on the row as it is, and is not written yet: it will be, if the row is still the same. */
  readonly recording?: Recording;
  readonly attempts: readonly Attempt[];
  readonly attemptsBegun: number;
  /** Answers of the provider that nobody has written down yet. */
  readonly looks: readonly Look[];
  /** A look whose clock jumped was written. */
  readonly clockJumped: boolean;
  readonly account: 'enough' | 'too little';
  readonly provider: ProviderRecord;
  /** The request on its way, and until when the provider may take it. */
  readonly onItsWay?: { readonly until: number };
  /** What the provider has answered to the request; whether anybody hears it is another matter. */
  readonly reply?: 'accepted' | 'rejected';
  /** Payment requests that left us. */
  readonly posts: number;
  readonly truth: Truth;
  /** What was seen to go wrong, at the moment when it did. */
  readonly wrong: readonly string[];
}

export type CallbackKind = 'refusal' | 'other amount, refusal' | 'ambiguous' | 'paid';

export interface Callback {
  readonly kind: CallbackKind;
  readonly named?: 'close' | 'agreed' | 'dispute';
}

export interface Recording {
  readonly what: string;
  readonly outcome: BillPaymentOutcome;
  /** So many callbacks had been read. */
  readonly read: number;
}

/** One attempt of `submitPayment`; a stalled one may go on at any time, a dead one is one that never does. */
export type Attempt =
  /** It has read the row, looked, and found nothing. */
  | {
      readonly phase: 'claiming';
      readonly content: 'registered' | 'other';
      readonly read: Claimable['kind'];
      /** When its session ends. */
      readonly session: number;
    }
  /** It has the claim. The first byte leaves within the tick of the claim, or never. */
  | {
      readonly phase: 'sending';
      readonly content: 'registered' | 'other';
      readonly since: number;
      readonly session: number;
    }
  | { readonly phase: 'sent' }
  /** It has an answer, and has not written it down yet. */
  | { readonly phase: 'answering'; readonly what: 'accepted' | 'rejected' | 'not-sent' | 'unknown' };

export interface Look {
  readonly said: Said;
  /** The tick at which it was asked for and answered. */
  readonly tick: number;
  readonly isAnotherAccount: boolean;
}

/** What the provider's look-up says. `other`: a record that is not what was asked for. */
export type Said = 'not-found' | `${'pending' | 'completed' | 'failed'}${'' | ', other'}`;

export interface ProviderRecord {
  readonly state: 'none' | 'pending' | 'completed' | 'failed';
  readonly agrees: boolean;
  /** Of our request; otherwise somebody else uses the id. */
  readonly isOurs: boolean;
  /** The look-up shows it. */
  readonly isShown: boolean;
  /** How often it has taken something back. */
  readonly turns: number;
}

/** For the checks alone: what was really said in the answers that were written down, by the ticks at which they were asked for. */
export interface Truth {
  /** The last answers, of all asked for at that tick. */
  readonly last?: { readonly tick: number; readonly said: readonly Said[] };
  readonly failedFirst?: number;
  readonly failedLast?: number;
  readonly otherLast?: number;
  /** Completed was said before the end. */
  readonly completed: boolean;
  /** A record was told to somebody, before the end. */
  readonly recordTold: boolean;
  /** What was said after the end is news that contradicts it; or contradicts it at least, though people may have known. */
  readonly contradicted: boolean;
  readonly disputable: boolean;
}

export interface Bounds {
  readonly attempts: number;
  /** The last of the attempts is somebody else's, with other content. */
  readonly foreignCaller: boolean;
  readonly looks: number;
  readonly callbacks: number;
  /** How many callbacks are kept. */
  readonly kept: number;
  readonly foreignRecord: boolean;
  /** How often the provider takes something back. */
  readonly turns: number;
  /** One look's clock jumps ahead while it is under way. */
  readonly clockJumps: boolean;
  /** Looks with the credentials of another merchant account. */
  readonly otherAccount: boolean;
  readonly prepaid: boolean;
  readonly failedWithoutCode: 'ask' | 'decline';
  /** Our own record may differ from what was sent. */
  readonly differs: boolean;
  /** A look may bring what its worker had seen before. */
  readonly memory: boolean;
  /** The index of the last tick. */
  readonly lastTick: number;
  /** Between what an end rests on and its being written other things happen. */
  readonly slowEnds: boolean;
}

export const nowOf = ({ tick }: State): number => timeOf(tick);

/** Whoever has read the row before has read another one. */
export function withRow({ recording: _overtaken, ...state }: State, row: Row): State {
  return { ...state, row };
}

export const changed = (state: State, parts: Partial<RowParts>): State => withRow(state, changedRow(state.row, parts));

export const withWrong = (state: State, ...what: readonly string[]): State =>
  what.length === 0 ? state : { ...state, wrong: [...state.wrong, ...what] };
