import { activityInfo } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { PaymentConflict } from '../../src/client';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName } from '../../src/sandbox';
import type { Store } from '../../src/store';
import {
  factsOf,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import {
  COMPLETED,
  createGates,
  firstTask,
  FUNDS,
  lastTask,
  ownRequest,
  PAID_ONCE,
  resetRun,
  runOf,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  startAgain,
  truthOf,
  type Gates,
} from '../support/gates';

/**
 * What the engine can be made to do with a run: reset it to an earlier point, terminate it, forget it. The store remembers the
 * claim and the outcome, so that nothing is sent again (G1), nothing ends otherwise (G7), and the same id is the same payment (G8).
 */
let flow: Flow;
let gates: Gates;

beforeAll(async () => {
  gates = createGates();
  flow = await startFlow({ ...gates.worker, store: (real) => gates.worker.store?.(cuttingOff(real)) ?? real });
});

/** Runs whose decisions do not come to the store. */
const cutOff = new Set<string>();

function cuttingOff(real: Store): Store {
  const recordOutcome: Store['payments']['recordOutcome'] = async (...args) => {
    if (cutOff.has(activityInfo().workflowExecution?.runId ?? '')) throw new Error('broken by the test');
    return await real.payments.recordOutcome(...args);
  };
  return { ...real, payments: { ...real.payments, recordOutcome } };
}

/** From its first or its last workflow task on. Gives the new run. */
const reset = (paymentId: string, to: 'first' | 'last', runId?: string): Promise<string> =>
  resetRun(flow, workflowIdOf(paymentId), to === 'first' ? firstTask : lastTask, runId);

const resultOf = async (paymentId: string, runId: string): Promise<BillPaymentOutcome> =>
  (await runOf(flow, paymentId, runId).result()) as BillPaymentOutcome;

const runIdOf = async (paymentId: string): Promise<string> => (await runOf(flow, paymentId).describe()).runId;

const stateOf = async (paymentId: string): Promise<string | undefined> =>
  (await runOf(flow, paymentId).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);

/** Everything about it that must not change once it is closed. */
async function closedTruth(paymentId: string) {
  const { closed } = await factsOf(flow, paymentId);
  const actions = await flow.store.operatorActions.list(paymentId);
  return { ...closed, actions, ...(await truthOf(flow, paymentId)) };
}

const BY = { operator: 'op-1', note: 'biller confirmed by phone' };
const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds' };

interface Ended {
  readonly request: BillPaymentRequest;
  readonly outcome: BillPaymentOutcome;
}

async function ended(request: BillPaymentRequest): Promise<Ended> {
  return { request, outcome: await outcomeOf(flow, request.paymentId) };
}

const paying =
  (...args: Parameters<typeof ownRequest> extends [Flow, ...infer Rest] ? Rest : never) =>
  async (): Promise<Ended> => {
    const request = await ownRequest(flow, ...args);
    await flow.payments.start(request);
    return await ended(request);
  };

async function cancelled(): Promise<Ended> {
  const request = await ownRequest(flow, 'paid-with-callback');
  const validation = gates.hold('validate', request.accountNumber);
  await flow.payments.start(request);
  await validation.reached;
  await flow.payments.payment(request.paymentId).cancel(BY);
  validation.open();
  return await ended(request);
}

const decided =
  (decision: 'paid' | 'declined', behaviour: BehaviourName = 'failed-callback-lost') =>
  async (): Promise<Ended> => {
    const request = await ownRequest(flow, behaviour, { policy: SOON });
    await flow.payments.start(request);
    await needsAttention(flow, request.paymentId);
    const providerCase = decision === 'declined' ? { providerCase: 'AP-20817' } : {};
    // Had it still said failed to a look after the end, that would be a dispute.
    if (decision === 'paid') flow.sandbox.setRecord(request.paymentId, { status: 1 });
    await flow.payments.payment(request.paymentId).resolve({ decision, ...BY, ...providerCase });
    return await ended(request);
  };

// prettier-ignore
const ENDS: readonly { readonly end: string; readonly ends: () => Promise<Ended>; readonly is: object; readonly state: string }[] = [
  { end: 'paid by callback', ends: paying('paid-with-callback'), is: { kind: 'paid', settledBy: 'callback' }, state: 'Paid' },
  { end: 'paid by poll', ends: paying('callback-lost', { policy: SOON }), is: { kind: 'paid', settledBy: 'poll' }, state: 'Paid' },
  { end: 'declined at validation', ends: paying('invalid-account'), is: { kind: 'declined', step: 'validation' }, state: 'Declined' },
  { end: 'declined for lack of funds', ends: paying('paid-with-callback', { amount: FUNDS + 1 }), is: { kind: 'declined', step: 'funds' }, state: 'Declined' },
  { end: 'refused at the submission', ends: paying('rejected'), is: { kind: 'declined', step: 'submission' }, state: 'Declined' },
  { end: 'failed', ends: paying('failed-refusal'), is: { kind: 'declined', step: 'result', providerCode: '1' }, state: 'Declined' },
  { end: 'cancelled', ends: cancelled, is: { kind: 'cancelled', by: BY.operator }, state: 'Cancelled' },
  { end: 'decided as paid', ends: decided('paid'), is: { kind: 'paid', settledBy: 'operator' }, state: 'Paid' },
  { end: 'decided as declined', ends: decided('declined'), is: { kind: 'declined', settledBy: 'operator' }, state: 'Declined' },
  { end: 'declined because its id is in use', ends: decided('declined', 'record-exists'), is: { kind: 'declined', settledBy: 'operator' }, state: 'Declined' },
];

describe('G7: a closed payment stays as it is, and nothing of it is sent again', () => {
  test.concurrent.each(ENDS)(
    '$end: reset to the first task, to the last, started again',
    async ({ ends, is, state }) => {
      const { request, outcome } = await ends();
      const { paymentId } = request;
      expect(outcome).toMatchObject(is);
      const truth = await closedTruth(paymentId);
      expect(truth).toMatchObject({ outcome, disputed: false });
      const original = await runIdOf(paymentId);

      for (const to of ['first', 'last'] as const) {
        expect(await resultOf(paymentId, await reset(paymentId, to, original))).toEqual(outcome);
        expect(await stateOf(paymentId)).toBe(state);
      }
      expect(await startAgain(flow, request)).toEqual(outcome);
      expect(await flow.payments.pay(request)).toEqual(outcome);
      expect(await closedTruth(paymentId)).toEqual(truth);
    },
  );

  test.concurrent.each([
    { end: 'paid', behaviour: 'paid-with-callback' },
    { end: 'declined', behaviour: 'failed-refusal' },
    { end: 'refused', behaviour: 'rejected' },
  ] as const)('$end: terminated before the run knew that it was recorded, and started again', async ({ behaviour }) => {
    const request = await ownRequest(flow, behaviour);
    const { paymentId } = request;
    const recorded = gates.hold('recorded', paymentId);
    await flow.payments.start(request);
    await recorded.reached;
    const truth = await closedTruth(paymentId);
    await runOf(flow, paymentId).terminate('shown by a test');
    recorded.open();

    await flow.payments.start(request);
    expect(await outcomeOf(flow, paymentId)).toEqual(truth.outcome);
    expect(await closedTruth(paymentId)).toEqual(truth);
  });
});

describe('G8: also after the engine has forgotten it', () => {
  test.concurrent.each([
    { end: 'paid', behaviour: 'paid-with-callback' },
    { end: 'declined', behaviour: 'rejected' },
  ] as const)('$end: other content is a conflict, the same content the same outcome', async ({ behaviour }) => {
    const request = await ownRequest(flow, behaviour);
    const { paymentId } = request;
    const outcome = await flow.payments.pay(request);
    const truth = await closedTruth(paymentId);
    await forget(paymentId);

    const other = { ...request, amount: request.amount + 1 };
    await flow.payments.start(other); // nothing is left that would tell
    await expect(flow.payments.payment(paymentId).outcome()).rejects.toThrow(PaymentConflict);
    await flow.payments.start(request);
    expect(await outcomeOf(flow, paymentId)).toEqual(outcome);
    await expect(flow.payments.start(other)).rejects.toThrow(PaymentConflict);
    expect(await closedTruth(paymentId)).toEqual(truth);
  });

  async function forget(paymentId: string): Promise<void> {
    const run = runOf(flow, paymentId);
    await flow.client.workflowService.deleteWorkflowExecution({
      namespace: flow.client.options.namespace,
      workflowExecution: { workflowId: run.workflowId },
    });
    const isGone = () =>
      run.describe().then(
        () => false,
        (error: unknown) => error instanceof WorkflowNotFoundError,
      );
    await until('the history to be gone', isGone, (gone) => gone);
  }
});

describe('G1: an open payment goes on, and is not sent again', () => {
  const AGAIN = [
    { how: 'reset to the first task', again: (id: string) => reset(id, 'first') },
    { how: 'reset to the last task', again: (id: string) => reset(id, 'last') },
    {
      how: 'terminated and started again',
      again: async (id: string, request: BillPaymentRequest) => {
        await runOf(flow, id).terminate('shown by a test');
        await flow.payments.start(request);
      },
    },
  ] as const;

  test.concurrent.each(AGAIN)('awaiting its result: $how', async ({ again }) => {
    const request = await ownRequest(flow, 'pending-for-ever', { policy: SOON });
    const paymentId = await sent(flow, request);
    const stage = () => stageOf(flow, paymentId);
    await until('the stage', stage, (seen) => seen === 'awaiting-result');
    await again(paymentId, request);
    await until('the stage', stage, (seen) => seen === 'awaiting-result');
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

    flow.sandbox.setRecord(paymentId, COMPLETED);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent.each(AGAIN)('needing attention: $how', async ({ again }) => {
    const request = await ownRequest(flow, 'failed-callback-lost', { policy: SOON });
    const paymentId = await sent(flow, request);
    await needsAttention(flow, paymentId);
    await again(paymentId, request);
    await until(
      'the person to be asked again',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'needs-attention',
    );
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

    await flow.payments.payment(paymentId).resolve({ decision: 'declined', ...BY });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', settledBy: 'operator' });
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test.concurrent.each(AGAIN)(
    'while it is being sent: $how, and the request that was on its way arrives once',
    async ({ again }) => {
      const request = await ownRequest(flow, 'paid-with-callback', { policy: SOON });
      const { paymentId } = request;
      const post = gates.hold('send', paymentId);
      await flow.payments.start(request);
      await post.reached;
      await again(paymentId, request);
      await until(
        'the stage',
        () => stageOf(flow, paymentId),
        (stage) => stage === 'awaiting-result',
      );
      expect(flow.sandbox.payment(paymentId).postsSeen).toBe(0);
      post.open();
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
    },
  );

  test.concurrent('a decision that was not recorded before the reset has to be sent again', async () => {
    const request = await ownRequest(flow, 'failed-callback-lost', { policy: SOON });
    const paymentId = await sent(flow, request);
    await needsAttention(flow, paymentId);
    const record = gates.hold('record:decided', paymentId);
    const original = await runIdOf(paymentId);
    const lost = flow.payments
      .payment(paymentId)
      .resolve({ decision: 'paid', ...BY })
      .catch((error: unknown) => error);
    await record.reached;
    const run = await reset(paymentId, 'first');
    cutOff.add(original);
    record.open();
    expect(String(await lost)).toContain('it went on in another run meanwhile. Look at it and decide again.');

    const asked = async () =>
      (await runOf(flow, paymentId, run).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
    await until('the person to be asked again', asked, (state) => state === 'NeedsAttention');
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

    await flow.payments.payment(paymentId).resolve({ decision: 'declined', operator: 'op-2', note: 'case C-1' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', evidence: { operator: 'op-2' } });
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
  });

  test.concurrent(
    'a decision that was refused before the reset is not taken after it, although it could be now',
    async () => {
      const request = await ownRequest(flow, 'pending-for-ever', { policy: { ...SOON, attentionAfter: '1 second' } });
      const paymentId = await sent(flow, request);
      await needsAttention(flow, paymentId);
      const decline = { decision: 'declined', operator: 'op-1', note: 'it looks dead', requestId: 'click-1' } as const;
      await expect(flow.payments.payment(paymentId).resolve(decline)).rejects.toThrow(/does not say that it failed/);

      flow.sandbox.setRecord(paymentId, { status: 6 });
      const run = await reset(paymentId, 'first');
      const answers = async () =>
        (await runOf(flow, paymentId, run).fetchHistory()).events?.filter(
          (event) => event.workflowExecutionUpdateCompletedEventAttributes,
        ) ?? [];
      const [again] = await until('the decision to be offered again', answers, (events) => events.length > 0);
      const failure = again?.workflowExecutionUpdateCompletedEventAttributes?.outcome?.failure;
      expect(failure?.message).toMatch(/does not say that it failed/);
      expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

      await flow.payments.payment(paymentId).resolve({ ...decline, requestId: 'click-2' });
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', settledBy: 'operator' });
    },
  );
});
