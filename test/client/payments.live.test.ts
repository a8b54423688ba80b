import { getEventListeners, getMaxListeners } from 'node:events';
import { Client, Connection } from '@temporalio/client';
import { BillPayments, EngineUnavailable, InvalidRequest, PaymentConflict, PaymentNotFound } from '../../src/client';
import { workflowIdOf } from '../../src/payment/contract';
import type { PaymentProgress } from '../../src/payment/progress';
import { accountOf, BILL_ROUTE_ID } from '../../src/sandbox';
import {
  FLOAT,
  POSTPAID_SERVICE,
  SHORT_POLICY,
  factsOf,
  needsAttention,
  outcomeOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';

/**
 * The client against the whole system, as a backend holds it: connected by an address alone, on the task queue of the wire
 * contract.
 */
let flow: Flow;
let payments: BillPayments;

beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
  payments = await BillPayments.connect({ address: flow.address, namespace: flow.namespace });
});
afterAll(() => payments.close());

const rejection = async (call: Promise<unknown>): Promise<unknown> =>
  await call.then(
    (value) => Promise.reject(new Error(`did not reject: ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
const postsOf = (paymentId: string) => {
  const { postsSeen: seen, postsCaptured: captured } = flow.sandbox.payment(paymentId);
  return { seen, captured };
};
const recorded = async (paymentId: string) => (await factsOf(flow, paymentId)).closed?.outcome;
const runIdOf = async (paymentId: string) =>
  (await flow.client.workflow.getHandle(workflowIdOf(paymentId)).describe()).runId;
const by = { operator: 'op-1', note: 'confirmed by the provider' };

describe('a payment from the client to the provider and back', () => {
  test('pay: paid, with the receipt; the same that is recorded, and progress tells it ever after', async () => {
    const request = flow.request('paid-with-callback');
    const { paymentId } = request;
    const before = await flow.store.funds.account(FLOAT.account);
    const outcome = await payments.pay(request);
    expect(outcome).toMatchObject({ kind: 'paid', paymentId, amount: 220, currency: 'KES', settledBy: 'callback' });
    expect(outcome).toMatchObject({ receipt: { number: expect.any(String) as string } });
    expect(await recorded(paymentId)).toEqual(outcome);
    expect(await payments.payment(paymentId).outcome()).toEqual(outcome);
    expect(await payments.payment(paymentId).progress()).toMatchObject({ paymentId, stage: 'closed', outcome });
    expect(postsOf(paymentId)).toEqual({ seen: 1, captured: 1 });
    expect((await flow.store.funds.account(FLOAT.account))?.posted).toBe((before?.posted ?? 0) + 220);
  });

  test('start and follow: each stage once, in order, through a decision to the end', async () => {
    const request = flow.request('amount-differs');
    const payment = await payments.start(request);
    const seen: PaymentProgress[] = [];
    let decided = false;
    for await (const progress of payment.follow()) {
      seen.push(progress);
      if (progress.stage !== 'needs-attention' || decided) continue;
      decided = true;
      await payment.resolve({ ...by, decision: 'paid', amount: 200, receiptNumber: 'R-1' });
    }
    const stages = seen.map(({ stage }) => stage).filter((stage, at, all) => stage !== all[at - 1]);
    const order = [
      'validating',
      'reserving',
      'submitting',
      'awaiting-result',
      'needs-attention',
      'recording',
      'closed',
    ];
    expect(stages).toEqual(order.filter((stage) => (stages as string[]).includes(stage)));
    expect(stages.slice(stages.indexOf('needs-attention')).filter((stage) => stage !== 'recording')).toEqual([
      'needs-attention',
      'closed',
    ]);
    expect(seen.find(({ stage }) => stage === 'needs-attention')).toMatchObject({ reason: 'evidence-mismatch' });
    const outcome = { kind: 'paid', amount: 200, settledBy: 'operator', receipt: { number: 'R-1' } };
    expect(seen.at(-1)).toMatchObject({ stage: 'closed', outcome });
    expect(await recorded(request.paymentId)).toMatchObject(outcome);
    expect(postsOf(request.paymentId)).toEqual({ seen: 1, captured: 1 });
  });

  test('every wrong field is named before anything starts', async () => {
    const request = flow.request('paid-with-callback', { amount: 0, payer: { name: '', msisdn: '+254712345678' } });
    const error = await rejection(payments.start(request));
    expect(error).toBeInstanceOf(InvalidRequest);
    expect((error as InvalidRequest).problems.map(({ field }) => field)).toEqual([
      'amount',
      'payer.name',
      'payer.msisdn',
    ]);
    const payment = payments.payment(request.paymentId);
    expect(await rejection(payment.progress())).toBeInstanceOf(PaymentNotFound);
    await expect(recorded(request.paymentId)).rejects.toThrow();
    expect(postsOf(request.paymentId)).toEqual({ seen: 0, captured: 0 });
  });
});

describe('G8: one id is one payment', () => {
  test('while it runs: any number of starts with the same content are one run, other content is a conflict', async () => {
    const request = flow.request('pending-for-ever');
    const { paymentId } = request;
    await Promise.all(Array.from({ length: 8 }, () => payments.start(request)));
    const runId = await runIdOf(paymentId);
    await until(
      'it was sent',
      () => postsOf(paymentId).seen,
      (seen) => seen === 1,
    );
    const again = {
      ...request,
      country: 'KE',
      policy: { ...SHORT_POLICY, pollInterval: '1 second' },
      serviceName: 'Other',
    };
    expect(await payments.pay(again, { waitMs: 0 })).toMatchObject({ kind: 'open', paymentId });
    expect(await rejection(payments.start({ ...request, amount: 221 }))).toMatchObject({
      code: 'payment-conflict',
      paymentId,
    });
    expect(await rejection(payments.pay({ ...request, accountNumber: '100001' }))).toBeInstanceOf(PaymentConflict);
    expect(await runIdOf(paymentId)).toBe(runId);
    expect(postsOf(paymentId)).toEqual({ seen: 1, captured: 1 });
  });

  test.each(['paid-with-callback', 'rejected'] as const)(
    'after it has closed (%s): the same content gets its outcome, other content a conflict, and nothing is sent',
    async (behaviour) => {
      const request = flow.request(behaviour);
      const { paymentId } = request;
      const outcome = await payments.pay(request);
      const posts = postsOf(paymentId);
      const runId = await runIdOf(paymentId);
      expect(outcome.kind).toBe(behaviour === 'rejected' ? 'declined' : 'paid');
      expect(await payments.pay(request)).toEqual(outcome);
      expect(await rejection(payments.pay({ ...request, description: 'Water' }))).toBeInstanceOf(PaymentConflict);
      expect(await recorded(paymentId)).toEqual(outcome);
      expect(await runIdOf(paymentId)).toBe(runId);
      expect(postsOf(paymentId)).toEqual(posts);
    },
  );
});

describe('waiting is bounded, and waiting less changes nothing', () => {
  test('no wait at all: open at once, and the payment goes on by itself', async () => {
    const request = flow.request('callback-lost');
    const open = await payments.pay(request, { waitMs: 0 });
    expect(open).toMatchObject({ kind: 'open', paymentId: request.paymentId });
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
  });

  test('an aborted wait rejects with the reason, and the payment goes on', async () => {
    const request = flow.request('amount-differs');
    const controller = new AbortController();
    const reason = new Error('the caller has gone');
    await payments.start(request);
    const waiting = rejection(payments.pay(request, { signal: controller.signal }));
    await needsAttention(flow, request.paymentId);
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await rejection(payments.pay(request, { signal: controller.signal }))).toBe(reason);
    const progress = await payments.payment(request.paymentId).resolve({ ...by, decision: 'paid' });
    expect(progress).toMatchObject({ stage: 'closed', outcome: { kind: 'paid' } });
  });

  test('many payments wait with one signal: no leak, and none is said to be', async () => {
    const { paymentId } = await payments.start(flow.request('amount-differs'));
    const { signal } = new AbortController();
    const waits = Promise.all(Array.from({ length: 15 }, () => payments.payment(paymentId).outcome({ signal })));
    const listeners = () => getEventListeners(signal, 'abort').length;
    await until('all wait', listeners, (count) => count >= 15);
    // Beyond this Node warns.
    const limit = getMaxListeners(signal);
    await needsAttention(flow, paymentId);
    await payments.payment(paymentId).resolve({ ...by, decision: 'paid' });
    expect(new Set((await waits).map(({ kind }) => kind))).toEqual(new Set(['paid']));
    expect(limit).toBeGreaterThan(15);
    expect(listeners()).toBe(0);
  });

  test('a wait longer than one call to the server is several, so that a call ends before it is taken for a leak', async () => {
    const { paymentId } = await payments.start(flow.request('amount-differs'));
    await needsAttention(flow, paymentId);
    const connection = Connection.lazy({ address: flow.address });
    const limits: number[] = [];
    const passed = Object.assign(new Error('Deadline exceeded'), { code: 4, details: '', metadata: {} });
    Object.assign(connection, {
      withDeadline: (deadline: number, call: () => Promise<unknown>) => {
        limits.push(deadline - Date.now());
        // The first two end as if their time had passed; the wait has not.
        return limits.length <= 2
          ? Promise.reject(passed)
          : Connection.prototype.withDeadline.call(connection, deadline, call);
      },
    });
    const counted = new BillPayments(new Client({ connection, namespace: flow.namespace }));
    const waiting = counted.payment(paymentId).outcome({ waitMs: 600_000 });
    await payments.payment(paymentId).resolve({ ...by, decision: 'paid' });
    expect(await waiting).toMatchObject({ kind: 'paid' });
    expect(limits.length).toBe(3);
    // A minute, and the margin by which the server's deadline lies behind ours.
    expect(Math.max(...limits)).toBeLessThanOrEqual(65_000);
    await connection.close();
  });
});

describe('questions', () => {
  const bill = { serviceId: POSTPAID_SERVICE, accountNumber: accountOf('bill-due') };

  test('inquire: the holder, what is due, the saved number; an invalid account says why', async () => {
    const due = { customerName: 'JOSEPH GITHITHU', dueAmount: 1074, dueDate: '2021-10-26 00:00:00', currency: 'KES' };
    const saved = { accountNumber: bill.accountNumber, serviceName: 'KPLC POSTPAID', verified: true };
    expect(await payments.inquire(bill)).toMatchObject({ valid: true, ...due, saved });
    const nothingSaved = await payments.inquire({ ...bill, accountNumber: accountOf('paid-with-callback') });
    expect(nothingSaved).toMatchObject({ valid: true });
    expect(nothingSaved.saved).toBeUndefined();
    expect(await payments.inquire({ ...bill, accountNumber: accountOf('invalid-account') })).toEqual({
      valid: false,
      reason: 'Account number number is invalid.',
    });
    // A question carries no payment id and pays nothing.
    expect(flow.sandbox.ledger.payments().filter(({ requests }) => requests.length === 0)).toEqual([]);
  });

  test('services, and saving a bill number that the next inquiry shows', async () => {
    expect(await payments.services()).toContainEqual({
      serviceId: POSTPAID_SERVICE,
      name: 'KPLC POSTPAID',
      category: 'ELECTRICITY',
    });
    const mine = { ...bill, accountNumber: '77001' };
    expect((await payments.inquire(mine)).saved).toBeUndefined();
    expect(await payments.saveBillNumber({ ...mine, phoneNumber: '254712345678' })).toMatchObject({ verified: true });
    expect((await payments.inquire(mine)).saved).toMatchObject({ accountNumber: '77001' });
  });

  test('checkProvider: health, routes and wallet', async () => {
    expect(await payments.checkProvider()).toMatchObject({
      ok: true,
      health: { kind: 'ok' },
      routes: {
        kind: 'ok',
        value: expect.arrayContaining([expect.objectContaining({ id: BILL_ROUTE_ID })]) as unknown,
      },
      wallet: { kind: 'ok' },
    });
  });
});

test('without a worker a payment can be started and is open; what needs one says so, and what to do', async () => {
  await flow.stopWorker();
  const request = flow.request('paid-with-callback');
  const { paymentId } = request;
  expect(await payments.pay(request, { waitMs: 0 })).toEqual({ kind: 'open', paymentId });
  const { address, namespace } = flow;
  const hasty = await BillPayments.connect({ address, namespace, callTimeoutMs: 3_000 });
  for (const call of [() => hasty.payment(paymentId).progress(), () => hasty.checkProvider()]) {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(EngineUnavailable);
    const message = expect.stringMatching(/no worker of the task queue "bill-payments".*Start a worker/) as string;
    expect(error).toMatchObject({ part: 'worker', message });
  }
  expect(postsOf(paymentId)).toEqual({ seen: 0, captured: 0 });

  await flow.startWorker();
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
  expect(postsOf(paymentId)).toEqual({ seen: 1, captured: 1 });
  await hasty.close();
});
