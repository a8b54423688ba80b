import type { Facts, Rules } from '../../src/payment/facts';
import { judge, sendWindowOf, type Verdict } from '../../src/payment/judge';
import type { AttentionReason } from '../../src/payment/outcome';
import type { Seen } from '../../src/payment/seen';
import {
  AMBIGUOUS,
  answer,
  at,
  callbacks,
  CLAIMED,
  CLAIMS,
  facts,
  iso,
  mergeAll,
  MINUTE,
  POLICY,
  REFUSAL,
  SECOND,
  seenOf,
  taken,
  type AnswerName,
  type ClaimName,
  type Told,
} from './support';

/**
 * What is proven by what is known. Times are seconds from the claim; the payment was registered a minute before, so that a person is
 * asked at 1740 s if nothing is known, and at 600 s if the provider does not know it.
 */

/** A verdict in one word; open without a question: when it may be judged otherwise, in seconds of the table. */
function word(verdict: Verdict, now: number): string {
  if (verdict.kind !== 'open') return verdict.kind;
  if (verdict.ask !== undefined) return verdict.ask.reason;
  return verdict.lookAgainIn === undefined ? 'wait' : `until ${(now + verdict.lookAgainIn - 100 - CLAIMED) / SECOND}`;
}

interface Case {
  readonly rule: string;
  readonly told?: readonly Told[];
  readonly at: number;
  readonly is: Exclude<Verdict['kind'], 'open'> | 'wait' | `until ${number}` | AttentionReason;
  readonly claim?: ClaimName;
  readonly callbacks?: Facts['callbacks'];
  readonly rules?: Partial<Rules>;
  readonly asked?: true;
  readonly known?: Seen;
}

const factsOf = ({
  told = [],
  known,
  claim = 'accepted',
  callbacks: came,
  rules,
  asked,
}: Omit<Case, 'rule' | 'is'>): Facts =>
  facts({
    claim: CLAIMS[claim],
    seen: known ?? seenOf(...told),
    rules: { policy: POLICY, prepaid: false, failedWithoutCode: 'ask', ...rules },
    ...(came && { callbacks: came }),
    ...(asked && { attentionSince: at(0) }),
  });

const PREPAID = { prepaid: true };
const DECLINE = { failedWithoutCode: 'decline' } as const;
const refusal = callbacks({ code: REFUSAL });
const ambiguous = callbacks({ code: AMBIGUOUS });
const saysPaid = callbacks({ claimsPaid: true });
const token = callbacks({ receipt: { token: '1234' } });
const twice = (name: AnswerName): readonly Told[] => [[40, name], [160, name]]; // prettier-ignore

// prettier-ignore
const SILENCE: readonly Case[] = [
  { rule: 'sent and nothing seen: wait for the provider', at: 60, is: 'until 1740' },
  { rule: 'silence is a question for a person, and never an answer', at: 1_740, is: 'provider-silent' },
  { rule: 'pending is no answer', told: [[40, 'pending']], at: 1_739, is: 'until 1740' },
  { rule: 'pending for too long', told: [[40, 'pending']], at: 1_740, is: 'provider-silent' },
  { rule: 'an answer of the POST that was lost changes nothing', claim: 'unknown', at: 60, is: 'until 1740' },
  { rule: 'a callback is no answer either', callbacks: saysPaid, at: 60, is: 'until 1740' },

  { rule: 'not found may be a queue', told: [[40, 'not found']], at: 599, is: 'until 600' },
  { rule: 'not found for too long, from the claim on', told: [[40, 'not found']], at: 600, is: 'not-found' },
  { rule: 'whatever a callback says', told: [[40, 'not found']], callbacks: refusal, at: 600, is: 'not-found' },
  { rule: 'a person is asked first, if that comes first', told: [[40, 'not found']], rules: { policy: { ...POLICY, notFoundGrace: 60 * MINUTE } }, at: 1_740, is: 'provider-silent' },
  { rule: 'what was not found before it was sent says nothing', told: [[-1, 'not found']], at: 600, is: 'until 1740' },
  { rule: 'and is silence in the end', told: [[-1, 'not found']], at: 1_740, is: 'provider-silent' },
  { rule: 'what was asked for with the claim does', told: [[0, 'not found']], at: 600, is: 'not-found' },
];

