import fc from 'fast-check';
import type { CallbackEvidence, Expected, Look } from '../../src/payment/look';
import type { Observation, PaymentRecord, Receipt } from '../../src/payment/observation';
import type { AttentionReason } from '../../src/payment/outcome';
import type { Policy } from '../../src/payment/policy';
import { confirmationDue, judge, observe, type Facts, type Rules, type Verdict } from '../../src/payment/verdict';

/** What is proven by what was seen (design §7): each rule, and what must hold in whatever order things are seen. */

const EXPECTED: Expected = { paymentId: 'payment-0001', accountNumber: '0100200300', amount: 220, currency: 'KES' };
const SECOND = 1_000;
const POLICY: Policy = {
  submitWithin: 900 * SECOND,
  callbackGrace: 20 * SECOND,
  pollInterval: 10 * SECOND,
  pollMaxInterval: 300 * SECOND,
  notFoundGrace: 600 * SECOND,
  failureConfirmation: 120 * SECOND,
  attentionAfter: 1_800 * SECOND,
  receiptGrace: 30 * SECOND,
};
const SUBMITTED = 1_000_000_000_000;
const ATTENTION = SUBMITTED + POLICY.attentionAfter;
const RULES: Rules = { policy: POLICY, prepaid: false, failedWithoutCode: 'ask', attentionAt: ATTENTION };
const UNSEEN: Facts = {
  sent: 'accepted',
  submittedAt: SUBMITTED,
  callbacks: { count: 0, receipt: {} },
  completedSeen: false,
};

const record = (state: PaymentRecord['state'], change: Partial<PaymentRecord> = {}): PaymentRecord => ({
  kind: 'record',
  state,
  said: state,
  isPayment: true,
  receipt: {},
  ...EXPECTED,
  ...change,
});
const RECEIPT = { number: 'S575998' };
const paid = record('completed', { receipt: RECEIPT });
const unproven = record('completed');
const failed = record('failed');
const pending = record('pending');
const wrong = record('completed', { amount: 2_200, receipt: RECEIPT });
const notFound: Observation = { kind: 'not-found', said: 'not found (404)' };
const unreadable: Observation = { kind: 'unreadable', said: 'unreadable answer' };

const refusal = { kind: 'refusal', value: '1' } as const;
const ambiguous = { kind: 'ambiguous', value: '22' } as const;

interface Seen {
  /** Seconds after the submission. */
  readonly at: number;
  readonly see: Observation;
  readonly code?: NonNullable<CallbackEvidence['code']>;
  readonly receipt?: Receipt;
  readonly completedSeen?: boolean;
}

const lookOf = ({ see, code, receipt = {}, completedSeen = false }: Seen): Look => ({
  observation: see,
  callbacks: { count: 0, receipt, ...(code && { code }) },
  completedSeen,
});

const factsOf = (seen: readonly Seen[], start = UNSEEN): Facts =>
  seen.reduce((facts, one) => observe(EXPECTED, facts, lookOf(one), SUBMITTED + one.at * SECOND), start);

const verdictAt = (seen: readonly Seen[], at: number, rules: Partial<Rules> = {}, start = UNSEEN): Verdict =>
  judge(EXPECTED, factsOf(seen, start), { ...RULES, ...rules }, SUBMITTED + at * SECOND);

/** A verdict in one word, or with the time at which it may change by itself. */
function word(verdict: Verdict, facts?: Facts): string {
  if (verdict.kind !== 'open') return verdict.kind;
  if (verdict.attention !== undefined) return verdict.attention.reason;
  const at = verdict.judgeAgainAt ?? (facts && confirmationDue(facts, RULES.policy));
  return at === undefined ? 'wait' : `look again at ${(at - SUBMITTED) / SECOND} s`;
}

interface Rule {
  readonly rule: string;
  readonly seen: readonly Seen[];
  readonly at: number;
  readonly is: 'paid' | 'failed' | 'wait' | AttentionReason | `look again at ${number} s`;
  readonly rules?: Partial<Rules>;
  readonly start?: Partial<Facts>;
}

const PREPAID = { prepaid: true };
const DECLINE = { failedWithoutCode: 'decline' } as const;
const twice = (see: Observation, more: Partial<Seen> = {}): Seen[] => [
  { at: 0, see, ...more },
  { at: 120, see, ...more },
];

