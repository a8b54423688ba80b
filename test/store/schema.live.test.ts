import type { Client } from 'pg';
import { onDatabase, type TestDatabase } from '../support/postgres';
import {
  CANCELLED,
  decided,
  end,
  endByPerson,
  fundedPayment,
  look,
  newPaymentId,
  outcomeOf,
  ownStore,
  recordOf,
  registeredPayment,
  sentPayment,
} from '../support/store';
import type { Store } from '../../src/store';

/** The database refuses what must never happen, whoever asks (G1, G2, G6, G7). */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  ({ database, store } = await ownStore());
});

const REFUSED = { code: '23001' };
const refused = (sql: string, values: readonly unknown[], error: object = REFUSED) =>
  onDatabase(database.url, (client) => expect(client.query(sql, [...values])).rejects.toMatchObject(error));

/** Asked, answered, decided, posted, disputed. */
async function closedPayment(): Promise<string> {
  const paymentId = await fundedPayment(store, { sent: true });
  outcomeOf(await endByPerson(store, paymentId, { receiptNumber: 'S1' }));
  await store.disputes.raise(paymentId, { by: 'callback', because: 'a callback says failed' });
  return paymentId;
}

describe('what is final', () => {
  const statements: readonly (readonly [string, string])[] = [
    ['an outcome changed', `UPDATE payments SET outcome = outcome || '{"amount": 1}'`],
    ['an outcome removed', 'UPDATE payments SET outcome = NULL, closed_at = NULL'],
    ['the time of the end changed', `UPDATE payments SET closed_at = now() + interval '1 second'`],
    ['a claim given back', 'UPDATE payments SET claimed_at = NULL, claimed_by = NULL, answer = NULL'],
    ['a claim taken over', `UPDATE payments SET claimed_by = 'somebody'`],
    ['a session made to expire later', `UPDATE payments SET session_expires_at = now()`],
    ['another answer to the request', `UPDATE payments SET answer = answer || '{"kind": "not-sent"}'`],
    ['an answer to the request forgotten', 'UPDATE payments SET answer = NULL'],
    ['that a person was asked forgotten', 'UPDATE payments SET attention_since = NULL'],
    ['a person asked later', 'UPDATE payments SET attention_since = now()'],
    ['an amount changed', 'UPDATE payments SET amount = amount + 1'],
    ['another account to pay from', `UPDATE payments SET funding_account = NULL`],
    ['other rules', `UPDATE payments SET rules = rules || '{"prepaid": true}'`],
    ['another content under the id', `UPDATE payments SET fingerprint = 'other'`],
    ['a receipt replaced', `UPDATE payments SET receipt = '{"number": "other"}'`],
    ['a receipt emptied', `UPDATE payments SET receipt = '{}'`],
    ['a dispute forgotten', 'UPDATE payments SET disputed_at = NULL'],
    ['a payment deleted', 'DELETE FROM payments'],
    ['a reservation settled again', 'UPDATE reservations SET posted = 0, released = amount'],
    ['a reservation changed', `UPDATE reservations SET reserved_at = now() + interval '1 second'`],
    ['a reservation deleted', 'DELETE FROM reservations'],
    ['a decision rewritten', `UPDATE operator_actions SET note = 'other'`],
    ['a decision deleted', 'DELETE FROM operator_actions'],
  ];

  test.each(statements)('%s', async (_what, statement) => {
    await refused(`${statement} WHERE payment_id = $1`, [await closedPayment()]);
  });

  test.each(['payments', 'reservations', 'funding_accounts', 'operator_actions', 'disputes', 'reconciliations'])(
    '%s emptied',
    async (table) => {
      await refused(`TRUNCATE ${table} CASCADE`, []);
    },
  );
});

