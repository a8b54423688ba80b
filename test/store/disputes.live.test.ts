import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { BY, endAs, newPaymentId, sentPayment, storeAt } from '../support/store';
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
const BY_LOOK = { by: 'look', because: 'Recorded as declined; the provider says completed' } as const;
const AGREED: DisputeResolution = { agreed: 'paid', operator: 'amina', note: 'finance has the receipt' };
const action = ({ operator, note, ...details }: DisputeResolution) => ({
  operator,
  note,
  action: 'resolveDispute',
  details,
});

async function declinedPayment(): Promise<string> {
  const paymentId = await sentPayment(store);
  await endAs(store, paymentId, 'failed');
  return paymentId;
}
const closedOf = async (paymentId: string) => (await store.payments.read(paymentId, BY)).facts.closed;
async function disputedPayment(): Promise<string> {
  const paymentId = await declinedPayment();
  await store.disputes.raise(paymentId, BY_CALLBACK);
  return paymentId;
}

describe('G5: raising', () => {
  test('marks the payment, keeps what was said first, and leaves the outcome alone', async () => {
    const paymentId = await declinedPayment();
    const closed = await closedOf(paymentId);
    expect(await store.disputes.find(paymentId)).toBeUndefined();
    expect(await store.disputes.raise(paymentId, BY_CALLBACK)).toEqual({ isNew: true });
    const first = await store.disputes.find(paymentId);
    expect(await store.disputes.raise(paymentId, BY_LOOK)).toEqual({ isNew: false });
    expect(await store.disputes.find(paymentId)).toEqual(first);
    expect(first).toEqual({
      paymentId,
      raisedBy: 'callback',
      because: BY_CALLBACK.because,
      raisedAt: expect.stringMatching(/Z$/) as string,
    });
    expect(await closedOf(paymentId)).toEqual({ ...closed, disputed: true });
  });

  test('of 20 at once one is the first', async () => {
    const paymentId = await declinedPayment();
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.disputes.raise(paymentId, BY_CALLBACK)));
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  test('an open payment has no outcome to dispute', async () => {
    const paymentId = await sentPayment(store);
    await expect(store.disputes.raise(paymentId, BY_CALLBACK)).rejects.toThrow(ImpossibleRequest);
    expect(await closedOf(paymentId)).toBeUndefined();
    await expect(store.disputes.raise(newPaymentId(), BY_CALLBACK)).rejects.toThrow(UnknownPayment);
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
    await store.disputes.raise(resolved, BY_LOOK);
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
    expect((await closedOf(paymentId))?.outcome.kind).toBe('declined');
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
    ['another finder', `UPDATE disputes SET raised_by = 'look'`],
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
        client.query(`INSERT INTO disputes (payment_id, raised_by, because) VALUES ($1, 'look', 'x')`, [paymentId]),
      ).rejects.toMatchObject({ code: '23001' }),
    );
  });
});