// prettier-ignore
const TABLE: readonly Rule[] = [
  { rule: 'nothing seen, nothing asked', seen: [], at: 60, is: 'wait' },
  { rule: 'silence is a question for a person, and never an answer', seen: [], at: 1_800, is: 'provider-silent' },
  { rule: 'pending is no answer', seen: [{ at: 0, see: pending }], at: 1_799, is: 'wait' },
  { rule: 'pending for too long', seen: [{ at: 0, see: pending }], at: 1_800, is: 'provider-silent' },
  { rule: 'answers nobody can read', seen: [{ at: 0, see: unreadable }], at: 1_800, is: 'provider-silent' },

  { rule: 'completed, all as sent, with a receipt', seen: [{ at: 0, see: paid }], at: 0, is: 'paid' },
  { rule: 'the receipt may come by callback', seen: [{ at: 0, see: unproven, receipt: RECEIPT }], at: 0, is: 'paid' },
  { rule: 'completed without a receipt waits for it', seen: [{ at: 10, see: unproven }], at: 39, is: 'look again at 40 s' },
  { rule: 'and is paid without it in the end', seen: [{ at: 10, see: unproven }], at: 40, is: 'paid' },
  { rule: 'the grace runs from the first sight', seen: [{ at: 10, see: unproven }, { at: 35, see: unproven }], at: 40, is: 'paid' },
  { rule: 'and anew after it was pending again', seen: [{ at: 0, see: unproven }, { at: 5, see: pending }, { at: 20, see: unproven }], at: 40, is: 'look again at 50 s' },
  { rule: 'prepaid: a receipt number is not the product', seen: [{ at: 10, see: paid }], at: 39, is: 'look again at 40 s', rules: PREPAID },
  { rule: 'prepaid: without its token a person is asked', seen: [{ at: 10, see: paid }], at: 40, is: 'paid-without-token', rules: PREPAID },
  { rule: 'prepaid: with its token', seen: [{ at: 10, see: paid, receipt: { token: '1234' } }], at: 10, is: 'paid', rules: PREPAID },
  { rule: 'prepaid: the token may come while a person is asked', seen: [{ at: 10, see: paid }, { at: 99, see: paid, receipt: { token: '1234' } }], at: 99, is: 'paid', rules: PREPAID },
  { rule: 'a code in a callback takes nothing from a completed record', seen: [{ at: 0, see: paid, code: refusal }], at: 0, is: 'paid' },
  { rule: 'an answer nobody can read takes nothing from it', seen: [{ at: 0, see: unproven }, { at: 20, see: unreadable }], at: 30, is: 'paid' },
  { rule: 'completed with another amount', seen: [{ at: 0, see: wrong }], at: 0, is: 'evidence-mismatch' },
  { rule: 'and corrected afterwards', seen: [{ at: 0, see: wrong }, { at: 60, see: paid }], at: 60, is: 'paid' },

  { rule: 'failed is not believed at once', seen: [{ at: 0, see: failed, code: refusal }], at: 0, is: 'look again at 120 s' },
  { rule: 'nor because time has passed: it must be seen again', seen: [{ at: 0, see: failed, code: refusal }], at: 130, is: 'look again at 120 s' },
  { rule: 'nor when the second look came too early', seen: [{ at: 0, see: failed, code: refusal }, { at: 119, see: failed, code: refusal }], at: 500, is: 'look again at 120 s' },
  { rule: 'failed, a refusal code, confirmed', seen: twice(failed, { code: refusal }), at: 120, is: 'failed' },
  { rule: 'the code may come last', seen: [...twice(failed), { at: 125, see: failed, code: refusal }], at: 125, is: 'failed' },
  { rule: 'pending in between starts the confirmation anew', seen: [{ at: 0, see: failed, code: refusal }, { at: 60, see: pending, code: refusal }, { at: 120, see: failed, code: refusal }], at: 120, is: 'look again at 240 s' },
  { rule: 'so does not found', seen: [{ at: 0, see: failed, code: refusal }, { at: 60, see: notFound, code: refusal }, { at: 120, see: failed, code: refusal }], at: 120, is: 'look again at 240 s' },
  { rule: 'an answer nobody can read does not', seen: [{ at: 0, see: failed, code: refusal }, { at: 60, see: unreadable, code: refusal }, { at: 120, see: failed, code: refusal }], at: 120, is: 'failed' },
  { rule: 'nor does it confirm', seen: [{ at: 0, see: failed, code: refusal }, { at: 120, see: unreadable, code: refusal }], at: 120, is: 'look again at 120 s' },
  { rule: 'failed without any code', seen: twice(failed), at: 120, is: 'failed-without-code' },
  { rule: 'unless the deployment cannot receive callbacks', seen: twice(failed), at: 120, is: 'failed', rules: DECLINE },
  { rule: 'failed with a code that can hide a payment', seen: twice(failed, { code: ambiguous }), at: 120, is: 'ambiguous-code' },
  { rule: 'also where callbacks are not to be had', seen: twice(failed, { code: ambiguous }), at: 120, is: 'ambiguous-code', rules: DECLINE },
  { rule: 'failed, unconfirmed for so long that a person is asked', seen: [{ at: 0, see: failed, code: refusal }], at: 1_800, is: 'provider-silent' },
  { rule: 'completed after failed is paid', seen: [...twice(failed), { at: 130, see: paid }], at: 130, is: 'paid' },

  { rule: 'failed after completed', seen: [{ at: 0, see: wrong }, ...twice(failed, { code: refusal })], at: 120, is: 'evidence-mismatch' },
  { rule: 'failed after completed, without a code', seen: [{ at: 0, see: wrong }, ...twice(failed)], at: 120, is: 'evidence-mismatch', rules: DECLINE },
  { rule: 'failed after a completed record that an earlier run saw', seen: twice(failed, { code: refusal, completedSeen: true }), at: 120, is: 'evidence-mismatch' },
  { rule: 'pending after completed, for too long', seen: [{ at: 0, see: wrong }, { at: 60, see: pending }], at: 1_800, is: 'evidence-mismatch' },

  { rule: 'not found may be a queue', seen: [{ at: 0, see: notFound }], at: 599, is: 'wait' },
  { rule: 'not found for too long', seen: [{ at: 0, see: notFound }], at: 600, is: 'not-found' },
  { rule: 'not found for too long, whatever a callback says', seen: [{ at: 0, see: notFound, code: refusal }], at: 600, is: 'not-found' },

  { rule: 'a record that no claim of ours explains', seen: [], at: 0, is: 'id-in-use', start: { sent: 'not-by-us' } },
  { rule: 'even if it is just like ours', seen: [{ at: 0, see: paid }], at: 0, is: 'id-in-use', start: { sent: 'not-by-us' } },
  { rule: 'or failed', seen: twice(failed, { code: refusal }), at: 120, is: 'id-in-use', start: { sent: 'not-by-us' } },
];

