import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startCallbacks } from '../../src/callbacks';
import { SIGNALS } from '../../src/payment/contract';
import { atEndOfFile } from '../support/at-end';
import { countOf } from '../support/metrics';
import { callbacksOf, failedWith, nested, send } from './support';
import {
  FLOAT,
  SHORT_POLICY,
  factsOf,
  historyOf,
  outcomeOf,
  startFlow,
  stageOf,
  until,
  type Flow,
} from '../support/flow';

/** Callbacks through the whole system: provider, endpoint, inbox, signal, workflow. */

/** Nothing but a callback brings an end in time. */
const ONLY_CALLBACKS = { ...SHORT_POLICY, callbackGrace: '10 minutes', attentionAfter: '20 minutes' } as const;

async function signalsOf(flow: Flow, paymentId: string): Promise<number> {
  const { events } = await historyOf(flow, paymentId);
  const names = (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName);
  return names.filter((name) => name === SIGNALS.providerCallback).length;
}

const sent = async (flow: Flow, paymentId: string) => {
  await until(
    `${paymentId} was taken`,
    () => flow.sandbox.payment(paymentId).postsCaptured,
    (captured) => captured === 1,
  );
  await until(
    `${paymentId} waits`,
    () => stageOf(flow, paymentId),
    (stage) => stage === 'awaiting-result',
  );
};

