import { setTimeout as sleep } from 'node:timers/promises';
import type { BillPayments } from '../../src/client';
import { accountOf } from '../../src/sandbox';
import { concurrently } from '../../src/payment/concurrently';
import { requestFor } from './payment-calls';
import { newId } from './rows';
import { PARTS, type ByPart, type Stage } from './stage';

/** Payments that wait because the provider does not say how they went: what they hold, and how long they take to wake. */
export interface Parked {
  readonly payments: number;
  /** Bytes for each waiting payment, by part: what the process's memory (PSS) has grown by. */
  readonly bytesEach: ByPart;
  /** Of each process, before and with them, in bytes. */
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
/** A process that has just worked holds garbage: its memory is read when it has stopped falling, or after this. */
const SETTLES_WITHIN_MS = 40_000;
const READ_EVERY_MS = 4_000;
const STILL = 0.01;
const COUNT_EVERY_MS = 100;
/** Ten a second. */
const WAKE_WITHIN_MS = 100_000;

export async function measureParked(stage: Stage, options: ParkedOptions): Promise<Parked> {
  const { payments, atOnce, progress } = options;
  progress(`Parking ${payments} payments`);
  // Code is compiled and connections are made before the first reading.
  await park(stage, { count: atOnce * 4, atOnce });
  const before = await settled(stage);
  const ids = await park(stage, { count: payments, atOnce });
  const full = await settled(stage);
  const bytesEach = Object.fromEntries(
    PARTS.map((part) => [part, Math.round((full[part] - before[part]) / payments)]),
  ) as ByPart;
  const woken = ids.slice(0, WAKES);
  progress(`Waking ${woken.length} of them`);
  const wakeMs = await wake(stage, woken);
  return { payments, bytesEach, before, with: full, woken: woken.length, wakeMs };
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

async function untilWaiting(payment: Awaited<ReturnType<BillPayments['start']>>): Promise<void> {
  while ((await payment.progress()).stage !== 'awaiting-result') await sleep(COUNT_EVERY_MS);
}

async function settled(stage: Stage): Promise<ByPart> {
  const deadline = Date.now() + SETTLES_WITHIN_MS;
  for (let last = stage.memory(); ;) {
    await sleep(READ_EVERY_MS);
    const now = stage.memory();
    const isStill = PARTS.every((part) => now[part] > last[part] * (1 - STILL));
    if (isStill || Date.now() > deadline) return now;
    last = now;
  }
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
