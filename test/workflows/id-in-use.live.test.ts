import { Refused } from '../../src/client';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { Claimed, Store } from '../../src/store';
import { createFaultyWorker, createHang, type FaultyWorker, type Hang } from '../support/faults';
import { needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  COMPLETED,
  createGates,
  firstTask,
  FUNDS,
  ownRequest,
  PAID_ONCE,
  PRICE,
  resetRun,
  runOf,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
} from '../support/gates';

/**
 * A record under our id before we have sent anything. It is never evidence for our payment (G3), also not after a restart; and a
 * slow attempt may still send, so that "nothing was sent" holds only as long as the claim is free, or once it is sealed (G1, G2).
 */
let flow: Flow;
let worker: FaultyWorker;
let gates: Gates;
const hangs: Hang<never>[] = [];

beforeAll(async () => {
  worker = createFaultyWorker();
  gates = createGates();
  const { almara, store: faulty } = worker.worker;
  const { store: gated } = gates.worker;
  if (almara === undefined || faulty === undefined || gated === undefined) throw new Error('no faults to put in');
  flow = await startFlow({ almara, store: (real: Store) => gated({ ...real, ...faulty(real) }) });
});
afterAll(() => hangs.forEach(({ release }) => release()));

/** Heartbeats and retries are the engine's; the rest is for a slow machine. */
const BY = { operator: 'op-1', note: 'it is the record of another shop' };
const PENDING = { status: 1 } as const;
const SOMEBODY_ELSES = {
  ...COMPLETED,
  transactionType: 2,
  accountNumber: '999999',
  amount: 15,
  currencyCode: 'KES',
} as const;
const HELD_AND_NOT_SENT = { seen: 0, captured: 0, funds: [FUNDS - PRICE, PRICE, 0] };
const SEALED = { seen: 0, captured: 0, funds: [FUNDS, 0, 0] };

const of = (paymentId: string) => flow.payments.payment(paymentId);
const posts = (paymentId: string) => flow.sandbox.payment(paymentId).postsCaptured;

async function detailsOf(paymentId: string): Promise<string> {
  const metadata = await runOf(flow, paymentId).query<{ readonly currentDetails?: string }>(
    '__temporal_workflow_metadata',
  );
  return metadata.currentDetails ?? '';
}

async function refusal(update: Promise<unknown>): Promise<string> {
  const error: unknown = await update.then(
    () => undefined,
    (refused: unknown) => refused,
  );
  expect(error).toBeInstanceOf(Refused);
  return (error as Refused).message;
}

interface Slow {
  readonly paymentId: string;
  /** Lets the first attempt go on: it claims, and sends if it may. */
  release(): void;
  /** What its claim was answered. */
  readonly claimed: Promise<Claimed>;
}

/** The first attempt has looked and found nothing, and hangs; the second one finds somebody else's record. */
async function inUseBesideASlowAttempt(): Promise<Slow> {
  const request = await ownRequest(flow, 'pending-for-ever');
  const { paymentId } = request;
  const looked = createHang<Awaited<ReturnType<Flow['almara']['findPayment']>>>();
  const claiming = createHang<Claimed>();
  hangs.push(looked as Hang<never>);
  claiming.release();
  worker.arm(paymentId, {
    silentAttempt: 1,
    look: (attempt, real, args) => (attempt === 1 ? looked.after(() => real(...args)) : real(...args)),
    claim: (_attempt, real, args) => claiming.after(() => real(...args)),
    // The engine's cancellation may come to a slow attempt, or not: here it does not.
    send: (_attempt, real, [order, token, mayStillSend]) => real(order, token, mayStillSend),
  });
  await flow.payments.start(request);
  await looked.reached;
  flow.sandbox.setRecord(paymentId, { ...SOMEBODY_ELSES, originatorConversationId: paymentId });
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'id-in-use' });
  expect(await detailsOf(paymentId)).toContain('Nothing was sent');
  expect(await truthOf(flow, paymentId)).toEqual(HELD_AND_NOT_SENT);
  return { paymentId, release: looked.release, claimed: claiming.result };
}

const declines = (paymentId: string) => of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' });

async function expectOpenAndSentOnce(paymentId: string): Promise<void> {
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'provider-silent' });
  expect(await detailsOf(paymentId)).not.toMatch(/nothing was sent/i);
  expect((await flow.store.payments.facts(paymentId)).outcome).toBeUndefined();
  expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
  expect(worker.senders(paymentId)).toEqual([1]);
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
}

