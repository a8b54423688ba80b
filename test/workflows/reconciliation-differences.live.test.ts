import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, WORKFLOWS, disputeWorkflowIdOf, workflowIdOf } from '../../src/payment/contract';
import { DIFFERENCES, type DifferenceKind } from '../../src/payment/reconciliation';
import { STATUS } from '../../src/sandbox/behaviour';
import type { BehaviourName } from '../../src/sandbox';
import type { Store } from '../../src/store';
import {
  clockAhead,
  factsOf,
  factsWhen,
  needsAttention,
  outcomeOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { found, plant, reconcile } from '../support/reconcile';
import {
  ACCEPTED,
  claimOf,
  FINGERPRINT,
  newPaymentId,
  observed,
  PROVEN,
  reading,
  recordOf,
  requestOf,
  rulesOf,
} from '../support/store';

/**
 * Every kind of difference, planted once in one system: a reconciliation finds each of them, and nothing else. The workers' clock is
 * set ahead for it, so that nobody has to wait for what is overdue.
 */
let flow: Flow;
/** Their rows cannot be written: as after an outage of the store, when the runs still pause before they try again. */
const unwritable = new Set<string>();
const store = (real: Store): Store => ({
  ...real,
  payments: {
    ...real.payments,
    register: (request, ...rest) =>
      unwritable.has(request.paymentId)
        ? Promise.reject(ApplicationFailure.nonRetryable('the store is away'))
        : real.payments.register(request, ...rest),
  },
});
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true, callbacks: { sweepEveryMs: 3_600_000 }, store });
});

const HOUR = 3_600_000;
/** Beyond the longest policy. */
const AHEAD = 49 * HOUR;

async function settled(behaviour: BehaviourName, change: Parameters<Flow['request']>[1] = {}): Promise<string> {
  const request = flow.request(behaviour, change);
  await flow.payments.start(request);
  await outcomeOf(flow, request.paymentId);
  return request.paymentId;
}

/** Its callback must not come later and have its own way with what is planted. */
const withoutFunds = { fundingAccount: undefined };

async function saying(behaviour: BehaviourName, status: number | null): Promise<string> {
  const paymentId = await settled(behaviour);
  flow.sandbox.setRecord(paymentId, status === null ? null : { status });
  return paymentId;
}

/** Sent and accepted, and no run of it has ever been. */
async function sent(account = flow.merchant.account): Promise<string> {
  const { payments } = flow.store;
  const by = { ...flow.merchant, account };
  const paymentId = newPaymentId();
  const claim = claimOf();
  const registered = await payments.register(requestOf(paymentId), FINGERPRINT, rulesOf(), by);
  if (registered.kind !== 'open') throw new Error(`a new payment is ${registered.kind}`);
  await payments.claim(paymentId, registered.reading, claim, by);
  await payments.answered(paymentId, claim.nonce, ACCEPTED, by);
  return paymentId;
}

/** Proven and recorded as paid, and no run of it knows. */
async function paid(paymentId: string, account = flow.merchant.account): Promise<void> {
  const { payments } = flow.store;
  const by = { ...flow.merchant, account };
  await payments.look(paymentId, observed(recordOf(paymentId, 'completed')), by);
  expect(await payments.recordOutcome(paymentId, PROVEN, by)).toMatchObject({ outcome: { kind: 'paid' } });
}

/** A run whose tasks no worker takes. Gives the queue where they lie. */
async function stuckRun(paymentId: string): Promise<string> {
  const { connection, options } = flow.client;
  const taskQueue = `nobody-${randomUUID()}`;
  await new Client({ connection, namespace: options.namespace }).workflow.start(WORKFLOWS.billPayment, {
    taskQueue,
    workflowId: workflowIdOf(paymentId),
    args: [{}],
    typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.state, value: 'InProgress' }],
  });
  return taskQueue;
}

/** As a worker does whose code does not fit the history. */
async function failFourTimes(queue: string): Promise<void> {
  const { workflowService, options } = flow.client;
  const { namespace } = options;
  for (let attempt = 1; attempt <= 4; attempt++) {
    const { taskToken } = await workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: queue } });
    await workflowService.respondWorkflowTaskFailed({ namespace, taskToken, identity: 'planted' });
  }
}

