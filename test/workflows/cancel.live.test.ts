import { WithStartWorkflowOperation } from '@temporalio/client';
import { TooLate } from '../../src/client';
import { UPDATES, WORKFLOWS } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName } from '../../src/sandbox';
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
  FUNDS,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  runOf,
  sent,
  SENT_AND_OPEN,
  startAgain,
  startImpatient,
  startOptions,
  truthOf,
  type Gates,
  type Hold,
  type Step,
} from '../support/gates';

/**
 * A cancellation at each point of a payment, by update and by the Web UI's Request Cancellation. Whoever gets the claim decides:
 * either the payment is sealed and never sent (G1), or it is not cancelled and goes its way (G2) to an end of its own (G4).
 */
let flow: Flow;
let gates: Gates;

beforeAll(async () => {
  gates = createGates();
  flow = await startFlow(gates.worker);
});

const BY = { operator: 'op-1', note: 'entered twice' };

/** Whether the run has heard of it. */
async function cancelKnown(paymentId: string): Promise<boolean> {
  const { events } = await runOf(flow, paymentId).fetchHistory();
  const all = events ?? [];
  if (all.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes)) return true;
  const asked = all.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return asked >= 0 && all.slice(asked).some((event) => event.workflowTaskCompletedEventAttributes);
}

/** Asks for it, and waits until the run knows. */
async function requestCancellation(paymentId: string): Promise<void> {
  await runOf(flow, paymentId).cancel();
  await until(
    'the cancellation at the run',
    () => cancelKnown(paymentId),
    (seen) => seen,
  );
}

interface Started {
  readonly request: BillPaymentRequest;
  readonly paymentId: string;
}

interface Held extends Started {
  readonly hold: Hold;
}

async function heldAt(step: Step, behaviour: BehaviourName = 'paid-with-callback'): Promise<Held> {
  const request = await ownRequest(flow, behaviour);
  const { paymentId } = request;
  const hold = gates.hold(step, step === 'validate' ? request.accountNumber : paymentId);
  await startImpatient(flow, request);
  await hold.reached;
  return { request, paymentId, hold };
}

const actionsOf = (paymentId: string) => flow.store.operatorActions.list(paymentId);
const sealed: string[] = [];

/** Cancelled: recorded as theirs, the money back, and nothing of it ever leaves, whatever is started afterwards. */
async function expectSealed({ request, paymentId }: Started, { operator, note }: typeof BY): Promise<void> {
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toMatchObject({ kind: 'cancelled', paymentId, by: operator, note });
  expect(await factsOf(flow, paymentId)).toMatchObject({
    claim: { kind: 'sealed' },
    closed: { outcome, disputed: false },
  });
  expect(await actionsOf(paymentId)).toEqual([
    expect.objectContaining({ operator, note, action: 'cancelPayment', at: expect.any(Date) as Date }),
  ]);
  expect(await startAgain(flow, request)).toEqual(outcome);
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  sealed.push(paymentId);
}