// prettier-ignore
const COMPLETED: readonly Case[] = [
  { rule: 'completed, all as sent, with a receipt', told: [[40, 'completed']], at: 40, is: 'paid' },
  { rule: 'the receipt may come by callback', told: [[40, 'completed without receipt']], callbacks: token, at: 40, is: 'paid' },
  { rule: 'completed without a receipt waits for it', told: [[40, 'completed without receipt']], at: 69, is: 'until 70' },
  { rule: 'and is paid without it in the end', told: [[40, 'completed without receipt']], at: 70, is: 'paid' },
  { rule: 'the grace runs from the first sight', told: [[40, 'completed without receipt'], [65, 'completed without receipt']], at: 70, is: 'paid' },
  { rule: 'also when it was pending in between', told: [[40, 'completed without receipt'], [45, 'pending'], [65, 'completed without receipt']], at: 70, is: 'paid' },
  { rule: 'but not from a record that was not ours', told: [[40, 'completed, other amount'], [65, 'completed without receipt']], at: 70, is: 'until 95' },
  { rule: 'prepaid: a receipt number is not the product', told: [[40, 'completed']], rules: PREPAID, at: 69, is: 'until 70' },
  { rule: 'prepaid: without its token a person is asked', told: [[40, 'completed']], rules: PREPAID, at: 70, is: 'paid-without-token' },
  { rule: 'prepaid: with its token', told: [[40, 'completed with token']], rules: PREPAID, at: 40, is: 'paid' },
  { rule: 'prepaid: the token may come while a person is asked', told: [[40, 'completed']], rules: PREPAID, callbacks: token, asked: true, at: 99, is: 'paid' },
  { rule: 'a code in a callback takes nothing from a completed record', told: [[40, 'completed']], callbacks: ambiguous, at: 40, is: 'paid' },
  { rule: 'completed after failed is paid', told: [...twice('failed'), [170, 'completed']], callbacks: refusal, at: 170, is: 'paid' },
  { rule: 'completed with another amount', told: [[40, 'completed, other amount']], at: 40, is: 'evidence-mismatch' },
  { rule: 'and corrected afterwards', told: [[40, 'completed, other amount'], [60, 'completed']], at: 60, is: 'paid' },

  { rule: 'pending after completed: it may come back', told: [[40, 'completed, other amount'], [60, 'pending']], at: 1_739, is: 'until 1740' },
  { rule: 'pending after completed, for too long', told: [[40, 'completed, other amount'], [60, 'pending']], at: 1_740, is: 'contradictory-answers' },
  { rule: 'not found after completed, for too long', told: [[40, 'completed, other amount'], [60, 'not found']], at: 600, is: 'contradictory-answers' },
  { rule: 'failed after completed', told: [[40, 'completed, other amount'], [50, 'failed'], [180, 'failed']], callbacks: refusal, at: 180, is: 'contradictory-answers' },
  { rule: 'failed after completed, without a code', told: [[40, 'completed'], [50, 'failed'], [180, 'failed']], rules: DECLINE, at: 180, is: 'contradictory-answers' },
];

