import { ActivityFailure, ApplicationFailure, TemporalFailure, sleep } from '@temporalio/workflow';
import { FAILURES } from '../payment/contract';

/** What waits for the store, and shows it. */
export interface WaitsForStore {
  /** When a person may be told, at the earliest; epoch ms. */
  readonly attentionAt: number;
  storeIsAway(because: string): void;
  storeAnswered(): void;
}

/** A payment that ends late still gives the store a moment before a person hears of it. */
const AT_LEAST_MS = 30_000;
/** Between two rounds of a store step: short for a failover, long in an outage, because each round costs events. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** Runs a store step until it is done. A person hears of it when it is not done by the time that a payment may take. */
export async function untilStored<T>(waiting: WaitsForStore, step: () => Promise<T>): Promise<T> {
  const began = Date.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      const result = await step();
      waiting.storeAnswered();
      return result;
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      // A local activity's failure comes with or without an envelope.
      const cause = error instanceof ActivityFailure ? error.cause : error;
      // The caller's mistake, not the store's: it fails with the typed cause.
      if (isCallersMistake(cause)) throw cause;
      const askAt = Math.max(waiting.attentionAt, began + AT_LEAST_MS);
      if (Date.now() >= askAt) waiting.storeIsAway(cause?.message ?? 'no answer');
      const untilAsked = askAt > Date.now() ? askAt - Date.now() : Infinity;
      await sleep(Math.min(pause, untilAsked), { summary: 'The store is away: try again' });
    }
  }
}

const CALLERS_MISTAKES: readonly unknown[] = [FAILURES.invalidRequest, FAILURES.paymentConflict, FAILURES.refused];

/** By its type alone: nothing else that a store step says may end a run. */
const isCallersMistake = (cause: Error | undefined): cause is ApplicationFailure =>
  cause instanceof ApplicationFailure && CALLERS_MISTAKES.includes(cause.type);
