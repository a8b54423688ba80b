import { Pool, type PoolClient } from 'pg';
import type { Log } from '../log';
import { ImpossibleRequest } from './errors';

/** What a statement gave. Said without the driver's types: the package's own declarations must hold where those are not installed. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly rowCount: number | null;
}

/** What statements run on: the pool (each statement its own transaction) or one transaction. */
export interface Queryable {
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Rows<Row>>;
}

export interface Database extends Queryable {
  /** All of it or nothing. Whatever `work` throws rolls back. When COMMIT's answer is lost the caller sees an error and does not know. */
  transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface DatabaseSettings {
  readonly databaseUrl: string;
  readonly log: Log;
  readonly maxConnections?: number | undefined;
}

/** For a free connection of the pool, or a new one. */
const CONNECT_WITHIN_MS = 5_000;
/** The local activities that call the store have 5 s; the database gives up first, so that they learn why. */
const STATEMENT_TIMEOUT_MS = 4_000;
/** Nobody holds a lock for long, and whoever has a claim to use within 5 s must not wait for one that somebody does. */
const LOCK_TIMEOUT_MS = 1_000;
/** Our own clock, for a server that vanished without closing the connection. */
const ANSWER_WITHIN_MS = 4_500;
/** A process stopped between two statements would otherwise hold its row locks until TCP notices. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const MAX_CONNECTIONS = 10;

/**
 * Set on each new connection, whatever the server's, the role's or the URL's defaults are. Synchronous commit is part of the
 * claim's guarantee: a claim that a crash forgets could be taken, and the payment sent, twice.
 */
const SESSION = `
  SET synchronous_commit = on;
  SET default_transaction_isolation = 'read committed';
  SET statement_timeout = ${STATEMENT_TIMEOUT_MS};
  SET lock_timeout = ${LOCK_TIMEOUT_MS};
  SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;

export function openDatabase({ databaseUrl, log, maxConnections = MAX_CONNECTIONS }: DatabaseSettings): Database {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    keepAlive: true,
    fallback_application_name: 'almara-bill-payments',
    verify: (client, done) => void client.query(SESSION).then(() => done(), done),
  });
  // Without listeners a connection that breaks, idle or lent out, would end the process. Whoever uses it gets the error anyway.
  pool.on('error', (error) => log.warn({ err: error.message }, 'an idle database connection broke'));
  pool.on('connect', (client) => client.on('error', () => undefined));

  return {
    query: (sql, values) => run(pool, sql, values),
    transaction: (work) => transaction(pool, work),
    close: () => pool.end(),
  };
}

/**
 * A statement that begins with its name is planned once for each connection: planning it takes longer than carrying it out. What every
 * payment needs has one.
 */
const NAME = /^\/\* ([a-z-]+) \*\/ /;

function run<Row extends object>(
  on: Pool | PoolClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Rows<Row>> {
  const [, name] = NAME.exec(sql) ?? [];
  return on.query<Row>({ text: sql, values: [...values], ...(name !== undefined && { name }) });
}

async function transaction<Result>(pool: Pool, work: (tx: Queryable) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let committed = false;
  try {
    await client.query('BEGIN');
    const result = await work({ query: (sql, values) => run(client, sql, values) });
    const { command } = await client.query('COMMIT');
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error.
    if (command !== 'COMMIT')
      throw new ImpossibleRequest('a statement failed and its error was swallowed: nothing was committed');
    committed = true;
    return result;
  } finally {
    // A failed transaction's connection is closed instead of rolled back by hand: that works in every state it may be in, and the
    // server rolls back at once.
    client.release(!committed);
  }
}

/** Whether PostgreSQL itself said that the statement failed. Anything else (a broken connection, a time-out of ours, a server going down) leaves it open. */
export function failedForCertain(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}
