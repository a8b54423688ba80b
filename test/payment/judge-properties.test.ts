import fc from 'fast-check';
import { mayBeSent, type Facts } from '../../src/payment/facts';
import { judge, sendWindowOf, type Verdict } from '../../src/payment/judge';
import type { Seen } from '../../src/payment/seen';
import { anyFacts, at, POLICY, SECOND } from './support';

/** What holds of every verdict, whatever is known. */

const anyNow = fc.constantFrom(0, 29, 30, 159, 160, 300, 599, 600, 1_739, 1_740, 5_000).map(at);
const always = (check: (facts: Facts, verdict: Verdict, now: number) => void) =>
  fc.assert(
    fc.property(anyFacts, anyNow, (known, now) => check(known, judge(known, now), now)),
    { numRuns: 2_000 },
  );

test('G3: paid only if it was sent and the last answer is completed and agrees in everything', () => {
  let times = 0;
  always((known, verdict) => {
    if (verdict.kind !== 'paid') return;
    times += 1;
    expect(mayBeSent(known)).toBe(true);
    expect(known.seen.last).toMatchObject({ state: 'completed', differs: [] });
    expect(verdict.record).toBe(known.seen.last);
  });
  expect(times).toBeGreaterThan(50);
});

test('G2: failed only if it was said for long enough without a break, never completed, by a code that proves it', () => {
  let times = 0;
  always((known, verdict) => {
    if (verdict.kind !== 'failed') return;
    times += 1;
    const { seen, rules, callbacks } = known;
    const {
      failedFirstAskedAt = NaN,
      failedFirstAnsweredAt = NaN,
      failedLastAskedAt = NaN,
      otherLastAskedAt,
    }: Seen = seen;
    expect(mayBeSent(known)).toBe(true);
    expect(seen.last).toMatchObject({ state: 'failed', differs: [] });
    expect(seen.completedAt).toBeUndefined();
    expect(failedLastAskedAt - failedFirstAnsweredAt).toBeGreaterThanOrEqual(POLICY.failureConfirmation);
    expect(otherLastAskedAt ?? -Infinity).toBeLessThanOrEqual(failedFirstAskedAt);
    expect(callbacks.code?.kind).not.toBe('ambiguous');
    if (rules.failedWithoutCode === 'ask') expect(callbacks.code?.kind).toBe('refusal');
  });
  expect(times).toBeGreaterThan(10);
});

test('G2: refused and not sent only without any record, and without a callback that claims paid', () => {
  always(({ seen, callbacks: { claimsPaid } }, verdict) => {
    if (verdict.kind !== 'rejected' && verdict.kind !== 'not-sent') return;
    expect([seen.recordAt, claimsPaid]).toEqual([undefined, false]);
  });
});

test('nothing is proven without a claim, nor while it is being sent', () => {
  always((known, verdict, now) => {
    const isBeingSent = now < (sendWindowOf(known) ?? -Infinity);
    if (known.claim.kind === 'free' || isBeingSent) expect(verdict.kind).toBe('open');
  });
});

test('who was asked stays asked until there is an end', () => {
  always(({ attentionSince }, verdict) => {
    if (attentionSince !== undefined && verdict.kind === 'open') expect(verdict.ask).toBeDefined();
  });
});

test('G4: nothing that was sent stands still: looked at when it is told to be, it ends or a person is asked, in time', () => {
  fc.assert(
    fc.property(anyFacts, (known) => {
      if (known.claim.kind === 'free') return;
      let now = at(0);
      for (let looks = 0; ; looks += 1) {
        const verdict = judge(known, now);
        if (verdict.kind !== 'open' || verdict.ask !== undefined) break;
        expect(verdict.lookAgainIn).toBeGreaterThanOrEqual(SECOND);
        expect(looks).toBeLessThan(6);
        now += verdict.lookAgainIn ?? NaN;
      }
      expect(now).toBeLessThanOrEqual(at(1_740) + 2 * SECOND);
    }),
    { numRuns: 2_000 },
  );
});
