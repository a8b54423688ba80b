import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import type { ScriptedCallback } from '../../src/sandbox';
import { disputeRun, opened } from '../support/disputes';
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
import { decided } from '../support/store';
import {
  COMPLETED,
  createGates,
  ownRequest,
  PAID_ONCE,
  runOf,
  sent,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
  type Step,
} from '../support/gates';

/**
 * G5: a contradicting callback at every moment of an end. Each is either weighed by what records it, or raised as a dispute whose
 * workflow runs; none is lost, and no outcome is overwritten.
 */

let flow: Flow;
let gates: Gates;
beforeAll(async () => {
  gates = createGates();
  flow = await startFlow(gates.worker);
});

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '300 milliseconds' };
/** Nothing but messages makes it look. */
const DEAF = {
  ...EAGER,
  callbackGrace: '10 minutes',
  failureConfirmation: '1 millisecond',
  pollInterval: '10 minutes',
  pollMaxInterval: '1 hour',
} as const;
const FAILED = { status: 6 } as const;
const failure: ScriptedCallback = { status: 6, code: '1' };
const success: ScriptedCallback = { status: 4, code: '0' };

const atProvider = async (): Promise<string> =>
  await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: EAGER }));

async function callback(paymentId: string, scripted: ScriptedCallback): Promise<void> {
  expect(await flow.sandbox.sendCallback(paymentId, scripted)).toMatchObject({ answered: 200 });
}

const named = async (paymentId: string) =>
  (await flow.store.inbox.forPayment(paymentId)).map(({ handledAs }) => handledAs);

/** The outcome stands, one dispute runs, and the callback is with it. */
async function expectDisputed(paymentId: string, kind: 'paid' | 'declined', raisedBy = 'callback'): Promise<void> {
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome.kind).toBe(kind);
  await opened(flow, paymentId);
  expect(await flow.store.disputes.find(paymentId)).toMatchObject({ raisedBy });
  expect((await disputeRun(flow, paymentId).describe()).status.name).toBe('RUNNING');
  expect((await factsOf(flow, paymentId)).closed).toEqual({ outcome, disputed: true });
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
  expect((await factsOf(flow, paymentId)).closed?.disputed ?? false).toBe(false);
  expect(await flow.store.disputes.find(paymentId)).toBeUndefined();
}

/** Comes to this step, and waits there while `meanwhile` happens. */
async function heldAt(paymentId: string, step: Step, goOn: () => Promise<void>, meanwhile: () => Promise<unknown>) {
  const gate = gates.hold(step, paymentId);
  await goOn();
  await gate.reached;
  await meanwhile();
  gate.open();
}

describe('a payment that is being recorded as paid, and a callback says failed', () => {
  const completed = (paymentId: string) => async () => flow.sandbox.setRecord(paymentId, COMPLETED);

  const expectConsidered = async (paymentId: string) => {
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    expect(await named(paymentId)).toEqual(['close']);
    await expectNoDispute(paymentId);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  };

  test.concurrent('before the look that proves it: considered', async () => {
    const paymentId = await atProvider();
    await callback(paymentId, failure);
    await completed(paymentId)();
    await expectConsidered(paymentId);
  });

  test.concurrent('between the verdict and the record: considered', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'record:proven', completed(paymentId), () => callback(paymentId, failure));
    await expectConsidered(paymentId);
  });

  test.concurrent('after the commit, before the workflow knows: disputed', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'recorded', completed(paymentId), () => callback(paymentId, failure));
    await expectDisputed(paymentId, 'paid');
  });

  test.concurrent('after the end: disputed', async () => {
    const paymentId = await atProvider();
    await completed(paymentId)();
    await outcomeOf(flow, paymentId);
    await callback(paymentId, failure);
    await expectDisputed(paymentId, 'paid');
  });
});

describe('a payment that is being recorded as declined, and a callback says paid', () => {
  const failed = (paymentId: string) => async () => {
    await callback(paymentId, failure);
    flow.sandbox.setRecord(paymentId, FAILED);
  };

  test.concurrent('between the verdict and the record: considered, and it is no decline any more', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'record:proven', failed(paymentId), () => callback(paymentId, success));
    // Failed, and said to be paid: only a person can tell.
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'ambiguous-code', callbacks: 2 });
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
    await expectNoDispute(paymentId);
  });

  test.concurrent('after the commit, before the workflow knows: disputed', async () => {
    const paymentId = await atProvider();
    await heldAt(paymentId, 'recorded', failed(paymentId), () => callback(paymentId, success));
    await expectDisputed(paymentId, 'declined');
  });

  test.concurrent('after the end: disputed', async () => {
    const paymentId = await atProvider();
    await failed(paymentId)();
    await outcomeOf(flow, paymentId);
    await callback(paymentId, success);
    await expectDisputed(paymentId, 'declined');
  });
});

test.concurrent(
  'another run ends it as declined while this one looks and finds it paid: its run ends as Disputed, and the dispute runs',
  async () => {
    const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: DEAF }));
    const look = () => flow.payments.payment(paymentId).checkNow({ operator: 'op-1' });
    await until(
      'the stage',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'awaiting-result',
    );
    flow.sandbox.setRecord(paymentId, FAILED);
    // The second look confirms the failure.
    for (let looks = 1; looks <= 2; looks += 1) await look();
    await needsAttention(flow, paymentId);
    let looking: Promise<unknown> | undefined;
    await heldAt(
      paymentId,
      'lookNow',
      async () => {
        looking = look().catch((error: unknown) => error);
      },
      async () => {
        const decision = decided({ decision: 'declined' });
        // As another run would record what a person has decided there.
        const ended = await flow.store.payments.recordOutcome(paymentId, decision, flow.merchant);
        expect(ended).toMatchObject({ kind: 'closed', outcome: { kind: 'declined' }, disputed: false });
        flow.sandbox.setRecord(paymentId, COMPLETED);
      },
    );
    await looking;
    await expectDisputed(paymentId, 'declined', 'look');
    const run = await runOf(flow, paymentId).describe();
    expect(run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Disputed');
    expect(run.status.name).toBe('COMPLETED');
  },
);

test.concurrent(
  'a later contradiction of what is disputed already is kept with it, and opens nothing new',
  async () => {
    const paymentId = await atProvider();
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await outcomeOf(flow, paymentId);
    await callback(paymentId, failure);
    await expectDisputed(paymentId, 'paid');
    const { runId } = await disputeRun(flow, paymentId).describe();
    await flow.payments
      .dispute(paymentId)
      .resolve({ agreed: 'paid', operator: 'amina', note: 'the meter was credited' });
    await callback(paymentId, { status: 6, code: '22' });
    await until(
      'the callback to be named',
      () => named(paymentId),
      (names) => names.join() === 'dispute,dispute',
    );
    expect(await disputeRun(flow, paymentId).describe()).toMatchObject({ runId, status: { name: 'COMPLETED' } });
  },
);