/** Takes connections and says nothing: an engine that nobody can signal. */
async function silentServer(): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEndOfFile(async () => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The endpoint as a process, as `node dist/callbacks/main.js` runs it. */
async function endpointProcess(environment: Readonly<Record<string, string>>) {
  const runner = path.join(__dirname, '../support/run-typescript.cjs');
  const main = path.join(__dirname, '../../src/callbacks/main.ts');
  const ports = { HOST: '127.0.0.1', CALLBACK_PORT: '0', HEALTH_PORT: '0', METRICS_PORT: '0' };
  const child: ChildProcess = spawn(process.execPath, [runner, main], {
    env: { PATH: process.env['PATH'], ...ports, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEndOfFile(async () => void child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('the endpoint has no output');
  for await (const line of createInterface(child.stdout)) {
    const { port } = JSON.parse(line) as { port?: number };
    if (port !== undefined) return { child, url: `http://127.0.0.1:${port}` };
  }
  throw new Error('the endpoint ended before it listened');
}

test('G4, G5: stored, the endpoint killed before the signal; the next endpoint signals, and the payment ends', async () => {
  const flow = await startFlow({ withoutWorker: true });
  await flow.callbacks.close();
  const keys = `k1:${randomBytes(32).toString('base64')}`;
  const callbacks = callbacksOf(keys);
  const first = await endpointProcess({
    CALLBACK_KEYS: keys,
    DATABASE_URL: flow.databaseUrl,
    TEMPORAL_ADDRESS: await silentServer(),
  });
  await flow.startWorker({ settings: { callbackUrl: (paymentId) => callbacks.urlOf(first.url, paymentId) } });
  const request = flow.request('paid-with-callback', { policy: ONLY_CALLBACKS });
  const { paymentId } = request;
  await flow.payments.start(request);

  const answers = () => flow.sandbox.payment(paymentId).callbacksSent.map(({ answered }) => answered);
  await until('the callback was answered', answers, ([answered]) => answered !== undefined);
  expect(answers()).toEqual([200]);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const [stored, ...others] = await flow.store.inbox.forPayment(paymentId);
  expect(others).toEqual([]);
  expect(stored).not.toHaveProperty('signalledAt');
  expect(await signalsOf(flow, paymentId)).toBe(0);
  expect(await stageOf(flow, paymentId)).toBe('awaiting-result');

  const { databaseUrl, client } = flow;
  const log = flow.log;
  const second = await startCallbacks({ host: '127.0.0.1', port: 0, databaseUrl, callbacks, client, log });
  atEndOfFile(() => second.close());
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toMatchObject({ kind: 'paid', settledBy: 'callback' });
  expect(await signalsOf(flow, paymentId)).toBe(1);
  const [delivered] = await flow.store.inbox.forPayment(paymentId);
  expect(delivered).toMatchObject({ signalledAt: expect.any(Date) as Date, handledAs: 'close' });
  expect(await factsOf(flow, paymentId)).toMatchObject({ closed: { outcome, disputed: false } });
  expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  expect(await flow.store.funds.account(FLOAT.account)).toMatchObject({ posted: 220, reserved: 0 });
});

describe('while a payment is open', () => {
  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow();
  });

  test('a callback that is not ours gets 404, and nothing changes', async () => {
    const request = flow.request('pending-for-ever', { policy: ONLY_CALLBACKS });
    const { paymentId } = request;
    await flow.payments.start(request);
    await sent(flow, paymentId);
    const before = await historyOf(flow, paymentId);
    const facts = await factsOf(flow, paymentId);
    const looks = flow.sandbox.payment(paymentId).requests.length;

    const ours = flow.callbackUrl(paymentId);
    const elsewhere = flow.callbackUrl('another-payment');
    const token = (url: string) => url.slice(url.lastIndexOf('/') + 1);
    const forged = [
      ours.replace(token(ours), token(elsewhere)),
      ours.slice(0, -1) + (ours.endsWith('A') ? 'B' : 'A'),
      ours.replace(paymentId, 'unknown-payment'),
      ours.replace(paymentId, paymentId.toUpperCase()),
      ours.slice(0, ours.lastIndexOf('/')),
      `${ours}/more`,
    ];
    for (const url of forged) {
      for (const body of [nested(paymentId), nested(paymentId, failedWith('1'))]) {
        const { status, text } = await send(url, { method: 'POST', body });
        expect([url, status, text]).toEqual([url, 404, '{"error":"not found"}']);
      }
    }
    expect(await countOf(flow.callbacks.metrics.refused, 'not-ours')).toBe(2 * forged.length);
    expect(await flow.store.inbox.pending(10)).toEqual([]);
    expect(await factsOf(flow, paymentId)).toEqual(facts);
    expect((await historyOf(flow, paymentId)).events).toHaveLength(before.events?.length ?? 0);
    expect(flow.sandbox.payment(paymentId).requests).toHaveLength(looks);
  });

  test('G3: a callback of ours that says paid, while the provider says pending, proves nothing', async () => {
    const request = flow.request('pending-for-ever', { policy: ONLY_CALLBACKS });
    const { paymentId } = request;
    await flow.payments.start(request);
    await sent(flow, paymentId);
    const looks = () => flow.sandbox.payment(paymentId).requests.filter(({ method }) => method === 'GET').length;
    const before = looks();
    expect(await flow.sandbox.sendCallback(paymentId)).toMatchObject({ answered: 200 });
    await until('it was looked at', looks, (count) => count > before);
    expect(await stageOf(flow, paymentId)).toBe('awaiting-result');
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  });

  test('25 callbacks, each another: all are stored, at most 20 are signalled, and the payment still ends', async () => {
    const request = flow.request('pending-for-ever', { policy: ONLY_CALLBACKS });
    const { paymentId } = request;
    await flow.payments.start(request);
    await sent(flow, paymentId);
    for (let number = 1; number <= 25; number += 1) {
      const callback = await flow.sandbox.sendCallback(paymentId, { fields: { resultDesc: `message ${number}` } });
      expect(callback).toMatchObject({ answered: 200 });
    }
    const waiting = async () => (await flow.store.inbox.pending(100)).filter((row) => row.paymentId === paymentId);
    await until('all are dealt with', waiting, (rows) => rows.length === 0);
    expect(await flow.store.inbox.forPayment(paymentId)).toHaveLength(25);
    // A signal that comes while the workflow works is in the history only once it has done so.
    const signals = () => signalsOf(flow, paymentId);
    await until('the signals are in the history', signals, (count) => count >= 20);

    flow.sandbox.setRecord(paymentId, { status: 4 });
    // A look that follows the callbacks may be first: then there is nothing left to ask, and it says so.
    await Promise.allSettled([flow.payments.payment(paymentId).checkNow({ operator: 'op-1' })]);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    expect(await signals()).toBe(20);
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  });
});
