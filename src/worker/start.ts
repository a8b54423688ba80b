import type { ClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { createAlmara } from '../almara';
import { createAlmaraCallbacks, parseKeyRing } from '../almara/callback';
import type { WorkerConfig } from '../config';
import { startHealth } from '../health';
import type { Log } from '../log';
import { openStore, requireMigrated } from '../store';
import { createWorker } from './create-worker';
import { howToAddSearchAttributes, missingSearchAttributes } from './search-attributes';

export interface RunningWorker {
  readonly worker: Worker;
  /** Resolves when the worker has stopped and everything is closed. */
  readonly stopped: Promise<void>;
  /** Takes no more work, finishes what is being sent, closes. */
  stop(): Promise<void>;
}

/**
 * A worker process's parts, from its configuration: refuses to start on a database that is not migrated or a namespace without
 * the search attributes, each with the command that mends it.
 */
export async function startWorker(
  config: WorkerConfig,
  temporal: ClientConnectConfig,
  log: Log,
): Promise<RunningWorker> {
  await requireMigrated(config.databaseUrl);
  const namespace = temporal.namespace ?? 'default';
  const connection = await NativeConnection.connect(temporal.connectionOptions);
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length > 0) {
    await connection.close();
    throw new Error(howToAddSearchAttributes(missing, namespace));
  }

  const store = openStore({ databaseUrl: config.databaseUrl, log });
  const provider = createAlmara(config.almara, { log });
  const callbacks = createAlmaraCallbacks(parseKeyRing(config.callbackKeys));
  const { prepaidServices, failedWithoutCode, allowTestPolicy, operators, submissions } = config;
  if (submissions === 'off') log.warn('SUBMISSIONS=off: nothing is sent, and what was not sent expires');
  const settings = {
    callbackUrl: (paymentId: string) => callbacks.urlOf(config.callbackBaseUrl, paymentId),
    prepaidServices,
    failedWithoutCode,
    allowTestPolicy,
    operators,
    submissions,
  };
  const worker = await createWorker({ connection, namespace, provider, store, settings, log });
  const health = await startHealth({
    host: config.host,
    port: config.healthPort,
    checks: {
      store: () => store.ping(),
      temporal: async () => void (await connection.workflowService.getSystemInfo({})),
    },
  });

  const stopped = worker.run().finally(async () => {
    await Promise.allSettled([health.close(), provider.close(), store.close()]);
    await connection.close();
  });
  log.info({ namespace, health: health.url }, 'worker is running');
  return {
    worker,
    stopped,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await stopped;
    },
  };
}
