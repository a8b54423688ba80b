import { decide, type Decision, type Moment } from '../../src/payment/decide';
import type { Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import type { Resolution } from '../../src/payment/progress';
import {
  AMBIGUOUS,
  at,
  callbacks,
  CLAIMS,
  EXPECTED,
  facts,
  iso,
  paid as paidOutcome,
  REFUSAL,
  seenOf,
  type Told,
} from './support';

/** How a payment ends: every ending on every kind of facts, and each outcome whole. */

const moment = (second: number): Moment => ({ now: at(second), provider: 'Acme Pay' });
const BY = { operator: 'op-1', note: 'biller confirmed' } as const;
const PROVEN: Ending = { kind: 'proven' };
const GAVE_UP: Ending = {
  kind: 'unsent',
  why: { kind: 'gave-up', step: 'submission', reason: 'expired', said: 'no worker for 15 min' },
};
const CANCELLED: Ending = { kind: 'unsent', why: { kind: 'cancelled', operator: 'op-1', note: 'wrong meter' } };
const decided = (change: Partial<Resolution>): Ending => ({
  kind: 'decided',
  resolution: { decision: 'paid', ...BY, ...change },
});
const PAID = decided({});
const DECLINED = decided({ decision: 'declined', providerCase: 'C-1' });

const asked = { attentionSince: at(10) };
const refusal = callbacks({ code: REFUSAL });
const failedTwice = seenOf([40, 'failed'], [160, 'failed']);

/** Decided at 200 s; the session is dead. */
const NOW = 200;
const dead = (claim: 'accepted' | 'rejected') => ({ ...CLAIMS[claim], sessionExpiresAt: at(NOW - 301) });
const sent = (told: readonly Told[], change: Partial<Facts> = {}) =>
  facts({ claim: dead('accepted'), seen: seenOf(...told), ...change });

/** A decision in a word. */
function word(decision: Decision): string {
  switch (decision.kind) {
    case 'record':
      return `${decision.outcome.kind} by ${decision.outcome.kind === 'cancelled' ? decision.outcome.by : decision.outcome.evidence.source}`;
    case 'open':
      return decision.verdict.kind === 'open' ? 'open' : `open: ${decision.verdict.kind}`;
    case 'closed':
    case 'refused':
      return decision.kind;
  }
}

const ENDINGS = { proven: PROVEN, 'gave up': GAVE_UP, cancelled: CANCELLED, paid: PAID, declined: DECLINED };
const proof = (kind: 'paid' | 'declined', source: 'provider' | 'none' = 'provider') => `${kind} by ${source}`;
const theirs = { paid: 'paid by operator', declined: 'declined by operator' };
const unsent = { 'gave up': 'declined by none', cancelled: 'cancelled by op-1' };
const open = { proven: 'open', 'gave up': 'open', cancelled: 'open' };
const nobodyAsked = { paid: 'refused', declined: 'refused' };
/** Proof goes first, whoever asks; who says that nothing was sent is told how it stands. */
const proven = (outcome: string, verdict: string) => ({
  ...{ proven: outcome, paid: outcome, declined: outcome },
  ...{ 'gave up': `open: ${verdict}`, cancelled: `open: ${verdict}` },
});
const same = (is: string) => ({ proven: is, 'gave up': is, cancelled: is, paid: is, declined: is });

// prettier-ignore
const TABLE: readonly [what: string, known: Facts, is: Record<keyof typeof ENDINGS, string>][] = [
  ['nothing was sent', facts({ claim: CLAIMS.free }), { proven: 'open', ...unsent, ...nobodyAsked }],
  ['nothing was sent, a record is there', facts({ claim: CLAIMS.free, ...asked, seen: seenOf([190, 'pending']) }), { ...open, ...theirs }],
  ['and it is completed and foreign', facts({ claim: CLAIMS.free, ...asked, seen: seenOf([190, 'completed, other amount']) }), { ...open, ...theirs }],
  ['and it is completed and just like ours', facts({ claim: CLAIMS.free, ...asked, seen: seenOf([190, 'completed']) }), { ...open, ...theirs, declined: 'refused' }],
  ['and nobody was asked yet', facts({ claim: CLAIMS.free, seen: seenOf([190, 'pending']) }), { ...open, ...nobodyAsked }],
  ['ended', facts({ ...asked, closed: { outcome: paidOutcome(EXPECTED.paymentId), disputed: true } }), same('closed')],
  ['being sent', { ...facts({ claim: { ...CLAIMS.unanswered, at: at(NOW - 29) }, ...asked, seen: seenOf([190, 'completed']) }) }, { ...open, ...nobodyAsked }],
  ['sent, nobody asked', sent([[190, 'pending']]), { ...open, ...nobodyAsked }],
  ['sent, a person asked', sent([[190, 'pending']], asked), { ...open, ...theirs }],
  ['completed', sent([[190, 'completed']]), proven(proof('paid'), 'paid')],
  ['completed, a person asked', sent([[190, 'completed']], asked), proven(proof('paid'), 'paid')],
  ['completed, other amount', sent([[190, 'completed, other amount']], asked), { ...open, ...theirs, declined: 'refused' }],
  ['failed', facts({ seen: failedTwice, callbacks: refusal, ...asked }), proven(proof('declined'), 'failed')],
  ['failed with a code that can hide a payment', facts({ seen: seenOf([40, 'failed'], [190, 'failed']), callbacks: callbacks({ code: AMBIGUOUS }), ...asked }), { ...open, ...theirs }],
  ['refused by the provider', facts({ claim: CLAIMS.rejected, ...asked }), proven(proof('declined'), 'rejected')],
  ['refused, and yet pending', facts({ claim: dead('rejected'), ...asked, seen: seenOf([190, 'pending']) }), { ...open, ...theirs }],
  ['not sent', facts({ claim: CLAIMS['not sent'], ...asked }), proven(proof('declined', 'none'), 'not-sent')],
  ['not sent, and yet pending', facts({ claim: CLAIMS['not sent'], ...asked, seen: seenOf([190, 'pending']) }), { ...open, ...theirs }],
  ['not sent, and yet completed and foreign', facts({ claim: CLAIMS['not sent'], ...asked, seen: seenOf([190, 'completed, other amount']) }), { ...open, ...theirs }],
  ['not sent, and yet completed and just like ours', facts({ claim: CLAIMS['not sent'], ...asked, seen: seenOf([190, 'completed']) }), { ...open, ...theirs, declined: 'refused' }],
];

describe.each(TABLE)('%s', (_what, known, is) => {
  test.each(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])('%s', (name) => {
    expect(word(decide(known, ENDINGS[name], moment(NOW)))).toBe(is[name]);
  });
});

