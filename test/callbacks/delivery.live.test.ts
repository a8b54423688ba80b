import { setTimeout } from 'node:timers/promises';
import {
  createDelivery,
  createMetrics,
  type CallbackMetrics,
  type Delivery,
  type DeliveryOptions,
} from '../../src/callbacks';
import type { PaymentDispute } from '../../src/payment/dispute';
import type { CallbackNotice } from '../../src/payment/observation';
import { openStore, type Store } from '../../src/store';
import { countOf } from '../support/metrics';
import { endWhile } from '../support/end-while';
import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { storeAt } from '../support/store';
import { startTcpProxy } from '../support/tcp-proxy';
import * as s from './support';

let database: TestDatabase;
let store: Store;
let opened: PaymentDispute[];
let sent: { paymentId: string; notice: CallbackNotice }[];
let captured: ReturnType<typeof s.capturedLog>;
let metrics: CallbackMetrics;

beforeEach(async () => {
  database = await testDatabase();
  store = openStore({ databaseUrl: database.url, log: s.capturedLog().log });
  sent = [];
  opened = [];
  captured = s.capturedLog();
  metrics = createMetrics();
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

/** The engine is not in these tests: what reaches a real one is shown in start.test.ts. */
const recording: DeliveryOptions['signal'] = (paymentId, notice) => {
  sent.push({ paymentId, notice });
  return Promise.resolve('sent');
};
const openDispute: DeliveryOptions['openDispute'] = (dispute) => {
  opened.push(dispute);
  return Promise.resolve();
};
const delivery = (options: Partial<DeliveryOptions> = {}): Delivery =>
  createDelivery({ store, signal: recording, openDispute, log: captured.log, metrics, ...options });

const add = (paymentId: string, body = s.nested(paymentId)): Promise<number> => s.addCallback(store, paymentId, body);
const handledAs = async (paymentId: string): Promise<unknown[]> =>
  (await store.inbox.forPayment(paymentId)).map(({ handledAs }) => handledAs);
const signalled = async (paymentId: string): Promise<boolean[]> =>
  (await store.inbox.forPayment(paymentId)).map(({ signalledAt }) => signalledAt !== undefined);
async function closed(end: s.End): Promise<string> {
  const paymentId = await s.registerPayment(store);
  await end(store, paymentId);
  return paymentId;
}

describe('an open payment', () => {
  test('each callback is one signal with a hint and no more, and is signalled once', async () => {
    const paymentId = await s.registerPayment(store);
    const ids = [await add(paymentId), await add(paymentId, s.flat(paymentId))];
    const { deliverPayment, sweep } = delivery();
    expect(await deliverPayment(paymentId, ids)).toEqual({ left: 0, failed: false });
    await deliverPayment(paymentId, ids);
    expect(await sweep()).toEqual({ found: 0, left: 0 });
    const receivedAt = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(sent).toEqual([
      { paymentId, notice: { receivedAt, claims: 'paid', code: '0' } },
      { paymentId, notice: { receivedAt, claims: 'unclear' } },
    ]);
    expect(await signalled(paymentId)).toEqual([true, true]);
    expect(await countOf(metrics.signals, 'sent')).toBe(2);
  });

  test('deliveries and sweeps at the same time signal once', async () => {
    const paymentId = await s.registerPayment(store);
    const ids = [await add(paymentId), await add(paymentId)];
    const { deliverPayment, sweep } = delivery({
      // Slow enough for another delivery to get to its own signal, if it did not wait for its turn.
      signal: async (...signal) => (await setTimeout(100), recording(...signal)),
    });
    await Promise.all([deliverPayment(paymentId, ids), sweep(), deliverPayment(paymentId, ids), sweep()]);
    expect(sent).toHaveLength(2);
  });

  test('stored, then the endpoint died: the next one signals exactly what was not signalled', async () => {
    const paymentId = await s.registerPayment(store);
    const ids = [await add(paymentId), await add(paymentId), await add(paymentId)];
    await delivery().deliverPayment(paymentId, ids.slice(0, 1));
    sent = [];
    expect(await delivery().sweep()).toEqual({ found: 2, left: 0 });
    expect(sent).toHaveLength(2);
    expect(await signalled(paymentId)).toEqual([true, true, true]);
  });

  test('signalled, then the endpoint died before it could note it: signalled again, which is harmless', async () => {
    const paymentId = await s.registerPayment(store);
    const id = await add(paymentId);
    const inbox = { ...store.inbox, markSignalled: () => Promise.reject(new Error('dead')) };
    const dying = delivery({ store: { ...store, inbox } });
    expect(await dying.deliverPayment(paymentId, [id])).toEqual({ left: 1, failed: true });
    await delivery().sweep();
    expect(sent).toHaveLength(2);
    expect(await signalled(paymentId)).toEqual([true]);
  });

  test('at most 20 signals, and nothing is left for the sweep to try for ever', async () => {
    const paymentId = await s.registerPayment(store);
    const ids: number[] = [];
    for (let n = 0; n < 25; n += 1) ids.push(await add(paymentId));
    await delivery().deliverPayment(paymentId, ids.slice(0, 15));
    await delivery().sweep();
    expect(sent).toHaveLength(20);
    expect(await delivery().sweep()).toEqual({ found: 0, left: 0 });
    expect(await countOf(metrics.signals, 'withheld')).toBe(5);
  });

  test('no workflow runs: left for later, said in the log, and signalled when one runs again', async () => {
    const paymentId = await s.registerPayment(store);
    await add(paymentId);
    await add(paymentId);
    let asked = 0;
    const noRun = delivery({ signal: () => ((asked += 1), Promise.resolve('no-run')) });
    expect(await noRun.sweep()).toEqual({ found: 2, left: 2 });
    expect(asked).toBe(1);
    expect(await countOf(metrics.undelivered)).toBe(2);
    expect(captured.lines()).toEqual([expect.objectContaining({ level: 40, paymentId })]);
    expect(await delivery().sweep()).toEqual({ found: 2, left: 0 });
    expect(sent).toHaveLength(2);
  });

  test('the engine is away: nothing is thrown, nothing is lost', async () => {
    const paymentId = await s.registerPayment(store);
    const id = await add(paymentId);
    const away = delivery({ signal: () => Promise.reject(new Error('UNAVAILABLE: 254710000000')) });
    expect(await away.deliverPayment(paymentId, [id])).toEqual({ left: 1, failed: true });
    expect(await countOf(metrics.deliveryFailures)).toBe(1);
    expect(captured.text()).not.toContain('254710000000');
    await delivery().sweep();
    expect(sent).toHaveLength(1);
  });

  test('many that cannot be delivered do not hide the others', async () => {
    const poisoned = await s.registerPayment(store);
    for (let n = 0; n < 200; n += 1) await add(poisoned);
    const healthy = await s.registerPayment(store);
    await add(healthy);
    const { sweep } = delivery({
      signal: (paymentId, notice) =>
        paymentId === poisoned ? Promise.reject(new Error('never')) : recording(paymentId, notice),
    });
    await sweep();
    await sweep();
    expect(sent.map(({ paymentId }) => paymentId)).toEqual([healthy]);
  });

  test('the store is away: a delivery reports it, a sweep throws, both work again later', async () => {
    const paymentId = await s.registerPayment(store);
    const id = await add(paymentId);
    const pending = () => Promise.reject(new Error('away'));
    const away = delivery({ store: { ...store, inbox: { ...store.inbox, pending } } });
    expect(await away.deliverPayment(paymentId, [id])).toEqual({ left: 1, failed: true });
    await expect(away.sweep()).rejects.toThrow('away');
    await delivery().sweep();
    expect(sent).toHaveLength(1);
  });
});

describe('a closed payment (G5)', () => {
  const ambiguous = { status: 6, resultCode: '22' };
  const pending = { status: 2, resultCode: null };
  const duplicate = s.failedWith('9');
  const SAYS_NO_MORE = { amount: null, accountNumber: null, currencyCode: null };
  const paidInPart = s.paidInPart(100);

  test.each<[string, s.End, (paymentId: string) => string, 'agreed' | 'dispute']>([
    ['paid, claims paid', s.paid, (id) => s.nested(id), 'agreed'],
    ['paid, claims failed', s.paid, (id) => s.nested(id, s.failedWith('1')), 'dispute'],
    ['paid, claims failed with an ambiguous code', s.paid, (id) => s.nested(id, ambiguous), 'dispute'],
    ['paid, claims paid of another amount', s.paid, (id) => s.nested(id, {}, { amount: 100 }), 'dispute'],
    ['paid, claims paid of another account', s.paid, (id) => s.nested(id, {}, { accountNumber: '999999' }), 'dispute'],
    ['paid, claims paid in another currency', s.paid, (id) => s.nested(id, {}, { currencyCode: 'UGX' }), 'dispute'],
    ['paid, written otherwise', s.paid, (id) => s.nested(id, {}, { accountNumber: ' 111832 ' }), 'agreed'],
    ['paid, claims paid and no more', s.paid, (id) => s.nested(id, {}, SAYS_NO_MORE), 'agreed'],
    ['paid in part, claims that part', paidInPart, (id) => s.nested(id, {}, { amount: 100 }), 'agreed'],
    ['paid in part, claims all of it', paidInPart, (id) => s.nested(id), 'dispute'],
    ['paid, unclear, of another amount', s.paid, (id) => s.nested(id, pending, { amount: 100 }), 'agreed'],
    ['paid, unclear', s.paid, (id) => s.nested(id, pending), 'agreed'],
    ['paid, an older callback', s.paid, (id) => s.flat(id), 'agreed'],
    ['paid, a refused duplicate', s.paid, (id) => s.nested(id, duplicate), 'agreed'],
    ['declined, claims failed', s.declined, (id) => s.nested(id, s.failedWith('1')), 'agreed'],
    ['declined, claims paid', s.declined, (id) => s.nested(id), 'dispute'],
    ['declined, unclear', s.declined, (id) => s.nested(id, pending), 'agreed'],
    ['declined, a refused duplicate', s.declined, (id) => s.nested(id, duplicate), 'agreed'],
    ['cancelled, claims failed', s.cancelled, (id) => s.nested(id, s.failedWith('1')), 'agreed'],
    ['cancelled and never sent, claims paid', s.cancelled, (id) => s.nested(id), 'dispute'],
  ])('%s', async (_name, end, body, expected) => {
    const paymentId = await closed(end);
    await add(paymentId, body(paymentId));
    const before = await s.closedOf(store, paymentId);
    expect(await delivery().sweep()).toEqual({ found: 1, left: 0 });

    const isDispute = expected === 'dispute';
    const after = await s.closedOf(store, paymentId);
    expect(after?.disputed).toBe(isDispute);
    expect(after?.outcome.kind).toBe(before?.outcome.kind);
    expect(await handledAs(paymentId)).toEqual([expected]);
    expect(sent).toEqual([]);
    expect(opened.map((each) => [each.paymentId, each.raisedBy])).toEqual(isDispute ? [[paymentId, 'callback']] : []);
    expect(await countOf(metrics.contradictions)).toBe(isDispute ? 1 : 0);
    expect(await countOf(metrics.agreements)).toBe(isDispute ? 0 : 1);
    expect(captured.lines()).toHaveLength(isDispute ? 1 : 0);
    if (isDispute) {
      const { time, pid, hostname, ...line } = captured.lines()[0] ?? {};
      expect(line).toEqual({
        level: 40,
        msg: expect.any(String),
        paymentId,
        outcome: before?.outcome.kind,
        claims: expect.any(String),
      });
      expect([time, pid, hostname]).not.toContain(undefined);
    }
    expect(await delivery().sweep()).toEqual({ found: 0, left: 0 });
    expect(opened).toHaveLength(isDispute ? 1 : 0);
  });

  const receiptOf = async (paymentId: string): Promise<unknown> => {
    const outcome = (await s.closedOf(store, paymentId))?.outcome;
    return outcome?.kind === 'paid' ? outcome.receipt : undefined;
  };

  test.each<[string, (paymentId: string) => string, object, object]>([
    ['a receipt is added', (id) => s.nested(id), {}, { number: 'S575998' }],
    ['what is there stays', (id) => s.nested(id), { number: 'S1' }, { number: 'S1' }],
    [
      'a prepaid token',
      (id) => s.nested(id, { thirdPartyPayload: { extraData: { ResponseExtraData: { token: '1234-5678' } } } }),
      { number: 'S1' },
      { number: 'S1', token: '1234-5678' },
    ],
    [
      'from an older callback',
      (id) => s.flat(id),
      {},
      { number: '59993790', narration: 'Payment accepted successfuly' },
    ],
    [
      'a narration alone is none',
      (id) => s.flat(id, { ReceiptNumber: null, ReceiverNarration: 'Rejected by the biller' }),
      {},
      {},
    ],
    ['none from what contradicts', (id) => s.nested(id, { status: 6, resultCode: '1' }), {}, {}],
    ['none from a refused duplicate', (id) => s.nested(id, { status: 6, resultCode: '9' }), {}, {}],
  ])('%s', async (_name, body, before, after) => {
    const paymentId = await closed(s.paidWith(before));
    await add(paymentId, body(paymentId));
    await delivery().sweep();
    expect(await receiptOf(paymentId)).toEqual(after);
  });

  test('of another amount and account: disputed without a value, and the right receipt still comes', async () => {
    const paymentId = await closed(s.paidWith({}));
    const other = { amount: 100, accountNumber: '999999' };
    await add(paymentId, s.nested(paymentId, s.proof('S999', '9999-9999'), other));
    await delivery().sweep();
    expect(await receiptOf(paymentId)).toEqual({});
    expect((await store.disputes.find(paymentId))?.because).toBe(
      'Recorded as paid; a later callback says paid (code 0), of another amount and account',
    );
    expect(captured.text()).not.toContain('999999');

    await add(paymentId, s.nested(paymentId, s.proof('S1', '1234-5678')));
    await delivery().sweep();
    expect(await receiptOf(paymentId)).toEqual({ number: 'S1', token: '1234-5678' });
    expect(await handledAs(paymentId)).toEqual(['dispute', 'agreed']);
    expect(opened).toHaveLength(1);
  });

  test('a dispute that could not be opened is opened by the next sweep', async () => {
    const paymentId = await closed(s.declined);
    await add(paymentId);
    const failing = delivery({ openDispute: () => Promise.reject(new Error('not now')) });
    // The callback, and the dispute that it has raised all the same.
    expect(await failing.sweep()).toEqual({ found: 2, left: 2 });
    expect(await handledAs(paymentId)).toEqual([undefined]);
    expect(await s.closedOf(store, paymentId)).toMatchObject({ disputed: true });
    expect(await countOf(metrics.unopened)).toBe(1);
    await delivery().sweep();
    expect(opened).toEqual([
      {
        paymentId,
        raisedBy: 'callback',
        because: 'Recorded as declined; a later callback says paid (code 0)',
        raisedAt: expect.any(String) as string,
      },
    ]);
    expect(await handledAs(paymentId)).toEqual(['dispute']);
    expect(await countOf(metrics.contradictions)).toBe(1);
    expect(await countOf(metrics.unopened)).toBe(0);
  });

  test('one that was signalled, and came too late for the close, is compared', async () => {
    const paymentId = await s.registerPayment(store);
    await s.askToDecline(store, paymentId);
    const proxy = await startTcpProxy(database.url);
    const slow = storeAt(`${proxy.url}?application_name=slow`);
    const ended = await endWhile({ databaseUrl: database.url, proxy, slow }, paymentId, s.DECLINE, async () => {
      await add(paymentId);
      await delivery().sweep();
    });
    await slow.close();
    await proxy.close();
    expect(ended).toMatchObject({ kind: 'closed', outcome: { kind: 'declined' } });
    expect(await signalled(paymentId)).toEqual([true]);
    expect(await handledAs(paymentId)).toEqual([undefined]);
    await delivery().sweep();
    expect(await handledAs(paymentId)).toEqual(['dispute']);
  });

  test('one that the close considered is left alone', async () => {
    const paymentId = await s.registerPayment(store);
    await s.submit(store, paymentId);
    await add(paymentId);
    await s.provenPaid(store, paymentId, { number: 'S1' });
    expect(await delivery().sweep()).toEqual({ found: 0, left: 0 });
    expect(await handledAs(paymentId)).toEqual(['close']);
  });
});

test('a callback whose payment the store does not know is kept and tried', async () => {
  const paymentId = s.newPaymentId();
  await add(paymentId);
  await delivery().sweep();
  expect(sent).toHaveLength(1);
  await onDatabase(database.url, async (client) => {
    expect((await client.query('SELECT 1 FROM payments')).rowCount).toBe(0);
  });
});
