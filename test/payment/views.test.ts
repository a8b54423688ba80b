import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { PaymentProgress } from '../../src/payment/progress';
import { initialState, next, type PaymentEvent, type PaymentState } from '../../src/payment/state';
import { attributesOf, isRegistered, progressOf, type Attributes } from '../../src/payment/views';
import { billOf, lookAt } from './states';
import {
  answer,
  at,
  callbacks,
  cancelled,
  CLAIMS,
  declined,
  EXPECTED,
  facts,
  iso,
  mergeAll,
  paid,
  seenOf,
  type ClaimName,
} from './support';

/** What a query answers, and by what a list finds a payment. */

const { paymentId } = EXPECTED;
const bill = billOf({ fundingAccount: 'float-1' });
const STARTED = initialState(paymentId, at(-61));
const withEvents = (...events: readonly PaymentEvent[]) => events.reduce(next, STARTED);
const registered = (look = lookAt(10, facts({ claim: CLAIMS.free }))): PaymentEvent => ({
  kind: 'registered',
  bill,
  look,
});
const looked = (look: ReturnType<typeof lookAt>): PaymentEvent => ({ kind: 'looked', look });
const away: PaymentEvent = { kind: 'store-away', because: 'connection refused', at: at(5) };
const closed = (outcome: BillPaymentOutcome, disputed = false): PaymentEvent => ({ kind: 'closed', outcome, disputed });

const VALIDATING = withEvents(registered());
const SENT = withEvents(registered(), looked(lookAt(20, facts())));
const ASKING = withEvents(
  registered(),
  looked(lookAt(20, facts({ claim: CLAIMS.free, seen: seenOf([20, 'pending']), attentionSince: at(20) }))),
);

describe('progress', () => {
  const nothing: PaymentProgress = {
    ...{ paymentId, stage: 'registering', startedAt: iso(-61) },
    ...{ serviceId: '', amount: 0, currency: '', callbacks: 0 },
    // Nothing is known of its policy: the default is.
    attentionAt: iso(-61 + 1_800),
  };
  const known: PaymentProgress = {
    ...{ paymentId, stage: 'validating', startedAt: iso(-61) },
    ...{ serviceId: 'service-1', serviceName: 'KPLC POSTPAID', amount: 220, currency: 'KES', callbacks: 0 },
    ...{ fundingAccount: 'float-1', provider: { name: 'Acme Pay' } },
    attentionAt: iso(1_740),
  };
  const accepted = { kind: 'accepted', at: iso(1), said: 'id 0100-post' } as const;
  const pending = { name: 'Acme Pay', said: 'pending', at: iso(20) };

  // prettier-ignore
  test.each<[what: string, state: PaymentState, is: PaymentProgress]>([
    ['nothing is known', STARTED, nothing],
    ['not even by the store', withEvents(away), { ...nothing, reason: 'store-unavailable', because: 'connection refused', attentionSince: iso(5) }],
    ['registered', VALIDATING, known],
    ['being sent', withEvents(registered(), { kind: 'submitting' }), { ...known, stage: 'submitting' }],
    ['sent', SENT, { ...known, stage: 'awaiting-result', submission: accepted }],
    ['a callback has come', withEvents(registered(), looked(lookAt(20, facts({ callbacks: callbacks() })))), { ...known, stage: 'awaiting-result', submission: accepted, callbacks: 1 }],
    ['a person is asked', ASKING, { ...known, stage: 'needs-attention', reason: 'id-in-use', because: 'pending', attentionSince: iso(20), provider: pending }],
    ['and the store is away: nothing can be decided', next(ASKING, away), { ...known, stage: 'needs-attention', reason: 'store-unavailable', because: 'connection refused', attentionSince: iso(5), provider: pending }],
    ['being written down', next(SENT, { kind: 'recording', as: 'paid' }), { ...known, stage: 'recording', submission: accepted }],
    ['closed', next(SENT, closed(paid(paymentId))), { ...known, stage: 'closed', submission: accepted, outcome: paid(paymentId) }],
    ['closed by an earlier run', withEvents(closed(paid(paymentId), true)), { ...nothing, stage: 'closed', outcome: paid(paymentId) }],
  ])('%s', (_what, state, is) => {
    expect(progressOf(state)).toEqual(is);
  });

  const SUBMISSIONS = {
    free: undefined,
    sealed: undefined,
    unanswered: { kind: 'unknown', at: iso(0), said: 'no answer yet, or whoever sent it has died' },
    accepted,
    unknown: { kind: 'unknown', at: iso(30), said: 'time-out after 30 s' },
    rejected: { kind: 'rejected', at: iso(1), said: 'refused: amount too small; no such service' },
    'not sent': { kind: 'not-sent', at: iso(1), said: 'connection refused' },
  } as const satisfies Record<ClaimName, PaymentProgress['submission']>;
  test.each(Object.entries(SUBMISSIONS))('what came of sending it: %s', (claim, submission) => {
    const look = lookAt(40, facts({ claim: CLAIMS[claim as ClaimName] }));
    expect(progressOf(withEvents(registered(look))).submission).toEqual(submission);
  });

  test('what the provider said: to this look, else before, and when it had answered', () => {
    const seen = mergeAll([answer('pending', 20, { answeredAt: at(22) })]);
    const providerOf = (said?: string) =>
      progressOf(withEvents(registered(lookAt(40, facts({ seen }), said)))).provider;
    expect(providerOf()).toEqual({ name: 'Acme Pay', said: 'pending', at: iso(22) });
    expect(providerOf('nothing in time')).toEqual({ name: 'Acme Pay', said: 'nothing in time', at: iso(40) });
  });

  test('whether it is written down, as far as the run knows', () => {
    expect([STARTED, VALIDATING, SENT].map(isRegistered)).toEqual([false, true, true]);
  });
});

