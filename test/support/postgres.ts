import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres, type Postgres } from '../../dev/postgres';
import { migrate } from '../../src/store';
import { atEndOfFile } from './at-end';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

let own: Promise<Postgres> | undefined;

/** The server of the whole run if a global set-up started one, otherwise one for this test file. fsync is off: see the resolver. */
async function serverUrl(): Promise<string> {
  const shared = process.env['TEST_DATABASE_URL'];
  if (shared !== undefined && shared !== '') return shared;
  own ??= startOwn();
  return (await own).url;
}

async function startOwn(): Promise<Postgres> {
  const server = await startPostgres({ cacheDir: join(__dirname, '../../.cache'), ephemeral: true, fsync: false });
  atEndOfFile(() => server.stop());
  return server;
}

/** A database of the caller's own on a real PostgreSQL, migrated unless told otherwise. */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onDatabase(server, (client) => client.query(`CREATE DATABASE ${name}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  if (migrated) await migrate(url.toString());
  return {
    url: url.toString(),
    drop: () => onDatabase(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** A database as it is now, put back later under its own name: whoever is connected is cut off both times. */
export async function backUp(url: string): Promise<{ restore(): Promise<void> }> {
  const server = await serverUrl();
  const name = new URL(url).pathname.slice(1);
  const copy = `${name}_backup`;
  await onDatabase(server, async (client) => {
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await client.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [name]);
    await client.query(`CREATE DATABASE ${copy} TEMPLATE ${name}`);
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  });
  return {
    restore: () =>
      onDatabase(server, async (client) => {
        await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
        await client.query(`ALTER DATABASE ${copy} RENAME TO ${name}`);
      }),
  };
}

/** The statement that the runbook has written by hand after a restore. */
export function afterRestore(): string {
  const runbook = readFileSync(join(__dirname, '../../docs/runbook.md'), 'utf8');
  const [, statement] = /```sql\n\s*(WITH [\s\S]*?)```/.exec(runbook) ?? [];
  if (statement === undefined) throw new Error('the runbook has no statement for a restore');
  return statement;
}

/** For what only a test does: looking at rows, holding locks, ending backends. */
export async function onDatabase(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
