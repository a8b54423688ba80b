import fc from 'fast-check';
import { isNews, mismatches, weighCallbacks, type Expected } from '../../src/payment/look';
import type { CallbackReading, CodeMeaning, Observation, PaymentRecord } from '../../src/payment/observation';
import { judge, observe, type Facts } from '../../src/payment/verdict';
import { resolvePolicy } from '../../src/payment/policy';

/** What one look is made of: the record against the request, the callbacks against each other, and what a poll reports. */

const EXPECTED: Expected = { paymentId: 'payment-0001', accountNumber: '0100200300', amount: 220, currency: 'KES' };
const RECORD: PaymentRecord = {
  kind: 'record',
  state: 'completed',
  said: 'completed (status 4)',
  isPayment: true,
  receipt: {},
  ...EXPECTED,
};
const without = (field: keyof PaymentRecord): PaymentRecord => {
  const { [field]: _left, ...rest } = RECORD;
  return rest as PaymentRecord;
};

describe('G3: a record is evidence only if it agrees in everything', () => {
  // prettier-ignore
  const EVIDENCE: readonly [what: string, record: PaymentRecord][] = [
    ['as it was sent', RECORD],
    ['the id in capitals', { ...RECORD, paymentId: 'PAYMENT-0001' }],
    ['the account with spaces around it', { ...RECORD, accountNumber: ' 0100200300 ' }],
    ['the currency in small letters', { ...RECORD, currency: 'kes' }],
    ['another id of the provider\'s own', { ...RECORD, providerId: 'anything' }],
  ];
  test.each(EVIDENCE)('%s: agrees', (_what, record) => {
    expect(mismatches(EXPECTED, record)).toEqual([]);
  });

  // prettier-ignore
  const NO_EVIDENCE: readonly [what: string, record: PaymentRecord, said: RegExp][] = [
    ['not a payment', { ...RECORD, isPayment: false }, /not say that it is a payment/],
    ['another id', { ...RECORD, paymentId: 'payment-0002' }, /id is not ours/],
    ['no id', without('paymentId'), /id is not ours/],
    ['another amount', { ...RECORD, amount: 2_200 }, /KES 2200, sent: KES 220/],
    ['a fraction less', { ...RECORD, amount: 219.99 }, /KES 219.99, sent: KES 220/],
    ['no amount', without('amount'), /no amount, sent: KES 220/],
    ['another account', { ...RECORD, accountNumber: '0100200301' }, /account is not the one/],
    ['an account that only reads alike', { ...RECORD, accountNumber: '100200300' }, /account is not the one/],
    ['no account', without('accountNumber'), /account is not the one/],
    ['another currency', { ...RECORD, currency: 'USD' }, /currency is not the one/],
    ['no currency', without('currency'), /currency is not the one/],
  ];
  test.each(NO_EVIDENCE)('%s: differs, and says how without personal data', (_what, record, said) => {
    const differs = mismatches(EXPECTED, record);
    expect(differs).toEqual([expect.stringMatching(said)]);
    expect(differs.join()).not.toMatch(/0100200300|0100200301|payment-000/);
  });

  test('everything that differs is said', () => {
    expect(
      mismatches(EXPECTED, { kind: 'record', state: 'completed', said: '', isPayment: false, receipt: {} }),
    ).toHaveLength(5);
  });
});

const reading = (
  value: string | undefined,
  meaning: CodeMeaning = 'ambiguous',
  change: Partial<CallbackReading> = {},
): CallbackReading => ({
  tells: 'result',
  claims: meaning === 'success' ? 'paid' : 'failed',
  said: `code ${value}`,
  receipt: {},
  ...(value !== undefined && { code: { value, meaning } }),
  ...change,
});