const PLANTED: Readonly<Record<DifferenceKind, () => Promise<string>>> = {
  'declined-but-completed': () => saying('failed-refusal', STATUS.completed),
  'declined-but-pending': () => saying('failed-refusal', STATUS.pending),
  'paid-but-failed': () => saying('paid-with-callback', STATUS.failed),
  'paid-but-pending': () => saying('paid-with-callback', STATUS.pending),
  'paid-but-unknown-to-provider': () => saying('paid-with-callback', null),
  'sealed-but-captured': () => saying('invalid-account', STATUS.completed),
  async 'paid-other-amount'() {
    const paymentId = await settled('paid-with-callback');
    flow.sandbox.setRecord(paymentId, { amount: 2200 });
    return paymentId;
  },
  async 'record-of-another'() {
    const paymentId = await settled('paid-with-callback');
    flow.sandbox.setRecord(paymentId, { transactionType: 3 });
    return paymentId;
  },
  async 'id-in-use'() {
    const request = flow.request('record-exists');
    await flow.payments.start(request);
    await needsAttention(flow, request.paymentId);
    return request.paymentId;
  },
  'open-without-run': () => sent(),
  async 'run-failed'() {
    const request = flow.request('pending-for-ever');
    await flow.payments.start(request);
    await factsWhen(flow, request.paymentId, 'the claim', ({ claim }) => claim.kind === 'taken');
    await flow.client.workflow.getHandle(workflowIdOf(request.paymentId)).terminate('planted');
    return request.paymentId;
  },
  async 'run-without-row'() {
    const paymentId = await settled('callback-lost', withoutFunds);
    await plant(flow, 'DELETE FROM payments WHERE payment_id = $1', [paymentId]);
    return paymentId;
  },
  async 'result-differs'() {
    const paymentId = await settled('callback-lost', withoutFunds);
    await plant(flow, "UPDATE payments SET outcome = NULL, closed_at = NULL, receipt = '{}' WHERE payment_id = $1", [
      paymentId,
    ]);
    return paymentId;
  },
  async 'closed-but-still-running'() {
    const paymentId = await sent();
    await stuckRun(paymentId);
    const { amount, accountNumber, currency: currencyCode } = requestOf(paymentId);
    const record = { status: STATUS.completed, amount, accountNumber, currencyCode, receiptNumber: 'S575998' };
    flow.sandbox.setRecord(paymentId, record);
    await paid(paymentId);
    return paymentId;
  },
  async 'run-stuck'() {
    const paymentId = await sent();
    await failFourTimes(await stuckRun(paymentId));
    return paymentId;
  },
  async 'overdue-open'() {
    const paymentId = await sent();
    await stuckRun(paymentId);
    return paymentId;
  },
  async 'claim-of-another-account'() {
    const account = 'of-another-account';
    const paymentId = await sent(account);
    await paid(paymentId, account);
    return paymentId;
  },
  async 'posted-amount-differs'() {
    const paymentId = await settled('paid-with-callback');
    await plant(flow, 'UPDATE reservations SET posted = 200, released = 20 WHERE payment_id = $1', [paymentId]);
    await plant(
      flow,
      "UPDATE funding_accounts SET posted = posted - 20, available = available + 20 WHERE id = 'float-1'",
    );
    return paymentId;
  },
  async 'reservation-open-after-close'() {
    const paymentId = await settled('rejected');
    await plant(
      flow,
      'UPDATE reservations SET settled_at = NULL, posted = NULL, released = NULL WHERE payment_id = $1',
      [paymentId],
    );
    await plant(
      flow,
      "UPDATE funding_accounts SET reserved = reserved + 220, available = available - 220 WHERE id = 'float-1'",
    );
    return paymentId;
  },
  async 'account-does-not-add-up'() {
    const account = 'float-that-is-off';
    await flow.store.funds.add({ account, amount: 1_000, currency: 'KES' });
    await plant(flow, 'UPDATE funding_accounts SET posted = posted + 10, available = available - 10 WHERE id = $1', [
      account,
    ]);
    return account;
  },
  async 'callback-undelivered'() {
    const paymentId = newPaymentId();
    await flow.store.inbox.add({ paymentId, digest: 'planted', body: '{}', reading: reading() });
    return paymentId;
  },
  async 'dispute-not-opened'() {
    const paymentId = await settled('rejected');
    await flow.store.disputes.raise(paymentId, { by: 'callback', because: 'planted' });
    return paymentId;
  },
  async 'dispute-without-run'() {
    const paymentId = await settled('rejected');
    const { raise, toOpen, markOpened } = flow.store.disputes;
    await raise(paymentId, { by: 'callback', because: 'planted' });
    const dispute = (await toOpen(10)).find((one) => one.paymentId === paymentId);
    const { taskQueue } = flow;
    const workflowId = disputeWorkflowIdOf(paymentId);
    const run = await flow.client.workflow.start(WORKFLOWS.paymentDispute, { taskQueue, workflowId, args: [dispute] });
    await markOpened(paymentId);
    await run.terminate('planted');
    return paymentId;
  },
};

