import { ownStore } from '../support/store';
import { storeProperties } from '../support/store-properties';
import type { Store } from '../../src/store';

/** G1, G6, G7 and G8 as properties of any order of calls, on PostgreSQL. */

let store: Store;
beforeAll(async () => {
  ({ store } = await ownStore());
});

storeProperties(() => store, 25);