describe('G2, G3: a rule of the verdict', () => {
  test.each(TABLE)('$rule: $is', ({ seen, at, is, rules, start }) => {
    const from = { ...UNSEEN, ...start };
    expect(word(verdictAt(seen, at, rules, from), factsOf(seen, from))).toBe(is);
  });

  test('failed says with which code, paid with which record and receipt', () => {
    expect(verdictAt(twice(failed, { code: refusal }), 120)).toEqual({ kind: 'failed', code: '1', said: 'failed' });
    expect(verdictAt(twice(failed), 120, DECLINE)).toEqual({ kind: 'failed', said: 'failed' });
    // What the record says of the receipt stands before what callbacks say.
    const receipt = { number: 'OTHER', token: '1234' };
    expect(verdictAt([{ at: 0, see: paid, receipt }], 0)).toEqual({
      kind: 'paid',
      record: paid,
      receipt: { number: RECEIPT.number, token: '1234' },
    });
  });
});

describe('in whatever order things are seen', () => {
  /** Fields of the record, each right or wrong or absent. */
  const anyRecord = fc
    .record({
      state: fc.constantFrom('completed', 'failed', 'pending'),
      isPayment: fc.boolean(),
      paymentId: fc.constantFrom(EXPECTED.paymentId, EXPECTED.paymentId, 'PAYMENT-0001', 'payment-0002', undefined),
      amount: fc.constantFrom(220, 220, 220, 2_200, 219.99, undefined),
      accountNumber: fc.constantFrom(EXPECTED.accountNumber, EXPECTED.accountNumber, ' 0100200300 ', '1', undefined),
      currency: fc.constantFrom('KES', 'KES', 'kes', 'USD', undefined),
      receipt: fc.constantFrom({}, RECEIPT, { token: '1234' }),
    } as const)
    .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)))
    .map((fields) => ({ kind: 'record', said: 'so it says', ...fields }) as PaymentRecord);
  const anyObservation = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(paid, unproven, failed, failed, failed, failed, pending, wrong) },
    { weight: 4, arbitrary: anyRecord },
    fc.constantFrom(notFound, unreadable),
  );
  const anySeen = fc
    .array(
      fc.record({
        pause: fc.constantFrom(0, 1, 29, 30, 119, 120, 121, 700),
        see: anyObservation,
        code: fc.constantFrom(undefined, undefined, refusal, refusal, ambiguous),
        receipt: fc.constantFrom({}, RECEIPT, { token: '1234' }),
      }),
      { maxLength: 8 },
    )
    .map((steps) => {
      let at = 0;
      return steps.map(({ pause, code, ...step }): Seen => ({ ...step, at: (at += pause), ...(code && { code }) }));
    });
  const anyRules = fc.record({
    prepaid: fc.boolean(),
    failedWithoutCode: fc.constantFrom('ask' as const, 'decline' as const),
  });
  const anySent = fc.constantFrom('accepted' as const, 'unknown' as const, 'not-by-us' as const);

  /** Every verdict on the way, and one long after. */
  function verdicts(seen: readonly Seen[], rules: Partial<Rules>, sent: Facts['sent']) {
    const steps = [...seen.keys()].map((index) => seen.slice(0, index + 1));
    const last = seen.at(-1)?.at ?? 0;
    return [
      ...steps.map((known) => ({ known, at: known.at(-1)?.at ?? 0 })),
      { known: seen, at: last },
      { known: seen, at: last + 10_000 },
    ].map(({ known, at }) => ({ known, at, verdict: verdictAt(known, at, rules, { ...UNSEEN, sent }) }));
  }

  const always = (check: (one: ReturnType<typeof verdicts>[number], rules: Partial<Rules>) => void) =>
    fc.assert(
      fc.property(anySeen, anyRules, anySent, (seen, rules, sent) => {
        for (const one of verdicts(seen, rules, sent)) check(one, rules);
      }),
      { numRuns: 2_000 },
    );

  const readable = (seen: readonly Seen[]): Observation[] =>
    seen.map(({ see }) => see).filter(({ kind }) => kind !== 'unreadable');

  test('paid only if the last readable record says completed and agrees in everything (G3)', () => {
    let times = 0;
    always(({ known, verdict }) => {
      if (verdict.kind !== 'paid') return;
      times += 1;
      const last = readable(known).at(-1) as PaymentRecord;
      expect(last).toMatchObject({ kind: 'record', state: 'completed', isPayment: true, amount: 220 });
      expect(last.paymentId?.toLowerCase()).toBe('payment-0001');
      expect(last.accountNumber?.trim()).toBe('0100200300');
      expect(last.currency?.toUpperCase()).toBe('KES');
      expect(verdict.record).toBe(last);
    });
    expect(times).toBeGreaterThan(100);
  });

  test('failed only if it was seen failed without a break for as long as a confirmation takes', () => {
    let times = 0;
    always(({ known, verdict }) => {
      if (verdict.kind !== 'failed') return;
      times += 1;
      const answers = known.filter(({ see }) => see.kind !== 'unreadable');
      const isFailed = ({ see }: Seen) => see.kind === 'record' && see.state === 'failed';
      const broken = answers.findLastIndex((one) => !isFailed(one));
      const run = answers.slice(broken + 1);
      expect((run.at(-1)?.at ?? 0) - (run[0]?.at ?? 0)).toBeGreaterThanOrEqual(120);
    });
    expect(times).toBeGreaterThan(30);
  });

  test('never failed while the evidence holds a code that can hide a payment, nor without any code unless so configured', () => {
    always(({ known, verdict }, rules) => {
      const code = known.at(-1)?.code;
      if (verdict.kind !== 'failed') return;
      expect(code?.kind).not.toBe('ambiguous');
      if (rules.failedWithoutCode !== 'decline') expect(code?.kind).toBe('refusal');
    });
  });

  test('never failed once a completed record was seen, matching or not', () => {
    always(({ known, verdict }) => {
      const completed = known.some(({ see }) => see.kind === 'record' && see.state === 'completed');
      if (completed) expect(verdict.kind).not.toBe('failed');
    });
  });

  test('a record that no claim of ours explains proves nothing', () => {
    fc.assert(
      fc.property(anySeen, anyRules, (seen, rules) => {
        for (const { verdict } of verdicts(seen, rules, 'not-by-us')) expect(word(verdict)).toBe('id-in-use');
      }),
    );
  });

  test('G4: nothing waits unseen: long after, it is proven or a person is asked', () => {
    always(({ at, known, verdict }) => {
      if (at < (known.at(-1)?.at ?? 0) + 10_000) return;
      expect(word(verdict)).not.toMatch(/^(wait|look again)/);
    });
  });
});

/** Found by the model of verdict and close: two looks at the same moment, and no worker for the second one's answer for minutes. */
test('G2: a look that was on its way for minutes does not confirm that a payment is still failed', () => {
  const lookAt = (second: number): Look => ({
    observation: failed,
    at: new Date(SUBMITTED + second * SECOND).toISOString(),
    callbacks: { count: 1, receipt: {}, code: refusal },
    completedSeen: false,
  });
  const first = observe(EXPECTED, UNSEEN, lookAt(1), SUBMITTED + 2 * SECOND);
  const late = SUBMITTED + 300 * SECOND;

  const stale = observe(EXPECTED, first, lookAt(1), late);
  expect(judge(EXPECTED, stale, RULES, late)).toEqual({ kind: 'open' });
  expect(confirmationDue(stale, POLICY)).toBe(SUBMITTED + 122 * SECOND);

  const fresh = observe(EXPECTED, stale, lookAt(299), late);
  expect(judge(EXPECTED, fresh, RULES, late)).toMatchObject({ kind: 'failed', code: '1' });
  // An older answer that comes after a newer one takes nothing back.
  expect(observe(EXPECTED, fresh, lookAt(1), late).failed).toEqual(fresh.failed);
});
