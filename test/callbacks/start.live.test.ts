import type { Client } from '@temporalio/client';
import { createSignal, startCallbacks, type CallbacksSettings, type RunningCallbacks } from '../../src/callbacks';
import { openClient } from '../../src/client/connection';
import { WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import { openStore, type Store } from '../../src/store';
import { freePort } from '../../dev/ports';
import { until } from '../support/flow';
import { testDatabase, type TestDatabase } from '../support/postgres';
import { randomQueue, testTemporal } from '../support/temporal';
import { countOf } from '../support/metrics';
import * as s from './support';

/** The whole endpoint, on a real engine. No worker runs: a signal that the engine took is an event of the history. */

let client: Client;
let database: TestDatabase;
let store: Store;
let running: RunningCallbacks | undefined;

beforeAll(async () => {
  ({ client } = await testTemporal());
  database = await testDatabase();
  store = openStore({ databaseUrl: database.url, log: s.capturedLog().log });
});
afterEach(async () => {
  await running?.close();
  running = undefined;
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

async function start(settings: Partial<CallbacksSettings> = {}): Promise<RunningCallbacks> {
  const { log } = s.capturedLog();
  const base = { host: '127.0.0.1', port: 0, healthPort: 0, metricsPort: 0, databaseUrl: database.url };
  return (running = await startCallbacks({ ...base, callbacks: s.CALLBACKS, client, log, ...settings }));
}
const post = (endpoint: RunningCallbacks, paymentId: string, body = s.nested(paymentId)) =>
  s.send(s.CALLBACKS.urlOf(endpoint.url, paymentId), { method: 'POST', body });

async function startWorkflow(paymentId: string) {
  const workflowId = workflowIdOf(paymentId);
  return await client.workflow.start(WORKFLOWS.billPayment, { workflowId, taskQueue: randomQueue(), args: [] });
}
async function signalsOf(paymentId: string): Promise<unknown[]> {
  const { events } = await client.workflow.getHandle(workflowIdOf(paymentId)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const data = signal?.input?.payloads?.[0]?.data;
    return !signal || !data ? [] : [[signal.signalName, JSON.parse(Buffer.from(data).toString())]];
  });
}

test('a callback reaches the workflow of its payment', async () => {
  const endpoint = await start();
  const paymentId = await s.registerPayment(store);
  const handle = await startWorkflow(paymentId);
  expect((await post(endpoint, paymentId)).status).toBe(200);
  await until(
    'the signal',
    () => signalsOf(paymentId),
    (signals) => signals.length > 0,
  );
  const notice = { receivedAt: expect.any(String) as string, claims: 'paid', code: '0' };
  expect(await signalsOf(paymentId)).toEqual([['providerCallback', notice]]);
  await handle.terminate();
});

test('stored while no workflow runs: the sweep of an endpoint that is started later signals it', async () => {
  const paymentId = await s.registerPayment(store);
  const first = await start();
  expect((await post(first, paymentId)).status).toBe(200);
  await until(
    'no run',
    () => countOf(first.metrics.signals, 'no-run'),
    (count) => count > 0,
  );
  await first.close();

  const handle = await startWorkflow(paymentId);
  await start();
  await until(
    'the signal',
    () => signalsOf(paymentId),
    (signals) => signals.length > 0,
  );
  expect(await signalsOf(paymentId)).toHaveLength(1);
  await handle.terminate();
});

test('a signal never starts a workflow, and a workflow that has ended takes none', async () => {
  const signal = createSignal(client);
  const paymentId = s.newPaymentId();
  const notice = { receivedAt: new Date().toISOString(), claims: 'paid' } as const;
  expect(await signal(paymentId, notice)).toBe('no-run');
  await (await startWorkflow(paymentId)).terminate();
  expect(await signal(paymentId, notice)).toBe('no-run');
});

test('an engine that cannot be reached costs the sender nothing', async () => {
  const away = openClient({ address: `127.0.0.1:${await freePort()}` });
  const endpoint = await start({ client: away.client });
  const paymentId = await s.registerPayment(store);
  expect((await post(endpoint, paymentId)).status).toBe(200);
  await until(
    'a failure',
    () => countOf(endpoint.metrics.deliveryFailures),
    (count) => count > 0,
  );
  expect((await store.inbox.forPayment(paymentId)).map(({ signalledAt }) => signalledAt)).toEqual([undefined]);
  const ready = await s.send(`${endpoint.healthUrl}/readyz`, { method: 'GET' });
  expect([ready.status, JSON.parse(ready.text).checks.temporal]).toEqual([503, 'failed']);
  await endpoint.close();
  await away.close();
});

test('is ready when store and engine answer, and counts at the same place', async () => {
  const endpoint = await start();
  await post(endpoint, s.newPaymentId());
  const ready = await s.send(`${endpoint.healthUrl}/readyz`, { method: 'GET' });
  expect([ready.status, JSON.parse(ready.text)]).toEqual([
    200,
    { ready: true, checks: { accepting: 'ok', store: 'ok', temporal: 'ok' } },
  ]);
  const metrics = async () => (await s.send(`${endpoint.healthUrl}/metrics`, { method: 'GET' })).text;
  // A request is measured once its answer has left.
  const MEASURED = '\nalmara_callbacks_request_duration_seconds_count{status="200"} 1\n';
  const text = await until('the request to be measured', metrics, (seen) => seen.includes(MEASURED));
  expect(text).toContain('\nalmara_callbacks_received_total{result="stored"} 1\n');
});

test('refuses to start on a database that is not migrated, and says what to do', async () => {
  const empty = await testDatabase({ migrated: false });
  await expect(start({ databaseUrl: empty.url })).rejects.toThrow(/lacks 0001.*billpay migrate/);
  await empty.drop();
});

test('lets go of everything when its port is taken', async () => {
  const endpoint = await start();
  const port = Number(new URL(endpoint.url).port);
  await expect(
    startCallbacks({
      host: '127.0.0.1',
      port,
      databaseUrl: database.url,
      callbacks: s.CALLBACKS,
      client,
      log: s.capturedLog().log,
    }),
  ).rejects.toThrow('EADDRINUSE');
});

test('closing finishes what has begun: the request is answered, and its callback delivered', async () => {
  const endpoint = await start();
  const paymentId = await s.registerPayment(store);
  const handle = await startWorkflow(paymentId);
  const body = s.nested(paymentId);
  const { pathname } = new URL(s.CALLBACKS.urlOf(endpoint.url, paymentId));
  const headers = `Host: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}`;
  let closing: Promise<void> | undefined;
  const answer = await s.sendRaw(endpoint.url, `POST ${pathname} HTTP/1.1\r\n${headers}\r\n\r\n`, (socket) => {
    closing = endpoint.close();
    socket.write(body);
  });
  await closing;
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(await signalsOf(paymentId)).toHaveLength(1);
  await expect(post(endpoint, paymentId)).rejects.toThrow();
  await handle.terminate();
});
