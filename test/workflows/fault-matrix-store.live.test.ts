import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { startCallbacks, type RunningCallbacks } from '../../src/callbacks';
import { Refused } from '../../src/client';
import { actionOf } from '../../src/payment/operator-action';
import type { BillPaymentRequest } from '../../src/payment/request';
import { createLog } from '../../src/log';
import type { BehaviourName } from '../../src/sandbox';
import type { Store } from '../../src/store';
import type { Step } from '../../verification/faults';
import { atEndOfFile } from '../support/at-end';
import { testCells, type Scenario } from '../support/cells';
import { broken } from '../support/faults';
import { factsOf, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { COMPLETED, createGates, NEVER_SENT, ownRequest, PAID_ONCE, sent, truthOf, type Gates } from '../support/gates';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

/**
 * G4, G6: The fault matrix, its part about our own store: down, or a commit whose answer is lost, at every step that writes. The steps fail
 * around the real statements; callbacks go through an endpoint whose connections are cut.
 */
let flow: Flow;
let gates: Gates;

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds' } as const;
/** No poll before a callback has come. */
const PATIENT = { ...SHORT_POLICY, callbackGrace: '1 minute', notFoundGrace: '1 minute' } as const;

/** How a step of a payment fails, so many times: the statement is never made, or it is made and its answer lost. */
interface Failing {
  readonly how: 'down' | 'lost';
  left: number;
  failed: number;
}
const failing = new Map<string, Failing>();

const isLocal = (step: Step): boolean => ['register', 'decide', 'record'].includes(step);

async function unlessFailing<T>(step: Step, paymentId: string, run: () => Promise<T>): Promise<T> {
  const fault = failing.get(`${step} ${paymentId}`);
  if (fault === undefined || fault.left === 0) return await run();
  fault.left -= 1;
  fault.failed += 1;
  if (fault.how === 'lost') await run();
  // The last failure ends a round of a local activity's tries: the run itself begins the next.
  throw isLocal(step) && fault.left === 0 ? ApplicationFailure.nonRetryable('broken by the test') : broken();
}

function fail(step: Step, { paymentId }: BillPaymentRequest, how: Failing['how'], times = how === 'lost' ? 1 : 2) {
  const fault: Failing = { how, left: times, failed: 0 };
  failing.set(`${step} ${paymentId}`, fault);
  return fault;
}

function faulty({ payments }: Store): Store['payments'] {
  const within = <T>(activityType: string, step: Step, paymentId: string, run: () => Promise<T>) =>
    activityInfo().activityType === activityType ? unlessFailing(step, paymentId, run) : run();
  return {
    ...payments,
    register: (request, ...rest) =>
      unlessFailing('register', request.paymentId, () => payments.register(request, ...rest)),
    read: (id, ...rest) => within('submitPayment', 'look', id, () => payments.read(id, ...rest)),
    claim: (id, ...rest) => unlessFailing('claim', id, () => payments.claim(id, ...rest)),
    answered: (id, ...rest) => unlessFailing('send', id, () => payments.answered(id, ...rest)),
    look: (id, ...rest) => within('pollPayment', 'poll', id, () => payments.look(id, ...rest)),
    recordOutcome: (id, ending, by) =>
      unlessFailing(actionOf(ending) === undefined ? 'record' : 'decide', id, () =>
        payments.recordOutcome(id, ending, by),
      ),
  };
}

const newRequest = (behaviour: BehaviourName, policy: BillPaymentRequest['policy'] = EAGER) =>
  ownRequest(flow, behaviour, { policy });

/** It fails for a while at this step; then the payment goes on and is paid, once. */
const untilPaid =
  (step: Step, how: Failing['how']): Scenario =>
  async () => {
    const request = await newRequest('callback-lost');
    const fault = fail(step, request, how);
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(fault).toMatchObject({ left: 0 });
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
    return request;
  };

/** A cancellation whose record fails for a while is carried out once. */
const untilCancelled =
  (how: Failing['how']): Scenario =>
  async () => {
    const request = await newRequest('paid-with-callback');
    const { paymentId } = request;
    const validation = gates.hold('validate', request.accountNumber);
    await flow.payments.start(request);
    await validation.reached;
    const fault = fail('decide', request, how);
    await flow.payments.payment(paymentId).cancel({ operator: 'op-1', note: 'entered twice' });
    validation.open();
    expect(fault).toMatchObject({ left: 0 });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'cancelled', by: 'op-1' });
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
    return request;
  };

