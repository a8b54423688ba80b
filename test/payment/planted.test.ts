import { compareAfterEnd } from '../../src/payment/after-end';
import { weighCallbacks } from '../../src/payment/callback-evidence';
import { claimable } from '../../src/payment/claim';
import { decide } from '../../src/payment/decide';
import type { Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import { judge } from '../../src/payment/judge';
import type { CallbackReading } from '../../src/payment/observation';
import { isLeftOut, plant, RULES, type Rule } from '../../src/payment/planted';
import { answerIn, isTooOld, remember } from '../../src/payment/seen';
import type { Resolution } from '../../src/payment/progress';
import {
  answer,
  at,
  callbacks,
  CLAIMS,
  declined,
  EXPECTED,
  facts,
  paid,
  REFUSAL,
  seenOf,
  type ClaimName,
  type Told,
} from './support';

/**
 * What each rule is for: with the rule left out, a case gives the wrong answer. So no switch of verification is dead code, and what
 * verification finds is what is shipped.
 */

interface Case {
  readonly is: () => unknown;
  readonly right: unknown;
  readonly wrong: unknown;
}

const asked = { attentionSince: at(10) };
const refusal = callbacks({ code: REFUSAL });
const claim = (name: ClaimName) => ({ claim: CLAIMS[name] });
const dead = { claim: { ...CLAIMS.unknown, sessionExpiresAt: at(-300) } };

/** Made anew with the rule left out: what was seen is merged by what is shipped. */
type Known = Partial<Omit<Facts, 'seen'>> & { readonly told?: readonly Told[] };
const made = ({ told = [], ...change }: Known): Facts => facts({ ...change, seen: seenOf(...told) });

const refused = (change: Partial<CallbackReading> = {}): CallbackReading => ({
  tells: 'result',
  claims: 'failed',
  code: { value: '1', meaning: 'refusal' },
  receipt: {},
  said: '',
  ...change,
});

const verdict = (known: Known, second: number) => (): string => {
  const judged = judge(made(known), at(second));
  return judged.kind === 'open' ? (judged.ask?.reason ?? 'open') : judged.kind;
};
const claims =
  (known: Known, isRegistered = true) =>
  (): string =>
    claimable(made(known), isRegistered).kind;
const ends = (known: Known, ending: Ending, second: number) => (): string => {
  const decision = decide(made(known), ending, { now: at(second), provider: 'Acme Pay' });
  if (decision.kind !== 'record') return decision.kind;
  return 'amount' in decision.outcome ? `paid ${decision.outcome.amount}` : decision.outcome.kind;
};
const decides = (decision: Resolution['decision'], change: Partial<Resolution> = {}): Ending => ({
  kind: 'decided',
  resolution: { decision, operator: 'op-1', note: 'why', ...change },
});
const withCase = { providerCase: 'C-1' };
const cancels: Ending = { kind: 'unsent', why: { kind: 'cancelled', operator: 'op-1', note: 'why' } };
const failedOnce: Told = [40, 'failed'];
const failedTwice: readonly Told[] = [failedOnce, [160, 'failed']];

// prettier-ignore
const CASES = {
  'older answers displace nothing': { is: verdict({ told: [[60, 'pending'], [40, 'completed']] }, 60), right: 'open', wrong: 'paid' },
  'completed is never forgotten': { is: verdict({ told: [[40, 'completed'], [50, 'not found']] }, 600), right: 'contradictory-answers', wrong: 'not-found' },
  'a failure must last': { is: verdict({ told: [failedOnce], callbacks: refusal }, 40), right: 'open', wrong: 'failed' },
  'a failure that broke off asks': { is: verdict({ told: [failedOnce, [60, 'pending'], [160, 'failed']], callbacks: refusal }, 160), right: 'contradictory-answers', wrong: 'failed' },
  'a code that can hide a payment asks': {
    is: () => weighCallbacks(EXPECTED, [
      { tells: 'result', claims: 'failed', code: { value: '22', meaning: 'ambiguous' }, receipt: {}, said: '' },
      { tells: 'result', claims: 'failed', code: { value: '1', meaning: 'refusal' }, receipt: {}, said: '' },
    ], false).code?.kind,
    right: 'ambiguous', wrong: 'refusal',
  },
  'a failure that is not confirmed asks in the end': { is: verdict({ told: [failedOnce] }, 1_740), right: 'provider-silent', wrong: 'open' },
  'a code must speak of this payment': { is: () => weighCallbacks(EXPECTED, [refused({ amount: 1 })], false).code?.kind, right: 'ambiguous', wrong: 'refusal' },
  'a callback that was not kept asks': { is: () => weighCallbacks(EXPECTED, [refused()], true).code?.kind, right: 'ambiguous', wrong: 'refusal' },
  'a failure without a code asks': { is: verdict({ told: failedTwice }, 160), right: 'failed-without-code', wrong: 'failed' },
  'a record must agree': { is: verdict({ told: [[40, 'completed, other amount']], callbacks: callbacks({ receipt: { number: 'S1' } }) }, 160), right: 'evidence-mismatch', wrong: 'paid' },
  'a record of what was not sent asks': { is: verdict({ ...claim('free'), told: [[1, 'pending']] }, 60), right: 'id-in-use', wrong: 'open' },
  'silence asks and proves nothing': { is: verdict({ told: [[40, 'pending']] }, 1_740), right: 'provider-silent', wrong: 'failed' },
  'not found proves nothing': { is: verdict({ told: [[40, 'not found']] }, 600), right: 'not-found', wrong: 'failed' },
  'the send window': { is: verdict({ ...claim('unanswered'), told: [[5, 'completed']] }, 5), right: 'open', wrong: 'paid' },
  'a rejection against a record proves nothing': { is: verdict({ ...claim('rejected'), told: [[40, 'pending']] }, 40), right: 'open', wrong: 'rejected' },
  'not sent against a record proves nothing': { is: verdict({ ...claim('not sent'), told: [[40, 'pending']] }, 40), right: 'id-in-use', wrong: 'not-sent' },
  'a claim needs a free payment': { is: claims(claim('unanswered')), right: 'taken', wrong: 'claimable' },
  'a claim needs the registered content': { is: claims(claim('free'), false), right: 'other-content', wrong: 'claimable' },
  'a claim needs a payment without a record': { is: claims({ ...claim('free'), told: [[1, 'pending']] }), right: 'record-seen', wrong: 'claimable' },
  'unsent needs a free claim': { is: ends(claim('unanswered'), cancels, 60), right: 'open', wrong: 'cancelled' },
  'unsent needs a payment without a record': { is: ends({ ...claim('free'), told: [[1, 'pending']] }, cancels, 60), right: 'open', wrong: 'cancelled' },
  'a decision needs a question': { is: ends({}, decides('paid'), 60), right: 'refused', wrong: 'paid 220' },
  'proof goes before a decision': { is: ends({ ...asked, told: failedTwice, callbacks: refusal }, decides('paid'), 160), right: 'declined', wrong: 'paid 220' },
  'a decline needs a fresh answer': { is: ends({ ...dead, ...asked, told: [[40, 'pending']] }, decides('declined', withCase), 900), right: 'refused', wrong: 'declined' },
  'a decline waits for the dead token': { is: ends({ ...claim('unknown'), ...asked, told: [[40, 'pending']] }, decides('declined', withCase), 60), right: 'refused', wrong: 'declined' },
  'a decline needs a case': { is: ends({ ...dead, ...asked, told: [[40, 'pending']] }, decides('declined'), 60), right: 'refused', wrong: 'declined' },
  'a decline is not against completed': { is: ends({ ...dead, ...asked, told: [[40, 'completed, other amount']] }, decides('declined', withCase), 60), right: 'refused', wrong: 'declined' },
  'paid carries the amount of the record': { is: ends({ ...asked, told: [[40, 'completed without receipt']] }, decides('paid', { amount: 200 }), 60), right: 'refused', wrong: 'paid 200' },
  'an end is final': { is: ends({ ...asked, closed: { outcome: declined(EXPECTED.paymentId), disputed: false }, told: [[40, 'completed']] }, { kind: 'proven' }, 60), right: 'closed', wrong: 'paid 220' },
  'a contradiction after the end is disputed': { is: () => compareAfterEnd(paid(EXPECTED.paymentId), answer('failed', 60)).kind, right: 'contradicts', wrong: 'agrees' },
  'a failure from before the end is no news': { is: () => compareAfterEnd(paid(EXPECTED.paymentId), answer('failed', 49)).kind, right: 'agrees', wrong: 'contradicts' },
  'an answer from another account': { is: () => answerIn({ kind: 'not-found', said: 'not found' }, EXPECTED, answer('not found', 1), true)?.state, right: undefined, wrong: 'not-found' },
  'an old answer tells what is true for ever': { is: () => remember({}, answer('completed', 0)).completedAt !== undefined, right: true, wrong: false },
  'old answers are not written': { is: () => isTooOld(answer('failed', 0), at(61)), right: true, wrong: false },
} satisfies Record<Rule, Case>;

afterEach(() => plant(undefined));

test.each(RULES.map((rule) => ({ rule, ...CASES[rule] })))(
  '$rule: $right, and without it $wrong',
  ({ rule, is, right, wrong }) => {
    expect(is()).toBe(right);
    plant(rule);
    expect(is()).toBe(wrong);
  },
);

/** Two places may ask for one rule: each of them must need it. */
// prettier-ignore
const ALSO: readonly (Case & { readonly rule: Rule; readonly when: string })[] = [
  { rule: 'a record must agree', when: 'a failed one', is: () => verdict({ told: [[40, 'failed, other amount'], [160, 'failed, other amount']], callbacks: refusal }, 160)(), right: 'evidence-mismatch', wrong: 'failed' },
  { rule: 'a code that can hide a payment asks', when: 'a success', is: () => weighCallbacks(EXPECTED, [{ tells: 'result', claims: 'paid', code: { value: '0', meaning: 'success' }, receipt: {}, said: '' }], false).code?.kind, right: 'ambiguous', wrong: undefined },
  { rule: 'a rejection against a record proves nothing', when: 'a callback claims paid', is: verdict({ ...claim('rejected'), callbacks: callbacks({ claimsPaid: true }) }, 40), right: 'open', wrong: 'rejected' },
  { rule: 'not sent against a record proves nothing', when: 'a callback claims paid', is: verdict({ ...claim('not sent'), callbacks: callbacks({ claimsPaid: true }) }, 40), right: 'id-in-use', wrong: 'not-sent' },
  { rule: 'a claim needs a free payment', when: 'it has ended', is: claims({ ...claim('sealed'), closed: { outcome: paid(EXPECTED.paymentId), disputed: false } }), right: 'closed', wrong: 'claimable' },
  { rule: 'the send window', when: 'a decision', is: ends({ ...claim('unanswered'), ...asked }, decides('paid'), 5), right: 'refused', wrong: 'paid 220' },
  { rule: 'completed is never forgotten', when: 'a decline', is: ends({ ...dead, ...asked, told: [[40, 'completed, other amount'], [50, 'not found']] }, decides('declined', withCase), 60), right: 'refused', wrong: 'declined' },
  { rule: 'a decline is not against completed', when: 'it is gone', is: ends({ ...dead, ...asked, told: [[40, 'completed, other amount'], [50, 'not found']] }, decides('declined', withCase), 60), right: 'refused', wrong: 'declined' },
];

test.each(ALSO)('$rule, also: $when', ({ rule, is, right, wrong }) => {
  expect(is()).toBe(right);
  plant(rule);
  expect(is()).toBe(wrong);
});

test('nothing is left out in what is shipped', () => {
  expect(RULES.filter(isLeftOut)).toEqual([]);
});
