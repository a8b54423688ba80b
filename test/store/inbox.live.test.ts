import { testDatabase, type TestDatabase } from '../support/postgres';
import { BY, end, endAs, look, newPaymentId, PROVEN, reading, recordOf, sentPayment, storeAt } from '../support/store';
import { MAX_STORED_CALLBACKS, type Store } from '../../src/store';

/** The inbox is the outbox as well: nothing that was stored is lost (G4), and what comes twice is one row (G5). */

let database: TestDatabase;
let store: Store;
beforeEach(async () => {
  database = await testDatabase();
  store = storeAt(database.url, 20);
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

const add = (paymentId: string, digest: string, receivedAt?: Date) =>
  store.inbox.add({
    paymentId,
    digest,
    body: `{"said":"${digest}"}`,
    reading: reading(),
    ...(receivedAt && { receivedAt }),
  });
const kinds = (answers: readonly { kind: string }[], kind: string) =>
  answers.filter((answer) => answer.kind === kind).length;

test('a callback is kept once, also when it comes many times at once, and for each payment by itself', async () => {
  const [one, other] = [await sentPayment(store), await sentPayment(store)];
  const answers = await Promise.all(Array.from({ length: 20 }, () => add(one, 'same')));
  expect([kinds(answers, 'stored'), kinds(answers, 'duplicate')]).toEqual([1, 19]);
  expect(new Set(answers.map((answer) => 'id' in answer && answer.id)).size).toBe(1);
  expect(await add(other, 'same')).toMatchObject({ kind: 'stored' });
  expect(await store.inbox.forPayment(one)).toMatchObject([
    { paymentId: one, body: '{"said":"same"}', reading: reading() },
  ]);
});

test('at the limit the count is exact: 200 are kept, the others counted, repeated ones neither', async () => {
  const paymentId = await sentPayment(store);
  const start = MAX_STORED_CALLBACKS - 25;
  for (let i = 0; i < start; i++) await add(paymentId, `early ${i}`);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => add(paymentId, `late ${i}`)));
  expect([kinds(answers, 'stored'), kinds(answers, 'overflow')]).toEqual([25, 25]);
  expect(await add(paymentId, 'early 0')).toMatchObject({ kind: 'duplicate' });
  expect(await store.inbox.forPayment(paymentId)).toHaveLength(MAX_STORED_CALLBACKS);
  const { facts } = await store.payments.read(paymentId, BY);
  expect(facts.callbacks).toMatchObject({ count: MAX_STORED_CALLBACKS, code: { kind: 'ambiguous' } });
});

test('a callback whose payment is not in the store is kept: it may have been restored to an earlier day', async () => {
  const paymentId = newPaymentId();
  expect(await add(paymentId, 'one')).toMatchObject({ kind: 'stored' });
  expect(await store.inbox.pending(10)).toMatchObject([{ paymentId }]);
});

test('pending: not yet signalled while open, not yet named once closed; nothing is lost in between', async () => {
  const paymentId = await sentPayment(store);
  const stored = async (digest: string) => ((answer) => ('id' in answer ? answer.id : 0))(await add(paymentId, digest));
  const ids = async () => (await store.inbox.pending(10)).map(({ id }) => id);
  const [first, second] = [await stored('one'), await stored('two')];
  expect(await ids()).toEqual([first, second]);
  await store.inbox.markSignalled([first]);
  expect(await ids()).toEqual([second]);
  expect(await store.inbox.signalsSent(paymentId)).toBe(1);

  const outcome = await endAs(store, paymentId, 'completed');
  expect(await ids()).toEqual([]);
  const [third, fourth] = [await stored('three'), await stored('four')];
  await store.inbox.markSignalled([third]);
  expect(await store.inbox.pending(10)).toMatchObject([
    { id: third, closed: { outcome, accountNumber: '0100200300' } },
    { id: fourth, closed: { outcome } },
  ]);
  await store.inbox.markHandled([third], 'agreed');
  await store.inbox.markHandled([first, third, fourth], 'dispute');
  expect(await ids()).toEqual([]);
  const named = (await store.inbox.forPayment(paymentId)).map(({ handledAs }) => handledAs);
  expect(named).toEqual(['close', 'close', 'agreed', 'dispute']);
});

test('pending pages on, and leaves the youngest to whoever has just stored them', async () => {
  const paymentId = await sentPayment(store);
  await add(paymentId, 'old', new Date('2026-01-01T00:00:00Z'));
  await add(paymentId, 'young', new Date('2026-01-01T01:00:00Z'));
  const old = await store.inbox.pending(10, new Date('2026-01-01T00:30:00Z'));
  expect(old).toMatchObject([{ receivedAt: new Date('2026-01-01T00:00:00Z') }]);
  const [page] = await store.inbox.pending(1);
  expect(await store.inbox.pending(1, undefined, page?.id)).toMatchObject([
    { receivedAt: new Date('2026-01-01T01:00:00Z') },
  ]);
});

test('signalling, naming and closing the same callbacks at once does not deadlock', async () => {
  for (let round = 0; round < 10; round++) {
    const paymentId = await sentPayment(store);
    const ids = await Promise.all(
      Array.from({ length: 8 }, async (_, i) =>
        ((answer) => ('id' in answer ? answer.id : 0))(await add(paymentId, `${i}`)),
      ),
    );
    await look(store, paymentId, recordOf(paymentId, 'completed'));
    await Promise.all([
      store.inbox.markSignalled(ids),
      store.inbox.markHandled([...ids].reverse(), 'agreed'),
      end(store, paymentId, PROVEN),
      store.inbox.markSignalled([...ids].reverse()),
    ]);
    expect(
      (await store.inbox.forPayment(paymentId)).every(({ handledAs, signalledAt }) => handledAs && signalledAt),
    ).toBe(true);
  }
});

test('text that PostgreSQL cannot keep is kept as near as can be', async () => {
  const paymentId = await sentPayment(store);
  await store.inbox.add({ paymentId, digest: 'odd', body: 'a\0b', reading: reading({ said: 'c\udc00d' }) });
  expect(await store.inbox.forPayment(paymentId)).toMatchObject([{ body: 'a\ufffdb', reading: { said: 'c\ufffdd' } }]);
});
