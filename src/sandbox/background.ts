/** Work that goes on after an answer: timers and the sends they start. */
export interface Background {
  after(ms: number, task: () => Promise<void> | void): void;
  /** Resolves once nothing is scheduled or running. */
  idle(): Promise<void>;
  /** Drops what is scheduled, and waits for what runs. */
  close(): Promise<void>;
}

export function createBackground(): Background {
  const timers = new Set<NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  let closed = false;

  const settle = () => {
    if (timers.size === 0 && running.size === 0) waiting.splice(0).forEach((resolve) => resolve());
  };
  const run = (task: () => Promise<void> | void) => {
    const work = Promise.resolve()
      .then(task)
      .finally(() => {
        running.delete(work);
        settle();
      });
    running.add(work);
  };
  const idle = () => new Promise<void>((resolve) => (waiting.push(resolve), settle()));

  return {
    after(ms, task) {
      if (closed) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        run(task);
      }, ms);
      timers.add(timer);
    },
    idle,
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      return idle();
    },
  };
}
