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
import { UnknownPayment, type Store } from '../../src/store';

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

const registered = async (): Promise<string> => {
  const paymentId = newPaymentId();
  await store.payments.register(requestOf(paymentId), 'fingerprint');
  return paymentId;
};

describe('G8: the same id with the same content is the same payment', () => {
  test('again, and at once from many callers', async () => {
    const request = requestOf(newPaymentId());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => store.payments.register(request, 'fingerprint')),
    );
    expect(answers).toEqual(Array(20).fill({ kind: 'open', claimed: false, reserved: false }));
  });

  test('other content is a conflict, open or closed', async () => {
    const paymentId = await registered();
    expect(await store.payments.register(requestOf(paymentId), 'other')).toEqual({ kind: 'conflict' });
    await closeUnsent(store, cancelled(paymentId));
    expect(await store.payments.register(requestOf(paymentId), 'other')).toEqual({ kind: 'conflict' });
  });

  test('of two callers with other content at once, one is the payment', async () => {
    const request = requestOf(newPaymentId());
    const answers = await Promise.all(['a', 'b'].map((fingerprint) => store.payments.register(request, fingerprint)));
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['conflict', 'open']);
  });

  test('says that an earlier run may have sent it, and the outcome once it is closed', async () => {
    const paymentId = await sentPayment(store);
    expect(await store.payments.register(requestOf(paymentId), 'fingerprint')).toEqual({
      kind: 'open',
      claimed: true,
      reserved: false,
    });
    await closeSent(store, paid(paymentId));
    expect(await store.payments.register(requestOf(paymentId), 'fingerprint')).toEqual({
      kind: 'closed',
      outcome: paid(paymentId),
    });
  });
});

describe('G1: one claim per payment, for ever', () => {
  test('of 50 attempts at once one is told so', async () => {
    const paymentId = await registered();
    const answers = await Promise.all(Array.from({ length: 50 }, () => store.payments.claim(paymentId, claimOf())));
    expect(answers.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'taken')).toHaveLength(49);
  });

  test('none after a close, however it closed', async () => {
    for (const outcome of [cancelled, declined]) {
      const paymentId = await registered();
      await closeUnsent(store, outcome(paymentId));
      expect(await store.payments.claim(paymentId, claimOf())).toEqual({ kind: 'closed', outcome: outcome(paymentId) });
    }
  });

  test('claim and cancel at once: exactly one of them wins', async () => {
    for (let round = 0; round < 25; round++) {
      const paymentId = await registered();
      const [claim, close] = await Promise.all([
        store.payments.claim(paymentId, claimOf()),
        closeUnsent(store, cancelled(paymentId)),
      ]);
      expect([claim.kind, close.kind]).toEqual(
        claim.kind === 'claimed' ? ['claimed', 'may-have-been-sent'] : ['closed', 'recorded'],
      );
    }
  });

  test('a payment that was never registered has none', async () => {
    await expect(store.payments.claim(newPaymentId(), claimOf())).rejects.toThrow(UnknownPayment);
    await expect(store.payments.facts(newPaymentId())).rejects.toThrow(UnknownPayment);
    await expect(closeSent(store, paid(newPaymentId()))).rejects.toThrow(UnknownPayment);
  });
});

describe('facts', () => {
  test('of a payment nothing has happened to', async () => {
    expect(await store.payments.facts(await registered())).toEqual({
      completedSeen: false,
      callbacks: [],
      callbackCount: 0,
      callbacksDropped: 0,
      disputed: false,
    });
  });

  test('of a payment everything has happened to', async () => {
    const paymentId = await sentPayment(store);
    const receivedAt = new Date('2026-01-02T03:00:00.123Z');
    await store.inbox.add({ paymentId, digest: 'one', body: '{}', reading: reading(), receivedAt });
    await store.payments.noteCompleted(paymentId);
    await closeSent(store, paid(paymentId), 1);
    await store.disputes.raise(paymentId, { by: 'callback', because: 'a callback says failed' });
    const { account, tokenExpiresAt } = claimOf();
    expect(await store.payments.facts(paymentId)).toEqual({
      claim: { at: expect.any(Date) as Date, tokenExpiresAt, account },
      outcome: paid(paymentId),
      completedSeen: true,
      callbacks: [{ reading: reading(), receivedAt }],
      callbackCount: 1,
      callbacksDropped: 0,
      disputed: true,
    });
  });

  test('a sealed payment was not sent: no claim', async () => {
    const paymentId = await registered();
    await closeUnsent(store, cancelled(paymentId));
    expect(await store.payments.facts(paymentId)).not.toHaveProperty('claim');
  });
});

describe('the receipt', () => {
  test('is only ever completed', async () => {
    const paymentId = await sentPayment(store);
    await closeSent(store, paid(paymentId, { receipt: { number: 'S575998', token: '' } }));
    expect(await store.payments.addReceipt(paymentId, { number: 'other', token: '1234-5678' })).toBe(true);
    expect(await store.payments.addReceipt(paymentId, { token: '9999' })).toBe(false);
    expect(await store.payments.addReceipt(paymentId, {})).toBe(false);
    const facts = await store.payments.facts(paymentId);
    expect(facts.outcome).toEqual(paid(paymentId, { receipt: { number: 'S575998', token: '1234-5678' } }));
  });

  test.each([
    ['open', () => undefined],
    ['declined', (paymentId: string) => closeSent(store, declined(paymentId))],
  ])('of a payment that is %s is refused', async (_state, prepare) => {
    const paymentId = await sentPayment(store);
    await prepare(paymentId);
    expect(await store.payments.addReceipt(paymentId, { token: '1' })).toBe(false);
  });

  test('what PostgreSQL cannot keep does not stop a close', async () => {
    const paymentId = await sentPayment(store);
    const narration = 'a\0b\ud800c';
    const closed = await closeSent(store, paid(paymentId, { receipt: { narration }, summary: narration }));
    expect(closed).toMatchObject({
      kind: 'recorded',
      outcome: { summary: 'a\ufffdb\ufffdc', receipt: { narration: 'a\ufffdb\ufffdc' } },
    });
  });
});

