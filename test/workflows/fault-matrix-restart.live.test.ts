import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { BillPayments } from '../../src/client';
import { startTemporal, type Temporal } from '../../dev/temporal';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../src/payment/contract';
import { createWorker } from '../../src/worker/create-worker';
import { atEndOfFile } from '../support/at-end';
import { SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { COMPLETED, createGates, ownRequest, PAID_ONCE, truthOf } from '../support/gates';
import { workflowBundle } from '../support/temporal';

/** G1: The fault matrix, engine-restarted: the server is killed with payments at several steps, and starts again from its file. */
const CACHE = path.resolve(__dirname, '../../.cache');
const policy = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', attentionAfter: '5 minutes' } as const;

async function ownServer(): Promise<{ readonly start: () => Promise<Temporal> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'engine-'));
  let port: number | undefined;
  atEndOfFile(async () => rmSync(folder, { recursive: true, force: true }));
  return {
    async start() {
      const server = await startTemporal({
        cacheDir: CACHE,
        dbFilename: path.join(folder, 'temporal.db'),
        ui: false,
        searchAttributes: Object.values(SEARCH_ATTRIBUTES),
        progress: () => undefined,
        ...(port !== undefined && { port }),
      });
      port = Number(server.address.split(':')[1]);
      return server;
    },
  };
}

test('payments at three steps go on where they were, and each is sent once', async () => {
  const gates = createGates();
  // Store, sandbox and endpoint of a flow; the engine is another one, which can be killed.
  const flow = await startFlow({ withoutWorker: true });
  const server = await ownServer();
  const first = await server.start();
  let running: Temporal = first;
  atEndOfFile(() => running.stop());
  const { address } = first;
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const worker = await createWorker({
    connection,
    namespace: first.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: workflowBundle(),
    provider: gates.worker.provider?.(flow.provider) ?? flow.provider,
    store: gates.worker.store?.(flow.store) ?? flow.store,
    settings: flow.settings,
    log: flow.log,
    overrides: { shutdownGraceTime: '100 milliseconds', shutdownForceTime: '5 seconds' },
  });
  const run = worker.run();
  atEndOfFile(async () => {
    worker.shutdown();
    await run;
    await connection.close();
    await clientConnection.close();
  });
  const payments = new BillPayments(new Client({ connection: clientConnection }));

  const requests = await Promise.all([
    ownRequest(flow, 'paid-with-callback', { policy }),
    ownRequest(flow, 'paid-with-callback', { policy }),
    ownRequest(flow, 'pending-for-ever', { policy }),
  ]);
  const [validating, sending, waiting] = requests;
  const validation = gates.hold('validate', validating.accountNumber);
  const answer = gates.hold('answer', sending.paymentId);
  for (const request of requests) await payments.start(request);
  await Promise.all([validation.reached, answer.reached]);
  await captured(flow, waiting.paymentId);

  await running.kill();
  validation.open();
  answer.open();
  flow.sandbox.setRecord(waiting.paymentId, COMPLETED);
  running = await server.start();

  for (const { paymentId } of requests) {
    const ended = async () => (await payments.payment(paymentId).outcome({ waitMs: 1_000 })).kind;
    await until(
      'the end',
      () => ended().catch(String),
      (kind) => kind === 'paid',
    );
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  }
});

const captured = (flow: Flow, paymentId: string) =>
  until(
    'the payment',
    () => flow.sandbox.payment(paymentId).postsCaptured,
    (posts) => posts === 1,
  );
