import { FAILURES, WORKFLOWS } from '../../src/payment/contract';
import type { Ending } from '../../src/payment/ending';
import type { BillPaymentRequest } from '../../src/payment/request';
import { factsOf, factsWhen, needsAttention, outcomeOf, SHORT_POLICY, startFlow, type Flow } from '../support/flow';
import { BECAUSE, declinedPayment } from '../support/disputes';
import { startStranger, type ActivityName, type Stranger } from '../support/foreign-caller';
import { COMPLETED, FUNDS, NEVER_SENT, ownRequest, PAID_ONCE, sent, SENT_AND_OPEN, truthOf } from '../support/gates';
import { onDatabase } from '../support/postgres';

/**
 * G1, G2, G3, G6: Whoever may start workflows in the namespace can call the activities with whatever they invent. Nothing is sent but
 * what was registered, nothing is closed but what is proven, and what must be believed is believed from a payment's own run alone.
 */
let flow: Flow;
let stranger: Stranger;

beforeAll(async () => {
  flow = await startFlow({ callbacks: { sweepEveryMs: 3_600_000 } });
  stranger = await startStranger(flow);
});

const REFUSED = { type: FAILURES.refused, nonRetryable: true };
const INVALID = { type: FAILURES.invalidRequest, nonRetryable: true };
const BY = { operator: 'amina', note: 'mine' };
const DECIDED: Ending = { kind: 'decided', resolution: { decision: 'paid', ...BY } };
const DECLINED: Ending = { kind: 'decided', resolution: { decision: 'declined', ...BY, providerCase: 'C-1' } };
const CANCELLED: Ending = { kind: 'unsent', why: { kind: 'cancelled', ...BY } };
const EXPIRED: Ending = {
  kind: 'unsent',
  why: { kind: 'gave-up', step: 'submission', reason: 'expired', said: 'too late' },
};
/** Nothing but messages makes it look. */
const DEAF = { ...SHORT_POLICY, callbackGrace: '10 minutes' };

const record = (paymentId: string, ending: unknown) => stranger.call('recordOutcome', { paymentId, ending });

describe('what was registered is sent, once, and nothing else', () => {
  /** Registered, and waiting for money: its claim is free. */
  async function waiting(): Promise<BillPaymentRequest> {
    const policy = { ...SHORT_POLICY, fundsWithin: '10 minutes' };
    const request = await ownRequest(flow, 'paid-with-callback', { amount: FUNDS + 1, policy });
    await flow.payments.start(request);
    await factsWhen(flow, request.paymentId, 'the registration', ({ claim }) => claim.kind === 'free');
    return request;
  }
  const checkedOf = ({ policy: _, ...request }: BillPaymentRequest) => ({
    ...{ currency: 'KES', country: 'KE' },
    ...request,
  });

  test.concurrent.each([
    ['another account', { accountNumber: '999999' }],
    ['another amount', { amount: 1 }],
    ['another service', { serviceId: '11111111-2222-4333-8444-555555555555' }],
    ['another payer', { payer: { name: 'Somebody', msisdn: '254700000000' } }],
    ['another description', { description: 'other' }],
    ['no account to pay it from', { fundingAccount: undefined, amount: 1 }],
  ])('%s: no claim, and nothing leaves', async (_what, change) => {
    const request = await waiting();
    const { paymentId } = request;
    const other = { ...checkedOf(request), ...change };
    await expect(stranger.call('submitPayment', other)).rejects.toThrow();
    expect((await factsOf(flow, paymentId)).claim).toEqual({ kind: 'free' });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);

    await flow.store.funds.add({ account: paymentId, amount: 1, currency: 'KES' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount: FUNDS + 1 });
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: [0, 0, FUNDS + 1] });
  });

  test.concurrent('a payment that nobody has registered', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const { paymentId } = request;
    await expect(stranger.call('submitPayment', checkedOf(request))).rejects.toThrow('is not in the store');
    await expect(stranger.call('registerPayment', request)).rejects.toMatchObject(INVALID);
    await expect(factsOf(flow, paymentId)).rejects.toThrow('is not in the store');
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  });

  test.concurrent('the same content, however often, and while its own run sends it', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    await flow.payments.start(request);
    const { paymentId } = request;
    await factsWhen(flow, paymentId, 'the registration', () => true);
    const calls = Array.from({ length: 5 }, () => stranger.call('submitPayment', checkedOf(request)));
    await Promise.allSettled(calls);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    await Promise.allSettled([stranger.call('submitPayment', checkedOf(request))]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });
});

