import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { cancelled, claimOf, closeSent, closeUnsent, newPaymentId, paid, requestOf, storeAt } from '../support/store';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { ClaimUncertain, type Store } from '../../src/store';

/** G1 when the network loses what the database said. The proxy really cuts the connection; the server really commits, or does not. */

let database: TestDatabase;
let proxy: TcpProxy;
/** Through the proxy. */
let store: Store;
/** Beside it: another worker. */
let other: Store;

beforeAll(async () => {
  database = await testDatabase();
  proxy = await startTcpProxy(database.url);
  store = storeAt(proxy.url);
  other = storeAt(database.url);
});
afterAll(async () => {
  await store.close();
  await other.close();
  await proxy.close();
  await database.drop();
});

const registered = async (): Promise<string> => {
  const paymentId = newPaymentId();
  await other.payments.register(requestOf(paymentId), 'fingerprint');
  return paymentId;
};

const THE_CLAIM = 'SET claimed_at = now()';

test('the claim is committed and its answer lost: it recognises its own claim', async () => {
  const paymentId = await registered();
  const cut = proxy.cut('after-the-answer', THE_CLAIM);
  expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'claimed' });
  await cut;
  expect(await other.payments.claim(paymentId, claimOf())).toEqual({ kind: 'taken' });
});

test('the claim never arrives: nothing is claimed, and the next attempt may', async () => {
  const paymentId = await registered();
  const cut = proxy.cut('before-forwarding', THE_CLAIM);
  await expect(store.payments.claim(paymentId, claimOf())).rejects.toThrow(ClaimUncertain);
  await cut;
  expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'claimed' });
});

test('the answer "another has it" is lost: taken', async () => {
  const paymentId = await registered();
  await other.payments.claim(paymentId, claimOf());
  const cut = proxy.cut('after-the-answer', THE_CLAIM);
  expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'taken' });
  await cut;
});

test('the answer "it is closed" is lost: closed, with the outcome', async () => {
  const paymentId = await registered();
  await closeUnsent(other, cancelled(paymentId));
  const cut = proxy.cut('after-the-answer', THE_CLAIM);
  expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'closed', outcome: cancelled(paymentId) });
  await cut;
});

test('the backend is ended while it waits for the row: nothing is claimed', async () => {
  const paymentId = await registered();
  await onDatabase(database.url, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
    const claim = store.payments.claim(paymentId, claimOf());
    const outcome = expect(claim).rejects.toThrow(ClaimUncertain);
    await endBlockedBackend(THE_CLAIM);
    await client.query('ROLLBACK');
    await outcome;
  });
  expect(await other.payments.facts(paymentId)).not.toHaveProperty('claim');
});

test('a row that stays locked: an error in time, nothing claimed, and no lock left behind', async () => {
  const paymentId = await registered();
  await onDatabase(database.url, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
    await expect(store.payments.claim(paymentId, claimOf())).rejects.toThrow('lock timeout');
    await client.query('ROLLBACK');
  });
  expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'claimed' });
});

test('a close whose answer is lost stands, and the same close again contradicts nothing', async () => {
  const paymentId = await registered();
  await store.payments.claim(paymentId, claimOf());
  const cut = proxy.cut('after-the-answer', 'COMMIT');
  await expect(closeSent(store, paid(paymentId))).rejects.toThrow();
  await cut;
  const again = { ...paid(paymentId), closedAt: '2026-01-02T09:00:00.000Z', summary: 'Said again.' };
  expect(await closeSent(store, again)).toEqual({ kind: 'stands', outcome: paid(paymentId), contradicts: false });
  expect((await store.payments.facts(paymentId)).disputed).toBe(false);
});

test('idle connections that break end no process, and the next statement works', async () => {
  await Promise.all(Array.from({ length: 5 }, () => store.ping()));
  await onDatabase(database.url, async (client) => {
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'almara-bill-payments'`,
    );
    expect(rowCount).toBeGreaterThan(0);
  });
  const paymentId = newPaymentId();
  await expect(eventually(() => store.payments.register(requestOf(paymentId), 'fingerprint'))).resolves.toMatchObject({
    kind: 'open',
  });
});

/** Ends the backend that waits for a lock with this statement, as soon as there is one. */
async function endBlockedBackend(words: string): Promise<void> {
  await onDatabase(database.url, async (client) => {
    for (let ended = 0; ended === 0;) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()`,
        [words],
      );
      ended = rowCount ?? 0;
    }
  });
}

/** As an activity's retry would: a connection that broke unseen fails the one statement that meets it. */
async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let left = 10; left > 0; left--) {
    try {
      return await attempt();
    } catch {
      // The next connection.
    }
  }
  return await attempt();
}
