import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import {
  cancelled,
  claimOf,
  closeSent,
  closeUnsent,
  declined,
  newPaymentId,
  paid,
  reading,
  requestOf,
  sentPayment,
  storeAt,
} from '../support/store';
import { ImpossibleRequest, type Store } from '../../src/store';

/** The closing transaction: outcome, money and seal at once, against what it did not know (G2, G3, G5, G6, G7). */

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

/** A funding account of the test's own, 1000 deep, 220 of it held for a payment that was or was not sent. */
async function heldPayment({ sent }: { sent: boolean }): Promise<string> {
  const paymentId = newPaymentId();
  await store.payments.register(requestOf(paymentId), 'fingerprint');
  await store.reservations.addFunds({ account: paymentId, amount: 1000, currency: 'KES' });
  await store.reservations.reserve(paymentId, { fundingAccount: paymentId, amount: 220, currency: 'KES' });
  if (sent) await store.payments.claim(paymentId, claimOf());
  return paymentId;
}

const fundsOf = async (paymentId: string) => {
  const account = await store.reservations.account(paymentId);
  return account && [account.available, account.reserved, account.posted];
};

const callback = (paymentId: string, digest: string) => ({ paymentId, digest, body: '{}', reading: reading() });
const callbackFrom = (paymentId: string, digest: string) => store.inbox.add(callback(paymentId, digest));

describe('G6: the second phase is part of the close', () => {
  test('paid posts', async () => {
    const paymentId = await heldPayment({ sent: true });
    expect(await closeSent(store, paid(paymentId))).toEqual({ kind: 'recorded', outcome: paid(paymentId) });
    expect(await fundsOf(paymentId)).toEqual([780, 0, 220]);
  });

  test('paid in part posts that part and gives back the rest', async () => {
    const paymentId = await heldPayment({ sent: true });
    await closeSent(store, paid(paymentId, { amount: 200, settledBy: 'operator' }));
    expect(await fundsOf(paymentId)).toEqual([800, 0, 200]);
  });

  test('declined voids', async () => {
    const paymentId = await heldPayment({ sent: true });
    expect(await closeSent(store, declined(paymentId))).toEqual({ kind: 'recorded', outcome: declined(paymentId) });
    expect(await fundsOf(paymentId)).toEqual([1000, 0, 0]);
  });

  test('cancelled voids', async () => {
    const paymentId = await heldPayment({ sent: false });
    await closeUnsent(store, cancelled(paymentId));
    expect(await fundsOf(paymentId)).toEqual([1000, 0, 0]);
  });

  test('a late reserve after a close without one is refused', async () => {
    const paymentId = newPaymentId();
    await store.payments.register(requestOf(paymentId), 'fingerprint');
    await store.reservations.addFunds({ account: paymentId, amount: 1000, currency: 'KES' });
    await closeUnsent(store, cancelled(paymentId));
    const late = await store.reservations.reserve(paymentId, {
      fundingAccount: paymentId,
      amount: 220,
      currency: 'KES',
    });
    expect(late).toEqual({ kind: 'closed', outcome: cancelled(paymentId) });
    expect(await fundsOf(paymentId)).toEqual([1000, 0, 0]);
  });

  test('a reserve and a close at once: held and given back, or never held', async () => {
    for (let round = 0; round < 25; round++) {
      const paymentId = newPaymentId();
      await store.payments.register(requestOf(paymentId), 'fingerprint');
      await store.reservations.addFunds({ account: paymentId, amount: 1000, currency: 'KES' });
      await Promise.all([
        store.reservations.reserve(paymentId, { fundingAccount: paymentId, amount: 220, currency: 'KES' }),
        closeUnsent(store, cancelled(paymentId)),
      ]);
      expect(await fundsOf(paymentId)).toEqual([1000, 0, 0]);
    }
  });

  test.each([
    ['more than asked for', { amount: 221 }],
    ['nothing', { amount: 0 }],
    ['a fraction', { amount: 219.5 }],
    ['another currency', { currency: 'USD' }],
  ])('paid with %s is refused as a bug, and changes nothing', async (_what, change) => {
    const paymentId = await heldPayment({ sent: true });
    await expect(closeSent(store, paid(paymentId, change))).rejects.toThrow(ImpossibleRequest);
    expect(await fundsOf(paymentId)).toEqual([780, 220, 0]);
    expect(await store.payments.facts(paymentId)).not.toHaveProperty('outcome');
  });
});

