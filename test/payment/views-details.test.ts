import type { Facts } from '../../src/payment/facts';
import type { AttentionReason, BillPaymentOutcome } from '../../src/payment/outcome';
import type { Stage } from '../../src/payment/progress';
import { initialState, next, stageOf, type PaymentEvent, type PaymentState } from '../../src/payment/state';
import { detailsOf } from '../../src/payment/views';
import { guideTo } from '../../src/payment/words';
import { billOf, lookAt } from './states';
import { at, callbacks, cancelled, CLAIMS, declined, EXPECTED, facts, paid, seenOf, type ClaimName } from './support';

/** Everything that the Web UI says about a payment, text by text. The night operator has nothing else. */

const { paymentId } = EXPECTED;
const FUNDED = billOf({ fundingAccount: 'float-1' });
const HEAD = 'Payment payment-0001 · KES 220 · KPLC POSTPAID · times in UTC';
const page = (heading: string, text: string, section: string, head = HEAD) =>
  `${head}\n\n### ${heading}\n\n${text}\n\nAbout this: docs/runbook.md#${section}`;
const shown = (state: PaymentState, second = 60) => detailsOf(state, at(second));

const STARTED = initialState(paymentId, at(-61));
const FREE = facts({ claim: CLAIMS.free });
const inState = (known: Facts, ...events: readonly PaymentEvent[]) => withBill(FUNDED, known, ...events);
const withBill = (bill: typeof FUNDED, known: Facts, ...events: readonly PaymentEvent[]) => {
  const registered: PaymentEvent = { kind: 'registered', bill, look: lookAt(60, known) };
  return [registered, ...events].reduce(next, STARTED);
};

describe('before it is sent', () => {
  const UNKNOWN = 'Payment payment-0001 · times in UTC';

  test('registering', () => {
    const text = 'Nothing is known yet: an earlier run may have sent it. Do not pay this bill another way.';
    expect(shown(STARTED)).toBe(page('Registering', text, 'registering', UNKNOWN));
  });

  test('validating', () => {
    const text =
      'Nothing was sent, no money is held. Without an answer by 12:14 this ends as declined (expired); paying again is then safe. **You:** nothing. cancelPayment is possible.';
    expect(shown(inState(FREE))).toBe(page('Checking the account', text, 'validating'));
    expect(shown(inState(FREE), 86_400)).toContain('by 03-01 12:14 this ends');
  });

  const SUBMITTING =
    'Gives up at 12:14 if nothing could be sent. If this stays: Pending Activities → submitPayment → Last failure. cancelPayment is possible until it is claimed. **Never terminate.**';
  test.each([
    ['with money', FUNDED, 'KES 220 on float-1 is held with the claim, right before it is sent.'],
    ['without', billOf(), 'No money is held for it.'],
  ])('submitting %s', (_what, bill, money) => {
    expect(shown(withBill(bill, FREE, { kind: 'submitting' }))).toBe(
      page('Sending to Acme Pay', `${money} ${SUBMITTING}`, 'submitting'),
    );
  });

  test('a service without a name is left out', () => {
    const { serviceName: _, ...nameless } = FUNDED;
    expect(shown(withBill(nameless, FREE))).toMatch(/^Payment payment-0001 · KES 220 · times in UTC\n/);
  });
});

describe('waiting for the result', () => {
  const ASKED = 'A person is asked at 12:29. **You:** nothing';
  const LAST = ' At 12:00 Acme Pay said: pending.';
  const LOST = (why: string, last: string) =>
    `It may have been taken (${why}). It is not sent again; we ask by its id.${last} ${ASKED}. Do not pay this bill another way.`;

  /** By what is known of the claim; free and sealed do not wait. */
  const TEXTS = {
    accepted: [
      'Sent. Waiting for the result',
      (last) =>
        `Accepted 12:00:01, Acme Pay id 0100-post.${last} Latest answer: Pending Activities → pollPayment. ${ASKED}; checkStatusNow looks at once.`,
    ],
    unanswered: ['Sent, but the answer was lost', (last) => LOST('no answer yet, or whoever sent it has died', last)],
    unknown: ['Sent, but the answer was lost', (last) => LOST('time-out after 30 s', last)],
    rejected: [
      'Sent and refused',
      (last) =>
        `Acme Pay refused it (amount too small; no such service). It ends as declined, unless something says that it was taken.${last} ${ASKED}. Do not pay this bill another way.`,
    ],
    'not sent': [
      'Claimed, and not sent',
      (last) =>
        `It was not sent (connection refused) and will not be: the claim is never given back.${last} ${ASKED}. Do not pay this bill another way.`,
    ],
  } as const satisfies Record<Exclude<ClaimName, 'free' | 'sealed'>, readonly [string, (last: string) => string]>;

  test.each(Object.entries(TEXTS))('%s', (claim, [heading, text]) => {
    const known = facts({ claim: CLAIMS[claim as ClaimName] });
    expect(shown(inState(known))).toBe(page(heading, text(''), 'awaiting-result'));
    const said = { kind: 'looked', look: lookAt(60, known, 'nothing in time') } as const;
    expect(shown(inState(known, said), 61)).toContain(' At 12:01 Acme Pay said: nothing in time. ');
  });

  test('what the provider said last', () => {
    const [heading, text] = TEXTS.accepted;
    const known = facts({ seen: seenOf([40, 'pending']) });
    expect(shown(inState(known))).toBe(page(heading, text(LAST), 'awaiting-result'));
  });
});

