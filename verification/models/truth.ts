import type { BillPaymentOutcome, DeclinedOutcome, PaidOutcome } from '../../src/payment/outcome';
import { AMOUNT, POLICY, timeOf } from './moments';
import { isRefusal } from './words';
import { nowOf, withWrong, type Bounds, type Look, type Said, type State, type Truth } from './state';

/** What really happened, kept beside what the store knows of it; and what must be true of every end. */

export const NOTHING_TRUE: Truth = { completed: false, recordTold: false, contradicted: false, disputable: false };

/** By so much a look's clock may be wrong without anybody's noticing: an older answer is not written. */
const CLOCK_ERROR_MS = 60_000;
const errorOf = ({ clockJumps }: Bounds): number => (clockJumps ? CLOCK_ERROR_MS : 0);

const isCompleted = (said: Said): boolean => said.startsWith('completed');
const isOther = (said: Said): boolean => said.endsWith('other');

/** What is true for ever has been written down, though it came too late to say more; and what contradicts the end. */
export function remembered(state: State, { said, tick, isAnotherAccount }: Look): State {
  const { truth, row } = state;
  if (isAnotherAccount) return state;
  if (row.closed !== undefined && isOpposite(state, said, tick)) {
    const isNews = isCompleted(said) && !wasKnown(state, said);
    return { ...state, truth: { ...truth, disputable: true, contradicted: truth.contradicted || isNews } };
  }
  if (said === 'not-found' || row.closed !== undefined) return state;
  return { ...state, truth: { ...truth, recordTold: true, completed: truth.completed || isCompleted(said) } };
}

/** An answer has been written down. One of another account says nothing of this payment. */
export function heard(state: State, { said, tick, isAnotherAccount }: Look): State {
  if (isAnotherAccount) return state;
  const { truth } = state;
  const isFailed = said.startsWith('failed');
  const { last } = truth;
  const isLater = last === undefined || tick > last.tick;
  const same = last?.tick === tick && !last.said.includes(said) ? [...last.said, said].sort() : last?.said;
  const heardNow: Truth = {
    ...truth,
    last: isLater ? { tick, said: [said] } : { tick: last.tick, said: same ?? [said] },
    ...(isFailed && {
      failedFirst: Math.min(truth.failedFirst ?? tick, tick),
      failedLast: Math.max(truth.failedLast ?? tick, tick),
    }),
    ...(!isFailed && { otherLast: Math.max(truth.otherLast ?? tick, tick) }),
    contradicted: truth.contradicted || (isOpposite(state, said, tick) && !wasKnown(state, said)),
  };
  return { ...state, truth: heardNow };
}

/** Whether what is said after the end is the opposite of it. */
function isOpposite({ row: { closed } }: State, said: Said, tick: number): boolean {
  if (closed === undefined) return false;
  const { outcome } = closed;
  if (isCompleted(said)) return outcome.kind !== 'paid' || outcome.amount !== (isOther(said) ? AMOUNT - 1 : AMOUNT);
  return said.startsWith('failed') && outcome.kind === 'paid' && timeOf(tick) > Date.parse(outcome.closedAt);
}

/** A person who decided about somebody else's record, or about one of another amount, had it before their eyes. */
function wasKnown({ row, truth }: State, said: Said): boolean {
  const outcome = row.closed?.outcome;
  const byPerson = outcome !== undefined && outcome.kind !== 'cancelled' && outcome.settledBy === 'operator';
  return byPerson && isOther(said) && (outcome.kind === 'paid' || truth.completed || isUnsent(row));
}

/** An end is recorded: what it must rest on. */
export function checkedEnd(before: State, bounds: Bounds, outcome: BillPaymentOutcome): State {
  const problems = problemsOf(before, bounds, outcome);
  const isOver = before.row.closed !== undefined && before.row.closed.outcome.kind !== outcome.kind;
  if (isOver) problems.push(`G7: ${outcome.kind} after it has ended as ${before.row.closed?.outcome.kind}`);
  return withWrong(before, ...problems);
}

