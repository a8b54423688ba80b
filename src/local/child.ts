import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * A server that lives as long as this process and never longer. A shell stands between: it ends the server when its own
 * input closes, and the kernel closes that even when we are killed. In a session of its own, so that Ctrl-C in a terminal
 * reaches us alone and we stop things in our order.
 */
export interface GuardedChild {
  readonly pid: number;
  /** Settles when it has ended, whoever ended it. Never rejects. */
  readonly exited: Promise<{ readonly code: number | null }>;
  stop(): Promise<void>;
}

export const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill "$server"; } 2>/dev/null & guard=$!
wait "$server"; code=$?
kill "$guard" 2>/dev/null
exit $code
`;

/** A database that must be written out takes a moment; what takes longer than this hangs. */
const STOP_WITHIN_MS = 10_000;

/** @param logFile gets everything the command says */
export function startGuarded(command: string, args: readonly string[], logFile: string): GuardedChild {
  const log = openSync(logFile, 'a');
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', command, ...args], {
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const { pid, stdin } = child;
  child.once('error', () => undefined); // said below
  if (pid === undefined || stdin === null) throw new Error(`${command} could not be started: there is no /bin/sh`);
  stdin.on('error', () => undefined); // it ended first
  const exited = new Promise<{ code: number | null }>((resolve) => {
    child.once('exit', (code) => {
      stdin.destroy();
      resolve({ code });
    });
  });

  return {
    pid,
    exited,
    async stop() {
      stdin.end();
      const hurry = setTimeout(() => killGroup(pid), STOP_WITHIN_MS);
      await exited;
      clearTimeout(hurry);
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // already gone
  }
}
