import { WorkflowUpdateFailedError, WorkflowUpdateStage } from '@temporalio/client';
import { FAILURES, SEARCH_ATTRIBUTES, UPDATES, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import { testCells, type Scenario } from '../support/cells';
import { factsOf, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  createGates,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  resetRun,
  runOf,
  SENT_AND_OPEN,
  startImpatient,
  truthOf,
  type Gates,
  type Step,
} from '../support/gates';

/**
 * G1, G7, G8: The fault matrix, its part about the engine and those who use it: reset, terminated and started again, started twice, decided too
 * early, each while a step is under way. Whatever runs then meets the claim and the outcome in the store.
 */
let flow: Flow;
let gates: Gates;

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds' } as const;

/** What happens while the step is held; and what must hold once the step has gone on. */
type Strike = (request: BillPaymentRequest) => Promise<void | (() => Promise<void>)>;

/** Holds the payment at this step, lets the fault happen, and lets it go on. */
async function struck(step: Step, happens: Strike): Promise<BillPaymentRequest> {
  const request = await ownRequest(flow, 'paid-with-callback', { policy: EAGER });
  const hold = gates.hold(step, step === 'validate' ? request.accountNumber : request.paymentId);
  await startImpatient(flow, request);
  await hold.reached;
  const afterwards = await happens(request);
  hold.open();
  await afterwards?.();
  return request;
}

const paidDespite =
  (...strikes: Parameters<typeof struck>): Scenario =>
  async () => {
    const request = await struck(...strikes);
    const outcome = await outcomeOf(flow, request.paymentId);
    expect(outcome).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
    return request;
  };

/**
 * The attempt of the run before may have taken the claim and hear that nobody waits for it: before it sends, while it sends, or not
 * before it is done.
 */
const paidUnlessStopped =
  (...strikes: Parameters<typeof struck>): Scenario =>
  async () => {
    const request = await struck(...strikes);
    const { paymentId } = request;
    const state = async () =>
      (await runOf(flow, paymentId).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
    const end = await until('an end', state, (seen) => seen !== undefined && seen !== 'InProgress');
    const truth = await truthOf(flow, paymentId);
    expect((await factsOf(flow, paymentId)).claim).toMatchObject({ kind: 'taken' });
    if (end === 'Paid') expect(truth).toEqual(PAID_ONCE);
    else if (end === 'Declined') {
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ reason: 'not-sent', step: 'submission' });
      expect(truth).toEqual(NEVER_SENT);
    } else expect(truth).toMatchObject({ captured: 0, funds: SENT_AND_OPEN.funds });
    return request;
  };

/** Begins again after its first completed workflow task. */
const reset = async ({ paymentId }: BillPaymentRequest): Promise<void> =>
  void (await resetRun(flow, workflowIdOf(paymentId)));

async function restart(request: BillPaymentRequest): Promise<void> {
  await runOf(flow, request.paymentId).terminate('shown by a test');
  await flow.payments.start(request);
}

async function startTwice(request: BillPaymentRequest): Promise<void> {
  const { runId } = await runOf(flow, request.paymentId).describe();
  await flow.payments.start(request);
  expect((await runOf(flow, request.paymentId).describe()).runId).toBe(runId);
}

/** Taken by the run, and refused with the facts: nobody was asked. A step of the run's own holds the answer up. */
async function decideTooEarly({ paymentId }: BillPaymentRequest): Promise<() => Promise<void>> {
  const decision = { decision: 'declined', operator: 'op-1', note: 'shown by a test', providerCase: 'C-1' } as const;
  const update = await runOf(flow, paymentId).startUpdate(UPDATES.resolvePayment, {
    args: [decision],
    waitForStage: WorkflowUpdateStage.ACCEPTED,
  });
  return async () => {
    const refused: unknown = await update.result().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(refused).toMatchObject({ cause: { type: FAILURES.refused } });
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
  };
}

testCells(
  async () => {
    gates = createGates();
    flow = await startFlow(gates.worker);
    return flow;
  },
  {
    'run-reset at validate: retried': paidDespite('validate', reset),
    'run-reset at look: claim-decides': paidUnlessStopped('look', reset),
    'run-reset at claim: claim-decides': paidUnlessStopped('claim', reset),
    'run-reset at send: unknown-then-asked': paidUnlessStopped('send', reset),
    'run-reset at record: first-stands': paidDespite('record:proven', reset),
    'run-terminated-and-restarted at register: retried': paidDespite('register', restart),
    'run-terminated-and-restarted at validate: retried': paidDespite('validate', restart),
    'run-terminated-and-restarted at look: claim-decides': paidUnlessStopped('look', restart),
    'run-terminated-and-restarted at claim: claim-decides': paidUnlessStopped('claim', restart),
    'run-terminated-and-restarted at send: unknown-then-asked': paidUnlessStopped('send', restart),
    'run-terminated-and-restarted at record: first-stands': paidDespite('record:proven', restart),
    'started-twice at register: same-end': paidDespite('register', startTwice),
    'started-twice at validate: same-end': paidDespite('validate', startTwice),
    'started-twice at look: same-end': paidDespite('look', startTwice),
    'started-twice at claim: same-end': paidDespite('claim', startTwice),
    'started-twice at send: same-end': paidDespite('send', startTwice),
    'started-twice at record: same-end': paidDespite('record:proven', startTwice),
    'operator-decides at register: refused': paidDespite('register', decideTooEarly),
    'operator-decides at validate: refused': paidDespite('validate', decideTooEarly),
    'operator-decides at look: refused': paidDespite('look', decideTooEarly),
    'operator-decides at claim: refused': paidDespite('claim', decideTooEarly),
    'operator-decides at send: refused': paidDespite('send', decideTooEarly),
    'operator-decides at record: refused': paidDespite('record:proven', decideTooEarly),
  },
);
