import path from 'node:path';
import { createInterface } from 'node:readline';
import { startGuarded } from '../../dev/child';
import { BILL_ROUTE_ID } from '../../src/sandbox';
import { atEndOfFile } from './at-end';
import { CREDENTIALS, PREPAID_SERVICE, until, type Flow } from './flow';
import { testTemporal, workflowBundle } from './temporal';
import type { WorkerTestSettings } from './worker-seams';

export interface WorkerProcessOptions extends Partial<Omit<WorkerTestSettings, 'workflowBundle'>> {
  /** Where it finds the provider; a proxy, for instance. */
  readonly apiUrl?: string;
}

export interface WorkerProcess {
  readonly pid: number;
  /** Everything it has said. */
  readonly lines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** Waits for a line with these words. */
  says(words: string): Promise<void>;
  /** Settles with its exit code when it has ended; 128 and the signal's number if a signal ended it. */
  readonly ended: Promise<number>;
}

const RUN_TYPESCRIPT = path.join(__dirname, 'run-typescript.cjs');

/** A worker of the flow in a process of its own, running when this returns. */
export async function startWorkerProcess(flow: Flow, options: WorkerProcessOptions = {}): Promise<WorkerProcess> {
  const { apiUrl = flow.sandbox.url, taskQueue = flow.taskQueue, stands = {}, ...own } = options;
  const settings: WorkerTestSettings = { taskQueue, stands, workflowBundle: workflowBundle(), ...own };
  const command = [RUN_TYPESCRIPT, path.join(__dirname, 'worker-main.ts'), JSON.stringify(settings)];
  const worker = await spawnGuarded(command, await environmentOf(flow, apiUrl));
  await worker.says('worker is running');
  return worker;
}

async function environmentOf(flow: Flow, apiUrl: string): Promise<NodeJS.ProcessEnv> {
  const { address, namespace } = await testTemporal();
  const [{ id, key }] = flow.ring.keys;
  return {
    ...process.env,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    ALMARA_API_URL: apiUrl,
    ALMARA_IDENTITY_URL: flow.sandbox.url,
    ALMARA_CLIENT_ID: CREDENTIALS.clientId,
    ALMARA_CLIENT_SECRET: CREDENTIALS.clientSecret,
    ALMARA_ROUTE_ID: BILL_ROUTE_ID,
    CALLBACK_BASE_URL: flow.callbacks.url,
    CALLBACK_KEYS: `${id}:${key.export().toString('base64')}`,
    DATABASE_URL: flow.databaseUrl,
    PREPAID_SERVICES: PREPAID_SERVICE,
    ALLOW_TEST_POLICY: 'true',
    HOST: '127.0.0.1',
    HEALTH_PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'info',
  };
}

/** Node with these arguments. It never outlives the test file, and is killed with it, also when it was stopped. */
export async function spawnGuarded(args: readonly string[], env: NodeJS.ProcessEnv): Promise<WorkerProcess> {
  const child = startGuarded(process.execPath, args, { env, endWith: ['KILL'] });
  atEndOfFile(() => child.stop());
  const lines: string[] = [];
  for (const stream of child.output) createInterface(stream).on('line', (line) => lines.push(line));
  const ended = child.exited.then(({ code }) => code ?? NaN);
  const pid = await child.pid;
  return {
    pid,
    lines,
    ended,
    kill: (signal) => child.signal(signal),
    async says(words: string): Promise<void> {
      let isOver = false;
      void ended.then(() => (isOver = true));
      const look = () => lines.some((line) => line.includes(words));
      await until(`"${words}" from process ${pid}`, look, (seen) => seen || isOver);
      if (!look()) throw new Error(`process ${pid} ended without saying "${words}":\n${lines.join('\n')}`);
    },
  };
}
