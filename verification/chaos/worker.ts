import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readWorkerConfig } from '../../src/config';
import { createLog } from '../../src/log';
import { reasonOf } from '../../src/payment/reason';
import { installRuntime } from '../../src/worker/runtime';
import { startWorker } from '../../src/worker/start';

/**
 * The worker as in `worker/main`, but less patient with the provider: with its usual time-outs of up to 30 s the time-outs of a
 * thousand payments would last for hours. The run's other worker keeps the usual ones.
 */
const TIMEOUTS = { connectMs: 1_000, readMs: 1_500, payMs: 2_500 };

async function main(): Promise<void> {
  const config = readWorkerConfig();
  const log = createLog('worker', config.logLevel);
  installRuntime(log, { host: config.host, metricsPort: config.metricsPort });
  const almara = { ...config.almara, timeouts: TIMEOUTS };
  const running = await startWorker({ ...config, almara }, loadClientConnectConfig(), log);
  await running.stopped;
}

main().catch((error: unknown) => {
  console.error(reasonOf(error));
  process.exit(1);
});