// prettier-ignore
const FAILED: readonly Case[] = [
  { rule: 'failed is not believed at once', told: [[40, 'failed']], callbacks: refusal, at: 40, is: 'until 160' },
  { rule: 'nor because time has passed: it must be seen again', told: [[40, 'failed']], callbacks: refusal, at: 160, is: 'until 1740' },
  { rule: 'nor when the second look came too early', told: [[40, 'failed'], [159, 'failed']], callbacks: refusal, at: 500, is: 'until 1740' },
  { rule: 'failed, a refusal code, confirmed', told: twice('failed'), callbacks: refusal, at: 160, is: 'failed' },
  { rule: 'failed without any code', told: twice('failed'), at: 160, is: 'failed-without-code' },
  { rule: 'unless the deployment cannot receive callbacks', told: twice('failed'), rules: DECLINE, at: 160, is: 'failed' },
  { rule: 'a code that can hide a payment', told: twice('failed'), callbacks: ambiguous, at: 160, is: 'ambiguous-code' },
  { rule: 'also where callbacks are not to be had', told: twice('failed'), callbacks: ambiguous, rules: DECLINE, at: 160, is: 'ambiguous-code' },
  { rule: 'failed, but not what was sent', told: [[40, 'failed, other amount']], callbacks: refusal, at: 41, is: 'evidence-mismatch' },
  { rule: "failed since somebody else's record was there: ours has to last from its own first answer on", told: [[40, 'failed, other amount'], [100, 'failed'], [160, 'failed']], callbacks: refusal, at: 160, is: 'until 220' },
  { rule: 'unconfirmed for so long that a person is asked', told: [[40, 'failed']], callbacks: refusal, at: 1_740, is: 'provider-silent' },
  { rule: 'a person is not asked before it could be confirmed', told: [[1_700, 'failed']], callbacks: refusal, at: 1_819, is: 'until 1820' },
  { rule: 'but then', told: [[1_700, 'failed']], callbacks: refusal, at: 1_820, is: 'provider-silent' },

  { rule: 'broken off and come back asks, nothing starts over', told: [[40, 'failed'], [60, 'pending'], [160, 'failed']], callbacks: refusal, at: 160, is: 'contradictory-answers' },
  { rule: 'not found breaks it off as well', told: [[40, 'failed'], [60, 'not found'], [160, 'failed']], callbacks: refusal, at: 160, is: 'contradictory-answers' },
  { rule: 'however long it has lasted since', told: [[40, 'failed'], [60, 'pending'], [160, 'failed'], [900, 'failed']], callbacks: refusal, at: 900, is: 'contradictory-answers' },
  { rule: 'pending before it is no break', told: [[39, 'pending'], ...twice('failed')], callbacks: refusal, at: 160, is: 'failed' },
  { rule: 'nor what was asked for at once with it', told: [[40, 'pending'], ...twice('failed')], callbacks: refusal, at: 160, is: 'failed' },
  { rule: 'broken off and not come back waits', told: [[40, 'failed'], [60, 'pending']], callbacks: refusal, at: 160, is: 'until 1740' },
];

// prettier-ignore
const UNTAKEN: readonly Case[] = [
  { rule: 'refused by the provider', claim: 'rejected', at: 1, is: 'rejected' },
  { rule: 'it does not know it, as it should', claim: 'rejected', told: [[5, 'not found']], at: 5, is: 'rejected' },
  { rule: 'a callback that claims no payment takes nothing from it', claim: 'rejected', callbacks: refusal, at: 1, is: 'rejected' },
  { rule: 'refused, and yet there is a record: it counts', claim: 'rejected', told: [[40, 'pending']], at: 40, is: 'until 1740' },
  { rule: 'also after the record is gone', claim: 'rejected', told: [[40, 'pending'], [50, 'not found']], at: 600, is: 'not-found' },
  { rule: 'refused, and yet completed', claim: 'rejected', told: [[40, 'completed']], at: 40, is: 'paid' },
  { rule: 'refused, and a callback claims that it is paid', claim: 'rejected', callbacks: saysPaid, at: 40, is: 'until 1740' },

  { rule: 'not one byte has left', claim: 'not sent', at: 1, is: 'not-sent' },
  { rule: 'the provider does not know it, as it should', claim: 'not sent', told: [[5, 'not found']], at: 5, is: 'not-sent' },
  { rule: 'not sent, and yet there is a record', claim: 'not sent', told: [[5, 'failed']], at: 5, is: 'id-in-use' },
  { rule: 'even if it is just like ours', claim: 'not sent', told: [[5, 'completed']], at: 5, is: 'id-in-use' },
  { rule: 'not sent, and a callback claims that it is paid', claim: 'not sent', callbacks: saysPaid, at: 5, is: 'id-in-use' },
];

// prettier-ignore
const UNSENT: readonly Case[] = [
  { rule: 'nothing was sent, nothing is known', claim: 'free', at: 5_000, is: 'wait' },
  { rule: 'the provider does not know it, as it should', claim: 'free', told: [[5, 'not found']], at: 5_000, is: 'wait' },
  { rule: 'a record that no claim of ours explains', claim: 'free', told: [[5, 'pending']], at: 5, is: 'id-in-use' },
  { rule: 'even if it is just like ours', claim: 'free', told: [[5, 'completed']], at: 5, is: 'id-in-use' },
  { rule: 'or failed', claim: 'free', told: twice('failed'), callbacks: refusal, at: 160, is: 'id-in-use' },
  { rule: 'or is gone again', claim: 'free', told: [[5, 'pending'], [9, 'not found']], at: 9, is: 'id-in-use' },
  { rule: 'sealed is as good as free', claim: 'sealed', told: [[5, 'completed']], at: 5, is: 'id-in-use' },
];

