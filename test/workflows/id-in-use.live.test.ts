import { Refused } from '../../src/client';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Provider } from '../../src/payment/provider';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { Claimed, Store } from '../../src/store';
import { createFaultyWorker, createHang, type FaultyWorker, type Hang } from '../support/faults';
import {
  factsOf,
  factsWhen,
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
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  resetRun,
  runOf,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
} from '../support/gates';

/**
 * A record under our id before we have sent anything. It is never evidence for our payment (G3), also not after a restart; and once it
 * is written down nobody gets the claim, so that "nothing was sent" stays true. A slow attempt may have taken it before (G1, G2).
 */
let flow: Flow;
let worker: FaultyWorker;
let gates: Gates;
const hangs: Hang<never>[] = [];

beforeAll(async () => {
  worker = createFaultyWorker();
  gates = createGates();
  const { provider, store: faulty } = worker.worker;
  const { store: gated } = gates.worker;
  if (provider === undefined || faulty === undefined || gated === undefined) throw new Error('no faults to put in');
  flow = await startFlow({ provider, store: (real: Store) => gated({ ...real, ...faulty(real) }) });
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

const of = (paymentId: string) => flow.payments.payment(paymentId);

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

type Found = Awaited<ReturnType<Provider['findPayment']>>;

function hang<Result>(): Hang<Result> {
  const made = createHang<Result>();
  hangs.push(made as Hang<never>);
  return made;
}

interface Slow {
  readonly paymentId: string;
  /** Lets the first attempt go on: it claims, and sends if it may. */
  release(): void;
  /** What its claim was answered. */
  readonly claimed: Promise<Claimed>;
  /** The second attempt has been told of somebody else's record, and has not written it down yet. */
  readonly found: Promise<void>;
  /** Lets it write that down. */
  write(): void;
}

/** The first attempt has looked and found nothing, and hangs; the second one finds somebody else's record. */
async function beginsBesideASlowAttempt(): Promise<Slow> {
  const request = await ownRequest(flow, 'pending-for-ever');
  const { paymentId } = request;
  const [looked, found, claiming] = [hang<Found>(), hang<Found>(), hang<Claimed>()];
  claiming.release();
  worker.arm(paymentId, {
    silentAttempt: 1,
    look: (attempt, real, args) => (attempt === 1 ? looked : found).after(() => real(...args)),
    claim: (_attempt, real, args) => claiming.after(() => real(...args)),
    // The engine's cancellation may come to a slow attempt, or not: here it does not.
    send: (_attempt, real, [order, session, mayStillSend]) => real(order, session, mayStillSend),
  });
  await flow.payments.start(request);
  await looked.reached;
  flow.sandbox.setRecord(paymentId, { ...SOMEBODY_ELSES, originatorConversationId: paymentId });
  return {
    paymentId,
    release: looked.release,
    claimed: claiming.result,
    found: found.reached,
    write: found.release,
  };
}

async function inUseBesideASlowAttempt(): Promise<Slow> {
  const slow = await beginsBesideASlowAttempt();
  slow.write();
  await expectInUse(slow.paymentId);
  return slow;
}

async function expectInUse(paymentId: string): Promise<void> {
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'id-in-use' });
  expect(await detailsOf(paymentId)).toContain('nothing was sent from here');
  expect(await detailsOf(paymentId)).toContain('No money is held.');
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
}

const declines = (paymentId: string) => of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' });

test.concurrent(
  'G2: it has claimed and sent before the record is written down: nobody is told that it was not',
  async () => {
    const { paymentId, release, claimed, found, write } = await beginsBesideASlowAttempt();
    await found;
    release();
    expect(await claimed).toEqual({ kind: 'claimed' });
    await factsWhen(flow, paymentId, 'the answer', ({ claim }) => claim.kind === 'taken' && claim.answer !== undefined);
    write();
    // What is there is not what was sent; and what was sent may yet be paid.
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'evidence-mismatch' });
    expect(await detailsOf(paymentId)).not.toMatch(/nothing was sent/i);
    expect(await refusal(declines(paymentId))).toContain('it cannot be declined');
    flow.sandbox.setRecord(paymentId, PENDING);
    expect(await refusal(declines(paymentId))).toMatch(/may still be on its way until/);
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);

    flow.sandbox.setRecord(paymentId, COMPLETED);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  },
);

describe('G1: a slow attempt that comes to its claim after the record was written down sends nothing', () => {
  async function expectDeclined({ paymentId, claimed }: Slow, because: 'record-seen' | 'closed'): Promise<void> {
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({
      ...{ kind: 'declined', step: 'submission', reason: 'operator', settledBy: 'operator' },
      evidence: { providerCase: 'C-1' },
    });
    expect(await claimed).toEqual({ kind: 'not-claimed', because });
    expect(worker.senders(paymentId)).toEqual([]);
    const { claim, closed } = await factsOf(flow, paymentId);
    expect({ claim, closed }).toEqual({ claim: { kind: 'sealed' }, closed: { outcome, disputed: false } });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  }

  test.concurrent('before anybody decides: "nothing was sent" stays true', async () => {
    const slow = await inUseBesideASlowAttempt();
    const { paymentId } = slow;
    slow.release();
    await slow.claimed;
    await expectInUse(paymentId);
    expect(await declines(paymentId)).toMatchObject({ stage: 'closed', outcome: { kind: 'declined' } });
    await expectDeclined(slow, 'record-seen');
  });

  test.concurrent('while the decline is being written down', async () => {
    const slow = await inUseBesideASlowAttempt();
    const { paymentId } = slow;
    const record = gates.hold('record:decided', paymentId);
    const decline = declines(paymentId);
    await record.reached;
    slow.release();
    await slow.claimed;
    record.open();
    expect(await decline).toMatchObject({ stage: 'closed', outcome: { kind: 'declined' } });
    await expectDeclined(slow, 'record-seen');
  });

  test.concurrent('once it is declined: it is sealed', async () => {
    const slow = await inUseBesideASlowAttempt();
    expect(await declines(slow.paymentId)).toMatchObject({ stage: 'closed', outcome: { kind: 'declined' } });
    slow.release();
    await expectDeclined(slow, 'closed');
  });
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
      how: 'terminated and started again when its time is over',
      again: async (request: BillPaymentRequest) => {
        await untilItsTimeIsOver(request.paymentId);
        await runOf(flow, request.paymentId).terminate('shown by a test');
        await flow.payments.start(request);
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
    const expectStillInUse = async () => {
      await expectInUse(paymentId);
      const stage = () => stageOf(flow, paymentId);
      await until('a stage in which it can be looked at', stage, (seen) => seen === 'needs-attention');
      expect(await of(paymentId).checkNow({ operator: 'op-1' })).toMatchObject({ reason: 'id-in-use' });
      await expectInUse(paymentId);
    };
    await flow.payments.start(request);
    await expectStillInUse();
    await again(request);
    await expectStillInUse();
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
    expect((await factsOf(flow, paymentId)).closed).toEqual({ outcome, disputed: false });
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  },
);
