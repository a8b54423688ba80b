import { createAlmara } from '../../src/almara';
import { WORKFLOWS } from '../../src/payment/contract';
import type { Provider } from '../../src/payment/provider';
import type { BillPaymentRequest } from '../../src/payment/request';
import { createWorker, type BillPaymentWorkerOptions } from '../../src/worker/create-worker';
import { almaraAt } from '../../dev/almara';
import { atEndOfFile } from './at-end';
import { CREDENTIALS, until, type Flow } from './flow';
import { startOptions } from './gates';
import { later } from './later';
import { onDatabase } from './postgres';
import { startTcpProxy, type TcpProxy } from './tcp-proxy';
import { randomQueue, testTemporal, workflowBundle } from './temporal';
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from './worker-process';

/** A queue beside the flow's own, with workers of its own: scenarios that end them do not meet. */
export interface OwnQueue {
  /** Between its workers and the provider. */
  readonly proxy: TcpProxy;
  start(request: BillPaymentRequest): Promise<void>;
  startProcess(options?: Pick<WorkerProcessOptions, 'activitiesOnly' | 'stands'>): Promise<WorkerProcess>;
  /** A worker in this process. */
  startWorker(options?: {
    readonly provider?: (real: Provider) => Provider;
    readonly overrides?: BillPaymentWorkerOptions['overrides'];
  }): Promise<void>;
}

export async function ownQueue(flow: Flow): Promise<OwnQueue> {
  const taskQueue = randomQueue();
  const { client, connection } = await testTemporal();
  const proxy = await startTcpProxy(flow.sandbox.url);
  // The same address for all of its workers: another one would be another account.
  const almara = createAlmara(
    { ...almaraAt(flow.sandbox.url, CREDENTIALS), apiUrl: proxy.url, timeouts: { payMs: 2_000 } },
    { log: flow.log },
  );
  atEndOfFile(async () => {
    await almara.close();
    await proxy.close();
  });
  return {
    proxy,
    async start(request) {
      await client.workflow.start(WORKFLOWS.billPayment, { ...startOptions(flow, request), taskQueue });
    },
    startProcess: (options = {}) => startWorkerProcess(flow, { ...options, taskQueue, apiUrl: proxy.url }),
    async startWorker({ provider = (real: Provider) => real, overrides } = {}) {
      const worker = await createWorker({
        ...{ connection, namespace: flow.namespace, taskQueue, workflowBundle: workflowBundle() },
        ...{ provider: provider(almara), store: flow.store, settings: flow.settings, log: flow.log },
        overrides: { shutdownGraceTime: '100 milliseconds', shutdownForceTime: '5 seconds', ...overrides },
      });
      const run = worker.run();
      atEndOfFile(async () => {
        worker.shutdown();
        await run;
      });
    },
  };
}

export interface HeldAccount {
  /** Until a statement waits for the account. */
  isWaitedFor(): Promise<void>;
  release(): Promise<void>;
}

/** Holds the row of a funding account, as a transaction that takes its time does. */
export async function holdAccount({ databaseUrl }: Flow, account: string): Promise<HeldAccount> {
  const held = later<() => Promise<boolean>>();
  const released = later<void>();
  const ended = onDatabase(databaseUrl, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT FROM funding_accounts WHERE id = $1 FOR UPDATE', [account]);
    held.resolve(async () => {
      const waiting = 'SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))';
      return (await client.query(waiting)).rowCount !== 0;
    });
    await released.promise;
    await client.query('ROLLBACK');
  });
  const isWaitedFor = await held.promise;
  return {
    isWaitedFor: async () => void (await until(`a wait for ${account}`, isWaitedFor, Boolean)),
    release() {
      released.resolve();
      return ended;
    },
  };
}
