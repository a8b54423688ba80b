import fc from 'fast-check';
import type { CallbackEvidence } from '../../src/payment/callback-evidence';
import type { Claim, Facts } from '../../src/payment/facts';
import type { Submission } from '../../src/payment/observation';
import type { CancelledOutcome, DeclinedOutcome, PaidOutcome } from '../../src/payment/outcome';
import { resolvePolicy, type Policy } from '../../src/payment/policy';
import { merge, type Answer, type Expected, type Seen } from '../../src/payment/seen';

/** Facts for tests of the pure rules: a payment of KES 220, sent, of which nothing is known; a test changes what it is about. */

export const NO_CALLBACKS: CallbackEvidence = { count: 0, claimsPaid: false, receipt: {} };

export const EXPECTED: Expected = {
  paymentId: 'payment-0001',
  accountNumber: '0100200300',
  amount: 220,
  currency: 'KES',
};

export const SECOND = 1_000;
export const MINUTE = 60_000;
/** Times in tests are seconds from the claim. */
export const CLAIMED = Date.parse('2026-03-01T12:00:00Z');
export const at = (second: number): number => CLAIMED + second * SECOND;
export const iso = (second: number): string => new Date(at(second)).toISOString();
/** A minute before, so that a deadline of the one cannot pass for a deadline of the other. */
export const REGISTERED_AT = -60;
/** An hour after the claim. */
export const SESSION_DIES_AT = 3_600;

/** The defaults: 10 min not found, 2 min of failure, 30 min until a person is asked, 30 s for a receipt. */
export const POLICY: Policy = resolvePolicy(undefined);

/** Answers by the names that tests give them. */
const ANSWERS = {
  completed: { state: 'completed', receipt: { number: 'S575998' } },
  'completed without receipt': { state: 'completed' },
  'completed with token': { state: 'completed', receipt: { number: 'S575998', token: '1234' } },
  'completed, other amount': { state: 'completed', amount: 200, differs: ['answer: KES 200, sent: KES 220'] },
  failed: { state: 'failed' },
  'failed, other amount': { state: 'failed', amount: 200, differs: ['answer: KES 200, sent: KES 220'] },
  pending: { state: 'pending' },
  'pending, other amount': { state: 'pending', amount: 200, differs: ['answer: KES 200, sent: KES 220'] },
  'not found': { state: 'not-found', said: 'not found (404)' },
} as const satisfies Readonly<Record<string, Partial<Answer>>>;

export type AnswerName = keyof typeof ANSWERS;
export const ANSWER_NAMES = Object.keys(ANSWERS) as readonly AnswerName[];

/** Asked and answered at that second, unless the change says otherwise. */
export function answer(name: AnswerName, second: number, change: Partial<Answer> = {}): Answer {
  const { state } = ANSWERS[name];
  const isRecord = state !== 'not-found';
  return {
    ...{ askedAt: at(second), answeredAt: at(second), said: state, differs: [], receipt: {} },
    ...(isRecord && { amount: EXPECTED.amount, providerId: '0100-abc' }),
    ...ANSWERS[name],
    ...change,
  };
}

export type Told = readonly [second: number, name: AnswerName];
export const seenOf = (...told: readonly Told[]): Seen => mergeAll(told.map(([second, name]) => answer(name, second)));
export const mergeAll = (answers: readonly Answer[], known: Seen = {}): Seen => answers.reduce(merge, known);

type Taken = Extract<Claim, { kind: 'taken' }>;
export function taken(answered?: Submission, second = 1): Taken {
  const claim = { kind: 'taken', at: CLAIMED, account: 'ours', sessionExpiresAt: at(SESSION_DIES_AT) } as const;
  return answered === undefined ? claim : { ...claim, answer: { ...answered, at: at(second) } };
}

