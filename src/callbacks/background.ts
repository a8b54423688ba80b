export interface Background {
  /** Asks for a callback to be delivered soon. Never throws, never waits. */
  offer(callback: { readonly paymentId: string; readonly id: number }): void;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
}

export interface BackgroundOptions {
  readonly run: (paymentId: string, callbackIds: Iterable<number>) => Promise<unknown>;
  readonly onFailure: (paymentId: string, error: unknown) => void;
  /** Payments at a time. */
  readonly concurrency?: number;
  /** Payments that may wait. */
  readonly mayWait?: number;
}

/**
 * Delivery goes on after the answer, bounded: a flood of callbacks makes neither a flood of signals at once nor a queue without
 * end, and a flood for one payment takes one place. What does not fit is dropped: it is stored, and the sweep comes for it.
 */
export function createBackground({ run, onFailure, concurrency = 8, mayWait = 1_000 }: BackgroundOptions): Background {
  const waiting = new Map<string, Set<number>>();
  const running = new Set<string>();
  let whenIdle: (() => void)[] = [];

  function next(): void {
    for (const [paymentId, ids] of waiting) {
      if (running.size >= concurrency) return;
      if (running.has(paymentId)) continue;
      waiting.delete(paymentId);
      running.add(paymentId);
      void work(paymentId, ids);
    }
    if (running.size > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  async function work(paymentId: string, ids: Iterable<number>): Promise<void> {
    try {
      await run(paymentId, ids);
    } catch (error) {
      onFailure(paymentId, error);
    } finally {
      running.delete(paymentId);
      next();
    }
  }

  return {
    offer({ paymentId, id }) {
      const ids = waiting.get(paymentId);
      if (ids !== undefined) ids.add(id);
      else if (waiting.size < mayWait) waiting.set(paymentId, new Set([id]));
      next();
    },
    idle: () =>
      new Promise((resolve) => {
        whenIdle.push(resolve);
        next();
      }),
  };
}