/** An endpoint whose way to the store can be cut. */
async function endpointThrough(proxy: TcpProxy): Promise<RunningCallbacks> {
  const endpoint = await startCallbacks({
    host: '127.0.0.1',
    port: 0,
    databaseUrl: proxy.url,
    callbacks: flow.providerCallbacks,
    client: flow.client,
    log: createLog('test', 'silent'),
    sweepEveryMs: 60_000,
  });
  atEndOfFile(async () => {
    await endpoint.close();
    await proxy.close();
  });
  return endpoint;
}

/** It waits at the provider, and a callback comes in through an endpoint whose store fails right then. */
async function callbackWhile(fails: (proxy: TcpProxy) => unknown): Promise<BillPaymentRequest> {
  const request = await newRequest('pending-for-ever', PATIENT);
  const paymentId = await sent(flow, request);
  flow.sandbox.setRecord(paymentId, COMPLETED);
  const proxy = await startTcpProxy(flow.databaseUrl);
  const url = flow.providerCallbacks.urlOf((await endpointThrough(proxy)).url, paymentId);
  fails(proxy);
  expect(await flow.sandbox.sendCallback(paymentId, { url })).toMatchObject({ answered: 503 });
  return request;
}

const stored = (paymentId: string) => flow.store.inbox.forPayment(paymentId);

const DECISION = { decision: 'declined', operator: 'op-1', note: 'shown by a test', providerCase: 'C-1' } as const;

testCells(
  async () => {
    gates = createGates();
    flow = await startFlow({
      ...gates.worker,
      store: (real) => gates.worker.store?.({ ...real, payments: faulty(real) }) ?? real,
    });
    return flow;
  },
  {
    'store-down at register: waits-for-store': untilPaid('register', 'down'),
    'store-down at look: expires-unsent': untilPaid('look', 'down'),
    'store-down at claim: expires-unsent': untilPaid('claim', 'down'),
    'store-down at poll: looked-again': untilPaid('poll', 'down'),
    'store-down at decide: waits-for-store': untilCancelled('down'),
    'store-down at record: waits-for-store': untilPaid('record', 'down'),
    'commit-answer-lost at register: retried': untilPaid('register', 'lost'),
    'commit-answer-lost at send: retried': untilPaid('send', 'lost'),
    'commit-answer-lost at poll: looked-again': untilPaid('poll', 'lost'),
    'commit-answer-lost at decide: retried': untilCancelled('lost'),
    'commit-answer-lost at record: retried': untilPaid('record', 'lost'),
    'store-down at send: kept-until-written': async () => {
      const request = await newRequest('paid-with-callback');
      const { paymentId } = request;
      const fault = fail('send', request, 'down', Infinity);
      await flow.payments.start(request);
      await until('a write that fails', () => fault.failed, Boolean);
      const status = () => flow.sandbox.payment(paymentId).status;
      await until('the completed record', status, (shown) => shown === COMPLETED.status);
      // Whoever looks sees the record; while it counts as being sent, that proves nothing, and nobody decides.
      const refused: unknown = await flow.payments
        .payment(paymentId)
        .resolve(DECISION)
        .catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refused);
      expect((refused as Refused).message).toContain('being sent right now');
      const { claim, seen, closed } = await factsOf(flow, paymentId);
      expect(claim).toMatchObject({ kind: 'taken' });
      expect(claim).not.toHaveProperty('answer');
      expect({ isSeen: seen.completedAt !== undefined, closed }).toEqual({ isSeen: true });
      fault.left = 0;
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
      expect((await factsOf(flow, paymentId)).claim).toMatchObject({ answer: { kind: 'accepted' } });
      expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
      return request;
    },
    'store-down at callback: seen-at-next-look': async () => {
      const request = await callbackWhile((proxy) => proxy.cutAll());
      const { paymentId } = request;
      expect(await stored(paymentId)).toEqual([]);
      // The provider sends it again, to an endpoint that is well.
      expect(await flow.sandbox.sendCallback(paymentId)).toMatchObject({ answered: 200 });
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
      return request;
    },
    'commit-answer-lost at callback: seen-at-next-look': async () => {
      const request = await callbackWhile((proxy) => proxy.cut('after-the-answer', 'store-callback'));
      // It is there, and a sweep of whichever endpoint brings it to the workflow.
      expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
      const signalled = async () =>
        (await stored(request.paymentId)).map(({ signalledAt }) => signalledAt !== undefined);
      await until('one signal', signalled, (seen) => seen.join() === 'true');
      return request;
    },
  },
);
