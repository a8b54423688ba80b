import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createAlmara } from '../src/almara';
import { createAlmaraCallbacks, parseKeyRing } from '../src/almara/callback';
import { startCallbacks } from '../src/callbacks';
import type { Log } from '../src/log';
import { SEARCH_ATTRIBUTES } from '../src/payment/contract';
import type { ProviderCallbacks } from '../src/payment/provider';
import { PREPAID_SERVICES, startSandbox, type Sandbox, type SandboxSettings } from '../src/sandbox';
import { migrate, openStore, type Store } from '../src/store';
import { createWorker } from '../src/worker/create-worker';
import { howToAddSearchAttributes, missingSearchAttributes } from '../src/worker/search-attributes';
import { almaraAt } from './almara';
import { startAll, type Closing } from './closing';
import { freePort } from './ports';
import { startPostgres } from './postgres';
import { PROJECT } from './project';
import { startTemporal } from './temporal';

export interface StackOptions {
  readonly log: Log;
  readonly progress: (line: string) => void;
  readonly databaseUrl?: string | undefined;
  readonly temporalAddress?: string | undefined;
  /** Kept from run to run (`npm start`), or gone with the run (demo, tests). */
  readonly keep: boolean;
  /** Preferred ports; without them any free ones are taken. */
  readonly ports?: {
    readonly temporal: number;
    readonly ui: number;
    readonly sandbox: number;
    readonly callbacks: number;
  };
  readonly sandbox?: Partial<SandboxSettings>;
  readonly allowTestPolicy: boolean;
}

export interface Stack {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly callbacksUrl: string;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly sandbox: Sandbox;
  readonly store: Store;
  /** Ends everything that was started, in the order in which nothing is missed. */
  stop(): Promise<void>;
}

const CREDENTIALS = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' };
export const CACHE = path.join(PROJECT, '.cache');

/** The whole system on one machine: Temporal, PostgreSQL, sandbox, callback endpoint, worker. */
export function startStack(options: StackOptions): Promise<Stack> {
  return startAll(
    (closing) => startParts(options, closing),
    (error) => options.log.warn({ err: error }, 'a part did not stop cleanly'),
  );
}

async function startParts(options: StackOptions, closing: Closing): Promise<Omit<Stack, 'stop'>> {
  const { log, progress, keep, ports } = options;
  const [temporal, postgres] = await startServers(options, closing);
  const databaseUrl = options.databaseUrl ?? (await postgres.createDatabase('billpay'));
  await migrate(databaseUrl);
  const store = openStore({ databaseUrl, log });
  closing.push(() => store.close());

  const connection = await Connection.connect(temporal.connectionOptions);
  const client = new Client({ connection, namespace: temporal.namespace });
  closing.push(() => connection.close());
  const missing = await missingSearchAttributes(connection, temporal.namespace);
  if (missing.length > 0) throw new Error(howToAddSearchAttributes(missing, temporal.namespace));

  const sandbox = await startSandbox({ ...CREDENTIALS, port: await portNear(ports?.sandbox), log, ...options.sandbox });
  closing.push(() => sandbox.close());
  const callbacks = createAlmaraCallbacks(parseKeyRing(callbackKeys(keep)));
  const endpoint = await startCallbacks({
    host: '127.0.0.1',
    port: await portNear(ports?.callbacks),
    databaseUrl,
    callbacks,
    client,
    log,
  });
  closing.push(() => endpoint.close());
  progress(`Almara Pay, simulated: ${sandbox.url}`);

  await startOwnWorker(options, closing, { temporal, sandbox, store, callbacks, callbacksUrl: endpoint.url });
  const { address, namespace, uiUrl } = temporal;
  return { address, namespace, uiUrl, callbacksUrl: endpoint.url, databaseUrl, client, sandbox, store };
}

/** On a machine that is used for more, another program may listen where people expect us: where we are is said. */
const portNear = async (preferred: number | undefined): Promise<number> =>
  preferred === undefined ? 0 : await freePort(preferred);

type Servers = readonly [Awaited<ReturnType<typeof startTemporal>>, Awaited<ReturnType<typeof startPostgres>>];

async function startServers(
  { keep, ports, progress, databaseUrl, temporalAddress }: StackOptions,
  closing: Closing,
): Promise<Servers> {
  mkdirSync(CACHE, { recursive: true });
  const postgres = await startPostgres({ databaseUrl, cacheDir: CACHE, progress, ephemeral: !keep });
  closing.push(() => postgres.stop());
  progress('PostgreSQL is running');
  const temporal = await startTemporal({
    address: temporalAddress,
    cacheDir: CACHE,
    ui: ports?.ui ?? true,
    ...(ports && { port: ports.temporal }),
    ...(keep && { dbFilename: path.join(CACHE, 'temporal.db') }),
    searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    progress,
  });
  closing.push(() => temporal.stop());
  progress(
    `Temporal is running: ${temporal.address}${temporal.uiUrl === undefined ? '' : `, Web UI ${temporal.uiUrl}`}`,
  );
  return [temporal, postgres];
}

interface Parts {
  readonly temporal: Servers[0];
  readonly sandbox: Sandbox;
  readonly store: Store;
  readonly callbacks: ProviderCallbacks;
  readonly callbacksUrl: string;
}

async function startOwnWorker({ log, allowTestPolicy }: StackOptions, closing: Closing, parts: Parts): Promise<void> {
  const { temporal, sandbox, store, callbacks, callbacksUrl } = parts;
  const provider = createAlmara(almaraAt(sandbox.url, CREDENTIALS), { log });
  closing.push(() => provider.close());
  const connection = await NativeConnection.connect(temporal.connectionOptions);
  closing.push(() => connection.close());
  const worker = await createWorker({
    connection,
    namespace: temporal.namespace,
    provider,
    store,
    settings: {
      callbackUrl: (paymentId) => callbacks.urlOf(callbacksUrl, paymentId),
      prepaidServices: PREPAID_SERVICES,
      failedWithoutCode: 'ask',
      allowTestPolicy,
    },
    log,
    // Everything here ends together: nothing is worth waiting for.
    overrides: { shutdownGraceTime: '100 milliseconds', shutdownForceTime: '3 seconds' },
  });
  const running = worker.run();
  closing.push(async () => {
    // A signal of the terminal has done it already.
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
}

/** Callback URLs that the sandbox still holds must verify after a restart. */
function callbackKeys(keep: boolean): string {
  const fresh = `local:${randomBytes(32).toString('base64')}`;
  if (!keep) return fresh;
  const file = path.join(CACHE, 'callback-keys');
  if (!existsSync(file)) writeFileSync(file, fresh, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