// prettier-ignore
const WINDOW: readonly Case[] = [
  { rule: 'it is being sent: nothing is proven yet', claim: 'unanswered', told: [[5, 'completed']], at: 29, is: 'until 30' },
  { rule: 'then it is', claim: 'unanswered', told: [[5, 'completed']], at: 30, is: 'paid' },
  { rule: 'the answer to the request ends the window', claim: 'accepted', told: [[5, 'completed']], at: 5, is: 'paid' },
  { rule: 'so does an answer that says nothing', claim: 'unknown', told: [[5, 'completed']], at: 5, is: 'paid' },
  { rule: 'whoever sent it has died: it may have been sent', claim: 'unanswered', at: 31, is: 'until 1740' },
];

// prettier-ignore
const ASKED: readonly Case[] = [
  { rule: 'once asked, a person stays asked', told: [[40, 'pending']], asked: true, at: 60, is: 'provider-silent' },
  { rule: 'while a failure is being confirmed', told: [[40, 'failed']], asked: true, at: 60, is: 'provider-silent' },
  { rule: 'while a receipt may come', told: [[40, 'completed without receipt']], asked: true, at: 60, is: 'provider-silent' },
  { rule: 'while it is being sent', claim: 'unanswered', asked: true, at: 5, is: 'provider-silent' },
  { rule: 'another reason takes its place', told: [[40, 'completed, other amount']], asked: true, at: 40, is: 'evidence-mismatch' },
  { rule: 'an end ends it', told: [[40, 'completed']], asked: true, at: 40, is: 'paid' },
];

describe.each([
  ['silence', SILENCE],
  ['completed', COMPLETED],
  ['failed', FAILED],
  ['taken, and the holder says that the provider took nothing', UNTAKEN],
  ['not taken', UNSENT],
  ['the send window', WINDOW],
  ['asked', ASKED],
])('G2, G3: %s', (_what, cases) => {
  test.each(cases)('$rule: $is', (one) => {
    expect(word(judge(factsOf(one), at(one.at)), at(one.at))).toBe(one.is);
  });
});

test('every verdict and every reason that facts can give has a case', () => {
  const cases = [SILENCE, COMPLETED, FAILED, UNTAKEN, UNSENT, WINDOW, ASKED].flat();
  const all = {
    ...{ paid: 0, failed: 0, rejected: 0, 'not-sent': 0 },
    ...{ 'provider-silent': 0, 'not-found': 0, 'failed-without-code': 0, 'ambiguous-code': 0 },
    ...{ 'evidence-mismatch': 0, 'contradictory-answers': 0, 'paid-without-token': 0, 'id-in-use': 0 },
  } satisfies Record<
    // What the store does not answer is no verdict of what it knows.
    Exclude<Verdict['kind'], 'open'> | Exclude<AttentionReason, 'store-unavailable'>,
    0
  >;
  expect(Object.keys(all).filter((is) => !cases.some((one) => one.is === is))).toEqual([]);
});

