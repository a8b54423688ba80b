import path from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createAlmara } from '../../src/almara';
import { createAlmaraCallbacks, parseKeyRing } from '../../src/almara/callback';
import { readWorkerConfig } from '../../src/config';
import { createLog } from '../../src/log';
import { openStore } from '../../src/store';
import { installRuntime } from '../../src/worker/runtime';
import { joinHub } from './control';
import { createPaymentCalls } from './payment-calls';
import { createRawPayments } from './raw';
import { createSkeletonActivities } from './skeleton-activities';

/** The worker of every row but `payment`, with the real one's settings. A process of its own. */
export interface BenchWorkerSettings {
  readonly socketFile: string;
  readonly taskQueue: string;
  /** The endpoint that calls back without an engine. */
  readonly rawCallbackUrl: string;
}

async function main(): Promise<void> {
  const { socketFile, taskQueue, rawCallbackUrl } = JSON.parse(process.argv[2] ?? '{}') as BenchWorkerSettings;
  const config = readWorkerConfig();
  const log = createLog('bench-worker', config.logLevel);
  installRuntime(log, { host: config.host, metricsPort: config.metricsPort });
  const parts = {
    provider: createAlmara(config.almara, { log }),
    store: openStore({ databaseUrl: config.databaseUrl, log }),
  };
  const callbacks = createAlmaraCallbacks(parseKeyRing(config.callbackKeys));
  const callbackUrlAt = (base: string) => (paymentId: string) => callbacks.urlOf(base, paymentId);
  const raw = createRawPayments(createPaymentCalls({ ...parts, callbackUrl: callbackUrlAt(rawCallbackUrl) }));

  const line = await joinHub(socketFile, 'worker', (message) => {
    if (message.kind === 'callback') raw.callbackCame(message.paymentId);
    if (message.kind === 'pay') void pay(message.paymentId);
  });
  const pay = async (paymentId: string): Promise<void> => {
    const problem = await raw.pay(paymentId).then(() => undefined, String);
    line.send('bench', { kind: 'paid', paymentId, ...(problem !== undefined && { problem }) });
  };

  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const worker = await Worker.create({
    connection: await NativeConnection.connect(connectionOptions),
    namespace,
    taskQueue,
    workflowsPath: path.join(__dirname, 'workflows'),
    activities: {
      ...createPaymentCalls({ ...parts, callbackUrl: callbackUrlAt(config.callbackBaseUrl) }),
      ...createSkeletonActivities((workflowId) => line.send('endpoint', { kind: 'signal', workflowId })),
    },
    stickyQueueScheduleToStartTimeout: '2 seconds',
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
  });
  const running = worker.run();
  line.send('bench', { kind: 'ready' });
  await running;
  process.exit(0);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
