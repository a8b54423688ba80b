import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { disputeWorkflowIdOf, FAILURES, SIGNALS, UPDATES, WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import { createWorker } from '../../src/worker/create-worker';
import { payloadConverter } from '../../src/workflows/payloads';
import { disputed } from '../support/disputes';
import { historyOf, needsAttention, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { NEVER_SENT, ownRequest, PAID_ONCE, sent, SENT_AND_DECLINED, SENT_AND_OPEN, truthOf } from '../support/gates';
import { randomQueue, testTemporal, workflowBundle } from '../support/temporal';

/**
 * G4: the dialogs of the Web UI offer the encoding json/protobuf beside json/plain, take any text, and hand it on as it is. The SDK
 * decodes it before any code of ours runs: what it cannot decode would fail every further task of the run, whoever resets it.
 */
let flow: Flow;
beforeAll(async () => {
  flow = await startFlow();
});

const payloadOf = (encoding: string, data: string): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
const fromUi = (value: unknown) => payloadOf('json/protobuf', JSON.stringify(value));

const UNREADABLE: readonly (readonly [what: string, payload: Payload])[] = [
  ['no JSON as json/plain', payloadOf('json/plain', '{"operator":"amina"')],
  ['no JSON as json/protobuf', payloadOf('json/protobuf', 'confirmed')],
  ['nothing as json/plain', payloadOf('json/plain', '')],
  ['an encoding nobody knows', payloadOf('binary/protobuf', '{}')],
  ['no encoding', { metadata: {}, data: Buffer.from('{}') }],
];

const AMINA = { operator: 'amina', note: 'confirmed by J. Otieno, Almara Pay' };
const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '1 millisecond' } as const;

const execution = (workflowId: string) => ({ namespace: flow.namespace, workflowExecution: { workflowId } });

async function signal(paymentId: string, payloads: Payload[]): Promise<void> {
  await flow.client.workflowService.signalWorkflowExecution({
    ...execution(workflowIdOf(paymentId)),
    signalName: SIGNALS.providerCallback,
    input: { payloads },
  });
}

/** What the dialog shows: the refusal's sentence, or undefined when it was done. */
async function update(workflowId: string, name: string, payload: Payload): Promise<string | undefined> {
  const { outcome } = await flow.client.workflowService.updateWorkflowExecution({
    ...execution(workflowId),
    request: { meta: { updateId: randomUUID() }, input: { name, args: { payloads: [payload] } } },
    waitPolicy: { lifecycleStage: 3 },
  });
  if (!outcome) throw new Error(`${name} has no outcome: the run does not answer`);
  return outcome.failure?.message ?? undefined;
}

async function start(
  workflowType: string,
  workflowId: string,
  payload: Payload,
  queue = flow.taskQueue,
): Promise<void> {
  await flow.client.workflowService.startWorkflowExecution({
    namespace: flow.namespace,
    requestId: randomUUID(),
    workflowId,
    workflowType: { name: workflowType },
    taskQueue: { name: queue },
    input: { payloads: [payload] },
  });
}

/** Bounded: a run whose tasks fail never ends. */
async function resultOf(workflowId: string): Promise<unknown> {
  const run = flow.client.workflow.getHandle(workflowId);
  const status = async () => (await run.describe()).status.name;
  await until(`the end of ${workflowId}`, status, (seen) => seen !== 'RUNNING');
  return await run.result();
}

/** A payment that failed without a code: a person is asked. */
async function asked(): Promise<string> {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: SOON }));
  flow.sandbox.setRecord(paymentId, { status: 6 });
  await needsAttention(flow, paymentId);
  return paymentId;
}