describe('callbacks, taken together', () => {
  const one = reading('1', 'refusal');
  const inconclusive = reading('22');
  const duplicate = reading('9', 'duplicate');
  const success = reading('0', 'success', { receipt: { number: 'S575998' } });

  // prettier-ignore
  const CODES: readonly [what: string, readings: readonly CallbackReading[], code: { kind: string; value: string } | undefined][] = [
    ['none', [], undefined],
    ['one without a code', [reading(undefined)], undefined],
    ['a refusal', [one], { kind: 'refusal', value: '1' }],
    ['a refusal that agrees', [reading('1', 'refusal', { amount: 220, accountNumber: ' 0100200300', currency: 'kes' })], { kind: 'refusal', value: '1' }],
    ['22', [inconclusive], { kind: 'ambiguous', value: '22' }],
    ['22, then 1: the strictest counts', [inconclusive, one], { kind: 'ambiguous', value: '22' }],
    ['1, then 22: the strictest counts', [one, inconclusive], { kind: 'ambiguous', value: '22' }],
    ['9 is about another request', [duplicate], undefined],
    ['9 takes nothing from 1', [duplicate, one, duplicate], { kind: 'refusal', value: '1' }],
    ['9 adds nothing to 22', [duplicate, inconclusive], { kind: 'ambiguous', value: '22' }],
    ['success makes a refusal doubtful', [one, success], { kind: 'ambiguous', value: '0' }],
    ['a refusal of another amount', [reading('1', 'refusal', { amount: 2_200 })], { kind: 'ambiguous', value: '1' }],
    ['a refusal of another account', [reading('1', 'refusal', { accountNumber: '1' })], { kind: 'ambiguous', value: '1' }],
    ['a refusal of another currency', [reading('1', 'refusal', { currency: 'USD' })], { kind: 'ambiguous', value: '1' }],
  ];
  test.each(CODES)('%s', (_what, readings, code) => {
    expect(weighCallbacks(EXPECTED, readings).code).toEqual(code);
  });

  test('a receipt comes from what does not claim failure', () => {
    const receipt = { number: 'S575998', token: '1234' };
    expect(weighCallbacks(EXPECTED, [reading('1', 'refusal', { receipt })]).receipt).toEqual({});
    expect(
      weighCallbacks(EXPECTED, [
        success,
        reading(undefined, 'ambiguous', { claims: 'unclear', receipt: { token: '1234' } }),
      ]).receipt,
    ).toEqual(receipt);
  });

  // prettier-ignore
  test.each([
    { what: 'amount', other: { amount: 2_200 } },
    { what: 'account', other: { accountNumber: '1' } },
    { what: 'currency', other: { currency: 'USD' } },
  ])('one about another $what gives neither receipt nor token, and no code that allows a decline', ({ other }) => {
    const receipt = { number: 'S575998', token: '1234' };
    expect(weighCallbacks(EXPECTED, [reading('0', 'success', { ...other, receipt })]).receipt).toEqual({});
    expect(weighCallbacks(EXPECTED, [reading('1', 'refusal', other)]).code?.kind).not.toBe('refusal');
  });

  const anyReading = fc
    .record({
      code: fc.constantFrom('0', '1', '2', '9', '14', '22', '999', undefined),
      claims: fc.constantFrom('paid' as const, 'failed' as const, 'unclear' as const),
      amount: fc.constantFrom(220, undefined, 2_200),
      receipt: fc.constantFrom({}, { number: 'S575998' }, { token: '1234' }),
    })
    .map(({ code, claims, amount, receipt }): CallbackReading => {
      const meaning = { '0': 'success', '1': 'refusal', '2': 'refusal', '9': 'duplicate' } as const;
      return reading(code, meaning[code as keyof typeof meaning] ?? 'ambiguous', {
        claims,
        receipt,
        ...(amount && { amount }),
      });
    });
  const shuffled = fc
    .array(anyReading, { maxLength: 6 })
    .chain((readings) =>
      fc.tuple(fc.constant(readings), fc.shuffledSubarray(readings, { minLength: readings.length })),
    );

  test('G5: their order changes neither what the code means nor the receipt', () => {
    fc.assert(
      fc.property(shuffled, ([readings, others]) => {
        const [mine, theirs] = [weighCallbacks(EXPECTED, readings), weighCallbacks(EXPECTED, others)];
        expect({ ...theirs, code: theirs.code?.kind }).toEqual({ ...mine, code: mine.code?.kind });
      }),
    );
  });

  test('G5: their order changes no verdict, and none is failed once an ambiguous code came', () => {
    const policy = resolvePolicy(undefined);
    const rules = { policy, prepaid: true, failedWithoutCode: 'decline', attentionAt: 10 ** 9 } as const;
    const anyRecord = fc.constantFrom<Observation>(
      RECORD,
      { ...RECORD, state: 'failed' },
      { ...RECORD, amount: 1 },
      { kind: 'not-found', said: '' },
    );
    const verdictOf = (readings: readonly CallbackReading[], observation: Observation) => {
      const look = { observation, completedSeen: false, callbacks: weighCallbacks(EXPECTED, readings) };
      const unseen: Facts = { sent: 'accepted', submittedAt: 0, callbacks: look.callbacks, completedSeen: false };
      const facts = [0, policy.failureConfirmation].reduce((before, at) => observe(EXPECTED, before, look, at), unseen);
      return judge(EXPECTED, facts, rules, policy.failureConfirmation);
    };
    fc.assert(
      fc.property(shuffled, anyRecord, ([readings, others], observation) => {
        const [mine, theirs] = [verdictOf(readings, observation), verdictOf(others, observation)];
        const reason = (verdict: typeof mine) => (verdict.kind === 'open' ? verdict.attention?.reason : undefined);
        expect([theirs.kind, reason(theirs)]).toEqual([mine.kind, reason(mine)]);
        const hides = readings.some(({ code }) => code?.meaning === 'ambiguous' || code?.meaning === 'success');
        if (hides) expect(mine.kind).not.toBe('failed');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what a poll reports', () => {
  const pending: Observation = { ...RECORD, state: 'pending' };
  const failed: Observation = { ...RECORD, state: 'failed' };
  const notFound: Observation = { kind: 'not-found', said: '' };
  const unreadable: Observation = { kind: 'unreadable', said: '' };

  // prettier-ignore
  const NEWS: readonly [what: string, known: Observation | undefined, seen: Observation, news: boolean][] = [
    ['a first pending record', undefined, pending, false],
    ['not found', undefined, notFound, false],
    ['found at last, pending', notFound, pending, true],
    ['unreadable', RECORD, unreadable, false],
    ['completed', undefined, RECORD, true],
    ['failed', pending, failed, true],
    ['completed after not found', notFound, RECORD, true],
    ['the same completed again', RECORD, RECORD, false],
    ['completed in other words', RECORD, { ...RECORD, said: 'other', providerId: 'other', receipt: { number: '1' } }, false],
    ['failed after completed', RECORD, failed, true],
    ['completed after failed', failed, RECORD, true],
    ['pending after failed', failed, pending, true],
    ['not found after completed', RECORD, notFound, true],
    ['completed, now with another amount', RECORD, { ...RECORD, amount: 1 }, true],
    ['another account', RECORD, { ...RECORD, accountNumber: '1' }, true],
    ['another currency', RECORD, { ...RECORD, currency: 'USD' }, true],
    ['another id', RECORD, { ...RECORD, paymentId: 'payment-0002' }, true],
    ['a payment no more', RECORD, { ...RECORD, isPayment: false }, true],
  ];
  test.each(NEWS)('%s', (_what, known, seen, news) => {
    expect(isNews(known, seen)).toBe(news);
  });

  test('what is known is no news: a poll never reports the same twice', () => {
    const anyObservation = fc.constantFrom(pending, failed, notFound, RECORD, { ...RECORD, amount: 1 });
    fc.assert(fc.property(anyObservation, (seen) => expect(isNews(seen, seen)).toBe(false)));
  });
});