describe('what is proven is recorded, and nothing else', () => {
  async function pending(): Promise<string> {
    const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: DEAF }));
    await factsWhen(flow, paymentId, 'the answer', ({ claim }) => claim.kind === 'taken' && claim.answer !== undefined);
    return paymentId;
  }

  test.concurrent('not what they ask for, while it is pending', async () => {
    const paymentId = await pending();
    expect(await record(paymentId, { kind: 'proven' })).toMatchObject({ kind: 'open' });
    for (const ending of [DECIDED, DECLINED, CANCELLED, EXPIRED])
      await expect(record(paymentId, ending)).rejects.toMatchObject(REFUSED);
    await expect(
      stranger.callAs(WORKFLOWS.billPayment, 'recordOutcome', { paymentId, ending: DECIDED }),
    ).rejects.toMatchObject(REFUSED);
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
  });

  test.concurrent('no outcome, no answer and no verdict that they bring along', async () => {
    const paymentId = await pending();
    const outcome = { kind: 'paid', paymentId, amount: 1 };
    await expect(record(paymentId, { kind: 'proven', outcome })).rejects.toMatchObject(INVALID);
    const withMore = { paymentId, ending: { kind: 'proven' }, outcome, verdict: { kind: 'paid' }, seen: {} };
    await expect(stranger.call('recordOutcome', withMore)).rejects.toMatchObject(INVALID);
    await expect(stranger.call('pollPayment', { paymentId, observation: outcome })).rejects.toMatchObject(INVALID);
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  });

  test.concurrent('what is proven, whoever asks: the run hears of it', async () => {
    const paymentId = await pending();
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await stranger.call('lookAtPayment', paymentId);
    expect(await record(paymentId, { kind: 'proven' })).toMatchObject({ kind: 'closed', outcome: { kind: 'paid' } });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
    await flow.payments.payment(paymentId).checkNow({ operator: 'amina' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
  });

  test.concurrent('no decision of theirs on what waits for a person', async () => {
    const policy = { ...SHORT_POLICY, failureConfirmation: '1 millisecond' };
    const paymentId = await sent(flow, await ownRequest(flow, 'failed-callback-lost', { policy }));
    await needsAttention(flow, paymentId);
    for (const ending of [DECIDED, DECLINED]) await expect(record(paymentId, ending)).rejects.toMatchObject(REFUSED);
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
  });

  test.concurrent('and nothing of a payment that nobody knows', async () => {
    const { paymentId } = flow.request('paid-with-callback');
    await expect(record(paymentId, { kind: 'proven' })).rejects.toThrow('is not in the store');
    await expect(stranger.call('lookAtPayment', paymentId)).rejects.toThrow('is not in the store');
    await expect(stranger.call('pollPayment', { paymentId })).rejects.toThrow('is not in the store');
  });
});

describe('disputes and reconciliation', () => {
  test.concurrent('a dispute is not settled by them, and not taken for opened while no run of it waits', async () => {
    const paymentId = await declinedPayment(flow);
    await flow.store.disputes.raise(paymentId, { by: 'look', because: BECAUSE });
    const resolution = { agreed: 'paid', ...BY };
    const settle = { paymentId, resolution };
    await expect(stranger.call('recordResolution', settle)).rejects.toMatchObject(REFUSED);
    await expect(stranger.callAs(WORKFLOWS.paymentDispute, 'recordResolution', settle)).rejects.toMatchObject(REFUSED);
    await stranger.call('markDisputeOpened', paymentId);
    const dispute = await flow.store.disputes.find(paymentId);
    expect(dispute).toMatchObject({ paymentId });
    expect([dispute?.openedAt, dispute?.resolution]).toEqual([undefined, undefined]);
  });

  test.concurrent('a report of theirs is not kept: the next reconciliation leaves nothing out', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const counts = { payments: 0, asked: 0, notAsked: 0, runs: 0, disputesRaised: 0, moreDifferences: 0 };
    const report = {
      ...{ since: at, until: '2099-01-01T00:00:00.000Z', startedAt: at, finishedAt: at },
      ...{ complete: true, differences: [], ...counts },
    };
    await expect(stranger.call('recordReconciliation', 'a-run', report)).rejects.toMatchObject(REFUSED);
    const { until } = await flow.store.reconciliations.window(undefined);
    expect(Date.parse(until)).toBeLessThan(Date.parse('2099-01-01'));
  });
});

/** What is wrong for every activity that takes something. */
const NONSENSE = [undefined, null, 42, 'X', [], { nonsense: true }, { paymentId: 'UPPER-CASE-1', kind: 'paid' }];
const takesNothing = 'takes nothing';
const ACTIVITIES: Readonly<Record<ActivityName, typeof takesNothing | readonly unknown[]>> = {
  registerPayment: NONSENSE,
  recordOutcome: [...NONSENSE, { paymentId: 't-00000001', ending: { kind: 'paid' } }, { paymentId: 't-00000001' }],
  submitPayment: NONSENSE,
  lookAtPayment: NONSENSE,
  pollPayment: [...NONSENSE, { paymentId: 't-00000001', firstLookIn: -1 }],
  validateAccount: NONSENSE,
  queryBill: NONSENSE,
  findBillNumber: NONSENSE,
  saveBillNumber: NONSENSE,
  listBillServices: takesNothing,
  listRoutes: takesNothing,
  walletBalance: takesNothing,
  checkHealth: takesNothing,
  readDispute: NONSENSE,
  recordResolution: [...NONSENSE, { paymentId: 't-00000001', resolution: { agreed: 'maybe', ...BY } }],
  beginReconciliation: [...NONSENSE, { since: 'yesterday' }],
  reconcilePage: NONSENSE,
  reconcileRuns: NONSENSE,
  reconcileStore: takesNothing,
  disputesToOpen: [...NONSENSE, 0, -1, 1.5, 1_000_000].filter((value) => value !== 42),
  markDisputeOpened: NONSENSE,
  recordReconciliation: takesNothing,
};

const ROWS = Object.entries(ACTIVITIES).flatMap(([name, values]) =>
  values === takesNothing ? [] : values.map((value) => ({ name: name as ActivityName, value })),
);

test.concurrent.each(ROWS)('$name of $value fails at once, for good', async ({ name, value }) => {
  await expect(stranger.call(name, value)).rejects.toMatchObject(INVALID);
});

test('and nothing of that was written', async () => {
  await onDatabase(flow.databaseUrl, async (client) => {
    const { rows } = await client.query(`SELECT payment_id FROM payments WHERE payment_id !~ '^t-\\d{6}-'`);
    expect(rows).toEqual([]);
  });
});