describe('a person is asked', () => {
  const PAID = '{"decision":"paid","operator":"YOU","note":"WHO CONFIRMED, HOW","receiptNumber":"…"}';
  const TOKEN = PAID.replace('}', ',"token":"…"}');
  const DECLINED = '{"decision":"declined","operator":"YOU","note":"WHO CONFIRMED, HOW","providerCase":"…"}';
  const DECIDE =
    '**Decide only with proof from Acme Pay or the biller.** More Actions → Send an Update → resolvePayment:';
  const caution = (effect: string) =>
    `One of the two lines. "declined" ${effect}: only if Acme Pay confirms in writing that it was not and will not be paid.`;
  const polled = 'We keep asking every 5 min; an answer ends this by itself.';

  const prepaid = { rules: { ...facts().rules, prepaid: true } };
  const twice = seenOf([40, 'failed'], [160, 'failed']);
  /** Facts that ask for each reason, and when they are judged. */
  // prettier-ignore
  const ASKING = {
    'provider-silent': [1_740, facts(), 'nothing yet'],
    'not-found': [600, facts({ seen: seenOf([40, 'not found']) }), 'not found (404)'],
    'failed-without-code': [160, facts({ seen: twice }), 'failed'],
    'ambiguous-code': [160, facts({ seen: twice, callbacks: callbacks({ code: { kind: 'ambiguous', value: '22' } }) }), 'code 22'],
    'evidence-mismatch': [40, facts({ seen: seenOf([40, 'completed, other amount']) }), 'answer: KES 200, sent: KES 220'],
    'contradictory-answers': [160, facts({ seen: seenOf([30, 'completed, other amount'], [35, 'failed'], [160, 'failed']) }), 'completed before, and now failed'],
    'paid-without-token': [90, facts({ ...prepaid, seen: seenOf([40, 'completed']) }), 'completed'],
    'id-in-use': [40, facts({ claim: CLAIMS.free, seen: seenOf([40, 'pending']) }), 'pending'],
  } as const satisfies Record<Exclude<AttentionReason, 'store-unavailable'>, readonly [number, Facts, string]>;

  const attention = (known: Facts, second: number, bill = FUNDED) => {
    const look = lookAt(second, known);
    return shown(next(STARTED, { kind: 'registered', bill, look }), second + 60);
  };

  test.each(Object.entries(ASKING))('%s', (name, [second, known, because]) => {
    const reason = name as keyof typeof ASKING;
    // Words of its own are checked with `guideTo`; here is that they are all there.
    const { known: words, first } = guideTo(reason, 'Acme Pay');
    const held = reason === 'id-in-use' ? 'No money is held.' : 'KES 220 is still held.';
    const lines = reason === 'paid-without-token' ? TOKEN : `${PAID}\n${DECLINED}`;
    const warning = caution(reason === 'id-in-use' ? 'ends it as not paid' : 'gives the money back');
    const text = [
      `Since 12:02. ${held} ${words(because)} ${first} ${polled}`,
      DECIDE,
      `\`\`\`json\n${lines}\n\`\`\``,
      ...(reason === 'paid-without-token' ? [] : [warning]),
    ].join('\n\n');
    const asked = { ...known, fundingAccount: 'float-1', attentionSince: at(120) };
    expect(attention(asked, second)).toBe(page(`Needs attention: \`${reason}\``, text, reason));
  });

  test('who holds no money is told so', () => {
    expect(attention({ ...facts(), attentionSince: at(120) }, 1_740, billOf())).toContain(
      'Since 12:02. No money is held. ',
    );
  });

  test('not written down yet since when: since this look', () => {
    expect(attention(facts(), 1_740)).toContain('Since 12:29. ');
  });

  test('the interval is that of the payment', () => {
    const rules = { ...facts().rules, policy: { ...facts().rules.policy, pollMaxInterval: 7_200_000 } };
    expect(attention(facts({ rules }), 1_740)).toContain('We keep asking every 2 h; ');
  });
});