/** Not cancelled: it goes its way to the end. */
async function expectPaid(paymentId: string): Promise<void> {
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toMatchObject({ kind: 'paid', amount: 220 });
  expect((await factsOf(flow, paymentId)).closed).toEqual({ outcome, disputed: false });
  expect(await actionsOf(paymentId)).toEqual([]);
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

const WAYS = [
  { way: 'by update', cancel: async (id: string) => void (await flow.payments.payment(id).cancel(BY)), by: BY },
  { way: 'from the UI', cancel: requestCancellation, by: { operator: 'temporal-ui', note: 'Request Cancellation' } },
] as const;

const POINTS: readonly {
  readonly point: string;
  readonly step: Step;
  readonly breaks?: boolean;
}[] = [
  { point: 'while the account is checked', step: 'validate' },
  { point: 'while the look before sending hangs', step: 'look' },
  { point: 'while the look before sending fails', step: 'look', breaks: true },
  { point: 'right before the claim, with its money', step: 'claim' },
  { point: 'while the claim cannot be taken', step: 'claim', breaks: true },
];

describe('G1: cancelled before the claim, it is sealed', () => {
  const cases = WAYS.flatMap((way) => POINTS.map((point) => ({ ...way, ...point })));

  test.concurrent.each(cases)('$point, $way', async ({ step, breaks = false, cancel, by }) => {
    const held = await heldAt(step);
    if (breaks) held.hold.fail();
    await cancel(held.paymentId);
    // The step is still at its gate: the cancellation waits for nobody.
    await expectSealed(held, by);
    held.hold.open();
    // What comes too late to its gate meets the seal.
    if (step === 'claim' && !breaks) expect(await held.hold.passed).toEqual({ kind: 'not-claimed', because: 'closed' });
  });

  test.concurrent.each(WAYS)('while it waits for money, $way', async ({ cancel, by }) => {
    const policy = { ...SHORT_POLICY, fundsWithin: '10 minutes' };
    const request = await ownRequest(flow, 'paid-with-callback', { amount: FUNDS + 1, policy });
    const { paymentId } = request;
    await flow.payments.start(request);
    const failure = async () => {
      const { pendingActivities } = (await runOf(flow, paymentId).describe()).raw;
      return pendingActivities?.find(({ activityType }) => activityType?.name === 'submitPayment')?.lastFailure;
    };
    await until('the lack of money', failure, (seen) => seen?.message?.startsWith('It waits for money until') === true);
    await cancel(paymentId);
    // Whatever comes in now, it is not sent.
    await expectSealed({ request, paymentId }, by);
  });

  test.concurrent.each(WAYS)('while it is being registered, $way: once it is', async ({ cancel, by }) => {
    const held = await heldAt('register');
    const cancelling = cancel(held.paymentId);
    // It waits for the registration, as the update does.
    await until(
      'the cancellation at the run',
      () => cancelKnown(held.paymentId),
      (seen) => seen,
    );
    held.hold.open();
    await cancelling;
    await expectSealed(held, by);
  });

  test.concurrent('with the start itself', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const validation = gates.hold('validate', request.accountNumber);
    const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOWS.billPayment, {
      ...startOptions(flow, request),
      workflowIdConflictPolicy: 'FAIL',
    });
    // The first task of the run has both, and nothing is registered yet.
    const progress = await flow.client.workflow.executeUpdateWithStart(UPDATES.cancelPayment, {
      args: [BY],
      startWorkflowOperation,
    });
    expect(progress).toMatchObject({ stage: 'closed', outcome: { kind: 'cancelled', by: BY.operator } });
    await expectSealed({ request, paymentId: request.paymentId }, BY);
    validation.open();
  });

  test.concurrent('by update, and from the UI just as it ends: once, and the update is answered', async () => {
    const held = await heldAt('look');
    const recorded = gates.hold('recorded', held.paymentId);
    const update = flow.payments.payment(held.paymentId).cancel(BY);
    await recorded.reached;
    await runOf(flow, held.paymentId).cancel();
    recorded.open();
    const { outcome } = await update;
    expect(outcome).toMatchObject({ kind: 'cancelled', by: BY.operator });
    await expectSealed(held, BY);
    // Once more changes nothing, and is no error: it is cancelled.
    const again = await flow.payments.payment(held.paymentId).cancel({ ...BY, operator: 'op-2' });
    expect(again.outcome).toEqual(outcome);
    expect(await actionsOf(held.paymentId)).toHaveLength(1);
    held.hold.open();
  });

  test.concurrent(
    'beside a decline: what goes to the store first ends it, and there is nothing to dispute',
    async () => {
      const request = await ownRequest(flow, 'invalid-account');
      const { paymentId } = request;
      const validation = gates.hold('validate', request.accountNumber);
      await startImpatient(flow, request);
      await validation.reached;
      const record = gates.hold('record:unsent', paymentId);
      const update = flow.payments.payment(paymentId).cancel(BY);
      await record.reached;
      validation.open();
      await until(
        'the decline to wait its turn',
        () => stageOf(flow, paymentId),
        (stage) => stage === 'recording',
      );
      record.open();
      expect(await update).toMatchObject({ outcome: { kind: 'cancelled', by: BY.operator } });
      await expectSealed({ request, paymentId }, BY);
    },
  );
});

