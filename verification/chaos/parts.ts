import { setTimeout as sleep } from 'node:timers/promises';
import { startGuarded, type GuardedChild } from '../../dev/child';

/** Something that can be killed as an accident would kill it, and that comes back. */
export interface Part {
  /** SIGKILL; started again after `downMs`. Resolves when it is started. */
  kill(downMs: number): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

export interface NodeProcess extends Part {
  /** SIGSTOP, and SIGCONT after `forMs`. */
  stall(forMs: number): Promise<void>;
  /** How often it ended although nobody killed it. */
  readonly endedByItself: number;
}

export interface NodeProcessSettings {
  /** A script and its arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** What a supervisor waits before it starts a process again. */
const RESTART_AFTER_MS = 500;
const KILL_AGAIN_AFTER_MS = 100;

/** A Node process of its own that is started again whenever it ends, as any supervisor does. Killed by its own id only. */
export function superviseNode({ args, env, logFile }: NodeProcessSettings): NodeProcess {
  let child: GuardedChild | undefined;
  let isWanted = true;
  let isStruck = false;
  let endedByItself = 0;

  const start = (): void => {
    if (!isWanted) return;
    const started = startGuarded(process.execPath, args, { logFile, env });
    child = started;
    void started.exited.then(async () => {
      if (isStruck || !isWanted) return;
      endedByItself += 1;
      await sleep(RESTART_AFTER_MS);
      if (child === started && !isStruck) start();
    });
  };
  start();

  return {
    get endedByItself() {
      return endedByItself;
    },
    async kill(downMs) {
      isStruck = true;
      await killed(child);
      await sleep(downMs);
      isStruck = false;
      start();
    },
    async stall(forMs) {
      const stalled = child;
      stalled?.signal('SIGSTOP');
      await sleep(forMs);
      stalled?.signal('SIGCONT');
    },
    async stop() {
      isWanted = false;
      child?.signal('SIGCONT');
      child?.signal('SIGKILL');
      await child?.stop();
    },
  };
}

/** One that has only just been started has no id yet: the signal is sent until it has ended. */
async function killed(child: GuardedChild | undefined): Promise<void> {
  let isOver = child === undefined;
  void child?.exited.then(() => (isOver = true));
  while (!isOver) {
    child?.signal('SIGKILL');
    await Promise.race([child?.exited, sleep(KILL_AGAIN_AFTER_MS)]);
  }
}
