import { ownStore } from '../support/store';
import { ImpossibleRequest, type Store } from '../../src/store';

/** Money comes in. That it is held and given back is shown by `claim.live.test.ts` and `record-outcome.live.test.ts`. */

let store: Store;
beforeAll(async () => {
  ({ store } = await ownStore(20));
});

test('the first deposit makes the account, and every one counts, also at once', async () => {
  const account = 'float-1';
  expect(await store.funds.account(account)).toBeUndefined();
  await Promise.all(Array.from({ length: 20 }, () => store.funds.add({ account, amount: 50, currency: 'KES' })));
  expect(await store.funds.add({ account, amount: 5, currency: 'KES' })).toEqual({ available: 1_005 });
  expect(await store.funds.account(account)).toEqual({
    id: account,
    currency: 'KES',
    available: 1_005,
    reserved: 0,
    posted: 0,
    deposited: 1_005,
  });
});

test('a bug is refused: a deposit of a fraction, of nothing, in another currency', async () => {
  await store.funds.add({ account: 'float-2', amount: 1_000, currency: 'KES' });
  for (const amount of [0.5, 0, -1])
    await expect(store.funds.add({ account: 'float-2', amount, currency: 'KES' })).rejects.toThrow(ImpossibleRequest);
  await expect(store.funds.add({ account: 'float-2', amount: 1, currency: 'USD' })).rejects.toThrow('not in USD');
  expect(await store.funds.account('float-2')).toMatchObject({ deposited: 1_000 });
});