describe('search attributes', () => {
  const service = 'KPLC POSTPAID';
  const inProgress: Attributes = { state: 'InProgress', service };
  const OUTCOMES = { paid: paid(paymentId), declined: declined(paymentId), cancelled: cancelled(paymentId) };
  const STATES = { paid: 'Paid', declined: 'Declined', cancelled: 'Cancelled' } as const satisfies Record<
    BillPaymentOutcome['kind'],
    string
  >;

  // prettier-ignore
  test.each<[what: string, state: PaymentState, is: Attributes | undefined]>([
    ['nothing is known: nothing is told', STARTED, undefined],
    ['not even by the store', withEvents(away), { state: 'NeedsAttention', reason: 'store-unavailable' }],
    ['registered', VALIDATING, inProgress],
    ['being sent', next(VALIDATING, { kind: 'submitting' }), inProgress],
    ['sent', SENT, inProgress],
    ['being written down', next(SENT, { kind: 'recording', as: 'paid' }), inProgress],
    ['a person is asked', ASKING, { state: 'NeedsAttention', reason: 'id-in-use', service }],
    ['and the store is away', next(ASKING, away), { state: 'NeedsAttention', reason: 'store-unavailable', service }],
    ['and it is back', withEvents(registered(), away, { kind: 'store-answered' }), inProgress],
    ...Object.values(OUTCOMES).map((outcome) => [outcome.kind, next(SENT, closed(outcome)), { state: STATES[outcome.kind], service }] as [string, PaymentState, Attributes]),
    ['disputed, whatever it ended as', next(SENT, closed(OUTCOMES.declined, true)), { state: 'Disputed', reason: 'disputed', service }],
    ['closed by an earlier run', withEvents(closed(OUTCOMES.paid)), { state: 'Paid' }],
    ['a person was asked, and it has ended', next(ASKING, closed(OUTCOMES.cancelled)), { state: 'Cancelled', service }],
  ])('%s', (_what, state, is) => {
    expect(attributesOf(state)).toEqual(is);
  });

  test('a service without a name has none', () => {
    const { serviceName: _, ...nameless } = bill;
    const state = withEvents({ kind: 'registered', bill: nameless, look: lookAt(10, facts({ claim: CLAIMS.free })) });
    expect(attributesOf(state)).toEqual({ state: 'InProgress' });
    expect(progressOf(state)).not.toHaveProperty('serviceName');
  });
});
