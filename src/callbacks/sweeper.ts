export interface Sweeper {
  /** No sweep starts any more; resolves when the running one has ended. */
  close(): Promise<void>;
}

export interface SweeperOptions {
  readonly sweep: () => Promise<unknown>;
  readonly onFailure: (error: unknown) => void;
  /** Pause between the end of a sweep and the start of the next. */
  readonly everyMs?: number;
}

const DEFAULT_PAUSE_MS = 10_000;
/** Endpoints that were started together must not sweep together for ever. */
const JITTER = 0.2;

/** Sweeps at once (what an endpoint that died left behind is delivered by the next one), then again and again, never twice at a time. */
export function startSweeper({ sweep, onFailure, everyMs = DEFAULT_PAUSE_MS }: SweeperOptions): Sweeper {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let current = round();

  async function round(): Promise<void> {
    try {
      await sweep();
    } catch (error) {
      onFailure(error);
    }
    if (closed) return;
    const pause = everyMs * (1 + JITTER * (2 * Math.random() - 1));
    timer = setTimeout(() => {
      current = round();
    }, pause).unref();
  }

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await current;
    },
  };
}
