import type { Observation, PaymentRecord } from '../../src/payment/observation';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import {
  compare,
  DIFFERENCES,
  isAsked,
  type PaymentRun,
  type ProviderAnswer,
  type StoredPayment,
} from '../../src/payment/reconciliation';
import { closingRanges, timeOf, type ClosingRange, type Window } from '../../src/payment/reconciliation-window';
import { answerIn } from '../../src/payment/seen';
import { cancelled, declined, paid } from './support';

/** What is a difference and what is none, one fact at a time. */

const ID = 'pay-0001';
const NOW = Date.parse('2026-03-01T13:00:00Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;

const open: StoredPayment = {
  paymentId: ID,
  accountNumber: '0100200300',
  amount: 220,
  currency: 'KES',
  claim: { kind: 'free' },
};
const sent: StoredPayment = { ...open, claim: { kind: 'taken', account: 'ours' } };
const closed = (outcome: BillPaymentOutcome, change: Partial<StoredPayment> = {}): StoredPayment => ({
  ...sent,
  closed: { at: ago(10 * MINUTE), outcome, disputed: false },
  ...change,
});
const sealed = { claim: { kind: 'sealed' } } as const;
/** Said a moment ago, and compared with what was asked for. */
function answered(observation: Observation): ProviderAnswer {
  const answer = answerIn(observation, open, { askedAt: NOW - 1_000, answeredAt: NOW }, false);
  return answer === undefined ? notAsked : { kind: 'answer', answer };
}
const record = (state: PaymentRecord['state'], change: Partial<PaymentRecord> = {}): ProviderAnswer =>
  answered({
    kind: 'record',
    state,
    said: `${state} (status ${state === 'completed' ? 4 : 6})`,
    isPayment: true,
    paymentId: ID,
    amount: 220,
    accountNumber: '0100200300',
    currency: 'KES',
    receipt: {},
    ...change,
  });
const completed = record('completed');
const ended = (result: unknown): PaymentRun => ({ kind: 'completed', result });
const running = (attentionAt?: string) => ({
  kind: 'running' as const,
  startedAt: ago(60 * MINUTE),
  ...(attentionAt !== undefined && { attentionAt }),
});
const notAsked: ProviderAnswer = { kind: 'not-asked' };
const notFound = answered({ kind: 'not-found', said: 'not found (404)' });
const byOperator = { settledBy: 'operator' } as const;
const unsentByOperator = { ...byOperator, step: 'submission' } as const;

interface Case {
  readonly name: string;
  readonly stored: StoredPayment;
  readonly run: PaymentRun;
  readonly provider: ProviderAnswer;
  /** With a `!` when it must raise a dispute. */
  readonly found?: string;
}

const cases: readonly Case[] = [
  { name: 'paid and completed', stored: closed(paid(ID)), run: ended(paid(ID)), provider: completed },
  { name: 'paid, forgotten by the engine', stored: closed(paid(ID)), run: { kind: 'none' }, provider: completed },
  {
    name: 'paid, its receipt came later',
    stored: closed(paid(ID)),
    run: ended(paid(ID, { receipt: {} })),
    provider: completed,
  },
  { name: 'declined and failed', stored: closed(declined(ID)), run: ended(declined(ID)), provider: record('failed') },
  { name: 'refused and unknown', stored: closed(declined(ID)), run: ended(declined(ID)), provider: notFound },
  {
    name: 'cancelled and unknown',
    stored: closed(cancelled(ID), sealed),
    run: ended(cancelled(ID)),
    provider: notFound,
  },
  { name: 'open and on its way', stored: sent, run: running(ago(MINUTE)), provider: notAsked },
  { name: 'open, and a person was asked', stored: sent, run: running(), provider: notAsked },
  { name: 'open, not sent yet', stored: open, run: running(), provider: notFound },
  {
    name: 'declined by a person while pending',
    stored: closed(declined(ID, byOperator)),
    run: ended(declined(ID, byOperator)),
    provider: record('pending'),
  },
  {
    name: "somebody else's record that failed, declined by a person",
    stored: closed(declined(ID, unsentByOperator), sealed),
    run: ended(declined(ID, unsentByOperator)),
    provider: record('failed'),
  },
  {
    name: "somebody else's record that is completed, declined by a person",
    stored: closed(declined(ID, unsentByOperator), sealed),
    run: ended(declined(ID, unsentByOperator)),
    provider: record('completed', { amount: 2200 }),
  },
  {
    name: 'closed a moment ago, the run is ending',
    stored: { ...sent, closed: { at: ago(MINUTE / 2), outcome: paid(ID), disputed: false } },
    run: running(),
    provider: completed,
  },
  {
    name: 'closed, and somebody has just started it again',
    stored: closed(paid(ID)),
    run: { kind: 'running', startedAt: ago(MINUTE / 2) },
    provider: completed,
  },
  {
    name: 'posted what was paid',
    stored: closed(paid(ID), { reservation: { settled: true, posted: 220 } }),
    run: ended(paid(ID)),
    provider: completed,
  },
  {
    name: 'open and held',
    stored: { ...sent, reservation: { settled: false, posted: 0 } },
    run: running(),
    provider: notAsked,
  },

  {
    name: 'declined, now completed',
    stored: closed(declined(ID)),
    run: ended(declined(ID)),
    provider: completed,
    found: 'declined-but-completed!',
  },
  {
    name: 'declined by a person, now completed with another amount',
    stored: closed(declined(ID, byOperator)),
    run: ended(declined(ID, byOperator)),
    provider: record('completed', { amount: 2200 }),
    found: 'declined-but-completed!',
  },
  {
    name: 'declined, pending again',
    stored: closed(declined(ID)),
    run: ended(declined(ID)),
    provider: record('pending'),
    found: 'declined-but-pending',
  },
  {
    name: 'paid, now failed',
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: record('failed'),
    found: 'paid-but-failed!',
  },
  {
    name: 'paid, pending again',
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: record('pending'),
    found: 'paid-but-pending',
  },
  {
    name: 'paid, unknown',
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: notFound,
    found: 'paid-but-unknown-to-provider',
  },
  ...(['amount', 'accountNumber', 'currency'] as const).map((field) => ({
    name: `paid, another ${field}`,
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: record('completed', { [field]: field === 'amount' ? 2200 : 'OTHER' }),
    found: 'paid-other-amount!',
  })),
  {
    name: 'paid in another amount, as a person has decided',
    stored: closed(paid(ID, { ...byOperator, amount: 200 })),
    run: ended(paid(ID, { ...byOperator, amount: 200 })),
    provider: completed,
    found: 'paid-other-amount!',
  },
  {
    name: 'cancelled, completed',
    stored: closed(cancelled(ID), sealed),
    run: ended(cancelled(ID)),
    provider: completed,
    found: 'sealed-but-captured!',
  },
  {
    name: 'declined unsent by a person, and now completed as it was asked for',
    stored: closed(declined(ID, unsentByOperator), sealed),
    run: ended(declined(ID, unsentByOperator)),
    provider: completed,
    found: 'sealed-but-captured!',
  },
  {
    name: 'declined unsent, pending',
    stored: closed(declined(ID), sealed),
    run: ended(declined(ID)),
    provider: record('pending'),
    found: 'sealed-but-captured',
  },
  {
    name: "paid, and its record is another's",
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: record('completed', { isPayment: false }),
    found: 'record-of-another',
  },
  { name: 'never sent, there is a record', stored: open, run: running(), provider: completed, found: 'id-in-use' },
  { name: 'open, no run', stored: sent, run: { kind: 'none' }, provider: notAsked, found: 'open-without-run' },
  {
    name: 'open, the run was terminated',
    stored: sent,
    run: { kind: 'ended', how: 'was terminated' },
    provider: notAsked,
    found: 'run-failed',
  },
  { name: 'open, the run ended paid', stored: sent, run: ended(paid(ID)), provider: notAsked, found: 'result-differs' },
  {
    name: 'paid, the run ended declined',
    stored: closed(paid(ID)),
    run: ended(declined(ID)),
    provider: completed,
    found: 'result-differs',
  },
  {
    name: 'paid, the run ended paid with another amount',
    stored: closed(paid(ID)),
    run: ended(paid(ID, { amount: 219 })),
    provider: completed,
    found: 'result-differs',
  },
  {
    name: 'paid, the run ended with nonsense',
    stored: closed(paid(ID)),
    run: ended(null),
    provider: completed,
    found: 'result-differs',
  },
  {
    name: 'closed, the run goes on',
    stored: closed(paid(ID)),
    run: running(),
    provider: completed,
    found: 'closed-but-still-running',
  },
  {
    name: 'its workflow task fails again and again: told before anybody was to be asked',
    stored: sent,
    run: { ...running(), taskAttempt: 5 },
    provider: notAsked,
    found: 'run-stuck',
  },
  {
    name: 'attempts at its workflow task were lost',
    stored: sent,
    run: { ...running(), taskAttempt: 4 },
    provider: notAsked,
  },
  {
    name: 'nobody was asked in time',
    stored: sent,
    run: running(ago(6 * MINUTE)),
    provider: notAsked,
    found: 'overdue-open',
  },
  {
    name: 'sent with other credentials',
    stored: closed(paid(ID)),
    run: ended(paid(ID)),
    provider: { kind: 'another-account' },
    found: 'claim-of-another-account',
  },
  {
    name: 'posted another amount',
    stored: closed(paid(ID), { reservation: { settled: true, posted: 200 } }),
    run: ended(paid(ID)),
    provider: completed,
    found: 'posted-amount-differs',
  },
  {
    name: 'posted, not paid',
    stored: closed(declined(ID), { reservation: { settled: true, posted: 220 } }),
    run: ended(declined(ID)),
    provider: notFound,
    found: 'posted-amount-differs',
  },
  {
    name: 'closed and still held',
    stored: closed(declined(ID), { reservation: { settled: false, posted: 0 } }),
    run: ended(declined(ID)),
    provider: notFound,
    found: 'reservation-open-after-close',
  },
];

test.each(cases)('$name', ({ stored, run, provider, found }) => {
  const differences = compare(stored, run, provider, NOW);
  expect(differences.map(({ kind, dispute }) => `${kind}${dispute ? '!' : ''}`)).toEqual(found ? [found] : []);
  for (const { subject, what } of differences) {
    expect(subject).toBe(ID);
    expect(what).not.toContain(stored.accountNumber);
    expect(what).not.toBe('');
  }
});

test('every kind about one payment has a case, and all have a meaning and a next step', () => {
  const ofOthers = [
    'run-without-row',
    'account-does-not-add-up',
    'callback-undelivered',
    'dispute-not-opened',
    'dispute-without-run',
  ];
  const found = new Set(cases.flatMap((one) => (one.found === undefined ? [] : [one.found.replace('!', '')])));
  expect([...found, ...ofOthers].sort()).toEqual(Object.keys(DIFFERENCES).sort());
  for (const { means, next } of Object.values(DIFFERENCES)) {
    expect(means).toMatch(/\.$/);
    expect(next).toMatch(/\.$/);
  }
});

test('the order of the fields of a result is no difference', () => {
  const outcome = paid(ID);
  const turned = Object.fromEntries(Object.entries(outcome).reverse());
  expect(compare(closed(outcome), ended(turned), completed, NOW)).toEqual([]);
});

test('several differences of one payment are all told', () => {
  const stored = closed(paid(ID), { reservation: { settled: false, posted: 0 } });
  expect(compare(stored, running(), record('failed'), NOW).map(({ kind }) => kind)).toEqual([
    'paid-but-failed',
    'closed-but-still-running',
    'reservation-open-after-close',
  ]);
});

test('a payment under way is not asked about: its run asks by itself', () => {
  expect([open, sent, closed(paid(ID)), closed(cancelled(ID), sealed)].map(isAsked)).toEqual([true, false, true, true]);
});

test.each([
  ['2026-01-31', true],
  ['2026-01-31T12:00Z', true],
  ['2026-01-31T12:00:00.5+03:00', true],
  ['2026-13-31', false],
  ['0000-01-01', false],
  ['yesterday', false],
  ['7', false],
  ['2026', false],
  [7, false],
  [null, false],
])('%p is a time: %p', (text, is) => {
  expect(timeOf(text) !== undefined).toBe(is);
});

describe('which closed payments a window covers', () => {
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  const covers = (window: Window, of: ClosingRange['of'], closedAt: number): boolean =>
    closingRanges(window).some(
      (range) =>
        (range.of === 'all' || range.of === of) &&
        closedAt > Date.parse(range.since) &&
        closedAt <= Date.parse(range.until),
    );
  const lastHour: Window = { since: ago(HOUR), until: ago(0) };

  test.each([
    ['declined-after-sending', [0.5 * HOUR, 1.5 * HOUR, DAY + 0.5 * HOUR, 7.02 * DAY, 30.02 * DAY], true],
    ['declined-after-sending', [2.5 * HOUR, 0.5 * DAY, 3 * DAY, 15 * DAY, 31 * DAY], false],
    ['paid', [0.5 * HOUR, DAY + 0.5 * HOUR, 30.02 * DAY], true],
    ['paid', [1.5 * HOUR, 7.02 * DAY, 31 * DAY], false],
  ] as const)('%s, closed %p ms ago: %p', (of, ages, covered) => {
    expect(ages.map((age) => covers(lastHour, of, NOW - age))).toEqual(ages.map(() => covered));
  });

  test('windows that follow each other ask 1 h, 1, 7 and 30 days after the close, once each, and never miss one', () => {
    const closedAt = NOW - 40 * DAY;
    const asked: number[] = [];
    for (let until = closedAt; until < NOW; until += 45 * MINUTE) {
      const window = { since: new Date(until - 45 * MINUTE).toISOString(), until: new Date(until).toISOString() };
      if (covers(window, 'declined-after-sending', closedAt)) asked.push(until - closedAt);
    }
    // At the first end of a window at or after each time that is due: less than a window later.
    expect(asked).toHaveLength(5);
    [0, HOUR, DAY, 7 * DAY, 30 * DAY].forEach((due, index) => {
      expect(asked[index]).toBeGreaterThanOrEqual(due);
      expect(asked[index]).toBeLessThan(due + 45 * MINUTE);
    });
  });
});
