import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * A server that lives as long as this process and never longer. A shell stands between: it ends the server when its own
 * input closes, and the kernel closes that even when we are killed. In a session of its own, so that Ctrl-C in a terminal
 * reaches us alone and we stop things in our order.
 */
export interface GuardedChild {
  readonly pid: number;
  /** The server itself, without the shell that guards it: to kill or stop it as an accident would. Nothing once it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Settles when it has ended, whoever ended it. Never rejects. */
  readonly exited: Promise<{ readonly code: number | null }>;
  stop(): Promise<void>;
}

export const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- 4>&- & server=$!
{ echo "$server" >&4; } 2>/dev/null
exec 4>&-
{ cat <&3 >/dev/null; kill "$server"; kill -CONT "$server"; } 2>/dev/null & guard=$!
wait "$server"; code=$?
kill "$guard" 2>/dev/null
exit $code
`;

/** A database that must be written out takes a moment; what takes longer than this hangs. */
const STOP_WITHIN_MS = 10_000;

/**
 * @param logFile gets everything the command says
 * @param env instead of our own environment
 */
export function startGuarded(
  command: string,
  args: readonly string[],
  logFile: string,
  env?: NodeJS.ProcessEnv,
): GuardedChild {
  const log = openSync(logFile, 'a');
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', command, ...args], {
    detached: true,
    stdio: ['pipe', log, log, 'ignore', 'pipe'],
    ...(env && { env }),
  });
  closeSync(log);
  const { pid, stdin } = child;
  child.once('error', () => undefined); // said below
  if (pid === undefined || stdin === null) throw new Error(`${command} could not be started: there is no /bin/sh`);
  stdin.on('error', () => undefined); // it ended first
  let server: number | undefined;
  const told = child.stdio[4] as Readable;
  told.on('data', (line) => (server = Number(String(line))));
  told.on('error', () => undefined);
  const exited = new Promise<{ code: number | null }>((resolve) => {
    child.once('exit', (code) => {
      server = undefined;
      stdin.destroy();
      resolve({ code });
    });
  });

  return {
    pid,
    exited,
    signal(signal) {
      if (server === undefined) return;
      try {
        process.kill(server, signal);
      } catch {
        // gone, and the shell is about to say so
      }
    },
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