describe('G2: after the claim it is too late', () => {
  const points: readonly { readonly point: string; readonly step: Step }[] = [
    { point: 'between the claim and the POST', step: 'send' },
    { point: 'while the POST is not answered yet', step: 'answer' },
    { point: 'while the outcome is written down', step: 'record:proven' },
  ];

  test.concurrent.each(points)('$point', async ({ step }) => {
    const { paymentId, hold } = await heldAt(step);
    const refused = expect(flow.payments.payment(paymentId).cancel(BY)).rejects.toThrow(TooLate);
    await requestCancellation(paymentId);
    // What is being written down goes first; nothing else is waited for.
    if (step !== 'record:proven') await refused;
    hold.open();
    await refused;
    await expectPaid(paymentId);
  });

  test.concurrent('a cancellation that loses the race to the claim', async () => {
    const { paymentId, hold: look } = await heldAt('look');
    const record = gates.hold('record:unsent', paymentId);
    const update = flow.payments
      .payment(paymentId)
      .cancel(BY)
      .catch((error: unknown) => error);
    await record.reached;
    look.open();
    await until(
      'its POST',
      () => flow.sandbox.payment(paymentId).postsSeen,
      (posts) => posts === 1,
    );
    record.open();
    expect(await record.passed).toMatchObject({ kind: 'open', look: { facts: { claim: { kind: 'taken' } } } });
    expect(await update).toBeInstanceOf(TooLate);
    await expectPaid(paymentId);
  });

  test.concurrent('while its result is awaited', async () => {
    const request = await ownRequest(flow, 'pending-for-ever');
    const paymentId = await sent(flow, request);
    await until(
      'the stage',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'awaiting-result',
    );
    await expect(flow.payments.payment(paymentId).cancel(BY)).rejects.toThrow(
      /Too late to cancel: the payment may already be/,
    );
    await requestCancellation(paymentId);
    const stage = () => stageOf(flow, paymentId);
    await until('the run to wait on', stage, (seen) => seen === 'awaiting-result');
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await expectPaid(paymentId);
  });

  test.concurrent('while a person is asked', async () => {
    const request = await ownRequest(flow, 'failed-callback-lost');
    const paymentId = await sent(flow, request);
    await needsAttention(flow, paymentId);
    await expect(flow.payments.payment(paymentId).cancel(BY)).rejects.toThrow(TooLate);
    await requestCancellation(paymentId);
    expect(await stageOf(flow, paymentId)).toBe('needs-attention');
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await expectPaid(paymentId);
  });

  test.concurrent('once it is closed', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const { paymentId } = request;
    await flow.payments.start(request);
    const outcome = await outcomeOf(flow, paymentId);
    await expect(flow.payments.payment(paymentId).cancel(BY)).rejects.toThrow(/it is closed already\. Paid\./);
    await runOf(flow, paymentId)
      .cancel()
      .catch(() => undefined); // the server may say that there is nothing to cancel
    expect(await outcomeOf(flow, paymentId)).toEqual(outcome);
    await expectPaid(paymentId);
  });
});

test('G1: in the end nothing was sent of what was sealed', async () => {
  expect(sealed).toHaveLength(WAYS.length * (POINTS.length + 2) + 3);
  // Steps that were let through their gates too late have ended, too.
  await until(
    'the worker to have nothing to do',
    () => flow.worker.getStatus().numInFlightActivities,
    (activities) => activities === 0,
  );
  for (const paymentId of sealed) expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
});
