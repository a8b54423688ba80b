import { Worker } from '@temporalio/worker';
import { Refused } from '../../src/client';
import {
  factsOf,
  historyOf,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { workflowBundle } from '../support/temporal';
import {
  COMPLETED,
  createGates,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  runOf,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
} from '../support/gates';

/** Who may decide, and that one update acts once, whatever is repeated on the way. */
let flow: Flow;
let gates: Gates;

beforeAll(async () => {
  gates = createGates();
  flow = await startFlow({ ...gates.worker, settings: { operators: ['Amina', 'wanjiru '] } });
});

const AMINA = { operator: 'amina', note: 'confirmed by J. Otieno, Almara Pay' };
const WANJIRU = { operator: 'Wanjiru', note: 'case AP-1' };
const BRIAN = { operator: 'brian', note: 'it looks paid to me' };
const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '1 millisecond' } as const;
const REFUSAL = 'may not decide here: BILLPAY_OPERATORS on the worker names who may. Nothing was changed.';

const of = (paymentId: string) => flow.payments.payment(paymentId);
const actionsOf = (paymentId: string) => flow.store.operatorActions.list(paymentId);
const rejection = (update: Promise<unknown>): Promise<unknown> =>
  update.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  );

/** A payment that failed without a code: a person is asked. */
async function asked(): Promise<string> {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: SOON }));
  flow.sandbox.setRecord(paymentId, { status: 6 });
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
  return paymentId;
}

async function validating() {
  const request = await ownRequest(flow, 'paid-with-callback');
  const validation = gates.hold('validate', request.accountNumber);
  await flow.payments.start(request);
  await validation.reached;
  return { paymentId: request.paymentId, goOn: () => validation.open() };
}

describe('BILLPAY_OPERATORS', () => {
  test.concurrent('who is not named cannot decide, nothing is half done, and who is named then can', async () => {
    const paymentId = await asked();
    for (const decision of ['paid', 'declined'] as const) {
      const error = await rejection(of(paymentId).resolve({ decision, ...BRIAN }));
      expect(error).toBeInstanceOf(Refused);
      expect((error as Refused).message).toContain(`brian ${REFUSAL}`);
    }
    expect(await stageOf(flow, paymentId)).toBe('needs-attention');
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await actionsOf(paymentId)).toEqual([]);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

    await of(paymentId).resolve({ decision: 'declined', ...WANJIRU });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', evidence: WANJIRU });
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
  });

  test.concurrent('a payment whose decision was refused goes on: an answer still ends it by itself', async () => {
    const paymentId = await asked();
    expect(await rejection(of(paymentId).resolve({ decision: 'declined', ...BRIAN }))).toBeInstanceOf(Refused);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('nor cancel: the payment goes its way', async () => {
    const { paymentId, goOn } = await validating();
    const error = await rejection(of(paymentId).cancel(BRIAN));
    expect(error).toBeInstanceOf(Refused);
    expect((error as Refused).message).toContain(`brian ${REFUSAL}`);
    goOn();
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    expect(await actionsOf(paymentId)).toEqual([]);
  });

  test.concurrent('who is named can cancel', async () => {
    const { paymentId, goOn } = await validating();
    await of(paymentId).cancel({ operator: 'AMINA', note: 'wrong meter', requestId: 'click-1' });
    goOn();
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'cancelled', by: 'AMINA' });
    expect(await actionsOf(paymentId)).toEqual([expect.objectContaining({ updateId: 'cancelPayment:click-1' })]);
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  });

  test.concurrent('Request Cancellation of the UI is "temporal-ui": not named, it changes nothing', async () => {
    const { paymentId, goOn } = await validating();
    await runOf(flow, paymentId).cancel();
    const asksFor = async () =>
      (await runOf(flow, paymentId).fetchHistory()).events?.some(
        (event) => event.workflowExecutionCancelRequestedEventAttributes,
      );
    await until('the request', asksFor, (seen) => seen === true);
    const details = async () =>
      (await runOf(flow, paymentId).query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
    const said = await until('the details to say so', details, (text) => text.includes('Request Cancellation'));
    expect(said).toContain(`**Request Cancellation changed nothing.** temporal-ui ${REFUSAL}`);
    goOn();
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    expect(await actionsOf(paymentId)).toEqual([]);
  });

  test.concurrent('everybody may have the provider asked', async () => {
    const paymentId = await asked();
    expect(await of(paymentId).checkNow({ operator: 'brian' })).toMatchObject({ stage: 'needs-attention' });
  });
});