describe('what a verdict says', () => {
  const verdictOn = (one: Omit<Case, 'rule' | 'is'>) => judge(factsOf(one), at(one.at));
  const because = (one: Omit<Case, 'rule' | 'is'>) => {
    const verdict = verdictOn(one);
    return verdict.kind === 'open' ? verdict.ask?.because : undefined;
  };

  test('failed: with which record, and which code if there is one', () => {
    const record = answer('failed', 160);
    const told = twice('failed');
    expect(verdictOn({ told, callbacks: refusal, at: 160 })).toEqual({ kind: 'failed', code: '1', record });
    expect(verdictOn({ told, rules: DECLINE, at: 160 })).toEqual({ kind: 'failed', record });
  });

  test('paid: with which record; what it says of the receipt stands before what callbacks say', () => {
    const receipt = { number: 'OTHER', token: '1234' };
    expect(verdictOn({ told: [[40, 'completed']], callbacks: callbacks({ receipt }), at: 40 })).toEqual({
      kind: 'paid',
      record: answer('completed', 40),
      receipt: { number: 'S575998', token: '1234' },
    });
  });

  test('refused and not sent: why', () => {
    const reasons = ['amount too small', 'no such service'];
    expect(verdictOn({ claim: 'rejected', at: 5 })).toEqual({ kind: 'rejected', reasons, at: at(1) });
    expect(verdictOn({ claim: 'not sent', at: 5 })).toEqual({ kind: 'not-sent', because: 'connection refused' });
  });

  // prettier-ignore
  test.each<[reason: string, one: Omit<Case, 'rule' | 'is'>, because: string]>([
    ['nothing yet', { at: 1_740 }, 'nothing yet'],
    ['the last answer', { told: [[40, 'pending']], at: 1_740 }, 'pending'],
    ['and how it differs', { told: [[40, 'pending, other amount']], at: 1_740 }, 'pending; answer: KES 200, sent: KES 220'],
    ['not found', { told: [[40, 'not found']], at: 600 }, 'not found (404)'],
    ['failed without a code', { told: twice('failed'), at: 160 }, 'failed'],
    ['an ambiguous code', { told: twice('failed'), callbacks: ambiguous, at: 160 }, 'code 22'],
    ['another amount', { told: [[40, 'completed, other amount']], at: 40 }, 'answer: KES 200, sent: KES 220'],
    ['failed with another amount', { told: twice('failed, other amount'), at: 160 }, 'answer: KES 200, sent: KES 220'],
    ['no token', { told: [[40, 'completed']], rules: PREPAID, at: 70 }, 'completed'],
    ['pending after completed', { told: [[40, 'completed, other amount'], [60, 'pending']], at: 1_740 }, 'completed before, and now pending'],
    ['failed after completed', { told: [[40, 'completed'], [50, 'failed'], [180, 'failed']], at: 180 }, 'completed before, and now failed'],
    ['broken off', { told: [[40, 'failed'], [60, 'pending'], [160, 'failed']], at: 160 }, 'failed before, then something else, and now failed again'],
    ['a record of somebody else', { claim: 'free', told: [[5, 'pending']], at: 5 }, 'pending'],
    ['a record that is gone', { claim: 'free', told: [[5, 'pending'], [9, 'not found']], at: 9 }, 'seen before, and now not found (404)'],
    ['a record that nothing is known of but that it was there', { claim: 'free', known: { recordAt: at(1) }, at: 9 }, 'seen before, and now no answer'],
    ['no record, but a callback', { claim: 'not sent', callbacks: saysPaid, at: 5 }, 'none found, but a callback claims that it is paid'],
  ])('because: %s', (_reason, one, words) => {
    expect(because(one)).toBe(words);
  });

  test('who stays asked is still told when it may be judged otherwise', () => {
    expect(verdictOn({ told: [[40, 'failed']], asked: true, at: 60 })).toMatchObject({ lookAgainIn: 100_100 });
  });

  test('it is looked at again a moment after the time, and never sooner than in a second', () => {
    const lookAgainIn = (now: number) => judge(facts({ seen: seenOf([40, 'failed']) }), now);
    expect(lookAgainIn(at(40))).toEqual({ kind: 'open', lookAgainIn: 120_100 });
    expect(lookAgainIn(at(160) - 1)).toEqual({ kind: 'open', lookAgainIn: 1_000 });
  });

  test('a slow look does not confirm that a payment is still failed: when it was asked counts, not when it came', () => {
    const slow = mergeAll([answer('failed', 40), answer('failed', 120, { answeredAt: at(165) })]);
    const verdict = judge(facts({ seen: slow, callbacks: refusal }), at(165));
    expect(word(verdict, at(165))).toBe('until 1740');
    // Nor does a slow first one begin before it was there.
    const late = mergeAll([answer('failed', 40, { answeredAt: at(60) }), answer('failed', 165)]);
    expect(judge(facts({ seen: late, callbacks: refusal }), at(165)).kind).toBe('open');
  });
});

test('the send window is of a claim that has no answer yet', () => {
  const windows = Object.entries(CLAIMS).map(([name, claim]) => [name, sendWindowOf(facts({ claim }))]);
  expect(windows.filter(([, until]) => until !== undefined)).toEqual([['unanswered', at(30)]]);
});

test('the deadlines are those that were written down at the registration', () => {
  const policy = { ...POLICY, attentionAfter: 5 * MINUTE, notFoundGrace: 2 * MINUTE };
  const one = { at: 0, rules: { policy } };
  expect(word(judge(factsOf(one), at(0)), at(0))).toBe('until 240');
  const lost = factsOf({ ...one, told: [[5, 'not found']] });
  expect(word(judge(lost, at(5)), at(5))).toBe('until 120');
  expect(word(judge({ ...lost, claim: taken({ kind: 'accepted', providerId: iso(0) }) }, at(120)), at(120))).toBe(
    'not-found',
  );
});
