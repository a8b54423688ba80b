import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import type { ScriptedCallback } from '../../src/sandbox';
import { declined as declinedOutcome } from '../support/store';
import { disputeRun, opened } from '../support/disputes';
import { needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  COMPLETED,
  createGates,
  ownRequest,
  runOf,
  sent,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
  type Step,
} from '../support/gates';

/**
 * G5: a contradicting callback at every moment of a close. Each is either considered by the verdict, or raised as a dispute whose
 * workflow runs; none is lost, and no outcome is overwritten.
 */

let flow: Flow;
let gates: Gates;
beforeAll(async () => {
  gates = createGates();
  flow = await startFlow(gates.worker);
});

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '300 milliseconds' };
const FAILED = { status: 6 } as const;
const failure: ScriptedCallback = { status: 6, code: '1' };
const success: ScriptedCallback = { status: 4, code: '0' };

const atProvider = async (): Promise<string> =>
  await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: EAGER }));

async function callback(paymentId: string, scripted: ScriptedCallback): Promise<void> {
  expect(await flow.sandbox.sendCallback(paymentId, scripted)).toMatchObject({ answered: 200 });
}

const named = async (paymentId: string) => (await flow.store.inbox.forPayment(paymentId)).map(({ namedBy }) => namedBy);

/** The outcome stands, one dispute runs, and the callback is with it. */
async function expectDisputed(paymentId: string, kind: 'paid' | 'declined', raisedBy = 'callback'): Promise<void> {
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome.kind).toBe(kind);
  await opened(flow, paymentId);
  expect(await flow.store.disputes.find(paymentId)).toMatchObject({ raisedBy });
  expect((await disputeRun(flow, paymentId).describe()).status.name).toBe('RUNNING');
  expect(await flow.store.payments.facts(paymentId)).toMatchObject({ outcome, disputed: true });
  const { funds } = await truthOf(flow, paymentId);
  expect(funds).toEqual(kind === 'paid' ? [780, 0, 220] : [1000, 0, 0]);
  if (raisedBy === 'callback')
    await until(
      'the callback to be named',
      () => named(paymentId),
      (names) => names.at(-1) === 'dispute',
    );
}

async function expectNoDispute(paymentId: string): Promise<void> {
  expect((await flow.store.payments.facts(paymentId)).disputed).toBe(false);
  expect(await flow.store.disputes.find(paymentId)).toBeUndefined();
}

/** Comes to this step with its verdict, and waits there while `meanwhile` happens. */
async function heldAt(paymentId: string, step: Step, goOn: () => Promise<void>, meanwhile: () => Promise<unknown>) {
  const gate = gates.hold(step, paymentId);
  await goOn();
  await gate.reached;
  await meanwhile();
  gate.open();
}

describe('a payment that is being closed as paid, and a callback says failed', () => {
  const completed = (paymentId: string) => async () => flow.sandbox.setRecord(paymentId, COMPLETED);

  test('before the look that proves it: considered', async () => {
    const paymentId = await atProvider();
    await callback(paymentId, failure);
    await completed(paymentId)();
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    expect(await named(paymentId)).toEqual(['close']);
    await expectNoDispute(paymentId);
  });

  test('between the verdict and the transaction: disputed', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'close:paid', completed(paymentId), () => callback(paymentId, failure));
    await expectDisputed(paymentId, 'paid');
  });

  test('after the commit, before the workflow knows: disputed', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'closed', completed(paymentId), () => callback(paymentId, failure));
    await expectDisputed(paymentId, 'paid');
  });

  test('after the end: disputed', async () => {
    const paymentId = await atProvider();
    await completed(paymentId)();
    await outcomeOf(flow, paymentId);
    await callback(paymentId, failure);
    await expectDisputed(paymentId, 'paid');
  });
});

describe('a payment that is being closed as declined, and a callback says paid', () => {
  const failed = (paymentId: string) => async () => {
    await callback(paymentId, failure);
    flow.sandbox.setRecord(paymentId, FAILED);
  };

  test('between the verdict and the transaction: considered, the decline is taken back', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'close:declined', failed(paymentId), () => callback(paymentId, success));
    // Failed, and said to be paid: only a person can tell.
    expect(await needsAttention(flow, paymentId)).toMatchObject({ callbacks: 2 });
    expect((await flow.store.payments.facts(paymentId)).outcome).toBeUndefined();
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
    await expectNoDispute(paymentId);
  });

  test('after the commit, before the workflow knows: disputed', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'closed', failed(paymentId), () => callback(paymentId, success));
    await expectDisputed(paymentId, 'declined');
  });

  test('after the end: disputed', async () => {
    const paymentId = await atProvider();
    await failed(paymentId)();
    await outcomeOf(flow, paymentId);
    await callback(paymentId, success);
    await expectDisputed(paymentId, 'declined');
  });
});

test('a close that meets another outcome: its own run ends as Disputed, and the dispute runs', async () => {
  const paymentId = await atProvider();
  await heldAt(
    paymentId,
    'close:paid',
    async () => flow.sandbox.setRecord(paymentId, COMPLETED),
    async () => {
      const outcome = declinedOutcome(paymentId, { settledBy: 'operator' });
      // As another run would close it, which a person has decided.
      const closed = await flow.store.payments.close({ paymentId, outcome, callbacksConsidered: 0, unsent: false });
      expect(closed.kind).toBe('recorded');
    },
  );
  await expectDisputed(paymentId, 'declined', 'close');
  const run = await runOf(flow, paymentId).describe();
  expect(run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Disputed');
  expect(run.status.name).toBe('COMPLETED');
});

test('a later contradiction of what is disputed already is kept with it, and opens nothing new', async () => {
  const paymentId = await atProvider();
  flow.sandbox.setRecord(paymentId, COMPLETED);
  await outcomeOf(flow, paymentId);
  await callback(paymentId, failure);
  await expectDisputed(paymentId, 'paid');
  const { runId } = await disputeRun(flow, paymentId).describe();
  await flow.payments.dispute(paymentId).resolve({ agreed: 'paid', operator: 'amina', note: 'the meter was credited' });
  await callback(paymentId, { status: 6, code: '22' });
  await until(
    'the callback to be named',
    () => named(paymentId),
    (names) => names.join() === 'dispute,dispute',
  );
  expect(await disputeRun(flow, paymentId).describe()).toMatchObject({ runId, status: { name: 'COMPLETED' } });
});
