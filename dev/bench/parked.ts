import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable, type BillPayments } from '../../src/client';
import { accountOf } from '../../src/sandbox';
import { concurrently } from '../../src/payment/concurrently';
import { requestFor } from './payment-calls';
import { newId } from './rows';
import { NODE_PARTS, PARTS, type ByPart, type NodePart, type Stage } from './stage';

type Amounts<Name extends string> = Readonly<Record<Name, number>>;

/** Payments that wait because the provider does not say how they went: what they hold, and how long they take to wake. */
export interface Parked {
  readonly payments: number;
  /** What each process holds more for each of them, in bytes: the memory that its processes have written. */
  readonly bytesEach: ByPart;
  /** Of it, what JavaScript holds. */
  readonly heapBytesEach: Readonly<Record<NodePart, number>>;
  /** Bytes of each process, before and with them. */
  readonly before: ByPart;
  readonly with: ByPart;
  readonly woken: number;
  /** From the first callback to the last end. */
  readonly wakeMs: number;
}

export interface ParkedOptions {
  readonly payments: number;
  readonly atOnce: number;
  readonly progress: (line: string) => void;
}

/** How many are woken at most. */
const WAKES = 1_000;
/** So that what is measured is waiting and not looking: nobody asks the provider in between. */
const LONGEST_GRACE = '10 minutes';
/** What was freed by collecting garbage goes back to the system a moment later. */
const GIVEN_BACK_WITHIN_MS = 2_000;
const ASK_EVERY_MS = 300;
const COUNT_EVERY_MS = 100;
/** Ten a second. */
const WAKE_WITHIN_MS = 100_000;

export async function measureParked(stage: Stage, options: ParkedOptions): Promise<Parked> {
  const { payments, atOnce, progress } = options;
  progress(`Parking ${payments} payments`);
  // Code is compiled and connections are made before the first reading.
  await park(stage, { count: atOnce * 4, atOnce });
  const before = await read(stage);
  const ids = await park(stage, { count: payments, atOnce });
  const full = await read(stage);
  const each = <Name extends string>(names: readonly Name[], one: Amounts<Name>, other: Amounts<Name>): Amounts<Name> =>
    Object.fromEntries(names.map((name) => [name, Math.round((other[name] - one[name]) / payments)])) as Amounts<Name>;
  const woken = ids.slice(0, WAKES);
  progress(`Waking ${woken.length} of them`);
  const wakeMs = await wake(stage, woken);
  return {
    payments,
    bytesEach: each(PARTS, before.memory, full.memory),
    heapBytesEach: each(NODE_PARTS, before.heap, full.heap),
    before: before.memory,
    with: full.memory,
    woken: woken.length,
    wakeMs,
  };
}

async function park(stage: Stage, { count, atOnce }: { count: number; atOnce: number }): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, newId);
  await concurrently(ids, atOnce, async (paymentId) => {
    const payment = await stage.payments.start({
      ...requestFor(paymentId),
      accountNumber: accountOf('pending-for-ever'),
      policy: { callbackGrace: LONGEST_GRACE },
    });
    await untilWaiting(payment);
  });
  return ids;
}

/** A machine that is busy may answer too late: asked again, then. */
async function untilWaiting(payment: Awaited<ReturnType<BillPayments['start']>>): Promise<void> {
  const stage = (): Promise<string> =>
    payment.progress().then(
      (progress) => progress.stage,
      (error: unknown) => (error instanceof EngineUnavailable ? 'unknown' : Promise.reject(error as Error)),
    );
  do await sleep(ASK_EVERY_MS);
  while ((await stage()) !== 'awaiting-result');
}

async function read(stage: Stage): Promise<{ memory: ByPart; heap: Amounts<NodePart> }> {
  const heap = await stage.heap();
  await sleep(GIVEN_BACK_WITHIN_MS);
  return { memory: stage.memory(), heap };
}

async function wake(stage: Stage, paymentIds: readonly string[]): Promise<number> {
  const running = await countRunning(stage);
  const began = performance.now();
  stage.hub.send('sandbox', { kind: 'complete', paymentIds });
  while ((await countRunning(stage)) > running - paymentIds.length) {
    if (performance.now() - began > WAKE_WITHIN_MS)
      throw new Error(`${paymentIds.length} payments did not wake within ${WAKE_WITHIN_MS / 1000} s`);
    await sleep(COUNT_EVERY_MS);
  }
  return Math.round(performance.now() - began);
}

async function countRunning({ client }: Stage): Promise<number> {
  const { count } = await client.workflow.count("WorkflowType = 'billPayment' AND ExecutionStatus = 'Running'");
  return count;
}