/** No task of the run has failed, and it replays. */
async function expectSound(paymentId: string): Promise<void> {
  const history = await historyOf(flow, paymentId);
  expect((history.events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, workflowIdOf(paymentId));
}

describe('a running payment', () => {
  test.each([...UNREADABLE, ['JSON as json/protobuf', fromUi({})] as const])(
    'takes a signal with %s as one more hint, and can still be decided',
    async (_what, payload) => {
      const paymentId = await asked();
      await signal(paymentId, [payload]);
      await signal(paymentId, [defaultPayloadConverter.toPayload({}), payload]);
      expect(
        await update(workflowIdOf(paymentId), UPDATES.resolvePayment, fromUi({ decision: 'declined', ...AMINA })),
      ).toBe(undefined);
      expect(await resultOf(workflowIdOf(paymentId))).toMatchObject({ kind: 'declined' });
      expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
      await expectSound(paymentId);
    },
  );

  test.each(UNREADABLE)('refuses each update with %s by the sentence for a wrong shape', async (_what, payload) => {
    const paymentId = await asked();
    for (const name of [UPDATES.resolvePayment, UPDATES.checkStatusNow, UPDATES.cancelPayment])
      expect(await update(workflowIdOf(paymentId), name, payload)).toMatch(/^Send one JSON object, such as/);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
    await expectSound(paymentId);
  });
});

test('a dispute refuses what cannot be read, and is resolved by JSON as json/protobuf', async () => {
  const workflowId = disputeWorkflowIdOf(await disputed(flow));
  for (const [, payload] of UNREADABLE)
    expect(await update(workflowId, UPDATES.resolveDispute, payload)).toMatch(/^Send one JSON object, such as/);
  expect(await update(workflowId, UPDATES.resolveDispute, fromUi({ agreed: 'not-paid', ...AMINA }))).toBe(undefined);
  expect(await resultOf(workflowId)).toMatchObject({ agreed: 'not-paid' });
});

describe('a start', () => {
  async function failureOf(...args: Parameters<typeof start>): Promise<ApplicationFailure> {
    await start(...args);
    const error: unknown = await resultOf(args[1]).then(
      (result) => new Error(`it did not fail: ${JSON.stringify(result)}`),
      (failed: unknown) => failed,
    );
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return error.cause;
  }

  test.each(UNREADABLE)('of a payment with %s is an invalid request; its id is free', async (_what, payload) => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const workflowId = workflowIdOf(request.paymentId);
    const failure = await failureOf(WORKFLOWS.billPayment, workflowId, payload);
    expect(failure).toMatchObject({ type: FAILURES.invalidRequest, nonRetryable: true });
    expect(await truthOf(flow, request.paymentId)).toEqual(NEVER_SENT);
    expect(await flow.payments.pay(request)).toMatchObject({ kind: 'paid' });
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
  });

  test('of a payment with JSON as json/protobuf is paid', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    await start(WORKFLOWS.billPayment, workflowIdOf(request.paymentId), fromUi(request));
    expect(await resultOf(workflowIdOf(request.paymentId))).toMatchObject({ kind: 'paid' });
    expect(await flow.payments.pay(request)).toMatchObject({ kind: 'paid' });
    await expect(flow.payments.pay({ ...request, amount: 1 })).rejects.toThrow(/other content/);
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
    await expectSound(request.paymentId);
  });

  // What is not given has a meaning to a reconciliation: what cannot be read must not be taken for that.
  test.each(Object.values(WORKFLOWS))(
    'of %s with an argument that nobody can read fails, and says so',
    async (name) => {
      const failure = await failureOf(name, `unreadable-${randomUUID()}`, payloadOf('json/plain', '{"since":'));
      expect(failure).toMatchObject({ type: FAILURES.invalidRequest, nonRetryable: true });
      expect(failure.message).toContain('json/plain');
    },
  );

  test('is read so too by a worker that bundles the workflows itself', async () => {
    const queue = randomQueue();
    const worker = await createWorker({
      connection: (await testTemporal()).connection,
      namespace: flow.namespace,
      taskQueue: queue,
      provider: flow.provider,
      store: flow.store,
      settings: flow.settings,
      log: flow.log,
    });
    const failing = () =>
      failureOf(WORKFLOWS.billPayment, `unreadable-${randomUUID()}`, payloadOf('json/protobuf', '{'), queue);
    expect(await worker.runUntil(failing)).toMatchObject({ type: FAILURES.invalidRequest });
  });
});

describe('the result of an activity is never guessed', () => {
  const activity = { type: 'activity', namespace: 'default', isLocal: true } as const;

  test.each([...UNREADABLE, ['JSON as json/protobuf', fromUi({ kind: 'recorded' })] as const])(
    '%s stays an error',
    (_what, payload) => {
      expect(() => payloadConverter.fromPayload(payload, activity)).toThrow();
      expect(() => payloadConverter.fromPayload(payload)).toThrow();
    },
  );
});