/** What has become of the claim, by the names that tests give it. */
export const CLAIMS = {
  free: { kind: 'free' },
  sealed: { kind: 'sealed' },
  unanswered: taken(),
  accepted: taken({ kind: 'accepted', providerId: '0100-post' }),
  unknown: taken({ kind: 'unknown', because: 'time-out after 30 s' }, 30),
  rejected: taken({ kind: 'rejected', reasons: ['amount too small', 'no such service'] }),
  'not sent': taken({ kind: 'not-sent', because: 'connection refused' }),
} as const satisfies Readonly<Record<string, Claim>>;
export type ClaimName = keyof typeof CLAIMS;

export const callbacks = (change: Partial<CallbackEvidence> = {}): CallbackEvidence => ({
  ...NO_CALLBACKS,
  count: 1,
  ...change,
});
export const REFUSAL = { kind: 'refusal', value: '1' } as const;
export const AMBIGUOUS = { kind: 'ambiguous', value: '22' } as const;

export const facts = (change: Partial<Facts> = {}): Facts => ({
  ...EXPECTED_FACTS,
  rules: { policy: POLICY, prepaid: false, failedWithoutCode: 'ask' },
  registeredAt: at(REGISTERED_AT),
  claim: CLAIMS.accepted,
  seen: {},
  callbacks: NO_CALLBACKS,
  ...change,
});
const { paymentId, amount, currency } = EXPECTED;
const EXPECTED_FACTS = { paymentId, amount, currency };

/** Outcomes as they are recorded. */
const evidence = { source: 'provider', said: 'completed (status 4)', at: iso(40) } as const;
const closed = { summary: 'Recorded.', closedAt: iso(50) } as const;
export const paid = (id: string, change: Partial<PaidOutcome> = {}): PaidOutcome => ({
  ...{ kind: 'paid', paymentId: id, ...closed, amount, currency, evidence },
  receipt: { number: 'S575998' },
  settledBy: 'poll',
  ...change,
});
export const declined = (id: string, change: Partial<DeclinedOutcome> = {}): DeclinedOutcome => ({
  ...{ kind: 'declined', paymentId: id, ...closed, evidence },
  ...{ step: 'result', reason: 'failed', providerCode: '1', retryable: true, settledBy: 'poll' },
  ...change,
});
export const cancelled = (id: string): CancelledOutcome => ({
  ...{ kind: 'cancelled', paymentId: id, ...closed, by: 'op-1', note: 'wrong meter' },
});

/** Any answer, with ties in its times and slow ones among them. */
export const anyAnswer: fc.Arbitrary<Answer> = fc
  .record({
    name: fc.constantFrom(...ANSWER_NAMES, 'failed', 'failed'),
    asked: fc.constantFrom(1, 2, 10, 31, 121, 125, 600, 1_000),
    took: fc.constantFrom(0, 1, 20),
  })
  .map(({ name, asked, took }) => answer(name, asked, { answeredAt: at(asked + took) }));

export const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    claim: fc.constantFrom<ClaimName>('free', 'unanswered', 'accepted', 'accepted', 'unknown', 'rejected', 'not sent'),
    answers: fc.oneof(
      { weight: 3, arbitrary: fc.array(anyAnswer, { maxLength: 5 }) },
      { weight: 1, arbitrary: fc.constant([answer('failed', 10), answer('failed', 150)]) },
    ),
    code: fc.constantFrom(undefined, REFUSAL, REFUSAL, AMBIGUOUS),
    claimsPaid: fc.constantFrom(false, false, true),
    prepaid: fc.boolean(),
    failedWithoutCode: fc.constantFrom('ask' as const, 'decline' as const),
    attentionSince: fc.constantFrom(undefined, at(100)),
    fundingAccount: fc.constantFrom(undefined, 'float-1'),
  })
  .map(({ claim, answers, code, claimsPaid, prepaid, failedWithoutCode, attentionSince, fundingAccount }) =>
    facts({
      claim: CLAIMS[claim],
      seen: mergeAll(answers),
      callbacks: code === undefined && !claimsPaid ? NO_CALLBACKS : callbacks({ claimsPaid, ...(code && { code }) }),
      rules: { policy: POLICY, prepaid, failedWithoutCode },
      ...(attentionSince !== undefined && { attentionSince }),
      ...(fundingAccount !== undefined && { fundingAccount }),
    }),
  );
