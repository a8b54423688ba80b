import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createWorkerActivities, type WorkerDependencies } from '../activities';
import { TASK_QUEUE } from '../payment/contract';

export interface BillPaymentWorkerOptions extends WorkerDependencies {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly dataConverter?: DataConverter;
  /** The bundled workflows, when somebody has bundled them already; else the package's own bundle, else they are bundled now. */
  readonly workflowBundle?: WorkerOptions['workflowBundle'];
  /** Where workflows are taken from. Clients start them on `bill-payments`. */
  readonly taskQueue?: string;
  /** Last word on the engine's settings. */
  readonly overrides?: Partial<WorkerOptions>;
}

/** Longer than the payment POST may take: a worker that is told to stop finishes what it is sending. */
const GRACE = '45 seconds';

/**
 * A worker for everything on the task queue. Any number may run: they hold no state.
 * Settings measured on this flow; the reasons are beside them.
 */
export async function createWorker(options: BillPaymentWorkerOptions): Promise<Worker> {
  const { connection, namespace, dataConverter, workflowBundle, taskQueue = TASK_QUEUE, overrides } = options;
  return await Worker.create({
    connection,
    namespace,
    taskQueue,
    ...(dataConverter && { dataConverter }),
    ...(workflowBundle ? { workflowBundle } : packagedWorkflows(dataConverter)),
    activities: createWorkerActivities(options),
    // With the default of 10 s a flow whose worker was killed stands still for that long.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
    shutdownGraceTime: GRACE,
    // A run that is cached holds some 110 KB; one that is not is fetched and replayed when its callback comes.
    maxCachedWorkflows: 2_000,
    ...overrides,
  });
}

/**
 * The build makes the bundle once, so that workers start without a bundler. From the sources it is made on the spot, with what the
 * build puts in: the reading of arguments that anybody may send.
 */
function packagedWorkflows(dataConverter?: DataConverter): Partial<WorkerOptions> {
  const codePath = path.join(__dirname, '..', 'workflow-bundle.js');
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  const workflowsPath = path.join(__dirname, '..', 'workflows');
  const payloads = path.join(workflowsPath, 'payloads');
  return {
    workflowsPath,
    dataConverter: { payloadConverterPath: payloads, ...dataConverter },
    interceptors: { workflowModules: [payloads] },
    bundlerOptions: { preloadModules: [workflowsPath, payloads] },
  };
}
