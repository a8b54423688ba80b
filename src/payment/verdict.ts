import { mismatches, type Expected, type Look } from './look';
import type { Observation, PaymentRecord, Receipt } from './observation';
import type { AttentionReason } from './outcome';
import type { Policy } from './policy';

/**
 * From what was seen to what is proven (design §7). Pure: the workflow feeds it every look with the time of it, and asks.
 * All times are epoch milliseconds.
 */

/** What a run has seen so far. Only `observe` makes the next one. */
export interface Facts {
  readonly sent: 'accepted' | 'unknown' | 'not-by-us';
  readonly submittedAt: number;
  /** The last answer that could be read. */
  readonly observation?: Observation;
  readonly callbacks: Look['callbacks'];
  /** A completed record was ever seen: from then on only a matching one, or a person, closes. */
  readonly completedSeen: boolean;
  /** Since when, and until when, the provider has said so without a break. */
  readonly failed?: { readonly since: number; readonly until: number };
  readonly paidSince?: number;
}

export interface Rules {
  readonly policy: Policy;
  /** The service's receipt is useless without its token. */
  readonly prepaid: boolean;
  /** What a failure without any code means: `decline` is for deployments that cannot receive callbacks. */
  readonly failedWithoutCode: 'ask' | 'decline';
  /** When a person is asked. */
  readonly attentionAt: number;
}

export type Verdict =
  | { readonly kind: 'paid'; readonly record: PaymentRecord; readonly receipt: Receipt }
  | { readonly kind: 'failed'; readonly code?: string; readonly said: string }
  | {
      readonly kind: 'open';
      /** A person is asked, and why. */
      readonly attention?: { readonly reason: AttentionReason; readonly because: string };
      /** It is judged again then: a receipt that has not come by then does not come. */
      readonly judgeAgainAt?: number;
    };

export function observe(expected: Expected, facts: Facts, look: Look, at: number): Facts {
  const seen = look.observation;
  const completedSeen =
    facts.completedSeen || look.completedSeen || (seen.kind === 'record' && seen.state === 'completed');
  // A claim was taken after all: an attempt that was slow may have sent it, so the record may be ours.
  const sent = facts.sent === 'not-by-us' && look.claim !== undefined ? 'unknown' : facts.sent;
  const next = { sent, submittedAt: facts.submittedAt, callbacks: look.callbacks, completedSeen };
  // Nobody could read it: what was known before still stands.
  if (seen.kind === 'unreadable') return { ...facts, sent, callbacks: look.callbacks, completedSeen };
  if (seen.kind === 'not-found' || seen.state === 'pending') return { ...next, observation: seen };
  if (seen.state === 'failed') return { ...next, observation: seen, failed: stillFailed(facts.failed, at, look) };
  const matching = mismatches(expected, seen).length === 0;
  return { ...next, observation: seen, ...(matching && { paidSince: facts.paidSince ?? at }) };
}

/**
 * Failed from when the run first learnt it until when the provider last said it. A look that was on its way for minutes, because
 * no worker took it up, says nothing about those minutes.
 */
function stillFailed(failed: Facts['failed'], at: number, look: Look): NonNullable<Facts['failed']> {
  const saidAt = look.at === undefined ? at : Math.min(at, Date.parse(look.at));
  return { since: failed?.since ?? at, until: Math.max(failed?.until ?? saidAt, saidAt) };
}

export function judge(expected: Expected, facts: Facts, rules: Rules, now: number): Verdict {
  const seen = facts.observation;
  // Somebody else's record under our id is never evidence for our payment.
  if (facts.sent === 'not-by-us') return ask('id-in-use', seen === undefined ? 'nothing' : inWords(expected, seen));
  if (seen?.kind === 'record' && seen.state === 'completed') return judgeCompleted(expected, facts, seen, rules, now);
  if (seen?.kind === 'record' && seen.state === 'failed') return judgeFailed(facts, seen, rules, now);
  if (seen?.kind === 'not-found' && now >= facts.submittedAt + rules.policy.notFoundGrace)
    return ask('not-found', seen.said);
  if (now < rules.attentionAt) return { kind: 'open' };
  return facts.completedSeen
    ? ask('evidence-mismatch', `it said completed before, and now ${seen?.said ?? 'nothing'}`)
    : ask('provider-silent', seen?.said ?? 'nothing yet');
}

function judgeCompleted(expected: Expected, facts: Facts, record: PaymentRecord, rules: Rules, now: number): Verdict {
  const differs = mismatches(expected, record);
  if (differs.length > 0) return ask('evidence-mismatch', differs.join('; '));
  const receipt = { ...facts.callbacks.receipt, ...record.receipt };
  const complete = rules.prepaid ? receipt.token !== undefined : Object.keys(receipt).length > 0;
  const receiptBy = (facts.paidSince ?? now) + rules.policy.receiptGrace;
  if (complete || (!rules.prepaid && now >= receiptBy)) return { kind: 'paid', record, receipt };
  return now >= receiptBy ? ask('paid-without-token', record.said) : { kind: 'open', judgeAgainAt: receiptBy };
}

function judgeFailed(facts: Facts, record: PaymentRecord, rules: Rules, now: number): Verdict {
  const confirmAt = confirmationDue(facts, rules.policy);
  if (confirmAt !== undefined) {
    return now >= Math.max(confirmAt, rules.attentionAt) ? ask('provider-silent', record.said) : { kind: 'open' };
  }
  if (facts.completedSeen) return ask('evidence-mismatch', `it said completed before, and now ${record.said}`);
  const code = facts.callbacks.code;
  if (code?.kind === 'ambiguous') return ask('ambiguous-code', `code ${code.value}`);
  if (code?.kind === 'refusal') return { kind: 'failed', code: code.value, said: record.said };
  return rules.failedWithoutCode === 'decline'
    ? { kind: 'failed', said: record.said }
    : ask('failed-without-code', record.said);
}

/** When a payment that was seen failed must still be failed to be believed; undefined once it was, or if it is not failed. */
export function confirmationDue({ failed }: Facts, { failureConfirmation }: Policy): number | undefined {
  if (failed === undefined) return undefined;
  const due = failed.since + failureConfirmation;
  return failed.until < due ? due : undefined;
}

const inWords = (expected: Expected, seen: Observation): string =>
  [seen.said, ...(seen.kind === 'record' ? mismatches(expected, seen) : [])].join('; ');

const ask = (reason: AttentionReason, because: string): Verdict => ({ kind: 'open', attention: { reason, because } });