function problemsOf(state: State, bounds: Bounds, outcome: BillPaymentOutcome): string[] {
  if (outcome.kind === 'cancelled') return unsentProblems(state);
  if (outcome.settledBy === 'operator') return personProblems(state, bounds, outcome);
  if (outcome.kind === 'paid') return paidProblems(state, bounds, outcome);
  switch (outcome.reason) {
    case 'failed':
      return failedProblems(state, bounds, outcome);
    case 'rejected':
      return untakenProblems(state, 'rejected', state.reply === 'rejected');
    case 'not-sent':
      return untakenProblems(state, 'not sent', state.posts === 0);
    case 'account-invalid':
    case 'insufficient-funds':
    case 'unknown-funding-account':
    case 'expired':
    case 'operator':
      return [`an end nobody has asked for: ${outcome.reason}`];
  }
}

function unsentProblems({ posts, row, truth }: State): string[] {
  const found: string[] = [];
  if (posts > 0) found.push('G2: ended as never sent, and a request has left');
  if (row.claim.kind === 'taken') found.push('G2: ended as never sent, and somebody has the claim');
  if (truth.recordTold) found.push('G2: ended as never sent, and a look had told of a record');
  return found;
}

function paidProblems({ truth, inbox }: State, bounds: Bounds, { amount, receipt }: PaidOutcome): string[] {
  const found: string[] = [];
  if (!lastOf(truth, bounds).includes('completed')) found.push('G3: paid, and the last answer is no record of it');
  if (amount !== AMOUNT) found.push(`G3: paid ${amount} without a person`);
  if (bounds.prepaid && receipt.token === undefined) found.push('G3: paid, and there is no token');
  if (receipt.token !== undefined && !inbox.some(({ kind }) => kind === 'paid')) found.push('a token from nowhere');
  return found;
}

function failedProblems(state: State, bounds: Bounds, { providerCode }: DeclinedOutcome): string[] {
  const { truth, inbox, isCut } = state;
  const { failedFirst, failedLast, otherLast } = truth;
  const found: string[] = [];
  if (failedFirst === undefined || failedLast === undefined)
    return ['G2: declined, and nobody has heard that it failed'];
  if (timeOf(failedLast) - timeOf(failedFirst) < POLICY.failureConfirmation - errorOf(bounds))
    found.push('G2: declined, and it had not been failed for long enough');
  const otherAt = timeOf(otherLast ?? -1);
  if (otherLast !== undefined && otherAt > timeOf(failedFirst) + errorOf(bounds))
    found.push('G2: declined, and the failure had broken off');
  if (!lastOf(truth, bounds).includes('failed')) found.push('G2: declined, and the last answer is no failure of it');
  if (truth.completed) found.push('G2: declined, and it had been completed');
  if (inbox.some(({ kind }) => !isRefusal(kind)) || isCut)
    found.push('G2: declined against a code that can hide a payment');
  const hasRefusal = inbox.some(({ kind }) => isRefusal(kind));
  if (!hasRefusal && (providerCode !== undefined || bounds.failedWithoutCode === 'ask'))
    found.push('G2: declined without a code');
  return found;
}

function untakenProblems({ provider, truth, inbox }: State, as: string, isTrue: boolean): string[] {
  const found: string[] = [];
  if (!isTrue) found.push(`G2: declined as ${as}, and that is not what happened`);
  if (provider.isOurs && provider.state !== 'none') found.push(`G2: declined as ${as}, and the provider has it`);
  if (truth.recordTold) found.push(`G2: declined as ${as}, and a look had told of a record`);
  if (inbox.some(({ kind }) => kind === 'paid')) found.push(`G2: declined as ${as} against a callback that says paid`);
  return found;
}