describe('one update acts once', () => {
  const click = (paymentId: string, requestId = 'click-1') =>
    of(paymentId).resolve({ decision: 'paid', ...AMINA, receiptNumber: 'R-77', requestId });
  const THEIRS = { kind: 'paid', settledBy: 'operator', evidence: AMINA, receipt: { number: 'R-77' } };

  test.concurrent('twice at once with one id, while its record is repeated: recorded once, one answer', async () => {
    const paymentId = await asked();
    // It is recorded; that is not heard, and asked again.
    gates.hold('recorded', paymentId).failOnce();
    const [first, second] = await Promise.all([click(paymentId), click(paymentId)]);
    expect(first).toMatchObject({ stage: 'closed', outcome: THEIRS });
    expect(second).toEqual(first);
    expect(await actionsOf(paymentId)).toEqual([expect.objectContaining({ updateId: 'resolvePayment:click-1' })]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('asked again once it is closed: the person who decided gets what they did, by any id', async () => {
    const paymentId = await asked();
    const first = await click(paymentId);
    for (const id of ['click-1', 'click-2']) expect(await click(paymentId, id)).toEqual(first);
    expect(await actionsOf(paymentId)).toHaveLength(1);

    // Somebody else, or something else, is told by whom.
    const others = [
      () => of(paymentId).resolve({ decision: 'paid', ...WANJIRU }),
      () => of(paymentId).resolve({ decision: 'declined', ...AMINA }),
      // Their own name and note, and yet another decision.
      () => of(paymentId).resolve({ decision: 'paid', ...AMINA, receiptNumber: 'R-78' }),
      () => of(paymentId).resolve({ decision: 'paid', ...AMINA, token: '1234-5678' }),
      () => of(paymentId).resolve({ decision: 'paid', ...AMINA, amount: 200 }),
    ];
    for (const other of others) {
      const error = await rejection(other());
      expect(error).toBeInstanceOf(Refused);
      expect((error as Refused).message).toContain('amina has decided, it is closed already as paid. Paid.');
    }
  });

  test.concurrent('after a part was decided, all of it is another decision', async () => {
    const paymentId = await asked();
    await of(paymentId).resolve({ decision: 'paid', ...AMINA, amount: 200 });
    expect(await rejection(of(paymentId).resolve({ decision: 'paid', ...AMINA }))).toBeInstanceOf(Refused);
    expect(await of(paymentId).resolve({ decision: 'paid', ...AMINA, amount: 200 })).toMatchObject({ stage: 'closed' });
  });

  test.concurrent('a poll brings news just as the decision is recorded: who decided is told so', async () => {
    const paymentIds = await Promise.all([asked(), asked(), asked(), asked()]);
    await Promise.all(
      paymentIds.map(async (paymentId) => {
        const recorded = gates.hold('recorded', paymentId);
        const decision = click(paymentId);
        await recorded.reached;
        // The news comes into the task that completes the run: the engine drops that one, and the update in it.
        flow.sandbox.setRecord(paymentId, COMPLETED);
        // Until the run's task reports, the server keeps the poll's answer back: only the activity is gone.
        const polls = async () => (await runOf(flow, paymentId).describe()).raw.pendingActivities?.length;
        await until('the news', polls, (pending) => pending === 0);
        recorded.open();
        expect(await decision).toMatchObject({ stage: 'closed', outcome: THEIRS });
        // A look of the decision and the record beside it must not end in another order when the run is replayed.
        await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, await historyOf(flow, paymentId));
        expect(await actionsOf(paymentId)).toHaveLength(1);
        expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
      }),
    );
  });

  test.concurrent('a poll brings the verdict before the decision: the person is told what ended it', async () => {
    const paymentId = await asked();
    const look = gates.hold('lookNow', paymentId);
    const decision = rejection(of(paymentId).resolve({ decision: 'declined', ...AMINA }));
    await look.reached;
    flow.sandbox.setRecord(paymentId, COMPLETED);
    look.open();
    const error = await decision;
    expect(error).toBeInstanceOf(Refused);
    expect((error as Refused).message).toContain('it is closed already as paid. Paid.');
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(await actionsOf(paymentId)).toEqual([]);
  });

  test.concurrent('two people at once: one acts, the other is told by whom', async () => {
    const paymentId = await asked();
    const record = gates.hold('record:decided', paymentId);
    const first = click(paymentId);
    await record.reached;
    const second = rejection(of(paymentId).resolve({ decision: 'declined', ...WANJIRU }));
    record.open();
    expect(await first).toMatchObject({ outcome: THEIRS });
    expect(String(await second)).toContain('amina has decided, it is closed already as paid. Paid.');
    expect(await actionsOf(paymentId)).toEqual([expect.objectContaining({ operator: 'amina' })]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });
});

test('signals of a megabyte and a half, and updates as large, are taken or refused, and change nothing', async () => {
  const paymentId = await asked();
  const run = runOf(flow, paymentId);
  const huge = 'x'.repeat(1_500_000);
  await run.signal('providerCallback', huge);
  await run.signal('providerCallback', { claims: huge });
  for (const argument of [huge, { decision: 'paid', ...AMINA, note: huge }, { decision: 'paid', operator: huge }]) {
    const refused = await rejection(run.executeUpdate('resolvePayment', { args: [argument] as [unknown] }));
    expect(refused).toMatchObject({
      cause: { message: expect.stringMatching(/^Send one JSON|^"(note|operator)" must be/) as string },
    });
  }
  expect(await stageOf(flow, paymentId)).toBe('needs-attention');
  expect(await actionsOf(paymentId)).toEqual([]);
  await of(paymentId).resolve({ decision: 'declined', ...WANJIRU });
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
});