async function expectPaid(paymentId: string): Promise<void> {
  flow.sandbox.setRecord(paymentId, COMPLETED);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

describe('G2: "nothing was sent" is taken back when a slow attempt sends after all', () => {
  test.concurrent('it sends, then a person declines: refused, and its own record ends it', async () => {
    const { paymentId, release, claimed } = await inUseBesideASlowAttempt();
    release();
    expect(await claimed).toEqual({ kind: 'claimed' });
    await until(
      'the late request',
      () => posts(paymentId),
      (seen) => seen === 1,
    );
    flow.sandbox.setRecord(paymentId, PENDING);
    expect(await refusal(declines(paymentId))).toMatch(/may still be on its way until/);
    await expectOpenAndSentOnce(paymentId);
    await expectPaid(paymentId);
  });

  test.concurrent('it sends while the decline is being written down: nothing is declined', async () => {
    const { paymentId, release } = await inUseBesideASlowAttempt();
    const close = gates.hold('close:declined', paymentId);
    const decline = refusal(declines(paymentId));
    await close.reached;
    release();
    await until(
      'the late request',
      () => posts(paymentId),
      (seen) => seen === 1,
    );
    flow.sandbox.setRecord(paymentId, PENDING);
    close.open();
    expect(await close.passed).toEqual({ kind: 'may-have-been-sent' });
    // The task in which it was decided may have been lost to the waiting: then it is decided again, with the claim in sight.
    expect(await decline).toMatch(/nothing was changed|may still be on its way until/);
    const reason = async () => (await of(paymentId).progress()).reason;
    await until('the new reason', reason, (seen) => seen === 'provider-silent');
    await expectOpenAndSentOnce(paymentId);
    await expectPaid(paymentId);
  });
});

test.concurrent('G1: declined while nothing is claimed, it is sealed: the slow attempt sends nothing', async () => {
  const { paymentId, release, claimed } = await inUseBesideASlowAttempt();
  expect(await declines(paymentId)).toMatchObject({ stage: 'closed', outcome: { kind: 'declined' } });
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toMatchObject({ reason: 'operator', settledBy: 'operator', evidence: { providerCase: 'C-1' } });
  release();
  expect(await claimed).toEqual({ kind: 'closed', outcome });
  expect(worker.senders(paymentId)).toEqual([]);
  expect(await flow.store.payments.facts(paymentId)).toMatchObject({ outcome, disputed: false });
  expect(await truthOf(flow, paymentId)).toEqual(SEALED);
});

/** Does everything after the validation again, in a new run. */
const resetAfterValidation = (paymentId: string): Promise<string> =>
  resetRun(flow, workflowIdOf(paymentId), (events) => {
    const validated = events.findIndex((event) => event.activityTaskCompletedEventAttributes);
    return validated < 0 ? undefined : firstTask(events.slice(validated));
  });

/** Enough to come to the look on a slow machine; each test waits for its end. */
const SOON_OVER = { ...SHORT_POLICY, submitWithin: '12 seconds' };

async function untilItsTimeIsOver(paymentId: string): Promise<void> {
  const { startedAt } = await of(paymentId).progress();
  const over = Date.parse(startedAt) + 12_500;
  await until(
    'the end of the time to submit',
    () => Date.now(),
    (now) => now > over,
  );
}

describe('G3: a completed record that was there before, and says all that we would send, is not our payment', () => {
  test.concurrent.each([
    {
      how: 'terminated and started again with no time left',
      again: async (request: BillPaymentRequest) => {
        await runOf(flow, request.paymentId).terminate('shown by a test');
        await flow.payments.start({ ...request, policy: { ...SOON_OVER, submitWithin: '1 millisecond' } });
      },
    },
    {
      how: 'reset to the task after the validation when its time is over',
      again: async ({ paymentId }: BillPaymentRequest) => {
        await untilItsTimeIsOver(paymentId);
        await resetAfterValidation(paymentId);
      },
    },
  ])('$how: never paid by itself, and not declined', async ({ again }) => {
    const request = await ownRequest(flow, 'record-exists', { policy: SOON_OVER });
    const { paymentId, accountNumber, amount } = request;
    flow.sandbox.setRecord(paymentId, {
      ...SOMEBODY_ELSES,
      originatorConversationId: paymentId,
      accountNumber,
      amount,
    });
    const expectInUse = async () => {
      expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'id-in-use' });
      expect(await of(paymentId).checkNow({ operator: 'op-1' })).toMatchObject({ reason: 'id-in-use' });
      expect((await flow.store.payments.facts(paymentId)).outcome).toBeUndefined();
      expect(await truthOf(flow, paymentId)).toEqual(HELD_AND_NOT_SENT);
      expect(await detailsOf(paymentId)).toContain(`KES ${PRICE} is still held.`);
    };
    await flow.payments.start(request);
    await expectInUse();
    await again(request);
    await expectInUse();
    expect(await refusal(declines(paymentId))).toContain('it cannot be declined');
    await of(paymentId).resolve({ decision: 'paid', ...BY });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'operator' });
    expect(worker.senders(paymentId)).toEqual([]);
  });
});

test.concurrent(
  'G5, G7: paid without a funding account, reset when its time is over: as it was, no dispute',
  async () => {
    const { fundingAccount: _none, ...request } = flow.request('paid-with-callback', { policy: SOON_OVER });
    const { paymentId } = request;
    await flow.payments.start(request);
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome.kind).toBe('paid');
    await untilItsTimeIsOver(paymentId);
    const again = runOf(flow, paymentId, await resetAfterValidation(paymentId));
    expect((await again.result()) as BillPaymentOutcome).toEqual(outcome);
    expect((await again.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Paid');
    expect(await flow.store.payments.facts(paymentId)).toMatchObject({ outcome, disputed: false });
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  },
);