function personProblems(state: State, bounds: Bounds, outcome: PaidOutcome | DeclinedOutcome): string[] {
  const { truth, row } = state;
  const found: string[] = [];
  if (row.attentionSince === undefined) found.push('a person has decided, and nobody was asked');
  if (isBeingSent(state)) found.push('G2: a person has decided while it was being sent');
  if (isProven(state, bounds, outcome)) found.push('a person has decided against proof');
  const last = lastOf(truth, bounds);
  if (outcome.kind === 'paid') {
    if (last.every((said) => said === 'completed') && last.length > 0 && outcome.amount !== AMOUNT)
      found.push(`G3: paid ${outcome.amount}, and the record says ${AMOUNT}`);
    return found;
  }
  const age = nowOf(state) - timeOf(truth.last?.tick ?? -1);
  if (truth.last === undefined || age > 60_000)
    found.push('G2: declined by a person, and no answer was heard just before');
  if (last.length > 0 && last.every((said) => isCompleted(said) && !(isOther(said) && isUnsent(row))))
    found.push('G2: declined by a person, and the provider says completed');
  if (truth.completed && last.length > 0 && last.every((said) => said === 'not-found'))
    found.push('G2: declined by a person, and what was completed cannot be found');
  const hasCase = outcome.evidence.source === 'operator' && outcome.evidence.providerCase !== undefined;
  if (!hasCase && !last.some((said) => said === 'failed' || (said === 'failed, other' && isUnsent(row))))
    found.push('G2: declined by a person without a case, and the provider does not say failed');
  return found;
}

/** Whoever had the claim says that nothing has left. */
const isUnsent = ({ claim }: State['row']): boolean => claim.kind !== 'taken' || claim.answer?.kind === 'not-sent';

const isBeingSent = ({ attempts, tick }: State): boolean =>
  attempts.some((attempt) => attempt.phase === 'sending' && attempt.since === tick);

/** What was proven, and the person says the opposite. Where clocks err, the store may not know yet what is true. */
function isProven(state: State, bounds: Bounds, outcome: PaidOutcome | DeclinedOutcome): boolean {
  const { row, truth } = state;
  if (row.claim.kind !== 'taken' || errorOf(bounds) > 0 || truth.last?.said.length !== 1) return false;
  if (outcome.kind === 'declined') return paidProblems(state, bounds, provenPaid(state)).length === 0;
  return failedProblems(state, bounds, { providerCode: '1' } as DeclinedOutcome).length === 0;
}

const provenPaid = ({ inbox }: State): PaidOutcome =>
  ({
    kind: 'paid',
    amount: AMOUNT,
    receipt: inbox.some(({ kind }) => kind === 'paid') ? { token: '1234' } : {},
  }) as PaidOutcome;

/** The last answers, and those that a wrong clock may make the last. */
function lastOf(truth: Truth, bounds: Bounds): readonly Said[] {
  const { last, failedLast, otherLast } = truth;
  if (last === undefined || errorOf(bounds) === 0) return last?.said ?? [];
  const within = (tick: number | undefined): boolean =>
    tick !== undefined && timeOf(last.tick) - timeOf(tick) <= CLOCK_ERROR_MS;
  return [
    ...last.said,
    ...(within(failedLast) ? (['failed'] as const) : []),
    ...(within(otherLast) ? (['completed', 'pending', 'not-found'] as const) : []),
  ];
}

/** What must hold in every state. */
export function violations(state: State): readonly string[] {
  const { row, posts, truth, wrong, inbox } = state;
  const found = [...wrong];
  if (posts > 1) found.push(`G1: ${posts} payment requests have left`);
  if (posts > 0 && row.claim.kind !== 'taken') found.push('G1: a request has left, and the claim is not taken');
  found.push(...moneyProblems(state));
  const { closed } = row;
  if (closed === undefined) return found;
  if (truth.contradicted && !closed.disputed)
    found.push('G5: the provider contradicts the outcome, and it is not disputed');
  const isExplained = truth.disputable || inbox.some(({ named }) => named === 'dispute');
  if (closed.disputed && !isExplained) found.push('it is disputed, and nothing contradicts it');
  return found;
}

/** Held exactly from the claim to the end, and then posted as recorded. */
function moneyProblems({ row }: State): string[] {
  const { claim, closed, money } = row;
  if (closed === undefined && claim.kind !== 'taken')
    return money === 'free' ? [] : [`G6: the money is ${money}, and nobody has the claim`];
  if (closed === undefined) return money === 'held' ? [] : [`G6: it may have been sent, and the money is ${money}`];
  const owed = closed.outcome.kind === 'paid' ? closed.outcome.amount : 0;
  const isSettled = money === owed || (owed === 0 && claim.kind !== 'taken' && money === 'free');
  return isSettled ? [] : [`G6: ${closed.outcome.kind}: ${owed} is owed, and the money is ${money}`];
}
