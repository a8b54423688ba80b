import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { closeSent, declined, newPaymentId, paid, sentPayment, storeAt } from '../support/store';
import type { DisputeResolution } from '../../src/payment/dispute';
import { ImpossibleRequest, UnknownPayment, type Store } from '../../src/store';

/** G4, G5: a contradiction of a closed payment is raised as a dispute, once, and never overwrites anything. */

let database: TestDatabase;
let store: Store;
beforeEach(async () => {
  database = await testDatabase();
  store = storeAt(database.url);
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

const BY_CALLBACK = { by: 'callback', because: 'Recorded as declined; a later callback says paid (code 0)' } as const;
const BY_RECONCILIATION = { by: 'reconciliation', because: 'Recorded as declined; Almara Pay says completed' } as const;
const AGREED: DisputeResolution = { agreed: 'paid', operator: 'amina', note: 'finance has the receipt' };
const action = ({ operator, note, ...details }: DisputeResolution) => ({
  operator,
  note,
  action: 'resolveDispute',
  details,
});

async function declinedPayment(): Promise<string> {
  const paymentId = await sentPayment(store);
  await closeSent(store, declined(paymentId));
  return paymentId;
}
async function disputedPayment(): Promise<string> {
  const paymentId = await declinedPayment();
  await store.disputes.raise(paymentId, BY_CALLBACK);
  return paymentId;
}

describe('G5: raising', () => {
  test('marks the payment, keeps what was said first, and leaves the outcome alone', async () => {
    const paymentId = await declinedPayment();
    expect(await store.disputes.find(paymentId)).toBeUndefined();
    expect(await store.disputes.raise(paymentId, BY_CALLBACK)).toEqual({ isNew: true });
    const first = await store.disputes.find(paymentId);
    expect(await store.disputes.raise(paymentId, BY_RECONCILIATION)).toEqual({ isNew: false });
    expect(await store.disputes.find(paymentId)).toEqual(first);
    expect(first).toEqual({
      paymentId,
      raisedBy: 'callback',
      because: BY_CALLBACK.because,
      raisedAt: expect.stringMatching(/Z$/) as string,
    });
    expect(await store.payments.facts(paymentId)).toMatchObject({ disputed: true, outcome: declined(paymentId) });
  });

  test('of 20 at once one is the first', async () => {
    const paymentId = await declinedPayment();
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.disputes.raise(paymentId, BY_CALLBACK)));
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  test('callbacks and contradicting closes that raise at once wait for each other: one dispute', async () => {
    for (let round = 0; round < 5; round += 1) {
      const paymentId = await declinedPayment();
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          i % 2 ? store.disputes.raise(paymentId, BY_CALLBACK) : closeSent(store, paid(paymentId)),
        ),
      );
      expect(await store.disputes.find(paymentId)).toMatchObject({ paymentId });
    }
  });

  test('a close that meets another outcome raises in its own transaction, and says what it met', async () => {
    const paymentId = await declinedPayment();
    await closeSent(store, paid(paymentId, { receipt: { number: 'S1', narration: 'for Amina' } }));
    expect(await store.disputes.find(paymentId)).toMatchObject({
      raisedBy: 'close',
      because: 'Recorded as declined; a later close says paid KES 220',
    });
    expect((await store.disputes.toOpen(10)).map((dispute) => dispute.paymentId)).toEqual([paymentId]);
  });

  test('a close that says the same raises nothing', async () => {
    const paymentId = await sentPayment(store);
    await closeSent(store, paid(paymentId));
    await closeSent(store, paid(paymentId));
    expect(await store.disputes.find(paymentId)).toBeUndefined();
    const never = newPaymentId();
    await expect(store.disputes.raise(never, BY_CALLBACK)).rejects.toThrow(UnknownPayment);
  });

  test('an open payment has no outcome to dispute', async () => {
    const paymentId = await sentPayment(store);
    await expect(store.disputes.raise(paymentId, BY_CALLBACK)).rejects.toThrow(ImpossibleRequest);
    expect((await store.payments.facts(paymentId)).disputed).toBe(false);
  });
});

describe('the list of what is to be opened', () => {
  test('oldest first, until it is marked; the first time is kept', async () => {
    const [first, second] = [await disputedPayment(), await disputedPayment()];
    expect((await store.disputes.toOpen(10)).map(({ paymentId }) => paymentId)).toEqual([first, second]);
    expect((await store.disputes.toOpen(1)).map(({ paymentId }) => paymentId)).toEqual([first]);
    await store.disputes.markOpened(first);
    const opened = await store.disputes.find(first);
    expect(opened?.openedAt).toBeDefined();
    await store.disputes.markOpened(first);
    expect(await store.disputes.find(first)).toEqual(opened);
    expect((await store.disputes.toOpen(10)).map(({ paymentId }) => paymentId)).toEqual([second]);
  });

  test('raised again after it was opened or resolved: nothing new to open', async () => {
    const [opened, resolved] = [await disputedPayment(), await disputedPayment()];
    await store.disputes.markOpened(opened);
    await store.disputes.resolve(resolved, AGREED, action(AGREED));
    await store.disputes.raise(opened, BY_CALLBACK);
    await store.disputes.raise(resolved, BY_RECONCILIATION);
    expect(await store.disputes.toOpen(10)).toEqual([]);
  });
});

