import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { migrate, pendingMigrations } from '../../src/store';

const ALL = readdirSync(join(__dirname, '../../src/store/migrations')).sort();

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase({ migrated: false });
});
afterEach(() => database.drop());

test('everything is pending on an empty database, and looking changes nothing', async () => {
  expect(await pendingMigrations(database.url)).toEqual(ALL);
  await onDatabase(database.url, async (client) => {
    const { rowCount } = await client.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`);
    expect(rowCount).toBe(0);
  });
});

test('each runs once, in the order of its name', async () => {
  expect(await migrate(database.url)).toEqual(ALL);
  expect(await pendingMigrations(database.url)).toEqual([]);
  expect(await migrate(database.url)).toEqual([]);
});

test('of many processes that migrate at once one does the work and none fails', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)));
  expect(answers.flat().sort()).toEqual(ALL);
});

test('one that fails leaves nothing behind, and works when its cause is gone', async () => {
  // The name of a table in its middle is taken.
  await onDatabase(database.url, (client) => client.query('CREATE TABLE callback_inbox (id bigint)'));
  await expect(migrate(database.url)).rejects.toThrow('0001');
  expect(await pendingMigrations(database.url)).toEqual(ALL);
  await onDatabase(database.url, (client) => client.query('DROP TABLE callback_inbox'));
  expect(await migrate(database.url)).toEqual(ALL);
});
