import { compareWithOutcome } from '../../src/callbacks/compare';
import type { Expected } from '../../src/payment/look';
import type { CallbackReading } from '../../src/payment/observation';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Facts } from '../../src/payment/verdict';

export const VERDICT_BUGS = [
  'two-step close',
  'decline on not-found',
  'void while unknown',
  'code from an unauthenticated callback',
  'callbacks not counted by the close',
  'completed forgotten',
  'first failure believed',
] as const;
export type VerdictBug = (typeof VERDICT_BUGS)[number];

/** One tick is `failureConfirmation`, `notFoundGrace`, and the life of a token with its margin. */
export const TICK_MS = 5 * 60_000;

export const EXPECTED: Expected = { paymentId: 'pay-00000001', accountNumber: '1', amount: 2, currency: 'KES' };

/** What the model of verdict and close is about. */
export interface State {
  readonly now: number;
  /** What the provider's look-up shows. */
  readonly shown: 'nothing' | 'pending' | 'completed' | 'failed' | 'completed, another amount';
  readonly turned: boolean;
  readonly inbox: readonly Stored[];
  readonly forged: boolean;
  readonly run: 'waiting' | 'closing' | 'ended';
  readonly runs: number;
  readonly startedAt: number;
  readonly facts: Facts;
  readonly attention: boolean;
  /** What looks that are under way have read. */
  readonly looks: readonly Reading[];
  /** Whose update was accepted and who look now. */
  readonly operators: readonly Wish[];
  readonly operatorsCame: number;
  readonly decision?: { readonly kind: 'paid' | 'declined'; readonly amount: number };
  readonly closes: readonly Close[];
  readonly outcome?: Close['outcome'];
  /** A number: so much was posted. */
  readonly funds: 'none' | 'reserved' | 'voided' | number;
  readonly completedSeen: boolean;
  readonly disputed: boolean;
  /** For the checks alone: what looks have brought, and when looks have read failed. */
  readonly saidCompleted: boolean;
  readonly saidAnyCompleted: boolean;
  readonly failedSince?: number;
  readonly failedConfirmed: boolean;
  /** What was seen to go wrong at the moment it did. */
  readonly wrong: readonly string[];
}

/** What the provider answered, and when. */
export interface Reading {
  readonly shown: State['shown'];
  readonly at: number;
}

export type Wish = 'paid' | 'paid in part' | 'declined' | 'declined with a case';

export interface Stored {
  readonly kind: 'refusal' | 'ambiguous' | 'paid';
  readonly authentic: boolean;
  readonly named?: 'close' | 'agreed' | 'dispute';
}

/** A closing transaction that is asked for until it is answered. */
export interface Close {
  readonly outcome: {
    readonly kind: 'paid' | 'declined';
    readonly amount: number;
    readonly by: 'machine' | 'operator';
  };
  readonly considered: number;
  /** Of the run that lives. */
  readonly current: boolean;
  /** Only with the two-step bug: the outcome is recorded, the money is still to be moved. */
  readonly halfDone: boolean;
}

const reading = (claims: CallbackReading['claims'], code: CallbackReading['code']): CallbackReading => ({
  tells: 'result',
  claims,
  receipt: {},
  said: claims,
  ...(code && { code }),
});

export const READINGS: { readonly [Kind in Stored['kind']]: CallbackReading } = {
  refusal: reading('failed', { value: '1', meaning: 'refusal' }),
  ambiguous: reading('unclear', { value: '3', meaning: 'ambiguous' }),
  paid: reading('paid', { value: '0', meaning: 'success' }),
};

export const isContradicted = (outcome: Close['outcome'], by: Stored['kind']): boolean =>
  compareWithOutcome({ ...EXPECTED, outcome: outcomeOf(outcome) }, READINGS[by]).kind === 'contradicts';

