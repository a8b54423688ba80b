import {
  cancellationProblem,
  disputeResolutionProblem,
  resolutionProblem,
  statusCheckProblem,
} from '../../src/payment/update-forms';

/** What a text box may hold. Each problem is a sentence for the dialog in which it is read. */

const BY = { operator: 'op-1', note: 'biller confirmed by phone' } as const;
const long = (characters: number) => 'x'.repeat(characters);

interface Form {
  readonly problemIn: (argument: unknown) => string | undefined;
  readonly good: Readonly<Record<string, unknown>>;
  readonly example: string;
  readonly known: string;
}
const FORMS: Readonly<Record<'checkStatusNow' | 'cancelPayment' | 'resolvePayment' | 'resolveDispute', Form>> = {
  checkStatusNow: {
    problemIn: statusCheckProblem,
    good: { operator: 'op-1' },
    example: '{"operator":"YOUR NAME"}',
    known: 'operator',
  },
  cancelPayment: {
    problemIn: cancellationProblem,
    good: BY,
    example: '{"operator":"YOUR NAME","note":"WHY"}',
    known: 'operator, note',
  },
  resolvePayment: {
    problemIn: resolutionProblem,
    good: { decision: 'paid', ...BY },
    example: '{"decision":"paid","operator":"YOUR NAME","note":"WHO CONFIRMED, HOW","receiptNumber":"…"}',
    known: 'decision, operator, note, receiptNumber, token, amount, providerCase',
  },
  resolveDispute: {
    problemIn: disputeResolutionProblem,
    good: { agreed: 'not-paid', ...BY },
    example: '{"agreed":"paid","operator":"YOUR NAME","note":"WHO AGREED, WHAT FOLLOWS"}',
    known: 'agreed, operator, note, providerCase',
  },
};

describe.each(Object.entries(FORMS))('%s', (_name, { problemIn, good, example, known }) => {
  test('the example is understood, and so is what is good', () => {
    expect(problemIn(JSON.parse(example))).toBeUndefined();
    expect(problemIn(good)).toBeUndefined();
  });

  test('one JSON object', () => {
    for (const argument of [undefined, null, 'paid', JSON.stringify(good), 5, true, [], [good], Symbol('unreadable')])
      expect(problemIn(argument)).toBe(`Send one JSON object, such as ${example}.`);
  });

  test('an unknown field is refused, and the known are listed', () => {
    const refused = `not known here, and nothing was changed. Known are ${known}.`;
    expect(problemIn({ ...good, requestedBy: 'x' })).toBe(`"requestedBy" is ${refused}`);
    expect(problemIn({ ...good, Operator: 'x', Note: 'x' })).toBe(`"Operator" and "Note" are ${refused}`);
    expect(problemIn({ constructor: 'x', toString: 'x' })).toBe(`"constructor" and "toString" are ${refused}`);
    expect(problemIn(JSON.parse('{"__proto__":{"operator":"op-1"}}'))).toBe(`"__proto__" is ${refused}`);
  });

  test('what is unknown is repeated within bounds', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `${index}: ${long(1_000)}`);
    const problem = problemIn(Object.fromEntries(names.map((name) => [name, true])));
    expect(problem).toContain(`"${'0: '.padEnd(40, 'x')}" and "1: `);
    expect(problem).toContain(' and 995 more are not known here');
    expect(problem?.length).toBeLessThan(500);
    expect(problemIn({ 'a"\n\u0000': true })).toContain('"a\\"\\n\\u0000" is not known here');
  });

  test('every field that must be there is missed', () => {
    for (const field of Object.keys(good)) {
      const { [field]: _left, ...rest } = good;
      expect(problemIn(rest)).toMatch(new RegExp(`^"${field}" must be `));
      expect(problemIn({ ...good, [field]: null })).toMatch(new RegExp(`^"${field}" must be `));
    }
  });
});

