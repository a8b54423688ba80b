import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { Umzug, type UmzugStorage } from 'umzug';
import { DatabaseUnavailable } from './errors';

/**
 * The .sql files beside this one, each run once, in the order of their names. All that are pending run in one transaction with their
 * log entries: a migration that fails leaves nothing behind. (So none may hold CREATE INDEX CONCURRENTLY.)
 */

const FOLDER = join(__dirname, 'migrations');
/** Any constant that no other program on this database uses. */
const LOCK = 7_246_011_805_334;
/** For another process that is migrating right now, or for a worker's transaction on a table that changes. */
const LOCK_WITHIN_MS = 60_000;

/** Brings the database up to this version. Safe to run from many processes at once. Returns the names of what it ran. */
export async function migrate(databaseUrl: string): Promise<readonly string[]> {
  return await connected(databaseUrl, async (client) => {
    await client.query(`SET lock_timeout = ${LOCK_WITHIN_MS}; SET synchronous_commit = on`);
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await client.query(
      'CREATE TABLE IF NOT EXISTS billpay_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const applied = await umzug(client).up();
    await client.query('COMMIT');
    return applied.map(({ name }) => name);
  });
}

/** What `migrate` would run. Changes nothing, so that a process can refuse to start and say why. */
export async function pendingMigrations(databaseUrl: string): Promise<readonly string[]> {
  return await connected(databaseUrl, async (client) => (await umzug(client).pending()).map(({ name }) => name));
}

/** For a process that starts. @throws what to do, when the database is not of this version */
export async function requireMigrated(databaseUrl: string): Promise<void> {
  const pending = await pendingMigrations(databaseUrl);
  if (pending.length > 0)
    throw new Error(
      `The database lacks ${pending.join(', ')}. Run \`billpay migrate\` with the same DATABASE_URL, then start again.`,
    );
}

const umzug = (client: Client) =>
  new Umzug<Client>({
    migrations: readdirSync(FOLDER)
      .filter((file) => file.endsWith('.sql'))
      .sort()
      .map((file) => ({ name: file, up: ({ context }) => context.query(readFileSync(join(FOLDER, file), 'utf8')) })),
    context: client,
    storage: appliedIn(client),
    logger: undefined,
  });

const appliedIn = (client: Client): UmzugStorage<Client> => ({
  async executed() {
    const { rows: tables } = await client.query<{ there: boolean }>(
      "SELECT to_regclass('billpay_migrations') IS NOT NULL AS there",
    );
    if (tables[0]?.there !== true) return [];
    const { rows } = await client.query<{ name: string }>('SELECT name FROM billpay_migrations ORDER BY name');
    return rows.map(({ name }) => name);
  },
  async logMigration({ name }) {
    await client.query('INSERT INTO billpay_migrations (name) VALUES ($1)', [name]);
  },
  unlogMigration: () => Promise.reject(new Error('Migrations only go forward: write a new one that undoes the last')),
});

async function connected<Result>(databaseUrl: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    fallback_application_name: 'almara-bill-payments migrate',
  });
  // The statement that runs while the connection breaks gets the error; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((cause: unknown) => {
      throw new DatabaseUnavailable(cause);
    });
    return await work(client);
  } finally {
    // Ends an open transaction too.
    await client.end();
  }
}
