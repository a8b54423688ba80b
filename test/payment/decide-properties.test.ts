import fc from 'fast-check';
import { decide, type Decision } from '../../src/payment/decide';
import { isOutcomeOf, type Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import { judge, sendWindowOf } from '../../src/payment/judge';
import type { Resolution } from '../../src/payment/progress';
import { merge } from '../../src/payment/seen';
import { answer, anyFacts, at } from './support';

/** What holds of every end, whatever is known. */

const BY = { operator: 'op-1', note: 'why' } as const;
const anyUnsent = fc.constantFrom<Ending>(
  { kind: 'unsent', why: { kind: 'gave-up', step: 'funds', reason: 'expired', said: 'late' } },
  { kind: 'unsent', why: { kind: 'cancelled', ...BY } },
);
const anyDecided = fc.constantFrom<Ending>(
  { kind: 'decided', resolution: { decision: 'paid', ...BY } },
  { kind: 'decided', resolution: { decision: 'declined', ...BY } },
  { kind: 'decided', resolution: { decision: 'declined', ...BY, providerCase: 'C-1' } },
);
const anyEnding = fc.oneof(fc.constant<Ending>({ kind: 'proven' }), anyUnsent, anyDecided);
const anyNow = fc.constantFrom(5, 29, 30, 150, 160, 170, 600, 1_740, 4_000).map(at);

type Check = (known: Facts, ending: Ending, now: number, decision: Decision) => void;
const always = (endings: fc.Arbitrary<Ending>, check: Check, numRuns = 2_000) =>
  fc.assert(
    fc.property(anyFacts, endings, anyNow, (known, ending, now) =>
      check(known, ending, now, decide(known, ending, { now, provider: 'Acme Pay' })),
    ),
    { numRuns },
  );

test('what is recorded is what was asked for, unless proof went first', () => {
  always(anyEnding, (known, ending, now, decision) => {
    if (decision.kind !== 'record') return;
    const isProven = judge(known, now).kind !== 'open';
    expect(isOutcomeOf(decision.outcome, isProven ? { kind: 'proven' } : ending)).toBe(true);
  });
});

test('G1, G2: nothing ends as unsent once it may have been sent, or a record was seen', () => {
  let times = 0;
  always(
    anyUnsent,
    (known, _ending, _now, decision) => {
      if (decision.kind !== 'record') return;
      times += 1;
      expect([known.claim.kind, known.seen.recordAt, known.callbacks.count]).toEqual(['free', undefined, 0]);
    },
    5_000,
  );
  expect(times).toBeGreaterThan(10);
});

test('G2: no person declines what is completed, nor without an answer, nor what is on its way', () => {
  let times = 0;
  always(anyDecided, (known, _ending, now, decision) => {
    if (decision.kind !== 'record') return;
    const { outcome } = decision;
    if (outcome.kind !== 'declined' || outcome.settledBy !== 'operator') return;
    times += 1;
    const { claim, seen, attentionSince } = known;
    expect(attentionSince).toBeDefined();
    expect(now - (seen.last?.askedAt ?? NaN)).toBeLessThanOrEqual(60_000);
    expect(now).toBeGreaterThanOrEqual(sendWindowOf(known) ?? 0);
    const mayHaveLeft = claim.kind === 'taken' && claim.answer?.kind !== 'not-sent';
    if (mayHaveLeft || seen.last?.differs.length === 0) expect(seen.last?.state).not.toBe('completed');
    if (mayHaveLeft && seen.last?.state !== 'failed') expect(now).toBeGreaterThanOrEqual(claim.sessionExpiresAt);
  });
  expect(times).toBeGreaterThan(10);
});

test('G4: who is asked can end it: as paid at any time, and as declined as soon as the provider says failed', () => {
  const decides = (decision: Resolution['decision']): Ending => ({ kind: 'decided', resolution: { decision, ...BY } });
  always(anyDecided, (known, _ending, now) => {
    const isAsked = known.attentionSince !== undefined && judge(known, now).kind === 'open';
    if (!isAsked || now < (sendWindowOf(known) ?? 0)) return;
    expect(decide(known, decides('paid'), { now, provider: 'Acme Pay' }).kind).toBe('record');
    const later = Math.max(now, at(2_000));
    const failed = { ...known, seen: merge(known.seen, answer('failed', 0, { askedAt: later, answeredAt: later })) };
    expect(decide(failed, decides('declined'), { now: later, provider: 'Acme Pay' }).kind).toBe('record');
  });
});
