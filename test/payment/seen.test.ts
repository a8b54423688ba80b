import fc from 'fast-check';
import type { Observation, PaymentRecord } from '../../src/payment/observation';
import {
  answerIn,
  isOfAnother,
  isTooOld,
  merge,
  mismatches,
  remember,
  type Answer,
  type Seen,
} from '../../src/payment/seen';
import { answer, ANSWER_NAMES, anyAnswer, at, EXPECTED, mergeAll, seenOf, type Told } from './support';

/** What is known of the provider's answers: the record against what was asked for, and a merge that only grows. */

const RECORD: PaymentRecord = {
  ...{ kind: 'record', state: 'completed', said: 'completed (status 4)', isPayment: true },
  ...EXPECTED,
  receipt: {},
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
    ["another id of the provider's own", { ...RECORD, providerId: 'anything' }],
  ];
  test.each(EVIDENCE)('%s: agrees', (_what, record) => {
    expect(mismatches(EXPECTED, record)).toEqual([]);
  });

  // prettier-ignore
  const NO_EVIDENCE: readonly [what: string, record: PaymentRecord, said: string][] = [
    ['not a payment', { ...RECORD, isPayment: false }, 'it does not say that it is a payment'],
    ['another id', { ...RECORD, paymentId: 'payment-0002' }, 'the payment id is not ours'],
    ['no id', without('paymentId'), 'the payment id is not ours'],
    ['another amount', { ...RECORD, amount: 2_200 }, 'answer: KES 2200, sent: KES 220'],
    ['a fraction less', { ...RECORD, amount: 219.99 }, 'answer: KES 219.99, sent: KES 220'],
    ['no amount', without('amount'), 'answer: no amount, sent: KES 220'],
    ['another account', { ...RECORD, accountNumber: '0100200301' }, 'the account is not the one we sent'],
    ['an account that only reads alike', { ...RECORD, accountNumber: '100200300' }, 'the account is not the one we sent'],
    ['no account', without('accountNumber'), 'the account is not the one we sent'],
    ['another currency', { ...RECORD, currency: 'USD' }, 'the currency is not the one we sent'],
    ['no currency', without('currency'), 'the currency is not the one we sent'],
  ];
  test.each(NO_EVIDENCE)('%s: differs, and says how without personal data', (_what, record, said) => {
    expect(mismatches(EXPECTED, record)).toEqual([said]);
  });

  test('everything that differs is said', () => {
    const nothing: PaymentRecord = { kind: 'record', state: 'completed', said: '', isPayment: false, receipt: {} };
    expect(mismatches(EXPECTED, nothing)).toHaveLength(5);
  });

  test('a record is of something else when its id or its kind says so, and not because of what it holds', () => {
    const isOther = (record: PaymentRecord) =>
      isOfAnother({ ...answer('completed', 1), differs: mismatches(EXPECTED, record) });
    expect(isOther({ ...RECORD, paymentId: 'payment-0002' })).toBe(true);
    expect(isOther({ ...RECORD, isPayment: false })).toBe(true);
    expect(isOther({ ...RECORD, amount: 1, accountNumber: '1', currency: 'USD' })).toBe(false);
  });
});

describe('what an observation says about the payment', () => {
  const WHEN = { askedAt: at(1), answeredAt: at(2) };
  const inIt = (observation: Observation, isAnotherAccount = false) =>
    answerIn(observation, EXPECTED, WHEN, isAnotherAccount);
  const notFound: Observation = { kind: 'not-found', said: 'not found (404)' };
  const wrong: Observation = { ...RECORD, amount: 1 };

  test('an answer nobody can read says nothing', () => {
    expect(inIt({ kind: 'unreadable', said: 'no JSON' })).toBeUndefined();
  });

  test('not found is an answer', () => {
    expect(inIt(notFound)).toEqual({ ...WHEN, state: 'not-found', said: notFound.said, differs: [], receipt: {} });
  });

  test('a record is compared, and nothing of the account is kept', () => {
    const { said, receipt } = RECORD;
    const kept = { ...WHEN, state: 'completed', said, receipt, amount: 220 };
    expect(inIt(RECORD)).toEqual({ ...kept, differs: [] });
    expect(inIt({ ...RECORD, providerId: '0100-abc' })).toEqual({ ...kept, differs: [], providerId: '0100-abc' });
    expect(inIt(wrong)).toEqual({ ...kept, amount: 1, differs: ['answer: KES 1, sent: KES 220'] });
    expect(inIt(without('amount'))).not.toHaveProperty('amount');
  });

  test('another account does not know what was sent from ours: only a matching record counts there', () => {
    expect(inIt(notFound, true)).toBeUndefined();
    expect(inIt(wrong, true)).toBeUndefined();
    expect(inIt({ ...RECORD, state: 'failed' }, true)).toMatchObject({ state: 'failed', differs: [] });
    expect(inIt(RECORD, true)).toEqual(inIt(RECORD));
  });
});