describe('resolving', () => {
  test('is recorded once, with who decided it and what it looked like before', async () => {
    const paymentId = await disputedPayment();
    const recorded = await store.disputes.resolve(paymentId, AGREED, action(AGREED));
    expect(recorded).toEqual({ kind: 'recorded', resolution: { ...AGREED, at: expect.any(String) as string } });
    const other: DisputeResolution = { agreed: 'not-paid', operator: 'juma', note: 'no', providerCase: 'C-1' };
    expect(await store.disputes.resolve(paymentId, other, action(other))).toEqual({
      kind: 'stands',
      resolution: recorded.resolution,
    });
    const actions = await store.operatorActions.list(paymentId);
    expect(actions).toHaveLength(1);
    expect(actions[0]).toMatchObject({
      operator: 'amina',
      action: 'resolveDispute',
      note: AGREED.note,
      details: { agreed: 'paid' },
      before: { state: 'declined', disputedAt: expect.any(String) as string },
    });
    expect((await store.payments.facts(paymentId)).outcome).toEqual(declined(paymentId));
  });

  test('of 20 at once one is recorded, with one action, and all hear of it', async () => {
    const paymentId = await disputedPayment();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const resolution: DisputeResolution = { ...AGREED, agreed: i % 2 ? 'paid' : 'not-paid', note: `note ${i}` };
        return store.disputes.resolve(paymentId, resolution, action(resolution));
      }),
    );
    expect(answers.filter(({ kind }) => kind === 'recorded')).toHaveLength(1);
    expect(new Set(answers.map(({ resolution }) => resolution.note)).size).toBe(1);
    expect(await store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('what was never raised cannot be resolved, and leaves no trace', async () => {
    const paymentId = await declinedPayment();
    await expect(store.disputes.resolve(paymentId, AGREED, action(AGREED))).rejects.toThrow(ImpossibleRequest);
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });
});

describe('the database refuses what must never happen, whoever asks', () => {
  test.each([
    ['another cause', `UPDATE disputes SET because = 'other'`],
    ['another finder', `UPDATE disputes SET raised_by = 'close'`],
    ['unopened again', 'UPDATE disputes SET opened_at = NULL'],
    ['resolved again', `UPDATE disputes SET resolution = '{"agreed": "not-paid"}'`],
    ['resolved no more', 'UPDATE disputes SET resolution = NULL, resolved_at = NULL'],
    ['deleted', 'DELETE FROM disputes'],
    ['emptied', 'TRUNCATE disputes CASCADE'],
  ])('%s', async (_what, statement) => {
    const paymentId = await disputedPayment();
    await store.disputes.markOpened(paymentId);
    await store.disputes.resolve(paymentId, AGREED, action(AGREED));
    await onDatabase(database.url, (client) =>
      expect(client.query(statement)).rejects.toMatchObject({ code: '23001' }),
    );
  });

  test('a dispute of an open payment', async () => {
    const paymentId = await sentPayment(store);
    await onDatabase(database.url, (client) =>
      expect(
        client.query(`INSERT INTO disputes (payment_id, raised_by, because) VALUES ($1, 'close', 'x')`, [paymentId]),
      ).rejects.toMatchObject({ code: '23001' }),
    );
  });
});

describe('payments that 0.1.0 has marked', () => {
  const EARLIER = 'Marked as disputed by an earlier version: compare the callbacks with the outcome';

  test('by a process that still runs: they have a dispute at once', async () => {
    const paymentId = await declinedPayment();
    await onDatabase(database.url, (client) =>
      client.query('UPDATE payments SET disputed_at = now() WHERE payment_id = $1 AND disputed_at IS NULL', [
        paymentId,
      ]),
    );
    expect(await store.disputes.toOpen(10)).toMatchObject([{ paymentId, because: EARLIER }]);
  });

  test('before the migration: they get one, raised when they were marked', async () => {
    const [marked] = [await declinedPayment(), await declinedPayment()];
    await onDatabase(database.url, async (client) => {
      // Back to the day before this migration, with the payments that were there.
      await client.query(`
        DROP TRIGGER payments_marked_are_disputed ON payments;
        DROP TABLE disputes;
        DROP FUNCTION dispute_what_is_marked, dispute_closed_payments_only, keep_what_is_final_of_a_dispute`);
      await client.query(`UPDATE payments SET disputed_at = '2026-02-03T04:05:06Z' WHERE payment_id = $1`, [marked]);
      await client.query(readFileSync(join(__dirname, '../../src/store/migrations/0005-disputes.sql'), 'utf8'));
    });
    expect(await store.disputes.toOpen(10)).toEqual([
      { paymentId: marked, raisedBy: 'callback', because: EARLIER, raisedAt: '2026-02-03T04:05:06.000Z' },
    ]);
  });
});