describe('G7: the database refuses what must never happen, whoever asks', () => {
  const statements: readonly (readonly [string, string])[] = [
    ['an outcome changed', `UPDATE payments SET outcome = outcome || '{"amount": 1}'`],
    ['an outcome removed', 'UPDATE payments SET outcome = NULL, closed_at = NULL'],
    ['the time of the end changed', `UPDATE payments SET closed_at = now() + interval '1 second'`],
    ['a claim given back', 'UPDATE payments SET claimed_at = NULL, claimed_by = NULL'],
    ['a claim taken over', `UPDATE payments SET claimed_by = 'somebody'`],
    ['a token made to expire later', `UPDATE payments SET token_expires_at = now()`],
    ['an amount changed', 'UPDATE payments SET amount = amount + 1'],
    ['another content under the id', `UPDATE payments SET fingerprint = 'other'`],
    ['a receipt replaced', `UPDATE payments SET receipt = '{"number": "other"}'`],
    ['a receipt emptied', `UPDATE payments SET receipt = '{}'`],
    ['a completed record forgotten', 'UPDATE payments SET completed_seen_at = NULL'],
    ['a dispute forgotten', 'UPDATE payments SET disputed_at = NULL'],
    ['a payment deleted', 'DELETE FROM payments'],
    ['a reservation settled again', 'UPDATE reservations SET posted = 0, released = amount'],
    ['a reservation changed', `UPDATE reservations SET reserved_at = now() + interval '1 second'`],
    ['a reservation deleted', 'DELETE FROM reservations'],
    ['a decision rewritten', `UPDATE operator_actions SET note = 'other'`],
    ['a decision deleted', 'DELETE FROM operator_actions'],
  ];

  test.each(statements)('%s', async (_what, statement) => {
    const paymentId = await sentPayment(store);
    await store.reservations.addFunds({ account: paymentId, amount: 1000, currency: 'KES' });
    await store.reservations.reserve(paymentId, { fundingAccount: paymentId, amount: 220, currency: 'KES' });
    await store.payments.noteCompleted(paymentId);
    const action = { operator: 'amina', action: 'resolvePayment', note: 'the biller confirmed' };
    await store.payments.close({ paymentId, outcome: paid(paymentId), callbacksConsidered: 0, unsent: false, action });
    await store.disputes.raise(paymentId, { by: 'callback', because: 'a callback says failed' });
    await onDatabase(database.url, (client) =>
      expect(client.query(`${statement} WHERE payment_id = $1`, [paymentId])).rejects.toMatchObject({ code: '23001' }),
    );
  });

  test.each(['payments', 'reservations', 'funding_accounts', 'operator_actions'])('%s emptied', async (table) => {
    await onDatabase(database.url, (client) =>
      expect(client.query(`TRUNCATE ${table} CASCADE`)).rejects.toMatchObject({ code: '23001' }),
    );
  });

  const constraints: readonly (readonly [string, string])[] = [
    ['closed without a claim', `UPDATE payments SET outcome = '{"kind": "declined"}', closed_at = now()`],
    ['sealed while open', `UPDATE payments SET claimed_at = now(), claimed_by = 'sealed'`],
    ['a claim that does not say to whom', `UPDATE payments SET claimed_at = now(), claimed_by = 'nonce'`],
    ['a receipt of an open payment', `UPDATE payments SET receipt = '{"number": "1"}'`],
    [
      'an outcome of no known kind',
      `UPDATE payments SET outcome = '{"kind": "lost"}', closed_at = now(), claimed_at = now(), claimed_by = 'sealed'`,
    ],
  ];
  test.each(constraints)('%s', async (_what, statement) => {
    const paymentId = await registered();
    await onDatabase(database.url, (client) =>
      expect(client.query(`${statement} WHERE payment_id = $1`, [paymentId])).rejects.toMatchObject({ code: '23514' }),
    );
  });

  test('closed while its money is still held; held once it is closed', async () => {
    const paymentId = await sentPayment(store);
    await store.reservations.addFunds({ account: paymentId, amount: 1000, currency: 'KES' });
    await store.reservations.reserve(paymentId, { fundingAccount: paymentId, amount: 220, currency: 'KES' });
    const close = `UPDATE payments SET outcome = '{"kind": "declined"}', closed_at = now() WHERE payment_id = $1`;
    const closed = await registered();
    await closeUnsent(store, cancelled(closed));
    await onDatabase(database.url, async (client) => {
      await expect(client.query(close, [paymentId])).rejects.toThrow('settled before it closes');
      await expect(
        client.query('INSERT INTO reservations (payment_id, funding_account, amount) VALUES ($1, $2, 1)', [
          closed,
          paymentId,
        ]),
      ).rejects.toThrow('not open');
    });
  });
});