describe('what one answer adds', () => {
  const slow = { askedAt: at(5), answeredAt: at(9) };
  const failed = { failedFirstAskedAt: at(5), failedFirstAnsweredAt: at(9), failedLastAskedAt: at(5) };
  const other = { otherLastAskedAt: at(5) };

  // prettier-ignore
  test.each([
    ['completed', { completedAt: at(9), recordAt: at(9), paidSince: at(9), ...other }],
    ['completed, other amount', { completedAt: at(9), recordAt: at(9), ...other }],
    ['failed', { recordAt: at(9), ...failed }],
    ['failed, other amount', { recordAt: at(9), ...other }],
    ['pending', { recordAt: at(9), ...other }],
    ['not found', { ...other }],
  ] as const)('%s', (name, adds) => {
    const one = answer(name, 5, slow);
    expect(merge({}, one)).toEqual({ ...adds, last: one });
  });
});

describe('an older answer displaces nothing', () => {
  test('the last answer is the one that was asked last, whichever came last', () => {
    const newer = answer('pending', 20);
    const older = answer('completed', 10, { answeredAt: at(30) });
    expect(mergeAll([newer, older]).last).toBe(newer);
    expect(mergeAll([older, newer]).last).toBe(newer);
  });

  test('of two that were asked at once the less final one counts, whichever came first', () => {
    const order = ['completed', 'failed', 'not found', 'pending'] as const;
    order.forEach((one, index) =>
      order.slice(index + 1).forEach((other) => {
        expect(seenOf([5, one], [5, other]).last?.state).toBe(answer(other, 5).state);
        expect(seenOf([5, other], [5, one]).last?.state).toBe(answer(other, 5).state);
      }),
    );
  });

  // prettier-ignore
  test.each<[what: string, told: readonly Told[], seen: Partial<Seen>]>([
    ['completed was seen first at', [[30, 'completed'], [10, 'completed, other amount']], { completedAt: at(10), paidSince: at(30) }],
    ['a record was seen first at', [[30, 'failed'], [10, 'pending']], { recordAt: at(10) }],
    ['failed for the first and the last time', [[20, 'failed'], [30, 'failed'], [10, 'failed']], { failedFirstAskedAt: at(10), failedFirstAnsweredAt: at(10), failedLastAskedAt: at(30) }],
    ['the last other answer', [[20, 'pending'], [30, 'failed'], [10, 'not found']], { otherLastAskedAt: at(20) }],
  ])('%s', (_what, told, seen) => {
    expect(seenOf(...told)).toMatchObject(seen);
  });
});

