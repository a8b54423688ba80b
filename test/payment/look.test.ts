import { lookOn, type Looked, type Looking } from '../../src/payment/look';
import type { Observation, PaymentRecord } from '../../src/payment/observation';
import { at, callbacks, CLAIMS, EXPECTED, facts, paid, seenOf } from './support';

/** What one look leaves behind, asked at 40 s and written at 42 s. */

const record = (state: PaymentRecord['state'], change: Partial<PaymentRecord> = {}): PaymentRecord => ({
  ...{ kind: 'record', state, said: state, isPayment: true, ...EXPECTED, receipt: {} },
  ...change,
});
const NOT_FOUND: Observation = { kind: 'not-found', said: 'not found (404)' };
const UNREADABLE: Observation = { kind: 'unreadable', said: 'no JSON' };
const look = (known: ReturnType<typeof facts>, observation: Observation, change: Partial<Looking> = {}): Looked =>
  lookOn(known, {
    ...{ expected: EXPECTED, observation, account: 'ours' },
    ...{ when: { askedAt: at(40), answeredAt: at(41) }, now: at(42) },
    ...change,
  });
const seenIn = (looked: Looked) => looked.seen;

test('what was said is merged, and what then holds is judged', () => {
  const looked = look(facts({ seen: seenOf([10, 'pending']) }), record('completed', { receipt: { number: 'S1' } }));
  expect(looked).toMatchObject({ kind: 'looked', verdict: { kind: 'paid', receipt: { number: 'S1' } } });
  expect(seenIn(looked)).toMatchObject({ recordAt: at(10), completedAt: at(41), last: { state: 'completed' } });
  expect(looked).not.toHaveProperty('attentionSince');
  expect(looked).not.toHaveProperty('afterEnd');
});

test('an answer nobody can read changes nothing; what holds by now is judged all the same', () => {
  const seen = seenOf([10, 'pending']);
  const looked = look(facts({ seen }), UNREADABLE, { now: at(1_740) });
  expect(looked).toMatchObject({ kind: 'looked', seen, verdict: { ask: { reason: 'provider-silent' } } });
});

describe('not found', () => {
  test('before anybody has sent it: nobody waits for that, and nothing is written', () => {
    expect(seenIn(look(facts({ claim: CLAIMS.free }), NOT_FOUND))).toEqual({});
    expect(seenIn(look(facts({ claim: CLAIMS.sealed }), NOT_FOUND))).toEqual({});
  });

  test('after it was sent, or after a record was there, it is an answer', () => {
    expect(seenIn(look(facts(), NOT_FOUND)).last?.state).toBe('not-found');
    const used = facts({ claim: CLAIMS.free, seen: seenOf([10, 'pending']) });
    expect(seenIn(look(used, NOT_FOUND)).last?.state).toBe('not-found');
  });

  test('nor before it was sent, if a callback has come: a person is asked, and needs that answer', () => {
    const called = facts({ claim: CLAIMS.free, callbacks: callbacks({ count: 1 }) });
    const looked = look(called, NOT_FOUND);
    expect(seenIn(looked).last?.state).toBe('not-found');
    expect(looked).toMatchObject({
      verdict: { ask: { reason: 'id-in-use', because: 'none found, but a callback has come' } },
    });
  });

  test('of another merchant account than it was sent from, it says nothing', () => {
    expect(seenIn(look(facts(), NOT_FOUND, { account: 'theirs' }))).toEqual({});
    expect(seenIn(look(facts(), record('failed'), { account: 'theirs' })).last?.state).toBe('failed');
    // What was not sent is of no account.
    const used = facts({ claim: CLAIMS.free, seen: seenOf([10, 'pending']) });
    expect(seenIn(look(used, NOT_FOUND, { account: 'theirs' })).last?.state).toBe('not-found');
  });

  test('of a claim that was taken by hand after a restore, any account is told something', () => {
    const marked = facts({ claim: { ...CLAIMS.unanswered, account: 'restored' } });
    expect(seenIn(look(marked, NOT_FOUND)).last?.state).toBe('not-found');
  });
});

test('asked is since the first look that asks, for ever', () => {
  const silent = { now: at(1_740) };
  expect(look(facts(), UNREADABLE, silent)).toMatchObject({ attentionSince: at(1_740) });
  const asked = facts({ attentionSince: at(100) });
  expect(look(asked, UNREADABLE, silent)).toMatchObject({ attentionSince: at(100) });
  expect(look(asked, record('completed', { receipt: { number: 'S1' } }))).toMatchObject({ attentionSince: at(100) });
});

test('what was not sent, and is not found any more, is known to be so: a decline needs that answer', () => {
  const remembered = facts({ claim: CLAIMS.free, seen: { recordAt: at(10) } });
  expect(seenIn(look(remembered, NOT_FOUND)).last?.state).toBe('not-found');
  expect(seenIn(look(facts({ claim: CLAIMS.free, seen: {} }), NOT_FOUND)).last).toBeUndefined();
});

describe('an answer that was asked for more than a minute ago', () => {
  const late = { now: at(101) };
  test('is not merged nor judged: look again. What is true for ever is kept', () => {
    expect(look(facts(), record('completed'), late)).toEqual({
      kind: 'too-old',
      seen: { completedAt: at(41), recordAt: at(41) },
    });
    expect(look(facts(), record('failed'), late)).toEqual({ kind: 'too-old', seen: { recordAt: at(41) } });
    expect(look(facts(), NOT_FOUND, late)).toEqual({ kind: 'too-old', seen: {} });
  });

  test('if nobody can read it, it is as good as any other', () => {
    expect(look(facts(), UNREADABLE, late).kind).toBe('looked');
  });
});

describe('after the end', () => {
  const ended = facts({ closed: { outcome: paid(EXPECTED.paymentId), disputed: false } });

  test('the answer is merged, and compared with the outcome', () => {
    const looked = look(ended, record('failed'), { when: { askedAt: at(60), answeredAt: at(61) }, now: at(62) });
    expect(looked).toMatchObject({ seen: { last: { state: 'failed' } }, afterEnd: { kind: 'contradicts' } });
    expect(look(ended, UNREADABLE)).not.toHaveProperty('afterEnd');
  });

  test('nobody is asked any more', () => {
    const wrong = record('completed', { amount: 1 });
    expect(look(facts(), wrong)).toHaveProperty('attentionSince');
    expect(look(ended, wrong)).not.toHaveProperty('attentionSince');
  });
});