describe('the seal', () => {
  test('a payment that may have been sent does not close as unsent', async () => {
    const paymentId = await heldPayment({ sent: true });
    const expired = declined(paymentId, { step: 'submission', reason: 'expired', settledBy: 'none' });
    for (const outcome of [cancelled(paymentId), expired]) {
      expect(await closeUnsent(store, outcome)).toEqual({ kind: 'may-have-been-sent' });
    }
    expect(await fundsOf(paymentId)).toEqual([780, 220, 0]);
    expect(await store.payments.facts(paymentId)).not.toHaveProperty('outcome');
  });

  test('is taken also when a person decides what nobody claimed', async () => {
    const paymentId = await heldPayment({ sent: false });
    await closeSent(store, paid(paymentId, { settledBy: 'operator' }));
    expect(await store.payments.claim(paymentId, claimOf())).toMatchObject({ kind: 'closed' });
  });
});

describe('G7, G5: what is recorded stands', () => {
  test('another kind of end, or another amount, is a dispute', async () => {
    for (const other of [paid, (id: string) => paid(id, { amount: 200 })]) {
      const paymentId = await heldPayment({ sent: true });
      const recorded = other(paymentId).amount === 200 ? paid(paymentId) : declined(paymentId);
      await closeSent(store, recorded);
      const funds = await fundsOf(paymentId);
      expect(await closeSent(store, other(paymentId))).toEqual({
        kind: 'stands',
        outcome: recorded,
        contradicts: true,
      });
      expect(await fundsOf(paymentId)).toEqual(funds);
      expect((await store.payments.facts(paymentId)).disputed).toBe(true);
    }
  });

  test('of 20 closes at once one is recorded and its funds move once', async () => {
    const paymentId = await heldPayment({ sent: true });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => closeSent(store, i % 2 ? paid(paymentId) : declined(paymentId))),
    );
    const recorded = answers.filter(({ kind }) => kind === 'recorded');
    expect(recorded).toHaveLength(1);
    const { outcome } = await store.payments.facts(paymentId);
    expect(recorded[0]).toEqual({ kind: 'recorded', outcome });
    expect(await fundsOf(paymentId)).toEqual(outcome?.kind === 'paid' ? [780, 0, 220] : [1000, 0, 0]);
  });
});

describe('G2: a decline that does not know everything is reconsidered', () => {
  test.each(['poll', 'callback'] as const)('a callback has come since (settled by %s)', async (settledBy) => {
    const paymentId = await heldPayment({ sent: true });
    await callbackFrom(paymentId, 'one');
    await callbackFrom(paymentId, 'two');
    expect(await closeSent(store, declined(paymentId, { settledBy }), 1)).toMatchObject({ kind: 'reconsider' });
    expect(await fundsOf(paymentId)).toEqual([780, 220, 0]);
    expect(await closeSent(store, declined(paymentId, { settledBy }), 2)).toMatchObject({ kind: 'recorded' });
  });

  test('the provider once said completed: only a person declines', async () => {
    const paymentId = await heldPayment({ sent: true });
    await store.payments.noteCompleted(paymentId);
    const rejected = declined(paymentId, { step: 'submission', reason: 'rejected', settledBy: 'none' });
    for (const outcome of [declined(paymentId), rejected]) {
      expect(await closeSent(store, outcome)).toMatchObject({ kind: 'reconsider' });
    }
    expect(await closeSent(store, declined(paymentId, { settledBy: 'operator' }))).toMatchObject({ kind: 'recorded' });
  });

  test('what was considered is named by the close; what was not comes back for comparison', async () => {
    const paymentId = await heldPayment({ sent: true });
    await callbackFrom(paymentId, 'one');
    await callbackFrom(paymentId, 'two');
    await closeSent(store, paid(paymentId), 1);
    const named = (await store.inbox.forPayment(paymentId)).map(({ namedBy }) => namedBy);
    expect(named).toEqual(['close', undefined]);
    const pending = (await store.inbox.pending(1000)).filter((row) => row.paymentId === paymentId);
    expect(pending).toMatchObject([{ closed: { outcome: paid(paymentId) } }]);
  });
});

