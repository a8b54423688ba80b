import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BEHAVIOURS,
  BEHAVIOUR_NAMES,
  STATUS,
  accountOf,
  behaviourTable,
  type BehaviourName,
  type Timings,
} from '../../src/sandbox';
import { behaviourInId } from '../../src/sandbox/behaviours';
import { look, newPayment, post, statusAt, type PaymentRequest, type PaymentState } from '../../src/sandbox/rules';

/** The rules alone, on virtual time: no HTTP, no clock, no timer. */

const timings: Timings = { pendingMs: 1_000, callbackDelayMs: 100, completedLaterMs: 60_000, notFoundMs: 5_000 };
const T0 = 1_000_000;

const request = (accountNumber: string): PaymentRequest => ({
  id: 'virtual-payment',
  serviceId: '860a26ce-4828-f111-bc5a-0e7d952d79b7',
  accountNumber,
  amount: 15,
  currency: 'KES',
  country: 'KE',
  msisdn: '254710000000',
  customerNames: 'IRINA MUTHONI',
  narration: null,
  saveBillerNumber: false,
  callbackUrl: 'http://127.0.0.1/callbacks',
});

const posted = (name: BehaviourName) =>
  post(newPayment('virtual-payment', 'system-id'), request(accountOf(name)), T0, timings);

/** Looks at each moment after the POST, one after the other. */
function readings(state: PaymentState, moments: readonly number[]): unknown[] {
  let current = state;
  return moments.map((after) => {
    const { state: next, answer } = look(current, T0 + after, timings);
    current = next;
    return answer.kind === 'record' ? answer.record.status : answer.kind === 'refused' ? answer.status : answer.kind;
  });
}

test('the README prints the rules', () => {
  const readme = readFileSync(join(__dirname, '../../src/sandbox/README.md'), 'utf8');
  expect(readme).toContain(behaviourTable());
});

test('every name has one account of its own', () => {
  expect(BEHAVIOURS.map(({ name }) => name)).toEqual(BEHAVIOUR_NAMES);
  expect(new Set(BEHAVIOURS.map(({ account }) => account)).size).toBe(BEHAVIOUR_NAMES.length);
});

test.each(BEHAVIOURS)(
  '$name: what it captures it says at most once, and callbacks only come of a capture',
  ({ name, captures }) => {
    const first = posted(name);
    const second = post(first.state, request(accountOf(name)), T0 + 1, timings);
    expect(first.state.postsCaptured).toBe(captures ? 1 : 0);
    expect(second.state).toMatchObject({ postsSeen: 2, postsCaptured: first.state.postsCaptured });
    expect(second.callbacks).toEqual([]);
    if (!captures) expect(first.callbacks).toEqual([]);
  },
);

test.each(BEHAVIOURS)('$name: no callback but the premature one runs ahead of the record', ({ name }) => {
  const { state, callbacks } = posted(name);
  const ahead = callbacks.filter(({ after, content }) => {
    return statusAt(state, T0 + (after === 'before-answer' ? 0 : after), timings) !== content.status;
  });
  expect(ahead).toHaveLength(name === 'premature-callback' ? 1 : 0);
});

test('a result takes pendingMs, its callback callbackDelayMs more', () => {
  const { state, callbacks } = posted('paid-with-callback');
  expect(readings(state, [0, 999, 1_000])).toEqual([STATUS.pending, STATUS.pending, STATUS.completed]);
  expect(callbacks.map(({ after }) => after)).toEqual([1_100]);
});

test('a failed payment turns completed after completedLaterMs', () => {
  const { state, callbacks } = posted('failed-then-completed');
  expect(readings(state, [1_000, 60_999, 61_000])).toEqual([STATUS.failed, STATUS.failed, STATUS.completed]);
  expect(callbacks.map(({ after }) => after)).toEqual([1_100, 61_100]);
});

test('the premature callback is followed by at least one pending look, however late that comes', () => {
  const { state, callbacks } = posted('premature-callback');
  expect(callbacks.map(({ after }) => after)).toEqual([100]);
  expect(readings(state, [50, 150, 200, 1_100])).toEqual([
    STATUS.pending,
    STATUS.pending,
    STATUS.pending,
    STATUS.completed,
  ]);
  expect(readings(state, [50, 90_000, 90_001])).toEqual([STATUS.pending, STATUS.pending, STATUS.completed]);
});

test('an invisible payment is missed by at least one look, and for notFoundMs', () => {
  const { state } = posted('not-found-then-paid');
  expect(readings(state, [1, 4_999, 5_000])).toEqual(['not-found', 'not-found', STATUS.completed]);
  expect(readings(state, [90_000, 90_001])).toEqual(['not-found', STATUS.completed]);
});

test('refused look-ups are counted out before and after the POST alike', () => {
  const { state } = posted('lookup-429');
  expect(readings(state, [0, 1, 2_000])).toEqual([429, 429, STATUS.completed]);
  const named = newPayment(`at-${accountOf('lookup-429')}-1`, 'system-id');
  expect(readings(named, [-3, -2, -1])).toEqual([429, 429, 'not-found']);
});

test('what was not captured is not found for ever', () => {
  for (const name of ['reset-before-capture', '429-before-capture', 'rejected'] as const) {
    expect(readings(posted(name).state, [0, 1e9])).toEqual(['not-found', 'not-found']);
  }
});

test('an id names an account only between dashes, and the account of the request comes first', () => {
  expect(behaviourInId('demo-500006-4f1c')?.name).toBe('record-exists');
  expect(behaviourInId('demo5000064f1c')).toBeUndefined();
  expect(behaviourInId('68022bce-0453-45f9-a897-047500006c39')).toBeUndefined();
  const named = newPayment('demo-300001-4f1c', 'system-id');
  expect(post(named, request(accountOf('rejected')), T0, timings).state.behaviour?.name).toBe('rejected');
  expect(post(named, request('1111111'), T0, timings).state.behaviour?.name).toBe('failed-refusal');
});
