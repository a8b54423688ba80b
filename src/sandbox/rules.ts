import {
  STATUS,
  type Behaviour,
  type CallbackContent,
  type Moment,
  type PostAnswer,
  type Status,
  type Timings,
} from './behaviour';
import { ANY_OTHER_ACCOUNT, behaviourInId, listedBehaviour } from './behaviours';

/**
 * What the simulated provider does with a payment: pure functions from (what it knows, what comes in, what time it is) to
 * (what it knows then, what it answers). No I/O and no clock, so the HTTP app and a simulation with virtual time share them.
 * Times are epoch milliseconds.
 */

/** A payment request (type 2) as read from the wire. */
export interface PaymentRequest {
  readonly id: string;
  readonly serviceId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
  readonly country: string;
  readonly msisdn: string;
  readonly customerNames: string;
  readonly narration: string | null;
  readonly saveBillerNumber: boolean;
  readonly callbackUrl: string;
}

export interface PaymentState {
  readonly id: string;
  /** The provider's own id of it. */
  readonly systemId: string;
  /** Known from the id, from a validation just before the first look, or else with the first POST. */
  readonly behaviour?: Behaviour;
  readonly postsSeen: number;
  readonly postsCaptured: number;
  readonly captured?: { readonly at: number; readonly request: PaymentRequest };
  /** When look-ups came, refused ones aside. */
  readonly looks: readonly number[];
  readonly looksRefused: number;
}

/** The provider's record as a look-up shows it. */
export interface RecordFacts {
  readonly status: Status;
  readonly systemId: string;
  readonly receivedAt: number;
  readonly accountNumber: string;
  readonly amount: number;
  readonly request?: PaymentRequest;
}

export type LookAnswer =
  | { readonly kind: 'not-found' }
  | { readonly kind: 'refused'; readonly status: 401 }
  | { readonly kind: 'refused'; readonly status: 429; readonly retryAfterSeconds: number }
  | { readonly kind: 'record'; readonly record: RecordFacts };

export interface DueCallback {
  /** Milliseconds after the capture; `before-answer`: delivered and answered before the POST is. */
  readonly after: number | 'before-answer';
  readonly content: CallbackContent;
}

export interface PostOutcome {
  readonly state: PaymentState;
  readonly answer: PostAnswer;
  /** Empty unless this POST was captured. */
  readonly callbacks: readonly DueCallback[];
}

export function newPayment(id: string, systemId: string): PaymentState {
  const behaviour = behaviourInId(id);
  return { id, systemId, ...(behaviour && { behaviour }), postsSeen: 0, postsCaptured: 0, looks: [], looksRefused: 0 };
}

/**
 * What a validation (type 3) of an account says about the next look-up of an id nobody has seen: with these behaviours the
 * trouble comes before the POST, and nothing before it carries both the id and the account.
 */
export function announcedBy(account: string): Behaviour | undefined {
  const behaviour = listedBehaviour(account);
  return behaviour?.looks.kind === 'refused' || behaviour?.looks.kind === 'foreign-record' ? behaviour : undefined;
}

/** A POST that reached us and was refused before anything looked at its content (no valid token, missing fields). */
export function postSeen(state: PaymentState): PaymentState {
  return { ...state, postsSeen: state.postsSeen + 1 };
}

/** A readable, authorised payment POST. The id of a captured payment is used up: a second POST is a duplicate. */
export function post(before: PaymentState, request: PaymentRequest, now: number, timings: Timings): PostOutcome {
  const seen = postSeen(before);
  if (seen.captured !== undefined) return { state: seen, answer: { kind: 'duplicate-id' }, callbacks: [] };
  const behaviour = listedBehaviour(request.accountNumber) ?? behaviourInId(seen.id) ?? ANY_OTHER_ACCOUNT;
  if (!behaviour.captures) return { state: { ...seen, behaviour }, answer: behaviour.answer, callbacks: [] };
  return {
    state: { ...seen, behaviour, postsCaptured: seen.postsCaptured + 1, captured: { at: now, request } },
    answer: behaviour.answer,
    callbacks: behaviour.callbacks.map(({ when, content }) => ({
      after: when === 'before-answer' ? when : delay(when, timings),
      content,
    })),
  };
}

/** A look-up by id. */
export function look(
  before: PaymentState,
  now: number,
  timings: Timings,
): { readonly state: PaymentState; readonly answer: LookAnswer } {
  const trouble = before.behaviour?.looks ?? { kind: 'none' };
  if (trouble.kind === 'refused' && before.looksRefused < trouble.times) {
    const state = { ...before, looksRefused: before.looksRefused + 1 };
    return trouble.status === 429
      ? { state, answer: { kind: 'refused', status: 429, retryAfterSeconds: 1 } }
      : { state, answer: { kind: 'refused', status: 401 } };
  }
  const state = { ...before, looks: [...before.looks, now] };
  if (trouble.kind === 'foreign-record')
    return { state, answer: { kind: 'record', record: foreignRecord(before.systemId, now) } };
  const { captured } = before;
  if (captured === undefined || isInvisible(before, now, timings)) return { state, answer: { kind: 'not-found' } };
  return {
    state,
    answer: {
      kind: 'record',
      record: {
        status: statusAt(before, now, timings) ?? STATUS.pending,
        systemId: before.systemId,
        receivedAt: captured.at,
        accountNumber: captured.request.accountNumber,
        amount: captured.request.amount * (trouble.kind === 'wrong-amount' ? trouble.factor : 1),
        request: captured.request,
      },
    },
  };
}

/** The truth about a payment, whether or not a look-up may see it; undefined: never captured. */
export function statusAt(
  { captured, behaviour, looks }: PaymentState,
  now: number,
  timings: Timings,
): Status | undefined {
  if (captured === undefined) return undefined;
  const history = behaviour?.history ?? [];
  const reached = history.filter(({ at }) => now - captured.at >= delay(at, timings)).at(-1)?.status ?? STATUS.pending;
  if (behaviour?.looks.kind !== 'lags-behind-callback') return reached;
  const callbackAt = captured.at + timings.callbackDelayMs;
  return looks.some((at) => at >= callbackAt) ? reached : STATUS.pending;
}

/** Enqueue lag: no look has missed it yet, or the time is not over. */
function isInvisible({ behaviour, captured, looks }: PaymentState, now: number, timings: Timings): boolean {
  if (behaviour?.looks.kind !== 'invisible-at-first' || captured === undefined) return false;
  return now - captured.at < timings.notFoundMs || !looks.some((at) => at >= captured.at);
}

/** Nobody's request of ours explains it. */
function foreignRecord(systemId: string, now: number): RecordFacts {
  return { status: STATUS.completed, systemId, receivedAt: now, accountNumber: '999999', amount: 15 };
}

export function delay(moment: Moment, timings: Timings): number {
  return moment.reduce((sum, name) => sum + timings[name], 0);
}