describe('G2: what was seen only grows', () => {
  const seenOf = (paymentId: string, seen: string) =>
    onDatabase(database.url, (client) =>
      client.query(`UPDATE payments SET seen = ${seen} WHERE payment_id = $1`, [paymentId]),
    );

  async function seenPayment(): Promise<string> {
    const paymentId = await sentPayment(store);
    for (const [index, state] of (['failed', 'completed', 'pending', 'failed'] as const).entries())
      await look(store, paymentId, recordOf(paymentId, state), 40_000 - index * 10_000);
    return paymentId;
  }

  const FIRST = ['completedAt', 'recordAt', 'paidSince', 'failedFirstAskedAt', 'failedFirstAnsweredAt'];
  const LAST = ['failedLastAskedAt', 'otherLastAskedAt', 'last,askedAt'];
  const moved = (path: string, by: string) =>
    `jsonb_set(seen, '{${path}}', to_jsonb((seen #>> '{${path}}')::numeric ${by}))`;

  test.each([
    ...[...FIRST, ...LAST].map((path) => ['forgotten', `seen #- '{${path}}'`, path]),
    ...FIRST.map((path) => ['later', moved(path, '+ 1'), path]),
    ...LAST.map((path) => ['earlier', moved(path, '- 1'), path]),
    ['forgotten', `'{}'`, 'everything'],
    ['no object any more', `'[]'`, 'everything'],
  ])('%s: %s', async (_how, seen) => {
    await expect(seenOf(await seenPayment(), seen)).rejects.toMatchObject({
      code: seen === `'[]'` ? expect.stringMatching('23001|23514') : '23001',
    });
  });

  test.each([
    ...FIRST.map((path) => [moved(path, '- 1'), path]),
    ...LAST.map((path) => [moved(path, '+ 1'), path]),
    [`seen || '{"somethingNew": 1}'`, 'something new'],
  ])('and it may grow: %s', async (seen) => {
    await seenOf(await seenPayment(), seen);
  });
});

describe('what cannot be', () => {
  const claim = `claimed_at = now(), claimed_by = 'nonce', claim_account = 'account', session_expires_at = now()`;
  const ended = (outcome: string) => `UPDATE payments SET outcome = '${outcome}', closed_at = now(), ${claim}`;
  const constraints: readonly (readonly [string, string])[] = [
    ['closed without a claim', `UPDATE payments SET outcome = '{"kind": "declined"}', closed_at = now()`],
    ['sealed while open', `UPDATE payments SET claimed_at = now(), claimed_by = 'sealed'`],
    ['a claim that does not say to whom', `UPDATE payments SET claimed_at = now(), claimed_by = 'nonce'`],
    ['an answer without a claim', `UPDATE payments SET answer = '{"kind": "accepted", "at": 1}'`],
    ['an answer of no known kind', `UPDATE payments SET ${claim}, answer = '{"kind": "maybe", "at": 1}'`],
    ['an answer without its time', `UPDATE payments SET ${claim}, answer = '{"kind": "accepted"}'`],
    ['a receipt of an open payment', `UPDATE payments SET receipt = '{"number": "1"}'`],
    ['an outcome of no known kind', ended('{"kind": "lost"}')],
    ['more paid than asked for', ended('{"kind": "paid", "amount": 221, "currency": "KES"}')],
    ['nothing paid', ended('{"kind": "paid", "amount": 0, "currency": "KES"}')],
    ['paid in another currency', ended('{"kind": "paid", "amount": 220, "currency": "USD"}')],
  ];
  test.each(constraints)('%s', async (_what, statement) => {
    await refused(`${statement} WHERE payment_id = $1`, [await registeredPayment(store)], { code: '23514' });
  });
});

