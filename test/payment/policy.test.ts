import { POLICY_BOUNDS, policyProblem, resolvePolicy, type Policy, type PolicyField } from '../../src/payment/policy';
import { MINUTE, SECOND } from './support';

/** How long a payment waits for what: defaults, bounds, and what follows from what. */

const HOUR = 60 * MINUTE;
const FIELDS = Object.keys(POLICY_BOUNDS) as readonly PolicyField[];
const problem = (field: PolicyField, value: string, allowTestPolicy = false) =>
  policyProblem(field, value, { allowTestPolicy });

const DEFAULTS: Policy = {
  submitWithin: 15 * MINUTE,
  fundsWithin: 0,
  callbackGrace: 20 * SECOND,
  pollInterval: 10 * SECOND,
  pollMaxInterval: 5 * MINUTE,
  notFoundGrace: 10 * MINUTE,
  failureConfirmation: 2 * MINUTE,
  attentionAfter: 30 * MINUTE,
  receiptGrace: 30 * SECOND,
};

test('the defaults, and each of them within its own bounds', () => {
  expect(resolvePolicy(undefined)).toEqual(DEFAULTS);
  expect(resolvePolicy({})).toEqual(DEFAULTS);
  for (const field of FIELDS) expect(problem(field, POLICY_BOUNDS[field].default)).toBeUndefined();
});

test('a request overrides them', () => {
  expect(resolvePolicy({ pollInterval: '2 seconds', attentionAfter: '1h' })).toEqual({
    ...DEFAULTS,
    pollInterval: 2 * SECOND,
    attentionAfter: HOUR,
  });
});

// prettier-ignore
test.each<[what: string, policy: Partial<Record<PolicyField, string>>, is: Partial<Policy>]>([
  ['nothing is sent after a person would be asked', { attentionAfter: '2 minutes' }, { submitWithin: 2 * MINUTE }],
  ['nor waited for in vain for money', { fundsWithin: '24 hours' }, { fundsWithin: 15 * MINUTE }],
  ['whichever of the two comes first', { fundsWithin: '24 hours', attentionAfter: '2 minutes' }, { fundsWithin: 2 * MINUTE }],
  ['money may come for a shorter time', { fundsWithin: '5 minutes' }, { fundsWithin: 5 * MINUTE, submitWithin: 15 * MINUTE }],
])('%s', (_what, policy, is) => {
  expect(resolvePolicy(policy)).toMatchObject(is);
});

describe.each(FIELDS)('%s', (field) => {
  const { min, max } = POLICY_BOUNDS[field];

  test(`from ${min} to ${max}`, () => {
    expect(problem(field, min)).toBeUndefined();
    expect(problem(field, max)).toBeUndefined();
    expect(problem(field, '49 hours')).toBe(`must be at most ${max}`);
    if (min !== '0 seconds') expect(problem(field, '1 ms')).toBe(`must be at least ${min}`);
  });

  test('the test switch allows less, and never nothing where something must pass', () => {
    expect(problem(field, '1 ms', true)).toBeUndefined();
    expect(problem(field, '0 ms', true)).toBe(min === '0 seconds' ? undefined : `must be at least ${min}`);
    expect(problem(field, '49 hours', true)).toBe(`must be at most ${max}`);
  });

  // The grammar has its own test.
  test.each(['', 'soon', '-1 ms', '9'.repeat(41)])('%p is no duration', (value) => {
    expect(problem(field, value)).toBe('must be a duration such as "20 seconds" or 5m');
  });
});
