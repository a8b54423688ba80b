import { isKnownThere, type Claim, type Facts } from './facts';
import type { Receipt } from './observation';
import type { AttentionReason } from './outcome';
import { holds, isLeftOut } from './planted';
import type { Answer, Seen } from './seen';

/** From what is known to what is proven. Pure; `now` is the database's clock, read after the facts. Durations are ms. */
export type Verdict =
  | { readonly kind: 'paid'; readonly receipt: Receipt; readonly record: Answer }
  | { readonly kind: 'failed'; readonly code?: string; readonly record: Answer }
  /** The provider has refused the request itself: it took nothing. */
  | { readonly kind: 'rejected'; readonly reasons: readonly string[]; readonly at: number }
  /** The claim is taken, and not one byte of the request can have left. */
  | { readonly kind: 'not-sent'; readonly because: string }
  | {
      readonly kind: 'open';
      /** A person is asked, and why. */
      readonly ask?: Ask;
      /** It may be judged otherwise then, without any news. At least a second. */
      readonly lookAgainIn?: number;
    };

export interface Ask {
  readonly reason: AttentionReason;
  /** What was seen, for people. */
  readonly because: string;
}

/**
 * Between its claim and the answer to its request a payment is being sent: nobody decides, and no record proves anything, since one
 * that is not ours may have appeared behind the look before the claim. Six times what the holder has for its first byte.
 */
export const SEND_WINDOW_MS = 30_000;

/** Until when it is being sent; undefined: it was, or never will be. */
export const sendWindowOf = ({ claim }: Facts): number | undefined =>
  claim.kind === 'taken' && claim.answer === undefined ? claim.at + SEND_WINDOW_MS : undefined;

export const isBeingSent = (facts: Facts, now: number): boolean =>
  now < (sendWindowOf(facts) ?? -Infinity) && !isLeftOut('the send window');

export const attentionAt = ({ registeredAt, rules }: Facts): number => registeredAt + rules.policy.attentionAfter;

export function judge(facts: Facts, now: number): Verdict {
  const verdict = judgeFacts(facts, now);
  if (verdict.kind !== 'open' || verdict.ask !== undefined || facts.attentionSince === undefined) return verdict;
  // Once asked, a person stays asked until there is an end; a reason that no longer holds gives way to the plain one.
  return { ...verdict, ask: { reason: 'provider-silent', because: lastWords(facts.seen) } };
}

/** Since when a person is asked, by this verdict or an earlier one; undefined: nobody is. */
export function askedSince({ closed, attentionSince }: Facts, verdict: Verdict, now: number): number | undefined {
  const asks = closed === undefined && verdict.kind === 'open' && verdict.ask !== undefined;
  return attentionSince ?? (asks ? now : undefined);
}

function judgeFacts(facts: Facts, now: number): Verdict {
  const { claim } = facts;
  if (claim.kind !== 'taken') {
    const isUsed = isKnownThere(facts) && !isLeftOut('a record of what was not sent asks');
    return isUsed ? ask('id-in-use', inUse(facts)) : { kind: 'open' };
  }
  if (isBeingSent(facts, now)) return open(now, sendWindowOf(facts));
  if (claim.answer?.kind === 'not-sent' || claim.answer?.kind === 'rejected')
    return judgeUntaken(facts, claim.answer, now);
  return judgeSent(facts, claim, now);
}

type Untaken = Extract<NonNullable<Extract<Claim, { kind: 'taken' }>['answer']>, { kind: 'not-sent' | 'rejected' }>;

/** The holder says that the provider has taken nothing: true unless something speaks against it. */
function judgeUntaken(facts: Facts, answer: Untaken, now: number): Verdict {
  const { seen, callbacks } = facts;
  const isAlone = seen.recordAt === undefined && !callbacks.claimsPaid;
  if (answer.kind === 'not-sent')
    return holds('not sent against a record proves nothing', isAlone)
      ? { kind: 'not-sent', because: answer.because }
      : ask('id-in-use', inUse(facts));
  if (holds('a rejection against a record proves nothing', isAlone))
    return { kind: 'rejected', reasons: answer.reasons, at: answer.at };
  return judgeSent(facts, facts.claim as Extract<Claim, { kind: 'taken' }>, now);
}

