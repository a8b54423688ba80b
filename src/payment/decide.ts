import type { Cancelled, Ending, GaveUp } from './ending';
import { isHeld, isKnownThere, mayBeSent, type Closed, type Facts } from './facts';
import { isBeingSent, judge, SEND_WINDOW_MS, type Verdict } from './judge';
import type { BillPaymentOutcome, DeclinedOutcome, Evidence, PaidOutcome } from './outcome';
import { holds, isLeftOut } from './planted';
import type { Resolution } from './progress';
import { cancelledSummary, declinedSummary, paidSummary, timeInWords } from './words';

/**
 * The one place where an outcome is made: of what the store knows, by the ending that is asked for. Pure; the store
 * records what comes of it on the row that it was asked about, or nothing.
 */
export type Decision =
  | { readonly kind: 'record'; readonly outcome: BillPaymentOutcome }
  /** It has ended before, and that stands. */
  | ({ readonly kind: 'closed' } & Closed)
  /** It does not end so, or not any more: this is how it stands. */
  | { readonly kind: 'open'; readonly verdict: Verdict }
  /** A person's decision that the facts do not allow: a sentence for them. */
  | { readonly kind: 'refused'; readonly because: string };

export interface Moment {
  /** Epoch ms, by the database's clock. */
  readonly now: number;
  /** Who is paid through, for texts. */
  readonly provider: string;
}

export function decide(facts: Facts, ending: Ending, moment: Moment): Decision {
  if (facts.closed !== undefined && !isLeftOut('an end is final')) return { kind: 'closed', ...facts.closed };
  const verdict = judge(facts, moment.now);
  switch (ending.kind) {
    case 'proven':
      return provenBy(facts, verdict, moment) ?? { kind: 'open', verdict };
    case 'unsent':
      return decideUnsent(facts, ending.why, verdict, moment);
    case 'decided':
      return decidePerson(facts, ending.resolution, verdict, moment);
  }
}

function provenBy(facts: Facts, verdict: Verdict, moment: Moment): Decision | undefined {
  return verdict.kind === 'open' ? undefined : { kind: 'record', outcome: provenOutcome(facts, verdict, moment) };
}

type Proven = Exclude<Verdict, { kind: 'open' }>;

function provenOutcome(facts: Facts, verdict: Proven, moment: Moment): BillPaymentOutcome {
  const settledBy = facts.callbacks.count > 0 ? 'callback' : 'poll';
  switch (verdict.kind) {
    case 'paid': {
      const { record, receipt } = verdict;
      const evidence = { source: 'provider', said: record.said, at: iso(record.answeredAt) } as const;
      return paid(facts, moment, { amount: facts.amount, receipt, settledBy, evidence });
    }
    case 'failed': {
      const { record, code } = verdict;
      return declined(facts, moment, {
        step: 'result',
        reason: 'failed',
        // Only a refusal code makes a second try under a new id safe.
        retryable: code !== undefined,
        settledBy: code === undefined ? 'poll' : 'callback',
        evidence: { source: 'provider', said: record.said, at: iso(record.answeredAt) },
        ...(code !== undefined && { providerCode: code }),
      });
    }
    case 'rejected':
      return declined(facts, moment, {
        step: 'submission',
        reason: 'rejected',
        retryable: true,
        settledBy: 'none',
        evidence: { source: 'provider', said: verdict.reasons.join('; '), at: iso(verdict.at) },
      });
    case 'not-sent':
      return declined(facts, moment, {
        step: 'submission',
        reason: 'not-sent',
        retryable: true,
        settledBy: 'none',
        evidence: { source: 'none', said: verdict.because },
      });
  }
}

function decideUnsent(facts: Facts, why: GaveUp | Cancelled, verdict: Verdict, moment: Moment): Decision {
  const isFree = holds('unsent needs a free claim', facts.claim.kind === 'free');
  const isUnknown = holds('unsent needs a payment without a record', !isKnownThere(facts));
  if (!isFree || !isUnknown) return { kind: 'open', verdict };
  if (why.kind === 'cancelled') return { kind: 'record', outcome: cancelled(facts, moment, why) };
  const { step, reason, said } = why;
  const how = { step, reason, retryable: true, settledBy: 'none', evidence: { source: 'none', said } } as const;
  return { kind: 'record', outcome: declined(facts, moment, how) };
}

/** Proof goes first; without proof the decision counts, if the facts allow it. */
function decidePerson(facts: Facts, resolution: Resolution, verdict: Verdict, moment: Moment): Decision {
  const proven = isLeftOut('proof goes before a decision') ? undefined : provenBy(facts, verdict, moment);
  if (proven !== undefined) return proven;
  const because =
    tooEarly(facts, moment) ??
    (resolution.decision === 'paid' ? paidProblem(facts, resolution) : declineProblem(facts, resolution, moment));
  return because === undefined
    ? { kind: 'record', outcome: decidedOutcome(facts, resolution, moment) }
    : { kind: 'refused', because };
}

function tooEarly(facts: Facts, { now }: Moment): string | undefined {
  if (isBeingSent(facts, now))
    return `It is being sent right now. Decide when its answer is there, ${SEND_WINDOW_MS / 1000} seconds after that at the latest.`;
  return holds('a decision needs a question', facts.attentionSince !== undefined)
    ? undefined
    : 'There is nothing to decide: nobody was asked. Decisions are for payments that need attention.';
}