describe('it is the same in whatever order answers arrive', () => {
  const permutations = <T>(all: readonly T[]): readonly (readonly T[])[] =>
    all.length <= 1
      ? [all]
      : all.flatMap((one, index) => permutations(all.toSpliced(index, 1)).map((rest) => [one, ...rest]));

  test('all sets of up to three out of thirteen answers, in every order', () => {
    // Quick and slow ones, with ties in both times and between different states.
    const some = [
      ...ANSWER_NAMES.map((name) => answer(name, 5, { answeredAt: at(9) })),
      answer('failed', 3, { answeredAt: at(12) }),
      answer('failed', 9),
      answer('completed', 9),
      answer('pending', 9),
    ];
    expect(some).toHaveLength(13);
    let sets = 0;
    const different: (readonly Answer[])[] = [];
    some.forEach((a, i) =>
      [undefined, ...some.slice(i + 1)].forEach((b, j) =>
        [undefined, ...(b === undefined ? [] : some.slice(i + 1 + j))].forEach((c) => {
          const set = [a, b, c].filter((one) => one !== undefined);
          sets += 1;
          const results = new Set(permutations(set).map((order) => JSON.stringify(mergeAll(order))));
          if (results.size > 1) different.push(set);
        }),
      ),
    );
    // 13 of one, 78 of two, 286 of three.
    expect(sets).toBe(377);
    expect(different).toEqual([]);
  });

  const shuffled = fc
    .array(anyAnswer, { maxLength: 8 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));

  test('any answers, shuffled', () => {
    fc.assert(
      fc.property(shuffled, ([one, other]) => JSON.stringify(mergeAll(other)) === JSON.stringify(mergeAll(one))),
      { numRuns: 2_000 },
    );
  });

  test('the database keeps no order of fields: what was read back merges alike', () => {
    const turned = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).reverse()) as T;
    const readBack = (seen: Seen): Seen => ({ ...turned(seen), ...(seen.last && { last: turned(seen.last) }) });
    fc.assert(
      fc.property(anyAnswer, anyAnswer, (one, other) =>
        expect(merge(readBack(merge({}, one)), other)).toEqual(merge(merge({}, one), other)),
      ),
    );
  });

  test('the same answer twice adds nothing', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 5 }), anyAnswer, (known, one) => {
        const seen = mergeAll([...known, one]);
        expect(merge(seen, one)).toEqual(seen);
        expect(mergeAll(known, seen)).toEqual(seen);
      }),
    );
  });
});

describe('what is known only grows', () => {
  /** First times only become earlier, last times only later; nothing that is known becomes unknown. */
  const GROWS = {
    completedAt: 'earlier',
    recordAt: 'earlier',
    paidSince: 'earlier',
    failedFirstAskedAt: 'earlier',
    failedFirstAnsweredAt: 'earlier',
    failedLastAskedAt: 'later',
    otherLastAskedAt: 'later',
  } as const satisfies Record<Exclude<keyof Seen, 'last'>, 'earlier' | 'later'>;

  test('field by field', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 5 }), anyAnswer, (known, one) => {
        const before = mergeAll(known);
        const after = merge(before, one);
        const hasShrunk = (field: keyof typeof GROWS): boolean => {
          const [was, is] = [before[field], after[field]];
          if (was === undefined) return false;
          return is === undefined || (GROWS[field] === 'earlier' ? is > was : is < was);
        };
        const fields = Object.keys(GROWS) as readonly (keyof typeof GROWS)[];
        expect(fields.filter(hasShrunk)).toEqual([]);
        expect(after.last?.askedAt).toBeGreaterThanOrEqual(before.last?.askedAt ?? 0);
      }),
      { numRuns: 1_000 },
    );
  });

  test('completed is never forgotten, whatever is said afterwards', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 8 }), (answers) => {
        const completed = answers.filter(({ state }) => state === 'completed').map(({ answeredAt }) => answeredAt);
        const first = completed.length === 0 ? undefined : Math.min(...completed);
        expect(mergeAll(answers).completedAt).toBe(first);
      }),
    );
  });
});

describe('an answer that comes too late to be merged', () => {
  test.each([
    ['completed', { completedAt: at(5), recordAt: at(5) }],
    ['completed, other amount', { completedAt: at(5), recordAt: at(5) }],
    ['failed', { recordAt: at(5) }],
    ['pending', { recordAt: at(5) }],
    ['not found', {}],
  ] as const)('%s: what is true for ever is remembered, and nothing else', (name, is) => {
    expect(remember({}, answer(name, 5))).toEqual(is);
    const known = seenOf([1, 'completed'], [2, 'pending']);
    expect(remember(known, answer(name, 5))).toEqual(known);
  });

  test('it is the same whichever comes first', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 4 }), anyAnswer, anyAnswer, (known, late, one) => {
        const seen = mergeAll(known);
        expect(remember(merge(seen, one), late)).toEqual(merge(remember(seen, late), one));
      }),
    );
  });
});

test('an answer that was asked for more than a minute before it is written is not written', () => {
  const one: Answer = answer('failed', 0, { answeredAt: at(55) });
  expect(isTooOld(one, at(60))).toBe(false);
  expect(isTooOld(one, at(60) + 1)).toBe(true);
  // A clock that was set back makes nothing old.
  expect(isTooOld(one, at(-10))).toBe(false);
});
