import { testDatabase, type TestDatabase } from '../support/postgres';
import { storeAt } from '../support/store';
import { storeProperties } from '../support/store-properties';
import type { Store } from '../../src/store';

/** G1, G6, G7 and G8 as properties of any order of calls, on PostgreSQL. */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await testDatabase();
  store = storeAt(database.url);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

storeProperties(() => store, 25);
