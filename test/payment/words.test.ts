import type { DeclinedOutcome, PaidOutcome } from '../../src/payment/outcome';
import type { Stage } from '../../src/payment/progress';
import { resolutionProblem } from '../../src/payment/update-forms';
import {
  ATTENTION_REASONS,
  cancelledSummary,
  clock,
  declinedSummary,
  durationInWords,
  endedBy,
  guideTo,
  mayNotDecide,
  paidSummary,
  runbookPage,
  STAGE_IN_WORDS,
  timeInWords,
  type AskedFor,
} from '../../src/payment/words';
import { at, cancelled, declined, EXPECTED, iso, paid } from './support';

/** Every text that does not depend on a payment's state, word by word. Acme Pay is nobody's name: no text names a provider by itself. */

const P = 'Acme Pay';
const { paymentId } = EXPECTED;

interface Guide {
  readonly known: string;
  readonly first: string;
  readonly isPolled: boolean;
  readonly decisions: readonly string[];
}
const PAID = '{"decision":"paid","operator":"YOU","note":"WHO CONFIRMED, HOW","receiptNumber":"…"}';
const WITH_TOKEN = PAID.replace('}', ',"token":"…"}');
const DECLINED = '{"decision":"declined","operator":"YOU","note":"WHO CONFIRMED, HOW","providerCase":"…"}';
const either = { isPolled: true, decisions: [PAID, DECLINED] };
const nothing = { isPolled: false, decisions: [] };

/** With `seen` as what was seen. */
const GUIDES = {
  'provider-silent': {
    known: 'No final answer in time (last: seen). Usual in an outage: many rows say the same.',
    first: 'Wait first. If it stays when Acme Pay is up again, ask them about this payment id.',
    ...either,
  },
  'not-found': {
    known: 'Acme Pay does not know this id long after sending. This is no proof that it was not taken.',
    first: 'Ask Acme Pay whether a payment with this id exists, or will.',
    ...either,
  },
  'failed-without-code': {
    known: 'Acme Pay says seen, no code: the callback is missing. It can still turn.',
    first: 'Ask Acme Pay for the result code, and whether it is final.',
    ...either,
  },
  'ambiguous-code': {
    known: 'Failed with seen, which can hide a payment.',
    first: "Ask Acme Pay, or the biller, whether the customer's account was credited.",
    ...either,
  },
  'evidence-mismatch': {
    known: 'The record of Acme Pay is not what was sent: seen.',
    first: 'Ask Acme Pay which is right. If their record is wrong, have them correct it: that ends this by itself.',
    ...either,
  },
  'contradictory-answers': {
    known: 'Acme Pay has said what cannot both be true: seen.',
    first: 'Ask Acme Pay what became of the payment, and whether it is final.',
    ...either,
  },
  'paid-without-token': {
    known: 'Paid, but no token came. The customer is waiting.',
    first: 'Ask Acme Pay to send the callback again: a token ends this by itself. Else give the customer the token.',
    isPolled: true,
    decisions: [WITH_TOKEN],
  },
  'id-in-use': {
    known: 'This id is in use at Acme Pay (seen), and nothing was sent from here.',
    first: 'Find out whose record it is. If it is not this bill, decline this payment and pay again under a new id.',
    ...either,
  },
  'store-unavailable': {
    known:
      'The store does not do its part (seen). Nothing is lost: it is tried again every few minutes, and goes on by itself.',
    first: 'Get PostgreSQL back, or mend what the reason names. There is nothing to decide.',
    ...nothing,
  },
  disputed: {
    known: 'Something contradicts the record: seen. The record stands.',
    first: 'Call finance. Nothing is changed by itself. Then write down what was agreed.',
    ...nothing,
  },
} as const satisfies Record<AskedFor, Guide>;

describe('why a person is asked, and what they do first', () => {
  test.each(Object.entries(GUIDES))('%s', (reason, told) => {
    const { known, first, isPolled, decisions } = guideTo(reason as AskedFor, P);
    const lines = decisions.map((decision) => JSON.stringify(decision));
    expect({ known: known('seen'), first, isPolled, decisions: lines }).toEqual(told);
  });

  test('the example of a decision has the form of one', () => {
    const examples = Object.values(GUIDES).flatMap(({ decisions }) => decisions as readonly string[]);
    for (const example of examples) expect(resolutionProblem(JSON.parse(example))).toBeUndefined();
  });

  test('all of them are listed', () => {
    expect([...ATTENTION_REASONS].sort()).toEqual(Object.keys(GUIDES).sort());
  });
});

test('where a payment stands, after "the payment is"', () => {
  expect(STAGE_IN_WORDS).toEqual({
    registering: 'being registered',
    validating: 'being checked',
    submitting: 'being sent',
    'awaiting-result': 'waiting for its result',
    'needs-attention': 'waiting for a decision',
    recording: 'being written down',
    closed: 'closed',
  } satisfies Record<Stage, string>);
});

