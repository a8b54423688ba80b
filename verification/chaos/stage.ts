import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { Pool } from 'pg';
import { BillPayments } from '../../src/client';
import { openClient } from '../../src/client/connection';
import { startAll, type Closing } from '../../dev/closing';
import { freePort } from '../../dev/ports';
import { startPostgres, type Postgres } from '../../dev/postgres';
import { CACHE } from '../../dev/stack';
import { startTcpProxy, type TcpProxy } from '../../dev/tcp-proxy';
import { startTemporal } from '../../dev/temporal';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import {
  BILL_ROUTE_ID,
  planFaults,
  PREPAID_SERVICES,
  startSandbox,
  type FaultPlan,
  type Sandbox,
} from '../../src/sandbox';
import { migrate, openStore } from '../../src/store';
import { createLog } from '../../src/log';
import { patiently } from './patience';
import { FLOAT, POOR, type ProcessName } from './plan';
import { superviseNode, type NodeProcess, type Part } from './parts';
import { startRepeatingProvider } from './planted';

/** Everything a run needs: the processes that suffer, and those that watch. */
export interface Stage {
  readonly client: Client;
  readonly payments: BillPayments;
  readonly sandbox: Sandbox;
  /** To the server itself, past the proxy. */
  readonly sql: Pool;
  /** Between the processes and the store. */
  readonly proxy: TcpProxy;
  readonly parts: Readonly<Record<ProcessName, Part>>;
  readonly endpoint: NodeProcess;
  readonly workers: Readonly<Record<'worker-1' | 'worker-2', NodeProcess>>;
  /** Where the processes write their logs. */
  readonly folder: string;
  /** From now on the provider does what the accounts ask for, and nothing else goes wrong. */
  calm(): void;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly seed: number;
  readonly progress: (line: string) => void;
  /** A bug put in on purpose, to see that it is found. */
  readonly plant?: 'repeated-post' | undefined;
}

const CREDENTIALS = { clientId: 'chaos-client', clientSecret: 'chaos-secret' };
const TIMINGS = { pendingMs: 300, callbackDelayMs: 200, completedLaterMs: 5_000, notFoundMs: 1_500, slowMs: 3_000 };
/** Short, so that tokens are asked for all the time. */
const TOKEN_LIFETIME_SECONDS = 40;
const BUILT = path.join(__dirname, '..', '..');

export function setStage(options: StageOptions): Promise<Stage> {
  return startAll(
    (closing) => startParts(options, closing),
    (error) => options.progress(`A part did not stop cleanly: ${String(error)}`),
  );
}

async function startParts({ seed, progress, plant }: StageOptions, closing: Closing): Promise<Omit<Stage, 'stop'>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'billpay-chaos-'));
  const store = await startStore(progress, closing);
  const engine = await startEngine(folder, progress, closing);
  const proxy = await startTcpProxy(store.url);
  closing.push(() => proxy.close());
  const { faults, calm } = faultsUntilCalm(planFaults(seed));
  const sandbox = await startSandbox({
    ...CREDENTIALS,
    ...TIMINGS,
    tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
    faults,
  });
  closing.push(() => sandbox.close());

  const { client, close } = openClient({ address: engine.address });
  closing.push(close);
  const sql = new Pool({ connectionString: store.url, max: 4 });
  sql.on('error', () => undefined); // it is killed now and then
  closing.push(() => sql.end());

  const callbackPort = await freePort();
  const env = environment({ address: engine.address, databaseUrl: proxy.url, sandboxUrl: sandbox.url, callbackPort });
  const node = (name: string, script: string, more: NodeJS.ProcessEnv = {}): NodeProcess => {
    const running = superviseNode({
      args: [path.join(BUILT, script)],
      env: { ...env, ...more },
      logFile: path.join(folder, `${name}.log`),
    });
    closing.push(() => running.stop());
    return running;
  };
  let apiUrl = sandbox.url;
  if (plant === 'repeated-post') {
    const repeating = await startRepeatingProvider(sandbox.url);
    closing.push(() => repeating.close());
    apiUrl = repeating.url;
  }
  const workers = {
    'worker-1': node('worker-1', 'src/worker/main.js', { ALMARA_API_URL: apiUrl }),
    'worker-2': node('worker-2', 'verification/chaos/worker.js', { ALMARA_API_URL: apiUrl }),
  };
  const endpoint = node('endpoint', 'src/callbacks/main.js');
  const parts = { ...workers, endpoint, engine, store };
  return { client, payments: new BillPayments(client), sandbox, sql, proxy, parts, endpoint, workers, folder, calm };
}

