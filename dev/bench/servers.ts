import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time';
import { Client as SqlClient } from 'pg';
import { openClient } from '../../src/client/connection';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../src/payment/contract';
import { migrate, openStore } from '../../src/store';
import { createLog } from '../../src/log';
import type { Closing } from '../closing';
import { startPostgres } from '../postgres';
import { PROJECT } from '../project';
import { startTemporal, type Temporal } from '../temporal';
import { FUNDS } from './payment-calls';
import { listenerOn } from './proc';

/** Temporal and PostgreSQL, fresh ones or those given, and the processes whose CPU theirs is. */
export interface Servers {
  readonly temporal: Temporal;
  readonly temporalPid: number;
  readonly client: Client;
  readonly databaseUrl: string;
  readonly postgresPid: number;
}

export interface ServersOptions {
  readonly databaseUrl?: string | undefined;
  readonly temporalAddress?: string | undefined;
  readonly progress: (line: string) => void;
  /** Not the first stage of this bench: the workers of an earlier one still look as if they were there. */
  readonly isAnother: boolean;
}

export async function startServers(options: ServersOptions, closing: Closing): Promise<Servers> {
  const cacheDir = path.join(PROJECT, '.cache');
  mkdirSync(cacheDir, { recursive: true });
  const database = await startDatabase(options, cacheDir, closing);
  const temporal = await startTemporal({
    address: options.temporalAddress,
    cacheDir,
    ui: false,
    searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    progress: options.progress,
  });
  closing.push(() => temporal.stop());
  const { client, close } = openClient({ address: temporal.address, namespace: temporal.namespace });
  closing.push(close);
  if (temporal.kind === 'given' && !options.isAnother) await refuseForeignWorkers(client, temporal.namespace);
  return {
    temporal,
    client,
    temporalPid: pidOf('Temporal server', 'TEMPORAL_ADDRESS', new URL(`tcp://${temporal.address}`)),
    ...database,
  };
}

async function startDatabase(
  { databaseUrl: given, progress }: ServersOptions,
  cacheDir: string,
  closing: Closing,
): Promise<Pick<Servers, 'databaseUrl' | 'postgresPid'>> {
  const postgres = await startPostgres({ databaseUrl: given, cacheDir, ephemeral: true, progress });
  closing.push(() => postgres.stop());
  const postgresPid = pidOf('PostgreSQL', 'DATABASE_URL', new URL(postgres.url));
  // Of its own, whoever owns the server: what the bench pays is nobody's payment.
  const name = `billpay_bench_${randomBytes(4).toString('hex')}`;
  const databaseUrl = await postgres.createDatabase(name);
  if (postgres.kind === 'given') closing.push(() => dropDatabase(postgres.url, name));
  await migrate(databaseUrl);
  const store = openStore({ databaseUrl, log: createLog('bench', 'error') });
  await store.funds.add(FUNDS);
  await store.close();
  return { databaseUrl, postgresPid };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'postgresql:': 5432, 'postgres:': 5432 };

function pidOf(what: string, variable: string, { port, protocol, host }: URL): number {
  const pid = listenerOn(port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port));
  if (pid !== undefined) return pid;
  throw new Error(
    `The ${what} at ${host} is no process of this machine that the bench may look at, so its CPU cannot be counted. Unset ${variable}, and the bench starts its own.`,
  );
}

/** Longer than a worker waits for a task: one that lives has asked since. */
const LIVES_MS = 70_000;

/** `TaskQueueType` of Temporal's API. */
const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

/** On a server that others use, their worker would take the payments of the bench and send them. */
async function refuseForeignWorkers(client: Client, namespace: string): Promise<void> {
  const taskQueue = { name: TASK_QUEUE };
  const answers = await Promise.all(
    [WORKFLOW_TASKS, ACTIVITY_TASKS].map((taskQueueType) =>
      client.workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType }),
    ),
  );
  const lives = answers
    .flatMap(({ pollers }) => pollers ?? [])
    .some(({ lastAccessTime }) => Date.now() - tsToMs(lastAccessTime) < LIVES_MS);
  if (!lives) return;
  throw new Error(
    `A worker takes payments from the task queue ${TASK_QUEUE} of the namespace ${namespace}, or did a minute ago: it would send those of the bench. Stop it, or set TEMPORAL_NAMESPACE to another one.`,
  );
}

async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const sql = new SqlClient({ connectionString: serverUrl });
  await sql.connect();
  await sql.query(`DROP DATABASE "${name}" WITH (FORCE)`).finally(() => sql.end());
}
