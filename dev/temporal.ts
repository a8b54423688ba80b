import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import type { TypedSearchAttributes } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { searchAttributeType } from '../src/worker/search-attributes';
import { startGuarded, type GuardedChild } from './child';
import { accepts, freePort, isFree } from './ports';
import { findTemporal } from './temporal-binary';

type SearchAttribute = NonNullable<ReturnType<typeof TypedSearchAttributes.getKeyFromUntyped>>;

export interface TemporalOptions {
  /** Use the server there and start none (`TEMPORAL_ADDRESS`). */
  readonly address?: string | undefined;
  /** Default: what `@temporalio/envconfig` says for a given server, else `default`. */
  readonly namespace?: string;
  /** Kept from run to run: the `temporal` command, logs. */
  readonly cacheDir: string;
  /** SQLite file; without it everything is forgotten at the end. */
  readonly dbFilename?: string;
  /** The Web UI: none, on any port, or preferably on this one. */
  readonly ui: boolean | number;
  /** Default: any free port. */
  readonly port?: number;
  readonly searchAttributes: readonly SearchAttribute[];
  readonly progress: (line: string) => void;
  /** Default: a file in `cacheDir`, removed when the server was stopped. */
  readonly logFile?: string;
}

export interface Temporal {
  readonly kind: 'given' | 'started';
  readonly address: string;
  readonly namespace: string;
  /** Address, and for a given server TLS and API key too. */
  readonly connectionOptions: NativeConnectionOptions & ConnectionOptions;
  readonly uiUrl?: string;
  /** Ends what was started here, and nothing else. */
  stop(): Promise<void>;
  /** The same as a crash would: SIGKILL. Another one can be started on its port and its file. */
  kill(): Promise<void>;
}

const START_WITHIN_MS = 90_000;
/** Far or encrypted, it still answers in less. */
const GIVEN_ANSWERS_WITHIN_MS = 5_000;
/** Between two knocks on the port of a server that starts in 300 ms. */
const KNOCK_EVERY_MS = 25;

/**
 * The dev server has one history shard, reads its queues at most 20 times a second and fires timers on a one-second grid. With
 * these a step costs 20 ms and not 150, and a timer of 200 ms takes 220 ms and not a second. The last one is for deleting a run:
 * it takes half a second and not half a minute.
 */
const QUICK = [
  'history.transferProcessorMaxPollRPS=10000',
  'history.timerProcessorMaxPollRPS=10000',
  'history.visibilityProcessorMaxPollRPS=10000',
  'history.timerProcessorMaxTimeShift="10ms"',
  'history.transferProcessorUpdateAckInterval="1s"',
];
/**
 * A server with a file writes it through to the disk at every step, which makes it ten times slower than one in memory. With these a
 * step is safe from the death of the process, which is all that happens to a server for development.
 */
const FILE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];
/** A fifth more throughput for some memory. */
const ENVIRONMENT = ['GOGC=400'];

/** A Temporal server to work with: the one given, or a dev server of our own that ends with this process. */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  return options.address === undefined || options.address === ''
    ? await startOwn(options)
    : await useGiven(options.address, options);
}

async function useGiven(address: string, { namespace, progress }: TemporalOptions): Promise<Temporal> {
  const profile = loadClientConnectConfig();
  const connectionOptions = { ...profile.connectionOptions, address };
  try {
    await (await Connection.connect({ ...connectionOptions, connectTimeout: GIVEN_ANSWERS_WITHIN_MS })).close();
  } catch (error) {
    throw new Error(`No Temporal server answers at ${address} (TEMPORAL_ADDRESS). Start it, or unset the variable.`, {
      cause: error,
    });
  }
  progress(`Temporal: using the server at ${address}`);
  return {
    kind: 'given',
    address,
    namespace: namespace ?? profile.namespace ?? 'default',
    connectionOptions,
    stop: () => Promise.resolve(),
    kill: () => Promise.resolve(),
  };
}

async function startOwn(options: TemporalOptions): Promise<Temporal> {
  const { cacheDir, progress, namespace = 'default' } = options;
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(
      `Port ${options.port} is taken. If a Temporal server listens there, use it: TEMPORAL_ADDRESS=127.0.0.1:${options.port}`,
    );
  }
  mkdirSync(cacheDir, { recursive: true });
  const command = await findTemporal({ cacheDir, progress });
  const port = options.port ?? (await freePort());
  const uiPort = options.ui === false ? undefined : await freePort(options.ui === true ? 0 : options.ui);
  const logFile = options.logFile ?? path.join(cacheDir, `temporal-${port}.log`);

  progress('Temporal: starting the server');
  const child = startGuarded(
    'env',
    [...ENVIRONMENT, command, ...serverArguments(options, { namespace, port, uiPort })],
    { logFile },
  );
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await child.stop();
    if (options.logFile === undefined) rmSync(logFile, { force: true });
  };
  try {
    await untilReady(child, address, port);
  } catch (error) {
    const said = lastWords(logFile);
    await stop();
    throw new Error(`${(error as Error).message}. Its last words:\n${said}`, { cause: error });
  }
  return {
    kind: 'started',
    address,
    namespace,
    connectionOptions: { address },
    ...(uiPort !== undefined && { uiUrl: `http://127.0.0.1:${uiPort}` }),
    stop,
    async kill() {
      child.signal('SIGKILL');
      await stop();
    },
  };
}

interface Place {
  readonly namespace: string;
  readonly port: number;
  readonly uiPort: number | undefined;
}

function serverArguments(
  { dbFilename, searchAttributes }: TemporalOptions,
  { namespace, port, uiPort }: Place,
): string[] {
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--namespace',
      namespace,
      '--log-level',
      'warn',
    ],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFilename === undefined
      ? []
      : ['--db-filename', dbFilename, ...FILE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma])]),
    ...searchAttributes.flatMap(({ name, type }) => ['--search-attribute', `${name}=${searchAttributeType(type)}`]),
    ...QUICK.flatMap((setting) => ['--dynamic-config-value', setting]),
  ];
}

async function untilReady(child: GuardedChild, address: string, port: number): Promise<void> {
  let ended = false;
  void child.exited.then(() => (ended = true));
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await accepts(port))) {
    if (ended) throw new Error('The Temporal server ended while it was starting');
    if (Date.now() > deadline) throw new Error(`The Temporal server did not start within ${START_WITHIN_MS / 1000} s`);
    await sleep(KNOCK_EVERY_MS);
  }
  const connection = await Connection.connect({ address, connectTimeout: START_WITHIN_MS });
  await connection.close();
}

function lastWords(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n') : '';
}