describe('beside the step', () => {
  const AWAY: PaymentEvent = { kind: 'store-away', because: 'connection refused', at: at(5) };
  const STORE =
    'Since 12:00. The store does not do its part (connection refused). Nothing is lost: it is tried again every few minutes, and goes on by itself. Get PostgreSQL back, or mend what the reason names. There is nothing to decide. Do not pay this bill another way. **Never terminate.**';

  test('the store is away: that comes first, whatever else is the case', () => {
    const heading = 'Needs attention: `store-unavailable`';
    expect(shown(inState(FREE, AWAY))).toBe(page(heading, STORE, 'store-unavailable'));
    const recording: PaymentEvent = { kind: 'recording', as: 'paid' };
    expect(shown(inState(facts(), recording, AWAY))).toBe(page(heading, STORE, 'store-unavailable'));
    expect(shown(next(STARTED, AWAY))).toContain(STORE);
  });

  test.each(
    Object.entries({ paid: 'Paid', declined: 'Declined', cancelled: 'Cancelled' } satisfies Record<
      BillPaymentOutcome['kind'],
      string
    >),
  )('recording: %s', (as, what) => {
    const state = inState(facts(), { kind: 'recording', as: as as BillPaymentOutcome['kind'] });
    expect(shown(state)).toBe(
      page(
        `${what}. Writing it down`,
        'If this stays, the store is down. Nothing is lost. **Never terminate.**',
        'recording',
      ),
    );
  });

  test('a refused cancellation is shown below', () => {
    const refused: PaymentEvent = { kind: 'cancellation-refused', because: 'Too late to cancel.' };
    expect(shown(inState(facts(), refused))).toContain(
      '\n\n**Request Cancellation changed nothing.** Too late to cancel.\n\nAbout this: ',
    );
  });
});

describe('closed', () => {
  // prettier-ignore
  test.each<[outcome: BillPaymentOutcome, heading: string, text: string]>([
    [paid(paymentId, { summary: 'Paid. Receipt S575998, 12:00:50, confirmed by Acme Pay: completed. KES 220 posted.' }), 'Paid', 'Receipt S575998, 12:00:50, confirmed by Acme Pay: completed. KES 220 posted.'],
    [declined(paymentId, { summary: 'Declined at result. Failed at Acme Pay with code 1 (failed). A new payment needs a new id.' }), 'Declined at result', 'Failed at Acme Pay with code 1 (failed). A new payment needs a new id.'],
    [{ ...cancelled(paymentId), summary: 'Cancelled. By op-1: "wrong. meter". Nothing was sent.' }, 'Cancelled', 'By op-1: "wrong. meter". Nothing was sent.'],
  ])('$kind: its summary, since that is all a closed run shows', (outcome, heading, text) => {
    const state = inState(facts(), { kind: 'closed', outcome, disputed: false });
    expect(shown(state)).toBe(page(heading, text, 'closed'));
  });
});

test('every stage has a text and a section', () => {
  const sections: Record<Stage, PaymentState> = {
    registering: STARTED,
    validating: inState(FREE),
    submitting: inState(FREE, { kind: 'submitting' }),
    'awaiting-result': inState(facts()),
    'needs-attention': inState(facts({ seen: seenOf([40, 'completed, other amount']) })),
    recording: inState(facts(), { kind: 'recording', as: 'paid' }),
    closed: inState(facts(), { kind: 'closed', outcome: paid(paymentId), disputed: false }),
  };
  for (const [stage, state] of Object.entries(sections)) {
    expect(stageOf(state)).toBe(stage);
    const section = stage === 'needs-attention' ? 'evidence-mismatch' : stage;
    expect(shown(state)).toMatch(new RegExp(`\n\nAbout this: docs/runbook.md#${section}$`));
  }
});
