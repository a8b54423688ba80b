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

/**
 * Runs a store step until it is done. A person hears of it when it is not done by the time that a payment may take: a timer tells that,
 * and no comparison with the clock, which a replay may read differently.
 */
export async function untilStored<T>(waiting: WaitsForStore, step: () => Promise<T>): Promise<T> {
  const patience = new Patience(waiting);
  try {
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
        patience.tried(cause?.message ?? 'no answer');
        await sleep(pause, { summary: 'The store is away: try again' });
      }
    }
  } finally {
    patience.isOver = true;
  }
}

/** From the first failure on: how long the store may be away before it is said, and why it is. */
class Patience {
  isOver = false;
  private isLost = false;
  private because: string | undefined;

  constructor(private readonly waiting: WaitsForStore) {}

  tried(because: string): void {
    const isFirst = this.because === undefined;
    this.because = because;
    if (isFirst) void sleep(this.leftMs(), { summary: 'Then a person is told' }).then(() => this.lose());
    else if (this.isLost) this.waiting.storeIsAway(because);
  }

  private leftMs(): number {
    return Math.max(this.waiting.attentionAt - Date.now(), AT_LEAST_MS);
  }

  private lose(): void {
    this.isLost = true;
    if (!this.isOver && this.because !== undefined) this.waiting.storeIsAway(this.because);
  }
}

const CALLERS_MISTAKES: readonly unknown[] = [FAILURES.invalidRequest, FAILURES.paymentConflict, FAILURES.refused];

/** By its type alone: nothing else that a store step says may end a run. */
const isCallersMistake = (cause: Error | undefined): cause is ApplicationFailure =>
  cause instanceof ApplicationFailure && CALLERS_MISTAKES.includes(cause.type);