function paidProblem({ amount: requested, currency, seen }: Facts, { amount }: Resolution): string | undefined {
  if (amount === undefined) return undefined;
  if (!Number.isSafeInteger(amount) || amount < 1 || amount > requested)
    return `"amount" must be a whole number from 1 to ${requested}: what was really paid.`;
  const isOurs = seen.last?.state === 'completed' && seen.last.differs.length === 0;
  return holds('paid carries the amount of the record', !isOurs || amount === requested)
    ? undefined
    : `The record says that ${currency} ${requested} were paid: "amount" must be that, or be left out.`;
}

/** A request that is still on its way dies with its session; a margin for clocks that differ. */
const SESSION_MARGIN_MS = 5 * 60_000;
/** A decline rests on an answer of its own look. */
const FRESH_MS = 60_000;

function declineProblem(facts: Facts, { providerCase }: Resolution, { now, provider }: Moment): string | undefined {
  const { claim, seen } = facts;
  const { last } = seen;
  const said = last?.said ?? 'no answer';
  const isFresh = last !== undefined && now - last.askedAt <= FRESH_MS;
  if (!holds('a decline needs a fresh answer', isFresh))
    return `${provider} has not answered just now, readably (last: ${said}). A decline needs their answer: try again when they answer.`;
  // Of a payment that was not sent, only a record that is just like ours may yet be ours.
  const isForeign = !mayBeSent(facts) && (last?.differs.length ?? 0) > 0;
  if (last?.state === 'completed' && !holds('a decline is not against completed', isForeign))
    return `${provider} says ${said}: it cannot be declined. If their record is wrong, have them correct it first.`;
  const wasCompleted = (mayBeSent(facts) ? seen.completedAt : seen.paidSince) !== undefined;
  if (wasCompleted && last?.state === 'not-found' && !isLeftOut('a decline is not against completed'))
    return `${provider} has said before that it is completed, and does not know it now. Decline it only when they say what became of it.`;
  // Of what may have been sent, only our own record says that it failed.
  if (last?.state === 'failed' && (last.differs.length === 0 || !mayBeSent(facts))) return undefined;
  if (!holds('a decline needs a case', providerCase !== undefined))
    return `${provider} does not say that it failed (${said}). To decline it all the same, name their written confirmation in "providerCase".`;
  if (claim.kind !== 'taken' || !mayBeSent(facts)) return undefined;
  const deadAt = claim.sessionExpiresAt + SESSION_MARGIN_MS;
  return holds('a decline waits for the dead token', now >= deadAt)
    ? undefined
    : `The request may still be on its way until ${timeInWords(deadAt)} UTC, when its token is dead for sure. Decline it after that.`;
}

function decidedOutcome(facts: Facts, resolution: Resolution, moment: Moment): BillPaymentOutcome {
  const { decision, operator, note, amount, receiptNumber, token, providerCase } = resolution;
  const evidence = {
    source: 'operator' as const,
    ...{ operator, note, at: iso(moment.now) },
    ...(providerCase !== undefined && { providerCase }),
  };
  if (decision === 'declined')
    return declined(facts, moment, {
      step: mayBeSent(facts) ? 'result' : 'submission',
      reason: 'operator',
      retryable: false,
      settledBy: 'operator',
      evidence,
    });
  const receipt = {
    ...facts.callbacks.receipt,
    ...ownRecord(facts)?.receipt,
    ...(receiptNumber !== undefined && { number: receiptNumber }),
    ...(token !== undefined && { token }),
  };
  return paid(facts, moment, { amount: amount ?? facts.amount, receipt, settledBy: 'operator', evidence });
}

/** Of our payment, not of somebody else's record under our id. */
const ownRecord = ({ seen: { last } }: Facts) =>
  last !== undefined && last.state !== 'not-found' && last.differs.length === 0 ? last : undefined;

function providerIdOf(facts: Facts): string | undefined {
  const accepted = facts.claim.kind === 'taken' && facts.claim.answer?.kind === 'accepted' && facts.claim.answer;
  return ownRecord(facts)?.providerId ?? (accepted ? accepted.providerId : undefined);
}

function paid(
  facts: Facts,
  { now, provider }: Moment,
  how: Pick<PaidOutcome, 'amount' | 'receipt' | 'settledBy' | 'evidence'>,
): PaidOutcome {
  const { paymentId, currency, fundingAccount } = facts;
  const providerId = providerIdOf(facts);
  const outcome = {
    kind: 'paid' as const,
    ...{ paymentId, currency, ...how, closedAt: iso(now) },
    ...(providerId !== undefined && { providerId }),
  };
  return { ...outcome, summary: paidSummary(outcome, { now, provider, isPosted: fundingAccount !== undefined }) };
}

function declined(
  facts: Facts,
  { now, provider }: Moment,
  how: {
    readonly step: DeclinedOutcome['step'];
    readonly reason: DeclinedOutcome['reason'];
    readonly retryable: boolean;
    readonly settledBy: DeclinedOutcome['settledBy'];
    readonly evidence: Evidence;
    readonly providerCode?: string;
  },
): DeclinedOutcome {
  const outcome = { kind: 'declined', paymentId: facts.paymentId, closedAt: iso(now), ...how } as const;
  const returned = isHeld(facts) ? `${facts.currency} ${facts.amount}` : undefined;
  return { ...outcome, summary: declinedSummary(outcome, { now, provider, returned }) };
}

const cancelled = ({ paymentId }: Facts, { now }: Moment, { operator, note }: Cancelled): BillPaymentOutcome => ({
  kind: 'cancelled',
  ...{ paymentId, by: operator, note, closedAt: iso(now) },
  summary: cancelledSummary(operator, note),
});

const iso = (at: number): string => new Date(at).toISOString();
