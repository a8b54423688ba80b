import {
  cancellationProblem,
  declineProblem,
  resolutionProblem,
  statusCheckProblem,
} from '../../src/payment/decisions';
import type { Expected, Look } from '../../src/payment/look';
import type { Observation, PaymentRecord } from '../../src/payment/observation';
import type { Facts } from '../../src/payment/verdict';

/** What a person may decide (design §7.6), cell by cell; and what a text box may hold. */

const EXPECTED: Expected = { paymentId: 'payment-0001', accountNumber: '0100200300', amount: 220, currency: 'KES' };
const NOW = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;

const record = (state: PaymentRecord['state'], change: Partial<PaymentRecord> = {}): PaymentRecord => ({
  kind: 'record',
  state,
  said: state,
  isPayment: true,
  receipt: {},
  ...EXPECTED,
  ...change,
});

describe('declining against what the provider says', () => {
  const ANSWERS = {
    'no look': undefined,
    unreadable: { kind: 'unreadable', said: 'no answer' },
    'not found': { kind: 'not-found', said: 'not found (404)' },
    pending: record('pending'),
    failed: record('failed'),
    'failed, but not as sent': record('failed', { amount: 1 }),
    completed: record('completed'),
    'completed, but not as sent': record('completed', { amount: 1 }),
  } as const satisfies Readonly<Record<string, Observation | undefined>>;

  /** When the token that the claim was taken with expires; `none`: no claim is known. */
  const TOKENS = {
    none: undefined,
    'good for an hour': NOW + 60 * MINUTE,
    'expired 4:59 ago': NOW - 5 * MINUTE + 1_000,
    'expired 5:00 ago': NOW - 5 * MINUTE,
  } as const;

  const ok = undefined;
  const PAID = /^Almara Pay says completed: it cannot be declined\./;
  const NAME_IT = /name their written confirmation in "providerCase"/;
  const UNKNOWN = /the store did not answer/;
  const WAIT = /may still be on its way until \d{4}-\d\d-\d\d \d\d:\d\d UTC/;

  type Refusal = RegExp | undefined;
  interface Row {
    readonly sent: readonly Facts['sent'][];
    readonly answers: readonly (keyof typeof ANSWERS)[];
    readonly bare: Refusal;
    /** With `providerCase`, by token. */
    readonly named: Readonly<Record<keyof typeof TOKENS, Refusal>>;
  }
  const whatever = (is: Refusal): Row['named'] => ({
    none: is,
    'good for an hour': is,
    'expired 4:59 ago': is,
    'expired 5:00 ago': is,
  });
  const onceTheTokenIsDead: Row['named'] = {
    none: UNKNOWN,
    'good for an hour': WAIT,
    'expired 4:59 ago': WAIT,
    'expired 5:00 ago': ok,
  };
  const ours: Row['sent'] = ['accepted', 'unknown'];

  // prettier-ignore
  const ROWS: readonly Row[] = [
    { sent: ours, answers: ['completed', 'completed, but not as sent'], bare: PAID, named: whatever(PAID) },
    { sent: ours, answers: ['failed', 'failed, but not as sent'], bare: ok, named: whatever(ok) },
    { sent: ours, answers: ['unreadable', 'not found', 'pending'], bare: NAME_IT, named: onceTheTokenIsDead },
    { sent: ours, answers: ['no look'], bare: NAME_IT, named: whatever(UNKNOWN) },
    // Nothing of ours can arrive; only a record that is just like ours may yet be ours.
    { sent: ['not-by-us'], answers: ['completed'], bare: PAID, named: whatever(PAID) },
    { sent: ['not-by-us'], answers: ['failed', 'failed, but not as sent'], bare: ok, named: whatever(ok) },
    { sent: ['not-by-us'], answers: ['completed, but not as sent', 'unreadable', 'not found', 'pending'], bare: NAME_IT, named: { ...onceTheTokenIsDead, none: ok } },
    // Whether a slow attempt has taken the claim meanwhile is not known without a look.
    { sent: ['not-by-us'], answers: ['no look'], bare: NAME_IT, named: whatever(UNKNOWN) },
  ];
  const CELLS = ROWS.flatMap(({ sent, answers, bare, named }) =>
    sent.flatMap((by) =>
      answers.flatMap((answer) =>
        (Object.keys(TOKENS) as (keyof typeof TOKENS)[]).flatMap((token) => [
          { by, answer, token, providerCase: undefined, refusal: bare },
          { by, answer, token, providerCase: 'C-1', refusal: named[token] },
        ]),
      ),
    ),
  );

  const problemOf = (
    by: Facts['sent'],
    answer: keyof typeof ANSWERS,
    token: keyof typeof TOKENS,
    providerCase: string | undefined,
    completedSeen = false,
  ) => {
    const facts: Facts = { sent: by, submittedAt: NOW, callbacks: { count: 0, receipt: {} }, completedSeen: false };
    const observation = ANSWERS[answer];
    const expiresAt = TOKENS[token];
    const claim = expiresAt === undefined ? undefined : { at: '', tokenExpiresAt: new Date(expiresAt).toISOString() };
    const look: Look | undefined = observation && {
      observation,
      callbacks: facts.callbacks,
      completedSeen,
      ...(claim && { claim }),
    };
    const resolution = {
      decision: 'declined',
      operator: 'op',
      note: 'why',
      ...(providerCase && { providerCase }),
    } as const;
    return declineProblem(EXPECTED, facts, look, resolution, NOW);
  };

  test('every cell is listed', () => {
    expect(CELLS).toHaveLength(3 * Object.keys(ANSWERS).length * Object.keys(TOKENS).length * 2);
    expect(new Set(CELLS.map((cell) => JSON.stringify({ ...cell, refusal: undefined }))).size).toBe(CELLS.length);
  });

  test.each(CELLS)('$by, $answer, token $token, case $providerCase', ({ by, answer, token, providerCase, refusal }) => {
    const problem = problemOf(by, answer, token, providerCase);
    if (refusal === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(refusal);
  });

  test('G2: what was once completed is not declined while the provider does not say what became of it', () => {
    const problem = (answer: keyof typeof ANSWERS) => problemOf('unknown', answer, 'expired 5:00 ago', 'C-1', true);
    for (const answer of ['unreadable', 'not found'] as const)
      expect(problem(answer)).toMatch(/said before that it is completed/);
    for (const answer of ['pending', 'failed'] as const) expect(problem(answer)).toBeUndefined();
  });

  test('says until when it has to wait, in UTC', () => {
    expect(problemOf('unknown', 'pending', 'good for an hour', 'C-1')).toContain('until 2026-03-01 13:05 UTC');
  });
});

describe('what a text box may hold', () => {
  const RESOLUTION = { decision: 'paid', operator: 'op-1', note: 'biller confirmed by phone' };
  const NOT_AN_OBJECT: readonly unknown[] = [undefined, null, 'paid', '{"decision":"paid"}', 5, true, [], [RESOLUTION]];
  const long = (characters: number) => 'x'.repeat(characters);

  test.each(NOT_AN_OBJECT.map((argument) => ({ argument })))('no object: $argument', ({ argument }) => {
    for (const problem of [
      resolutionProblem(argument, 220),
      cancellationProblem(argument),
      statusCheckProblem(argument),
    ]) {
      expect(problem).toMatch(/^Send one JSON object, such as \{.*"operator".*\}\.$/);
    }
  });

  // prettier-ignore
  const BAD: readonly [what: string, change: Record<string, unknown>, problem: RegExp][] = [
    ['no decision', { decision: undefined }, /^"decision" must be "paid" or "declined"/],
    ['an unknown decision', { decision: 'refund' }, /^"decision" must be/],
    ['a decision in capitals', { decision: 'PAID' }, /^"decision" must be/],
    ['nobody', { operator: undefined }, /^"operator" must say who you are/],
    ['an empty operator', { operator: ' ' }, /^"operator" must/],
    ['an operator who is an object', { operator: { name: 'op' } }, /^"operator" must/],
    ['a long operator', { operator: long(101) }, /^"operator" must/],
    ['no note', { note: undefined }, /^"note" must say why/],
    ['an empty note', { note: '' }, /^"note" must/],
    ['a note of spaces', { note: '  \n ' }, /^"note" must/],
    ['a long note', { note: long(501) }, /^"note" must/],
    ['an amount of nothing', { amount: 0 }, /^"amount" must be a whole number from 1 to 220/],
    ['a negative amount', { amount: -1 }, /^"amount" must/],
    ['a fraction', { amount: 219.5 }, /^"amount" must/],
    ['more than was asked for', { amount: 221 }, /^"amount" must/],
    ['an amount as text', { amount: '220' }, /^"amount" must/],
    ['an amount of null', { amount: null }, /^"amount" must/],
    ['an amount with "declined"', { decision: 'declined', amount: 220 }, /^"amount" goes with "paid" only/],
    ['an empty receipt number', { receiptNumber: '' }, /^"receiptNumber" must/],
    ['a receipt number as a number', { receiptNumber: 5 }, /^"receiptNumber" must/],
    ['a long receipt number', { receiptNumber: long(101) }, /^"receiptNumber" must/],
    ['an empty case', { providerCase: ' ' }, /^"providerCase" must/],
    ['a case that is a list', { providerCase: ['C-1'] }, /^"providerCase" must/],
  ];
  test.each(BAD)('%s is refused with a sentence', (_what, change, problem) => {
    expect(resolutionProblem({ ...RESOLUTION, ...change }, 220)).toMatch(problem);
  });

  test.each([
    {},
    { decision: 'declined', providerCase: 'C-1' },
    { amount: 1 },
    { amount: 220, receiptNumber: 'S575998' },
    { operator: long(100), note: long(500) },
    { requestedBy: 'fields we do not know are no harm' },
  ])('%j is understood', (change) => {
    expect(resolutionProblem({ ...RESOLUTION, ...change }, 220)).toBeUndefined();
  });

  test('a cancellation says who and why, a status check who', () => {
    expect(cancellationProblem({ operator: 'op-1', note: 'entered twice' })).toBeUndefined();
    expect(cancellationProblem({ operator: 'op-1' })).toMatch(/^"note" must/);
    expect(statusCheckProblem({ operator: 'op-1' })).toBeUndefined();
    expect(statusCheckProblem({})).toMatch(/^"operator" must/);
  });
});