/** Still to be registered, and in a pause that is longer than a reconciliation takes. */
async function waitingForStore(): Promise<{ readonly paymentId: string; readonly pauses: () => Promise<number> }> {
  const request = flow.request('paid-with-callback');
  unwritable.add(request.paymentId);
  await flow.payments.start(request);
  const pauses = async () =>
    ((await flow.client.workflow.getHandle(workflowIdOf(request.paymentId)).fetchHistory()).events ?? []).filter(
      (event) => event.timerStartedEventAttributes,
    ).length;
  return { paymentId: request.paymentId, pauses };
}

const KINDS = Object.keys(DIFFERENCES) as DifferenceKind[];
/** The ones that contradict an outcome about money, and what their disputes say. */
const DISPUTED: ReadonlyMap<DifferenceKind, RegExp> = new Map([
  ['declined-but-completed', /^Recorded as declined; the provider says completed/],
  ['paid-but-failed', /^Recorded as paid KES 220; the provider says failed/],
  ['paid-other-amount', /^Recorded as paid KES 220; the provider says completed.* answer: KES 2200, sent: KES 220$/],
  ['sealed-but-captured', /^Recorded as declined; the provider says completed/],
]);

test('every kind is found where it was planted, and nothing else; what contradicts an outcome is disputed, once', async () => {
  const waiting = await waitingForStore();
  const subjects = new Map<DifferenceKind, string>();
  for (const kind of KINDS) subjects.set(kind, await PLANTED[kind]());
  const paidAndFine = await settled('paid-with-callback');
  const outcomeBefore = (await factsOf(flow, paidAndFine)).closed;
  await flow.sandbox.idle();
  const completed = async () => {
    const runs = [];
    for await (const { workflowId } of flow.client.workflow.list({ query: "ExecutionStatus = 'Completed'" }))
      runs.push(workflowId);
    return runs;
  };
  await until('the list of runs is up to date', completed, (runs) => runs.includes(workflowIdOf(paidAndFine)));

  await flow.stopWorker();
  await flow.startWorker({ store, clock: clockAhead(AHEAD) });
  // 5, 10 and 20 s are over: it tries again after 40.
  await until('a long pause', waiting.pauses, (pauses) => pauses > 3);
  const expected = [...subjects].map(([kind, subject]) => `${kind} ${subject}${DISPUTED.has(kind) ? ' !' : ''}`);
  const report = await reconcile(flow);
  expect(found(report)).toEqual(expected.sort());
  expect(report).toMatchObject({ complete: true, disputesRaised: DISPUTED.size });
  expect((await factsOf(flow, paidAndFine)).closed).toEqual(outcomeBefore);

  for (const [kind, because] of DISPUTED) {
    const subject = subjects.get(kind) ?? '';
    const dispute = await flow.store.disputes.find(subject);
    expect(dispute).toMatchObject({ raisedBy: 'look', openedAt: expect.any(String) as string });
    expect(dispute?.because).toMatch(because);
    const run = await flow.client.workflow.getHandle(disputeWorkflowIdOf(subject)).describe();
    expect(run).toMatchObject({ type: WORKFLOWS.paymentDispute, status: { name: 'RUNNING' } });
  }
  // Raised by somebody else and left lying: reconciliation opens it, too.
  const left = subjects.get('dispute-not-opened') ?? '';
  expect(await flow.store.disputes.find(left)).toMatchObject({
    raisedBy: 'callback',
    openedAt: expect.any(String) as string,
  });

  // Ended by hand: started again, as nobody has resolved it.
  const ended = disputeWorkflowIdOf(subjects.get('dispute-without-run') ?? '');
  expect(await flow.client.workflow.getHandle(ended).describe()).toMatchObject({ status: { name: 'RUNNING' } });

  const again = await reconcile(flow);
  expect(found(again)).toEqual(expected.filter((one) => !/^dispute-(not-opened|without-run)/.test(one)));
  expect(again.disputesRaised).toBe(0);
});