describe('each field', () => {
  const optional = (field: string, what: string) => `"${field}" must be ${what}, or be left out.`;
  const operator = '"operator" must be your name (1 to 100 characters).';
  const note = '"note" must be why (1 to 500 characters).';
  const decision = '"decision" must be "paid" or "declined".';
  const amount = optional('amount', 'a whole number from 1 on: what was really paid');
  const receiptNumber = optional('receiptNumber', 'a text (1 to 100 characters)');
  const token = optional('token', 'a text (1 to 200 characters)');
  const providerCase = optional('providerCase', "the provider's written confirmation (1 to 100 characters)");

  // prettier-ignore
  test.each<[what: string, change: Readonly<Record<string, unknown>>, problem: string]>([
    ['an unknown decision', { decision: 'refund' }, decision],
    ['a decision in capitals', { decision: 'PAID' }, decision],
    ['a decision that is a list', { decision: ['paid'] }, decision],
    ['an empty operator', { operator: ' ' }, operator],
    ['an operator who is an object', { operator: { name: 'op' } }, operator],
    ['a long operator', { operator: long(101) }, operator],
    ['an empty note', { note: '' }, note],
    ['a note of spaces', { note: '  \n ' }, note],
    ['a long note', { note: long(501) }, note],
    ['an amount of nothing', { amount: 0 }, amount],
    ['a negative amount', { amount: -1 }, amount],
    ['a fraction', { amount: 219.5 }, amount],
    ['more than can be counted', { amount: 2 ** 53 }, amount],
    ['an amount as text', { amount: '220' }, amount],
    ['an amount of null', { amount: null }, amount],
    ['an empty receipt number', { receiptNumber: '' }, receiptNumber],
    ['a receipt number as a number', { receiptNumber: 5 }, receiptNumber],
    ['a long receipt number', { receiptNumber: long(101) }, receiptNumber],
    ['an empty token', { token: ' ' }, token],
    ['a long token', { token: long(201) }, token],
    ['an empty case', { providerCase: ' ' }, providerCase],
    ['a case that is a list', { providerCase: ['C-1'] }, providerCase],
    ['a long case', { providerCase: long(101) }, providerCase],
    ['what an unpaid bill has not: an amount', { decision: 'declined', amount: 220 }, '"amount" only with "paid": a declined payment gives everything back.'],
    ['a receipt number', { decision: 'declined', receiptNumber: 'R-1' }, '"receiptNumber" only with "paid": a declined payment gives everything back.'],
    ['a token', { decision: 'declined', token: '1' }, '"token" only with "paid": a declined payment gives everything back.'],
    ['all three', { decision: 'declined', token: '1', amount: 1, receiptNumber: 'R' }, '"amount" and "receiptNumber" and "token" only with "paid": a declined payment gives everything back.'],
  ])('resolvePayment, %s: refused', (_what, change, problem) => {
    expect(resolutionProblem({ decision: 'paid', ...BY, ...change })).toBe(problem);
  });

  test.each([
    {},
    { decision: 'declined', providerCase: 'C-1' },
    { decision: 'declined', amount: undefined },
    { amount: 1 },
    { amount: 220, receiptNumber: 'S575998', token: '1234', providerCase: 'C-1' },
    { operator: long(100), note: long(500), receiptNumber: long(100), token: long(200), providerCase: long(100) },
  ])('resolvePayment, %j: understood', (change) => {
    expect(resolutionProblem({ decision: 'paid', ...BY, ...change })).toBeUndefined();
  });

  test('resolveDispute', () => {
    const problemOf = (change: object) => disputeResolutionProblem({ agreed: 'paid', ...BY, ...change });
    expect(problemOf({ agreed: 'not-paid', providerCase: 'C-1' })).toBeUndefined();
    expect(problemOf({ agreed: 'declined' })).toBe('"agreed" must be "paid" or "not-paid".');
    expect(problemOf({ providerCase: 5 })).toBe(providerCase);
    expect(problemOf({ amount: 5 })).toContain('"amount" is not known here');
  });
});