/** As far as the comparison with a callback asks. */
function outcomeOf({ kind, amount }: Close['outcome']): BillPaymentOutcome {
  const closed = {
    paymentId: EXPECTED.paymentId,
    summary: '',
    closedAt: '',
    evidence: { source: 'none', said: '' },
  } as const;
  if (kind === 'paid') return { ...closed, kind, amount, currency: EXPECTED.currency, receipt: {}, settledBy: 'poll' };
  return { ...closed, kind, step: 'result', reason: 'failed', retryable: false, settledBy: 'poll' };
}

/** What an outcome rests on, asked at the moment it is recorded. */
export function unproven(state: State, { kind, by }: Close['outcome']): string[] {
  if (by === 'operator') return [];
  if (kind === 'paid') return state.saidCompleted ? [] : ['G3: paid, and Almara Pay never said completed'];
  const codes = state.inbox.filter(({ authentic }) => authentic).map((callback) => callback.kind);
  const problems = [
    !state.failedConfirmed && 'Almara Pay has not said failed for long enough',
    !codes.includes('refusal') && 'no authentic callback carries a refusal code',
    codes.includes('ambiguous') && 'a callback carries a code that can hide a payment',
    state.saidAnyCompleted && 'Almara Pay once said completed',
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `G2: declined, and ${problem}`);
}

/** What must hold in every state. */
export function violations({ outcome, funds, inbox, disputed, wrong }: State): readonly string[] {
  const found = [...wrong];
  if (outcome === undefined) {
    if (funds !== 'none' && funds !== 'reserved') found.push(`G6: ${funds} while the payment is open`);
    return found;
  }
  const owed = outcome.amount === 0 ? 'voided' : outcome.amount;
  if (funds !== 'none' && funds !== owed)
    found.push(`G6: ${outcome.kind} ${outcome.amount}, and the money is ${funds}`);
  const ignored = inbox.filter(
    ({ kind, named }) => named !== undefined && named !== 'close' && isContradicted(outcome, kind),
  );
  if (ignored.length > 0 && !disputed) found.push('G5: a callback contradicts the outcome, and it is not disputed');
  return found;
}

/** Short, because hundreds of thousands are kept. Looks and closes are told apart by what they are, not by their order. */
export function canonical(state: State): string {
  const { outcome } = state;
  const inbox = state.inbox.map(({ kind, authentic, named }) => `${kind}${authentic ? '' : '!'}${named ?? ''}`).join();
  const closes = state.closes.map(closeKey).sort().join();
  const always = [inbox, state.forged, closes, state.funds, state.disputed, state.wrong.length, state.run].join('|');
  // What an open payment alone goes by makes no difference any more.
  if (outcome !== undefined) return `${always}|${outcome.kind}${outcome.amount}${outcome.by}`;
  const { facts, decision } = state;
  const { observation: seen, failed, callbacks } = facts;
  // The receipt is always there, so since when it was paid makes no difference; of a failure only whether it is confirmed.
  const known = [
    ...[seen?.kind === 'record' ? `${seen.state}${seen.amount ?? ''}` : seen?.kind, facts.submittedAt],
    ...[failed?.since, failed && failed.until > failed.since, facts.completedSeen],
    ...[callbacks.count, callbacks.code?.kind],
  ].join();
  const looks = state.looks.map(({ shown, at }) => `${shown}${shown === 'failed' ? at : ''}`);
  const failedSince = state.failedConfirmed ? 'confirmed' : state.failedSince;
  return [
    ...[always, known, state.now, state.shown, state.turned, state.runs, state.startedAt, state.attention],
    ...[looks.sort().join(), state.operators.join(), state.operatorsCame, decision?.amount],
    ...[state.completedSeen, state.saidCompleted, state.saidAnyCompleted, failedSince],
  ].join('|');
}

const closeKey = ({ outcome, considered, current, halfDone }: Close): string =>
  `${outcome.kind}${outcome.amount}${outcome.by}${considered}${String(current)}${String(halfDone)}`;
