import fc from 'fast-check';
import { otherIn, weighCallbacks } from '../../src/payment/callback-evidence';
import { judge } from '../../src/payment/judge';
import type { CallbackReading, CodeMeaning } from '../../src/payment/observation';
import { anyFacts, at, EXPECTED, NO_CALLBACKS } from './support';

/** The callbacks of a payment, taken together: the strictest code ever seen counts, in whatever order they came. */

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
const weigh = (...readings: readonly CallbackReading[]) => weighCallbacks(EXPECTED, readings, false);

const one = reading('1', 'refusal');
const inconclusive = reading('22');
const duplicate = reading('9', 'duplicate');
const success = reading('0', 'success', { receipt: { number: 'S575998' } });
const OTHERS = [
  { what: 'amount', other: { amount: 2_200 } },
  { what: 'account', other: { accountNumber: '1' } },
  { what: 'currency', other: { currency: 'USD' } },
] as const;

test('no callbacks', () => {
  expect(weigh()).toEqual(NO_CALLBACKS);
});

describe('what the codes mean', () => {
  // prettier-ignore
  test.each<[what: string, readings: readonly CallbackReading[], code: string | undefined]>([
    ['one without a code', [reading(undefined)], undefined],
    ['a refusal', [one], 'refusal 1'],
    ['a refusal that agrees', [reading('1', 'refusal', { amount: 220, accountNumber: ' 0100200300', currency: 'kes' })], 'refusal 1'],
    ['22', [inconclusive], 'ambiguous 22'],
    ['22, then 1: the strictest counts', [inconclusive, one], 'ambiguous 22'],
    ['1, then 22: the strictest counts', [one, inconclusive], 'ambiguous 22'],
    ['9 is about another request', [duplicate], undefined],
    ['9 takes nothing from 1', [duplicate, one, duplicate], 'refusal 1'],
    ['9 adds nothing to 22', [duplicate, inconclusive], 'ambiguous 22'],
    ['success makes a refusal doubtful', [one, success], 'ambiguous 0'],
    ...OTHERS.map(({ what, other }) => [`a refusal of another ${what}`, [reading('1', 'refusal', other)], 'ambiguous 1'] as [string, CallbackReading[], string]),
  ])('%s', (_what, readings, code) => {
    const { code: weighed } = weigh(...readings);
    expect(weighed && `${weighed.kind} ${weighed.value}`).toBe(code);
  });

  test('what was not kept may hold the code that forbids a decline', () => {
    for (const readings of [[], [one], [inconclusive]])
      expect(weighCallbacks(EXPECTED, readings, true).code).toEqual({
        kind: 'ambiguous',
        value: 'of a callback that was not kept',
      });
  });
});

test('all are counted, and one that claims paid is enough', () => {
  expect(weigh(one, duplicate, one)).toMatchObject({ count: 3, claimsPaid: false });
  expect(weigh(one, success)).toMatchObject({ count: 2, claimsPaid: true });
});

describe('the receipt', () => {
  const receipt = { number: 'S575998', token: '1234' };
  test('comes from what does not claim failure', () => {
    expect(weigh(reading('1', 'refusal', { receipt })).receipt).toEqual({});
    const unclear = reading(undefined, 'ambiguous', { claims: 'unclear', receipt: { token: '1234' } });
    expect(weigh(success, unclear).receipt).toEqual(receipt);
  });

  test('of two that differ the first stays', () => {
    expect(weigh(success, { ...success, receipt: { ...receipt, number: 'OTHER' } }).receipt).toEqual(receipt);
  });

  test.each(OTHERS)('one about another $what gives none', ({ other }) => {
    expect(weigh(reading('0', 'success', { ...other, receipt })).receipt).toEqual({});
  });
});

test('in what a callback speaks of something else; what it leaves out is nothing else', () => {
  expect(otherIn(EXPECTED, reading('1'))).toEqual([]);
  expect(
    otherIn(EXPECTED, reading('1', 'refusal', { ...EXPECTED, accountNumber: ' 0100200300 ', currency: 'kes' })),
  ).toEqual([]);
  const all = Object.assign({}, ...OTHERS.map(({ other }) => other)) as Partial<CallbackReading>;
  expect(otherIn(EXPECTED, reading('1', 'refusal', all))).toEqual(['amount', 'account', 'currency']);
});

describe('G5: in whatever order they came', () => {
  const MEANINGS = { '0': 'success', '1': 'refusal', '2': 'refusal', '9': 'duplicate' } as const;
  const anyReading = fc
    .record({
      code: fc.constantFrom('0', '1', '2', '9', '14', '22', '999', undefined),
      claims: fc.constantFrom('paid' as const, 'failed' as const, 'unclear' as const),
      amount: fc.constantFrom(220, undefined, 2_200),
      receipt: fc.constantFrom({}, { number: 'S575998' }, { token: '1234' }),
    })
    .map(({ code, claims, amount, receipt }): CallbackReading =>
      reading(code, MEANINGS[code as keyof typeof MEANINGS] ?? 'ambiguous', {
        claims,
        receipt,
        ...(amount && { amount }),
      }),
    );
  const shuffled = fc
    .array(anyReading, { maxLength: 6 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));

  test('they mean the same', () => {
    fc.assert(
      fc.property(shuffled, ([readings, others]) => {
        const [mine, theirs] = [weigh(...readings), weigh(...others)];
        expect({ ...theirs, code: theirs.code?.kind }).toEqual({ ...mine, code: mine.code?.kind });
      }),
    );
  });

  test('no verdict changes, and none is failed once a code came that can hide a payment', () => {
    fc.assert(
      fc.property(shuffled, anyFacts, ([readings, others], facts) => {
        const verdictOn = (came: readonly CallbackReading[]) => {
          const verdict = judge({ ...facts, callbacks: weigh(...came) }, at(1_000));
          return [verdict.kind, verdict.kind === 'open' && verdict.ask?.reason];
        };
        expect(verdictOn(others)).toEqual(verdictOn(readings));
        const hides = readings.some(({ code }) => code?.meaning === 'ambiguous' || code?.meaning === 'success');
        if (hides) expect(verdictOn(readings)[0]).not.toBe('failed');
      }),
      { numRuns: 500 },
    );
  });
});