test('what has ended stays as it ended, and says whether it is disputed', () => {
  const closed = { outcome: paidOutcome(EXPECTED.paymentId), disputed: true };
  expect(decide(facts({ closed }), CANCELLED, moment(NOW))).toEqual({ kind: 'closed', ...closed });
});

test('what does not end so is told with the verdict as it is now', () => {
  const known = facts({ seen: seenOf([190, 'completed']) });
  expect(decide(known, CANCELLED, moment(NOW))).toMatchObject({ kind: 'open', verdict: { kind: 'paid' } });
  expect(decide(facts(), PROVEN, moment(1_740))).toMatchObject({
    kind: 'open',
    verdict: { ask: { reason: 'provider-silent' } },
  });
});

describe('an outcome, whole', () => {
  const outcomeOf = (known: Facts, ending: Ending, second = NOW) => {
    const decision = decide(known, ending, moment(second));
    if (decision.kind !== 'record') throw new Error(JSON.stringify(decision));
    return decision.outcome;
  };
  const { paymentId } = EXPECTED;
  const closedAt = iso(NOW);
  const held = { fundingAccount: 'float-1' };
  const summary: unknown = expect.any(String);
  const said = (words: string, second: number) => ({ source: 'provider', said: words, at: iso(second) });

  test('paid by proof: by poll, or by callback when one had come', () => {
    const known = facts({ seen: seenOf([40, 'completed']), ...held });
    const outcome = {
      ...{ kind: 'paid', paymentId, amount: 220, currency: 'KES', closedAt, summary },
      ...{ receipt: { number: 'S575998' }, providerId: '0100-abc', settledBy: 'poll' },
      evidence: said('completed', 40),
    };
    expect(outcomeOf(known, PROVEN)).toEqual(outcome);
    const came = { ...known, callbacks: callbacks({ receipt: { token: '1234' } }) };
    const receipt = { number: 'S575998', token: '1234' };
    expect(outcomeOf(came, PROVEN)).toEqual({ ...outcome, receipt, settledBy: 'callback' });
  });

  test('the provider id is of the record, else of the answer to the request, else unknown', () => {
    const idOf = (known: Facts) => {
      const outcome = outcomeOf({ ...known, ...asked }, PAID);
      return outcome.kind === 'paid' ? outcome.providerId : 'no payment';
    };
    const seen = seenOf([190, 'pending']);
    expect(idOf(facts({ seen }))).toBe('0100-abc');
    expect(idOf(facts({ seen: seenOf([190, 'pending, other amount']) }))).toBe('0100-post');
    expect(idOf(facts({ seen: seenOf([190, 'not found']) }))).toBe('0100-post');
    expect(idOf(facts({ claim: CLAIMS.unknown }))).toBeUndefined();
    expect(outcomeOf(facts({ claim: CLAIMS.unknown, ...asked }), PAID)).not.toHaveProperty('providerId');
  });

  test('failed, with a refusal code: another try under a new id is safe', () => {
    const outcome = {
      ...{ kind: 'declined', paymentId, closedAt, summary, step: 'result', reason: 'failed' },
      evidence: said('failed', 160),
    };
    const coded = { ...outcome, retryable: true, settledBy: 'callback', providerCode: '1' };
    expect(outcomeOf(facts({ seen: failedTwice, callbacks: refusal }), PROVEN)).toEqual(coded);
    const uncoded = facts({ seen: failedTwice, rules: { ...facts().rules, failedWithoutCode: 'decline' } });
    expect(outcomeOf(uncoded, PROVEN)).toEqual({ ...outcome, retryable: false, settledBy: 'poll' });
  });

  test('refused, and not sent', () => {
    const outcome = {
      ...{ kind: 'declined', paymentId, closedAt, summary },
      ...{ step: 'submission', retryable: true, settledBy: 'none' },
    };
    expect(outcomeOf(facts({ claim: CLAIMS.rejected }), PROVEN)).toEqual({
      ...outcome,
      reason: 'rejected',
      evidence: said('amount too small; no such service', 1),
    });
    expect(outcomeOf(facts({ claim: CLAIMS['not sent'] }), PROVEN)).toEqual({
      ...outcome,
      reason: 'not-sent',
      evidence: { source: 'none', said: 'connection refused' },
    });
  });

  test('given up, and cancelled', () => {
    const known = facts({ claim: CLAIMS.free, ...held });
    expect(outcomeOf(known, GAVE_UP)).toEqual({
      ...{ kind: 'declined', paymentId, closedAt, summary },
      ...{ step: 'submission', reason: 'expired', retryable: true, settledBy: 'none' },
      evidence: { source: 'none', said: 'no worker for 15 min' },
    });
    expect(outcomeOf(known, CANCELLED)).toEqual({
      ...{ kind: 'cancelled', paymentId, closedAt, summary, by: 'op-1', note: 'wrong meter' },
    });
  });

  test('declined by a person: theirs, and no second try', () => {
    const outcome = {
      ...{ kind: 'declined', paymentId, closedAt, summary, step: 'result', reason: 'operator' },
      ...{ retryable: false, settledBy: 'operator' },
      evidence: { source: 'operator', ...BY, at: closedAt, providerCase: 'C-1' },
    };
    const pending = { seen: seenOf([190, 'pending']), ...asked };
    expect(outcomeOf(facts({ claim: dead('accepted'), ...pending }), DECLINED)).toEqual(outcome);
    // What was never sent was declined at the submission, and the outcome says so.
    for (const claim of ['free', 'not sent'] as const)
      expect(outcomeOf(facts({ claim: CLAIMS[claim], ...pending }), DECLINED)).toEqual({
        ...outcome,
        step: 'submission',
      });
  });

  test('paid by a person: what they say of the receipt stands before the record and the callbacks', () => {
    const known = facts({
      ...asked,
      seen: seenOf([190, 'pending']),
      callbacks: callbacks({ receipt: { number: 'CALLBACK', token: '1234', narration: 'thanks' } }),
    });
    const outcome = {
      ...{ kind: 'paid', paymentId, currency: 'KES', closedAt, summary, providerId: '0100-abc' },
      ...{ settledBy: 'operator', evidence: { source: 'operator', ...BY, at: closedAt } },
    };
    expect(outcomeOf(known, PAID)).toEqual({
      ...outcome,
      amount: 220,
      receipt: { number: 'CALLBACK', token: '1234', narration: 'thanks' },
    });
    expect(outcomeOf(known, decided({ amount: 200, receiptNumber: 'R-1', token: '4321' }))).toEqual({
      ...outcome,
      amount: 200,
      receipt: { number: 'R-1', token: '4321', narration: 'thanks' },
    });
    const foreign = { ...known, seen: seenOf([190, 'completed, other amount']) };
    expect(outcomeOf(foreign, decided({ receiptNumber: 'R-1' }))).toMatchObject({
      receipt: { number: 'R-1', token: '1234' },
      providerId: '0100-post',
    });
  });
});
