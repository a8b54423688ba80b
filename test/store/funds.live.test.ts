import { testDatabase, type TestDatabase } from '../support/postgres';
import { closeUnsent, cancelled, newPaymentId, requestOf, storeAt } from '../support/store';
import { ImpossibleRequest, UnknownPayment, type Store } from '../../src/store';

/** Held money, by statements and by the database's own rules (G6). */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await testDatabase();
  store = storeAt(database.url, 20);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const registered = async (amount = 220): Promise<string> => {
  const paymentId = newPaymentId();
  await store.payments.register(requestOf(paymentId, { amount }), 'fingerprint');
  return paymentId;
};

test('50 parallel reserves on one account: as many as there is money for, never one more', async () => {
  await store.reservations.addFunds({ account: 'float-1', amount: 2_000, currency: 'KES' });
  const payments = await Promise.all(Array.from({ length: 50 }, () => registered(100)));
  const answers = await Promise.all(
    payments.map((paymentId) =>
      store.reservations.reserve(paymentId, { fundingAccount: 'float-1', amount: 100, currency: 'KES' }),
    ),
  );
  expect(answers.filter(({ kind }) => kind === 'reserved')).toHaveLength(20);
  expect(answers.filter(({ kind }) => kind === 'insufficient')).toHaveLength(30);
  expect(await store.reservations.account('float-1')).toEqual({
    id: 'float-1',
    currency: 'KES',
    available: 0,
    reserved: 2_000,
    posted: 0,
    deposited: 2_000,
  });
});

test('50 parallel reserves and closes on two accounts end, with nothing held', async () => {
  const accounts = ['busy-1', 'busy-2'];
  for (const account of accounts) await store.reservations.addFunds({ account, amount: 50_000, currency: 'KES' });
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const paymentId = await registered();
      await store.reservations.reserve(paymentId, {
        fundingAccount: accounts[i % 2] ?? '',
        amount: 220,
        currency: 'KES',
      });
      await closeUnsent(store, cancelled(paymentId));
    }),
  );
  for (const account of accounts) {
    expect(await store.reservations.account(account)).toMatchObject({ available: 50_000, reserved: 0 });
  }
});

test('the same reserve again, also at once, holds once', async () => {
  await store.reservations.addFunds({ account: 'float-2', amount: 1_000, currency: 'KES' });
  const paymentId = await registered();
  const request = { fundingAccount: 'float-2', amount: 220, currency: 'KES' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => store.reservations.reserve(paymentId, request)));
  expect(answers).toEqual(Array(10).fill({ kind: 'reserved' }));
  expect(await store.reservations.account('float-2')).toMatchObject({ available: 780, reserved: 220 });
});

test.each([
  ['not there', 'nobody'],
  ['in another currency', 'dollars'],
])('an account that is %s is unknown', async (_what, fundingAccount) => {
  if (fundingAccount === 'dollars')
    await store.reservations.addFunds({ account: 'dollars', amount: 1_000, currency: 'USD' });
  const answer = await store.reservations.reserve(await registered(), { fundingAccount, amount: 220, currency: 'KES' });
  expect(answer).toEqual({ kind: 'unknown-account' });
});

test('a bug is refused: another amount than the payment, an unknown payment, a deposit of nothing or in another currency', async () => {
  const { reserve, addFunds } = store.reservations;
  await addFunds({ account: 'float-3', amount: 1_000, currency: 'KES' });
  await expect(reserve(await registered(), { fundingAccount: 'float-3', amount: 1, currency: 'KES' })).rejects.toThrow(
    ImpossibleRequest,
  );
  await expect(reserve(newPaymentId(), { fundingAccount: 'float-3', amount: 1, currency: 'KES' })).rejects.toThrow(
    UnknownPayment,
  );
  await expect(addFunds({ account: 'float-3', amount: 0.5, currency: 'KES' })).rejects.toThrow(ImpossibleRequest);
  await expect(addFunds({ account: 'float-3', amount: 1, currency: 'USD' })).rejects.toThrow('not in USD');
  expect(await addFunds({ account: 'float-3', amount: 5, currency: 'KES' })).toEqual({ available: 1_005 });
});
