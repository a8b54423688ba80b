import type { Client } from '@temporalio/client';
import { createDelivery, createOpenDispute, type DeliveryStore, type OpenDispute } from '../../src/callbacks';
import { SEARCH_ATTRIBUTES, disputeWorkflowIdOf } from '../../src/payment/contract';
import { openStore, type Store } from '../../src/store';
import { testDatabase, type TestDatabase } from '../support/postgres';
import { look } from '../support/store';
import { testTemporal } from '../support/temporal';
import * as s from './support';

/**
 * G5: a contradiction is never lost and opens one dispute, wherever the endpoint dies. On a real engine, where no worker runs: each
 * endpoint is one delivery over the same database.
 */

let client: Client;
let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  ({ client } = await testTemporal());
  database = await testDatabase();
  store = openStore({ databaseUrl: database.url, log: s.capturedLog().log });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const endpoint = (openDispute: OpenDispute = createOpenDispute(client), of: DeliveryStore = store) =>
  createDelivery({ store: of, openDispute, signal: () => Promise.resolve('sent'), log: s.capturedLog().log });

const died = (): Promise<never> => Promise.reject(new Error('the endpoint died'));

/** Declined; then a callback says that it was paid. */
async function contradicted(): Promise<string> {
  const paymentId = await s.registerPayment(store);
  await s.declined(store, paymentId);
  await s.addCallback(store, paymentId, s.nested(paymentId));
  return paymentId;
}

/** How the newest run stands. That no other was started, its id tells. */
const statusOf = async (paymentId: string): Promise<string> =>
  (await client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).describe()).status.name;
const runIdOf = async (paymentId: string): Promise<string> =>
  (await client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).describe()).runId;
const handledAs = async (paymentId: string): Promise<unknown[]> =>
  (await store.inbox.forPayment(paymentId)).map((each) => each.handledAs);

async function expectOpened(paymentId: string): Promise<void> {
  expect(await statusOf(paymentId)).toBe('RUNNING');
  expect((await store.disputes.find(paymentId))?.openedAt).toBeDefined();
  expect(await handledAs(paymentId)).toEqual(['dispute']);
}

test('a contradicting callback raises, opens, marks, and only then is dealt with', async () => {
  const paymentId = await contradicted();
  await endpoint().sweep();
  await expectOpened(paymentId);
  const run = await client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).describe();
  expect(run.type).toBe('paymentDispute');
  expect(run.taskQueue).toBe('bill-payments');
  expect(run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Disputed');
  expect(run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.reason)).toBe('disputed');
  expect(await run.staticSummary()).toBe('Disputed · Recorded as declined; a later callback says paid (code 0)');
});

test('killed between raising and opening: the next sweep opens it, once', async () => {
  const paymentId = await contradicted();
  await endpoint(died).sweep();
  expect(await s.closedOf(store, paymentId)).toMatchObject({ disputed: true });
  expect(await handledAs(paymentId)).toEqual([undefined]);
  await endpoint().sweep();
  await expectOpened(paymentId);
});

test('killed between opening and marking: the next sweep finds it open, and marks it', async () => {
  const paymentId = await contradicted();
  await endpoint(undefined, { ...store, disputes: { ...store.disputes, markOpened: died } }).sweep();
  const runId = await runIdOf(paymentId);
  expect((await store.disputes.find(paymentId))?.openedAt).toBeUndefined();
  await endpoint().sweep();
  expect(await runIdOf(paymentId)).toBe(runId);
  await expectOpened(paymentId);
});

test('killed between marking and handling the callback: the same dispute', async () => {
  const paymentId = await contradicted();
  await endpoint(undefined, { ...store, inbox: { ...store.inbox, markHandled: died } }).sweep();
  const runId = await runIdOf(paymentId);
  expect(await handledAs(paymentId)).toEqual([undefined]);
  await endpoint().sweep();
  expect(await runIdOf(paymentId)).toBe(runId);
  await expectOpened(paymentId);
});

test('many endpoints that sweep at once open one', async () => {
  const paymentId = await contradicted();
  await Promise.all(Array.from({ length: 6 }, () => endpoint().sweep()));
  await expectOpened(paymentId);
});

test('what a look has raised is opened by the sweep, without any callback', async () => {
  const paymentId = await s.registerPayment(store);
  await s.declined(store, paymentId);
  await look(store, paymentId, s.completed(paymentId, { number: 'S1' }));
  expect(await endpoint().sweep()).toEqual({ found: 1, left: 0 });
  expect(await statusOf(paymentId)).toBe('RUNNING');
  expect(await endpoint().sweep()).toEqual({ found: 0, left: 0 });
});

test('terminated by hand before anybody resolved it: the next contradiction brings it back', async () => {
  const paymentId = await contradicted();
  await endpoint().sweep();
  const first = await runIdOf(paymentId);
  await client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).terminate();
  await s.addCallback(store, paymentId, s.nested(paymentId, { resultDesc: 'once more' }));
  await endpoint().sweep();
  expect(await runIdOf(paymentId)).not.toBe(first);
  expect(await statusOf(paymentId)).toBe('RUNNING');
});

test('resolved, and contradicted once more: nothing new is opened, and the callback is kept with the dispute', async () => {
  const paymentId = await contradicted();
  await endpoint().sweep();
  const resolution = { agreed: 'paid', operator: 'amina', note: 'finance has the receipt' } as const;
  const { operator, note } = resolution;
  await store.disputes.resolve(paymentId, resolution, { operator, note, action: 'resolveDispute' });
  await client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).terminate();
  await s.addCallback(store, paymentId, s.nested(paymentId, { resultDesc: 'once more' }));
  await endpoint().sweep();
  expect(await statusOf(paymentId)).toBe('TERMINATED');
  expect(await handledAs(paymentId)).toEqual(['dispute', 'dispute']);
  expect((await store.disputes.find(paymentId))?.resolution).toMatchObject(resolution);
});