describe('a decision of a person', () => {
  const action = {
    operator: 'amina',
    action: 'resolvePayment',
    note: 'biller confirmed by phone',
    details: { providerCase: 'C-1' },
  };

  test('is kept with what it looked like before, once', async () => {
    const paymentId = await heldPayment({ sent: true });
    await callbackFrom(paymentId, 'one');
    const request = { paymentId, outcome: paid(paymentId), callbacksConsidered: 1, unsent: false, action };
    await store.payments.close(request);
    await store.payments.close(request);
    expect(await store.operatorActions.list(paymentId)).toEqual([
      {
        ...action,
        id: expect.any(Number) as number,
        at: expect.any(Date) as Date,
        before: {
          state: 'open',
          claimedAt: expect.any(String) as string,
          completedSeenAt: null,
          disputedAt: null,
          callbacks: 1,
          reservation: { fundingAccount: paymentId, amount: 220, state: 'reserved' },
        },
      },
    ]);
  });

  test('that does not take effect leaves no row', async () => {
    const paymentId = await heldPayment({ sent: true });
    await store.payments.close({
      paymentId,
      outcome: cancelled(paymentId),
      callbacksConsidered: 0,
      unsent: true,
      action,
    });
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });
});

describe('all or nothing', () => {
  test('a close whose backend dies before its last statement leaves no trace, and works when repeated', async () => {
    const paymentId = await heldPayment({ sent: true });
    await callbackFrom(paymentId, 'one');
    const action = { operator: 'amina', action: 'resolvePayment', note: 'confirmed' };
    const request = { paymentId, outcome: paid(paymentId), callbacksConsidered: 1, unsent: false, action };

    await onDatabase(database.url, async (client) => {
      // Holding the account makes the close stop right before its last statement: everything else is written, nothing committed.
      await client.query('BEGIN');
      await client.query('SELECT FROM funding_accounts WHERE id = $1 FOR UPDATE', [paymentId]);
      const killed = expect(store.payments.close(request)).rejects.toThrow();
      await onDatabase(database.url, async (killer) => {
        const find = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                         AND wait_event_type = 'Lock' AND strpos(query, 'UPDATE funding_accounts') > 0 AND pid <> pg_backend_pid()`;
        while ((await killer.query(find)).rowCount === 0);
      });
      await killed;
      await client.query('ROLLBACK');
    });

    expect(await store.payments.facts(paymentId)).not.toHaveProperty('outcome');
    expect(await fundsOf(paymentId)).toEqual([780, 220, 0]);
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
    expect((await store.inbox.forPayment(paymentId))[0]).not.toHaveProperty('namedBy');

    expect(await store.payments.close(request)).toMatchObject({ kind: 'recorded' });
    expect(await fundsOf(paymentId)).toEqual([780, 0, 220]);
  });

  test('a callback flood does not wait for a close, nor a close for the flood', async () => {
    const paymentId = await sentPayment(store);
    await onDatabase(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      expect(await callbackFrom(paymentId, 'while the payment is locked')).toMatchObject({ kind: 'stored' });
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      await client.query('SELECT FROM callback_counts WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      expect(await closeSent(store, paid(paymentId), 1)).toMatchObject({ kind: 'recorded' });
      await client.query('ROLLBACK');
    });
  });
});