describe('G6: money is held exactly from the claim to the end', () => {
  const RESERVE = 'INSERT INTO reservations (payment_id, funding_account, amount) SELECT $1, $2, $3';
  const CLAIM = `UPDATE payments SET claimed_at = now(), claimed_by = 'nonce', claim_account = 'account', session_expires_at = now()
                  WHERE payment_id = $1`;
  const accountOf = async (client: Client, paymentId: string): Promise<string> => {
    const { rows } = await client.query<{ id: string }>(
      'SELECT funding_account AS id FROM payments WHERE payment_id = $1',
      [paymentId],
    );
    return rows[0]?.id ?? '';
  };

  test('a claim without its money; money without a claim', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    await onDatabase(database.url, async (client) => {
      const account = await accountOf(client, paymentId);
      await expect(client.query(CLAIM, [paymentId])).rejects.toMatchObject(REFUSED);
      await expect(client.query(RESERVE, [paymentId, account, 220])).rejects.toThrow('and not before');
      // Both in one transaction, in either order, is what a claim does.
      await client.query('BEGIN');
      await client.query(RESERVE, [paymentId, account, 220]);
      await client.query(CLAIM, [paymentId]);
      await client.query('COMMIT');
    });
  });

  test('another amount than is paid, or from another account', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    const other = newPaymentId();
    await store.funds.add({ account: other, amount: 1_000, currency: 'KES' });
    await onDatabase(database.url, async (client) => {
      const account = await accountOf(client, paymentId);
      await expect(client.query(RESERVE, [paymentId, account, 219])).rejects.toThrow('what is paid');
      await expect(client.query(RESERVE, [paymentId, other, 220])).rejects.toThrow('from its own account');
    });
  });

  test('held after the end, given back before it, or settled to another sum than was paid', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    const DECLINE = `UPDATE payments SET outcome = '{"kind": "declined"}', closed_at = now() WHERE payment_id = $1`;
    const PAID = `UPDATE payments SET outcome = '{"kind": "paid", "amount": 220, "currency": "KES"}', closed_at = now()
                   WHERE payment_id = $1`;
    const settle = (posted: number) =>
      `UPDATE reservations SET settled_at = now(), posted = ${posted}, released = amount - ${posted} WHERE payment_id = $1`;
    await refused(DECLINE, [paymentId]);
    await refused(settle(0), [paymentId]);
    for (const [outcome, posted] of [
      [DECLINE, 220],
      [PAID, 0],
      [PAID, 219],
    ] as const)
      await onDatabase(database.url, async (client) => {
        await client.query('BEGIN');
        await client.query(outcome, [paymentId]);
        await client.query(settle(posted), [paymentId]);
        await expect(client.query('COMMIT')).rejects.toMatchObject(REFUSED);
      });
  });

  test('paid from an account, and nothing posted', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    await refused(
      `UPDATE payments SET outcome = '{"kind": "paid", "amount": 220, "currency": "KES"}', closed_at = now(),
              claimed_at = now(), claimed_by = 'sealed' WHERE payment_id = $1`,
      [paymentId],
    );
  });

  test('a hold and an end by hand, at once: one waits for the other, and the second is refused', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    await onDatabase(database.url, async (client) => {
      const account = await accountOf(client, paymentId);
      await client.query('BEGIN');
      await client.query(RESERVE, [paymentId, account, 220]);
      await expect(end(store, paymentId, CANCELLED)).rejects.toThrow('lock timeout');
      await client.query('ROLLBACK');
    });
    expect(await end(store, paymentId, CANCELLED)).toMatchObject({ kind: 'closed' });
  });
});

test('every change of a payment counts up its version: nobody can forget to', async () => {
  const paymentId = await registeredPayment(store);
  await onDatabase(database.url, async (client) => {
    for (const version of ['2', '3']) {
      const { rows } = await client.query('UPDATE payments SET version = 1 WHERE payment_id = $1 RETURNING version', [
        paymentId,
      ]);
      expect(rows).toEqual([{ version }]);
    }
  });
});

test('an update acts once, also for another payment workflow of the same id', async () => {
  const paymentId = await sentPayment(store);
  outcomeOf(await endByPerson(store, paymentId, {}));
  const repeat = `INSERT INTO operator_actions (payment_id, operator, action, note, before, update_id)
                  VALUES ($1, 'amina', 'resolvePayment', 'again', '{}', 'update 1')`;
  await onDatabase(database.url, async (client) => {
    await client.query(repeat, [paymentId]);
    await expect(client.query(repeat, [paymentId])).rejects.toMatchObject({ code: '23505' });
  });
  expect(await end(store, paymentId, decided({}, 'update 1'))).toMatchObject({ kind: 'closed' });
});