function faultsUntilCalm(plan: FaultPlan): { readonly faults: FaultPlan; readonly calm: () => void } {
  let isCalm = false;
  return {
    faults: {
      refuses: (nth) => !isCalm && plan.refuses(nth),
      request: (...which) => (isCalm ? undefined : plan.request(...which)),
      callback: (paymentId) => (isCalm ? undefined : plan.callback(paymentId)),
    },
    calm: () => (isCalm = true),
  };
}

/** Deaths of processes are what is tested on it, and fsync has no part in those. */
async function startStore(
  progress: (line: string) => void,
  closing: Closing,
): Promise<Part & { readonly url: string }> {
  const postgres: Postgres = await startPostgres({ cacheDir: CACHE, ephemeral: true, fsync: false, progress });
  closing.push(() => postgres.stop());
  const url = await postgres.createDatabase('billpay');
  await migrate(url);
  await noteWhatIsKnown(url);
  const store = openStore({ databaseUrl: url, log: createLog('chaos', 'fatal') });
  await store.funds.add({ account: FLOAT, amount: 1_000_000_000, currency: 'KES' });
  await store.funds.add({ account: POOR, amount: 2_000, currency: 'KES' });
  await store.close();
  return {
    url,
    stop: () => postgres.stop(),
    async kill(downMs) {
      await postgres.kill();
      await sleep(downMs);
      await patiently(() => postgres.restart());
    },
  };
}

/**
 * What the row said when the payment ended. The row itself cannot tell later: an answer that was given before the end may be written
 * after it, with its own time.
 */
async function noteWhatIsKnown(databaseUrl: string): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  await pool.query(`
    CREATE TABLE chaos_known (payment_id text PRIMARY KEY, completed boolean NOT NULL);
    CREATE FUNCTION chaos_note_what_is_known() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO chaos_known VALUES (OLD.payment_id, OLD.seen ? 'completedAt');
      RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_note_what_is_known AFTER UPDATE OF outcome ON payments
      FOR EACH ROW WHEN (OLD.outcome IS NULL AND NEW.outcome IS NOT NULL) EXECUTE FUNCTION chaos_note_what_is_known()`);
  await pool.end();
}

async function startEngine(
  folder: string,
  progress: (line: string) => void,
  closing: Closing,
): Promise<Part & { readonly address: string }> {
  const options = {
    cacheDir: CACHE,
    dbFilename: path.join(folder, 'temporal.db'),
    logFile: path.join(folder, 'temporal.log'),
    ui: false,
    port: await freePort(),
    searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    progress: () => undefined,
  };
  progress('Starting Temporal');
  let running = await startTemporal(options);
  closing.push(() => running.stop());
  return {
    address: running.address,
    stop: () => running.stop(),
    async kill(downMs) {
      await running.kill();
      await sleep(downMs);
      // Somebody who knocks on the port all the time may hold it for a moment.
      running = await patiently(() => startTemporal(options));
    },
  };
}

interface Addresses {
  readonly address: string;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly callbackPort: number;
}

/** As an operator would write it: nothing else of our own environment gets in. */
function environment({ address, databaseUrl, sandboxUrl, callbackPort }: Addresses): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: 'default',
    DATABASE_URL: databaseUrl,
    ALMARA_API_URL: sandboxUrl,
    ALMARA_IDENTITY_URL: sandboxUrl,
    ALMARA_CLIENT_ID: CREDENTIALS.clientId,
    ALMARA_CLIENT_SECRET: CREDENTIALS.clientSecret,
    ALMARA_ROUTE_ID: BILL_ROUTE_ID,
    CALLBACK_BASE_URL: `http://127.0.0.1:${callbackPort}`,
    CALLBACK_PORT: String(callbackPort),
    CALLBACK_KEYS: `chaos:${randomBytes(32).toString('base64')}`,
    PREPAID_SERVICES: PREPAID_SERVICES.join(','),
    ALLOW_TEST_POLICY: 'true',
    HOST: '127.0.0.1',
    HEALTH_PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'error',
  };
}
