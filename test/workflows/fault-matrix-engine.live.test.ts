import { Refused } from '../../src/client';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import { testCells, type Scenario } from '../support/cells';
import { outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  createGates,
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

/** Holds the payment at this step, lets the fault happen, and lets it go on. */
async function struck(
  step: Step,
  happens: (request: BillPaymentRequest) => Promise<void>,
): Promise<BillPaymentRequest> {
  const request = await ownRequest(flow, 'paid-with-callback', { policy: EAGER });
  const hold = gates.hold(step, step === 'validate' ? request.accountNumber : request.paymentId);
  await startImpatient(flow, request);
  await hold.reached;
  await happens(request);
  hold.open();
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

/** The attempt of the run before may have taken the claim and been stopped before it sent: then a person is asked. */
const paidOrAsked =
  (...strikes: Parameters<typeof struck>): Scenario =>
  async () => {
    const request = await struck(...strikes);
    const { paymentId } = request;
    const state = async () =>
      (await runOf(flow, paymentId).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
    const end = await until('an end', state, (seen) => seen === 'Paid' || seen === 'NeedsAttention');
    if (end === 'NeedsAttention') {
      expect(await truthOf(flow, paymentId)).toEqual({ ...SENT_AND_OPEN, seen: 0, captured: 0 });
      expect(await flow.store.payments.facts(paymentId)).toHaveProperty('claim');
    } else expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
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

async function decideTooEarly({ paymentId }: BillPaymentRequest): Promise<void> {
  const decision = { decision: 'declined', operator: 'op-1', note: 'shown by a test', providerCase: 'C-1' } as const;
  await expect(flow.payments.payment(paymentId).resolve(decision)).rejects.toThrow(Refused);
  expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
}

testCells(
  async () => {
    gates = createGates();
    flow = await startFlow(gates.worker);
    return flow;
  },
  {
    'run-reset at validate: retried': paidDespite('validate', reset),
    'run-reset at reserve: retried': paidDespite('reserve', reset),
    'run-reset at look: claim-decides': paidOrAsked('look', reset),
    'run-reset at claim: claim-decides': paidOrAsked('claim', reset),
    'run-reset at send: unknown-then-asked': paidOrAsked('send', reset),
    'run-reset at close: first-stands': paidDespite('close:paid', reset),
    'run-terminated-and-restarted at register: retried': paidDespite('register', restart),
    'run-terminated-and-restarted at validate: retried': paidDespite('validate', restart),
    'run-terminated-and-restarted at reserve: retried': paidDespite('reserve', restart),
    'run-terminated-and-restarted at look: claim-decides': paidOrAsked('look', restart),
    'run-terminated-and-restarted at claim: claim-decides': paidOrAsked('claim', restart),
    'run-terminated-and-restarted at send: unknown-then-asked': paidOrAsked('send', restart),
    'run-terminated-and-restarted at close: first-stands': paidDespite('close:paid', restart),
    'started-twice at register: same-end': paidDespite('register', startTwice),
    'started-twice at validate: same-end': paidDespite('validate', startTwice),
    'started-twice at reserve: same-end': paidDespite('reserve', startTwice),
    'started-twice at look: same-end': paidDespite('look', startTwice),
    'started-twice at claim: same-end': paidDespite('claim', startTwice),
    'started-twice at send: same-end': paidDespite('send', startTwice),
    'started-twice at close: same-end': paidDespite('close:paid', startTwice),
    'operator-decides at register: refused': paidDespite('register', decideTooEarly),
    'operator-decides at validate: refused': paidDespite('validate', decideTooEarly),
    'operator-decides at reserve: refused': paidDespite('reserve', decideTooEarly),
    'operator-decides at look: refused': paidDespite('look', decideTooEarly),
    'operator-decides at claim: refused': paidDespite('claim', decideTooEarly),
    'operator-decides at send: refused': paidDespite('send', decideTooEarly),
    'operator-decides at close: refused': paidDespite('close:paid', decideTooEarly),
  },
);