describe('the summary of an outcome', () => {
  const said = (words: string) => ({ source: 'provider', said: words, at: iso(40) }) as const;
  const operator = { source: 'operator', operator: 'op-1', note: 'seen in "My Account"', at: iso(50) } as const;

  // prettier-ignore
  test.each<[change: Partial<PaidOutcome>, isPosted: boolean, summary: string]>([
    [{}, true, 'Paid. Receipt S575998, 12:00:50, confirmed by Acme Pay: completed (status 4). KES 220 posted.'],
    [{}, false, 'Paid. Receipt S575998, 12:00:50, confirmed by Acme Pay: completed (status 4). KES 220.'],
    [{ settledBy: 'callback' }, true, 'Paid. Receipt S575998, 12:00:50, confirmed by Acme Pay: completed (status 4), after the callback. KES 220 posted.'],
    [{ receipt: { token: '1234' } }, true, 'Paid. No receipt number, 12:00:50, confirmed by Acme Pay: completed (status 4). KES 220 posted.'],
    [{ settledBy: 'operator', evidence: operator, amount: 200 }, true, 'Paid. Receipt S575998, 12:00:50, decided by op-1. KES 200 posted.'],
  ])('paid, %j, posted: %s', (change, isPosted, summary) => {
    expect(paidSummary(paid(paymentId, change), { now: at(50), provider: P, isPosted })).toBe(summary);
  });

  const REASONS = {
    'account-invalid': 'The biller does not know the account',
    'insufficient-funds': 'The funding account does not hold enough. Nothing was sent',
    'unknown-funding-account': 'There is no such funding account in this currency. Nothing was sent',
    rejected: 'Acme Pay refused the request',
    expired: 'It could not be sent in time. Nothing was sent',
    'not-sent': 'The request could not leave. Nothing was sent',
    failed: 'Failed at Acme Pay with code 1',
    operator: 'Decided by op-1',
  } as const satisfies Record<DeclinedOutcome['reason'], string>;

  test.each(Object.entries(REASONS))('declined, %s', (reason, words) => {
    const isOperator = reason === 'operator';
    const outcome = declined(paymentId, {
      ...{ step: 'submission', reason: reason as DeclinedOutcome['reason'] },
      evidence: isOperator ? operator : said('so it was'),
    });
    const detail = isOperator ? '"seen in "My Account""' : 'so it was';
    const summary = (returned: string | undefined) => declinedSummary(outcome, { now: at(50), provider: P, returned });
    expect(summary(undefined)).toBe(`Declined at submission. ${words} (${detail}). A new payment needs a new id.`);
    expect(summary('KES 220')).toBe(
      `Declined at submission. ${words} (${detail}). KES 220 given back. A new payment needs a new id.`,
    );
  });

  test('failed, and no code came', () => {
    const { providerCode: _, ...outcome } = declined(paymentId);
    expect(declinedSummary(outcome, { now: at(50), provider: P, returned: undefined })).toBe(
      'Declined at result. Failed at Acme Pay, no code came (completed (status 4)). A new payment needs a new id.',
    );
  });

  test('cancelled', () => {
    expect(cancelledSummary('op-1', 'wrong meter')).toBe('Cancelled. By op-1: "wrong meter". Nothing was sent.');
  });

  test('for who came too late', () => {
    expect(endedBy(cancelled(paymentId))).toBe('it is closed already as cancelled. Recorded.');
    expect(endedBy(paid(paymentId))).toBe('it is closed already as paid. Recorded.');
    expect(endedBy(declined(paymentId, { reason: 'operator', evidence: operator }))).toBe(
      'op-1 has decided, it is closed already as declined. Recorded.',
    );
  });

  test('for who may not decide', () => {
    expect(mayNotDecide('op-2')).toBe(
      'op-2 may not decide here: BILLPAY_OPERATORS on the worker names who may. Nothing was changed.',
    );
  });
});

describe('times and durations', () => {
  test.each([
    [0, '1 s'],
    [400, '1 s'],
    [20_000, '20 s'],
    [99_999, '100 s'],
    [100_000, '2 min'],
    [300_000, '5 min'],
    [7_199_999, '120 min'],
    [7_200_000, '2 h'],
    [172_800_000, '48 h'],
  ])('%s ms: %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words);
  });

  test('of the day; with the day for a reader on another', () => {
    expect(clock(at(50), at(0))).toBe('12:00');
    expect(clock(at(50), at(0), 'seconds')).toBe('12:00:50');
    expect(clock(at(50), at(86_400))).toBe('03-01 12:00');
    expect(clock(Date.parse('2026-03-02T00:00:00Z'), Date.parse('2026-03-01T23:59:59Z'))).toBe('03-02 00:00');
    expect(timeInWords(at(50))).toBe('2026-03-01 12:00');
  });
});

test('each reason and each stage has a section of the runbook', () => {
  expect(runbookPage('not-found')).toBe('docs/runbook.md#not-found');
});