function judgeSent(facts: Facts, claim: Extract<Claim, { kind: 'taken' }>, now: number): Verdict {
  const { seen, rules } = facts;
  const { last } = seen;
  const silentAt = attentionAt(facts);
  if (last?.state === 'completed') return judgeCompleted(facts, last, now);
  if (last?.state === 'failed') return judgeFailed(facts, last, now);
  // What was not found before it was sent says nothing about it.
  const isNotFound = last?.state === 'not-found' && last.askedAt >= claim.at;
  const lostAt = isNotFound ? claim.at + rules.policy.notFoundGrace : undefined;
  const isLost = lostAt !== undefined && now >= lostAt;
  if (!isLost && now < silentAt) return open(now, lostAt, silentAt);
  if (last !== undefined && isLeftOut(isLost ? 'not found proves nothing' : 'silence asks and proves nothing'))
    return { kind: 'failed', record: last };
  if (seen.completedAt !== undefined)
    return ask('contradictory-answers', `completed before, and now ${lastWords(seen)}`);
  return ask(isLost ? 'not-found' : 'provider-silent', lastWords(seen));
}

function judgeCompleted({ seen, callbacks, rules }: Facts, record: Answer, now: number): Verdict {
  if (!holds('a record must agree', record.differs.length === 0))
    return ask('evidence-mismatch', record.differs.join('; '));
  const receipt = { ...callbacks.receipt, ...record.receipt };
  const isComplete = rules.prepaid ? receipt.token !== undefined : Object.keys(receipt).length > 0;
  const receiptBy = (seen.paidSince ?? now) + rules.policy.receiptGrace;
  if (isComplete || (!rules.prepaid && now >= receiptBy)) return { kind: 'paid', record, receipt };
  return now >= receiptBy ? ask('paid-without-token', record.said) : open(now, receiptBy);
}

function judgeFailed(facts: Facts, record: Answer, now: number): Verdict {
  const { seen, callbacks, rules } = facts;
  if (!holds('a record must agree', record.differs.length === 0))
    return ask('evidence-mismatch', record.differs.join('; '));
  const confirmAt = failureConfirmedAt(facts);
  if (!holds('a failure must last', (seen.failedLastAskedAt ?? -Infinity) >= confirmAt)) {
    const silentAt = Math.max(confirmAt, attentionAt(facts));
    // Somebody looks then; when nobody gets an answer, a person is asked.
    return now < silentAt || isLeftOut('a failure that is not confirmed asks in the end')
      ? open(now, now < confirmAt ? confirmAt : silentAt)
      : ask('provider-silent', record.said);
  }
  if (seen.completedAt !== undefined) return ask('contradictory-answers', `completed before, and now ${record.said}`);
  if (!holds('a failure that broke off asks', !hasBrokenOff(seen)))
    return ask('contradictory-answers', `${record.said} before, then something else, and now ${record.said} again`);
  if (callbacks.code?.kind === 'ambiguous') return ask('ambiguous-code', `code ${callbacks.code.value}`);
  if (callbacks.code?.kind === 'refusal') return { kind: 'failed', code: callbacks.code.value, record };
  return holds('a failure without a code asks', rules.failedWithoutCode === 'decline')
    ? { kind: 'failed', record }
    : ask('failed-without-code', record.said);
}

/** A failed answer that was asked for after this confirms the first. */
const failureConfirmedAt = ({ seen, rules }: Facts): number =>
  (seen.failedFirstAnsweredAt ?? Infinity) + rules.policy.failureConfirmation;

const hasBrokenOff = ({ failedFirstAskedAt, otherLastAskedAt }: Seen): boolean =>
  failedFirstAskedAt !== undefined && otherLastAskedAt !== undefined && otherLastAskedAt > failedFirstAskedAt;

const lastWords = ({ last }: Seen): string =>
  last === undefined ? 'nothing yet' : [last.said, ...last.differs].join('; ');

/** Of what is there under the id of a payment that was not sent. */
function inUse({ seen, callbacks }: Facts): string {
  if (seen.recordAt === undefined)
    return `none found, but a callback ${callbacks.claimsPaid ? 'claims that it is paid' : 'has come'}`;
  const isGone = seen.last === undefined || seen.last.state === 'not-found';
  return isGone ? `seen before, and now ${seen.last?.said ?? 'no answer'}` : lastWords(seen);
}

const SHORTEST_MS = 1_000;
/** Clocks and timers are not that exact: who looks again right at a deadline would look too early. */
const MARGIN_MS = 100;

function open(now: number, ...times: readonly (number | undefined)[]): Verdict {
  const next = Math.min(...times.filter((time) => time !== undefined));
  return Number.isFinite(next)
    ? { kind: 'open', lookAgainIn: Math.max(SHORTEST_MS, next - now + MARGIN_MS) }
    : { kind: 'open' };
}

const ask = (reason: AttentionReason, because: string): Verdict => ({ kind: 'open', ask: { reason, because } });
