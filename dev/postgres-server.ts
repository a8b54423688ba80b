import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startGuarded, type GuardedChild } from './child';
import { freePort } from './ports';
import { PLAIN_ENVIRONMENT, type RunAs } from './postgres-user';

const run = promisify(execFile);

export interface ServerSettings {
  readonly user: RunAs;
  readonly program: string;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly password: string;
  readonly fsync: boolean;
  /** Removed if we die without stopping the server. */
  readonly removeWhenOrphaned: string | undefined;
  /** Default: any free one. Given when a server comes back to those who know its address. */
  readonly port?: number;
}

export interface Server {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** As a crash would: SIGKILL of the server, whose own children then end by themselves. */
  kill(): Promise<void>;
}

/** Another process may take a free port between our look and the server's start. */
const PORT_TRIES = 5;

export async function launch(settings: ServerSettings): Promise<Server> {
  await waitForPredecessor(settings.dataFolder);
  for (let left = PORT_TRIES; ; left--) {
    const port = settings.port ?? (await freePort());
    const url = `postgresql://billpay:${settings.password}@127.0.0.1:${port}/postgres`;
    const server = await spawnServer(settings, port);
    try {
      await untilReady(server, url, settings.logFile);
      return {
        url,
        port,
        stop: () => server.stop(),
        async kill() {
          server.signal('SIGKILL');
          await server.exited;
        },
      };
    } catch (error) {
      await server.stop();
      const said = await lastLines(settings.logFile);
      const isTaken = said.includes('could not create any TCP/IP sockets');
      // The children of a server that was killed let go of its memory, or of its port, a moment after it.
      if (left > 1 && (isTaken || said.includes('shared memory block'))) {
        await setTimeout(200);
        continue;
      }
      throw error;
    }
  }
}

async function spawnServer(
  { user, program, dataFolder, logFile, fsync, removeWhenOrphaned }: ServerSettings,
  port: number,
): Promise<GuardedChild> {
  await writeFile(logFile, '', { mode: 0o600 });
  // No unix socket: its path may be too long for the system, and nothing here needs it.
  const options = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    ...(!fsync && { fsync: 'off', full_page_writes: 'off' }),
  };
  const args = ['-D', dataFolder, ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  return startGuarded(program, args, {
    logFile,
    user,
    cwd: '/',
    env: PLAIN_ENVIRONMENT,
    // A fast shutdown: open connections are ended, nothing that was committed is lost. Then an immediate one, which the next start
    // recovers from.
    endWith: ['INT', 'QUIT'],
    ...(removeWhenOrphaned !== undefined && { removeAfter: removeWhenOrphaned }),
  });
}

/** Recovery after a crash may take a while. */
const READY_WITHIN_MS = 60_000;

async function untilReady({ exited }: GuardedChild, url: string, logFile: string): Promise<void> {
  let ended = false;
  void exited.then(() => (ended = true));
  for (const deadline = Date.now() + READY_WITHIN_MS; ; await setTimeout(50)) {
    if (ended) throw new Error(`PostgreSQL did not start:\n${await lastLines(logFile)}`);
    if (await answers(url)) return;
    if (Date.now() > deadline)
      throw new Error(`PostgreSQL does not answer after ${READY_WITHIN_MS / 1000} s:\n${await lastLines(logFile)}`);
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

const lastLines = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(-12).join('\n').trim();

/** A run that was killed leaves its server to the guard, which takes a moment. */
const PREDECESSOR_ENDS_WITHIN_MS = 15_000;

/**
 * The data folder's postmaster.pid: a server of a killed run that is still stopping is waited for; a stale file whose process id now
 * belongs to something else, which PostgreSQL itself would respect for ever, is removed. Any other stale file PostgreSQL handles.
 */
async function waitForPredecessor(dataFolder: string): Promise<void> {
  const pidFile = join(dataFolder, 'postmaster.pid');
  for (const deadline = Date.now() + PREDECESSOR_ENDS_WITHIN_MS; ; await setTimeout(100)) {
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
    const command = pid > 1 ? await commandOf(pid) : undefined;
    if (command === undefined) return;
    // Also when it is empty: a dead process that nobody has collected, as in a container without an init.
    if (!command.includes(dataFolder)) return await rm(pidFile, { force: true });
    if (Date.now() > deadline) {
      throw new Error(
        `Another run already uses the database in ${dataFolder} (process ${pid}). Stop it first, or set DATABASE_URL.`,
      );
    }
  }
}

/** Undefined if there is no such process. */
async function commandOf(pid: number): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // No /proc on macOS.
    return await run('ps', ['-o', 'command=', '-p', String(pid)]).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
  }
}
