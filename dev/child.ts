import { spawn, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * A server that lives as long as this process and never longer. A shell stands between: it ends the server when its own
 * input closes, and the kernel closes that even when we are killed. In a session of its own, so that Ctrl-C in a terminal
 * reaches us alone and we stop things in our order. It does not keep this process alive.
 */
export interface GuardedChild {
  /** The server's own id, not that of the shell which guards it. */
  readonly pid: Promise<number>;
  /** What it says, unless that goes to a file. */
  readonly output: readonly Readable[];
  /** To the server itself: to kill or stop it as an accident would. Nothing before it has an id, nor once it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Settles when it has ended, whoever ended it. Never rejects. */
  readonly exited: Promise<{ readonly code: number | null }>;
  stop(): Promise<void>;
}

export interface GuardOptions {
  /** Gets everything it says. */
  readonly logFile?: string;
  /** Instead of our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid?: number; readonly gid?: number };
  /** The folder it works in. */
  readonly cwd?: string;
  /** What ends it, one after the other if it does not heed: it is given 20 s after each, and killed in the end. */
  readonly endWith?: readonly ('INT' | 'TERM' | 'QUIT' | 'KILL')[];
  /** A folder that is removed after it, if it was stopped or we died, but not if it ended by itself. */
  readonly removeAfter?: string;
}

/**
 * `$1`: the signals; `$2`: the folder to be removed, or nothing; then the command. A stopped server is continued, or it would not heed.
 * Waiting for its end, the guard itself is not ended by ours.
 */
export const GUARD = `
exec 3<&0
signals=$1 folder=$2
shift 2
"$@" </dev/null 3<&- 4>&- & server=$!
{ echo "$server" >&4; } 2>/dev/null
exec 4>&-
{
  read -r nothing <&3
  trap '' TERM
  for signal in $signals; do
    kill "-$signal" "$server" || break
    kill -CONT "$server"
    tries=0
    while [ $tries -lt 200 ] && kill -0 "$server"; do sleep 0.1; tries=$((tries + 1)); done
  done
  [ -z "$folder" ] || rm -rf "$folder"
} >/dev/null 2>&1 & guard=$!
wait "$server"; code=$?
kill "$guard" 2>/dev/null
wait "$guard"
exit $code
`;

export function startGuarded(command: string, args: readonly string[], options: GuardOptions = {}): GuardedChild {
  const { logFile, env, user, cwd, endWith = ['TERM'], removeAfter = '' } = options;
  const log = logFile === undefined ? undefined : openSync(logFile, 'a');
  const stdio: StdioOptions = ['pipe', log ?? 'pipe', log ?? 'pipe', 'ignore', 'pipe'];
  const signals = [...endWith, 'KILL'].join(' ');
  const shell = spawn('/bin/sh', ['-c', GUARD, 'guard', signals, removeAfter, command, ...args], {
    detached: true,
    stdio,
    ...user,
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
  });
  if (log !== undefined) closeSync(log);
  shell.once('error', () => undefined); // said below
  if (shell.pid === undefined || shell.stdin === null)
    throw new Error(`${command} could not be started: there is no /bin/sh`);
  const { stdin } = shell;
  stdin.on('error', () => undefined); // it ended first
  shell.unref();

  let server: number | undefined;
  const told = shell.stdio[4] as Readable;
  told.on('error', () => undefined);
  const pid = new Promise<number>((resolve) => told.once('data', (line) => resolve((server = Number(String(line))))));
  const exited = new Promise<{ code: number | null }>((resolve) => {
    shell.once('exit', (code) => {
      server = undefined;
      stdin.destroy();
      resolve({ code });
    });
  });

  return {
    pid,
    exited,
    output: [shell.stdout, shell.stderr].filter((stream) => stream !== null),
    signal(signal) {
      if (server === undefined) return;
      try {
        process.kill(server, signal);
      } catch {
        // gone, and the shell is about to say so
      }
    },
    async stop() {
      shell.ref();
      stdin.end();
      await exited;
    },
  };
}
