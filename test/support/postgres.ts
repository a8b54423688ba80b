import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres, type Postgres } from '../../src/local/postgres';
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
