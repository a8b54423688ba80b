import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readWorkerConfig } from '../config';
import { createLog } from '../log';
import { reasonOf } from '../payment/reason';
import { installRuntime } from './runtime';
import { startWorker } from './start';

/** `node dist/worker/main.js`: one worker, until SIGTERM or SIGINT. The SDK takes the signals and shuts the worker down. */
async function main(): Promise<void> {
  const config = readWorkerConfig();
  const log = createLog('worker', config.logLevel);
  installRuntime(log, { host: config.host, metricsPort: config.metricsPort });
  const running = await startWorker(config, loadClientConnectConfig(), log);
  await running.stopped;
}

main().catch((error: unknown) => {
  console.error(reasonOf(error));
  // The engine's threads keep a process alive, and it would hear no SIGTERM: nobody would start it again.
  process.exit(1);
});
