import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { BillPayments } from '../../src/client';
import { BILL_ROUTE_ID } from '../../src/sandbox';
import { startAll, type Closing } from '../closing';
import { freePort } from '../ports';
import type { BenchEndpointSettings } from './endpoint';
import { openHub, type Hub, type Role } from './control';
import { cpuOfTrees, memoryOfTrees } from './proc';
import { startNode, untilReady, type NodeProcess } from './processes';
import type { BenchSandboxSettings } from './sandbox';
import { startServers, type Servers, type ServersOptions } from './servers';
import type { BenchWorkerSettings } from './worker';

/** What a payment costs is counted by these; the bench itself stands for the backend that starts payments, and is told apart. */
export const PARTS = ['worker', 'endpoint', 'sandbox', 'temporal', 'postgres'] as const;
export type Part = (typeof PARTS)[number];
export type ByPart = Readonly<Record<Part, number>>;
/** Those that are Node processes. */
export const NODE_PARTS = ['worker', 'endpoint', 'sandbox'] as const satisfies readonly Part[];
export type NodePart = (typeof NODE_PARTS)[number];

export interface Stage {
  readonly client: Client;
  readonly payments: BillPayments;
  readonly hub: Hub;
  /** Of the rows that are not the real payment. */
  readonly taskQueue: string;
  /** CPU used so far, in ms. */
  cpu(): ByPart & { readonly driver: number };
  /** Bytes that each part's processes have written. */
  memory(): ByPart;
  /** Bytes that JavaScript holds in the worker, the endpoint and the sandbox, without garbage. Only on a stage that tells them. */
  heap(): Promise<Readonly<Record<NodePart, number>>>;
  /** Rejects when a process ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export interface StageOptions extends ServersOptions {
  /** What the provider takes from a submission to its callback. */
  readonly providerMs: number;
  /** Its processes collect their garbage when they are asked for their heap. */
  readonly tellsHeap: boolean;
}

const TASK_QUEUE = 'bench';
const CREDENTIALS = { ALMARA_CLIENT_ID: 'bench-client', ALMARA_CLIENT_SECRET: 'bench-secret' };

/** Every part of the system as a process of its own, and beside worker and endpoint those of the other rows. */
export function setStage(options: StageOptions): Promise<Stage> {
  return startAll(
    (closing) => startParts(options, closing),
    (error) => options.progress(`A part did not stop cleanly: ${String(error)}`),
  );
}

async function startParts(options: StageOptions, closing: Closing): Promise<Omit<Stage, 'stop'>> {
  const servers = await startServers(options, closing);
  const folder = mkdtempSync(path.join(tmpdir(), 'billpay-bench-'));
  closing.push(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  const hub = await openHub(path.join(folder, 'hub'));
  closing.push(() => hub.close());
  const started = await startProcesses(options, { servers, folder, hub, closing });

  const pids: Readonly<Record<Part, readonly number[]>> = {
    worker: [started.worker.pid, started.benchWorker.pid],
    endpoint: [started.endpoint.pid, started.benchEndpoint.pid],
    sandbox: [started.sandbox.pid],
    temporal: [servers.temporalPid],
    postgres: [servers.postgresPid],
  };
  const byPart = (measure: (trees: readonly (readonly number[])[]) => number[]): ByPart => {
    const numbers = measure(PARTS.map((part) => pids[part]));
    return Object.fromEntries(PARTS.map((part, at) => [part, numbers[at]])) as ByPart;
  };
  const failed = Promise.race(Object.values(started).map((process) => process.failed));
  failed.catch(() => undefined);
  options.progress('Everything is running');
  return {
    client: servers.client,
    payments: new BillPayments(servers.client),
    hub,
    taskQueue: TASK_QUEUE,
    failed,
    cpu: () => ({ ...byPart(cpuOfTrees), driver: ownCpu() }),
    memory: () => byPart(memoryOfTrees),
    async heap() {
      const { worker, endpoint, sandbox } = started;
      const [inWorker, inEndpoint, inSandbox] = await Promise.all([worker.heap(), endpoint.heap(), sandbox.heap()]);
      return { worker: inWorker, endpoint: inEndpoint, sandbox: inSandbox };
    },
  };
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Surroundings {
  readonly servers: Servers;
  readonly folder: string;
  readonly hub: Hub;
  readonly closing: Closing;
}

type ProcessName = 'sandbox' | 'endpoint' | 'benchEndpoint' | 'worker' | 'benchWorker';

async function startProcesses(
  { providerMs, tellsHeap }: StageOptions,
  { servers, folder, hub, closing }: Surroundings,
): Promise<Readonly<Record<ProcessName, NodeProcess>>> {
  const socketFile = path.join(folder, 'hub');
  const callbackPort = await freePort();
  const common = environment(servers, callbackPort);
  const start = async (
    name: string,
    script: string,
    env: NodeJS.ProcessEnv,
    settings?: object,
  ): Promise<NodeProcess> => {
    const running = await startNode({
      ...{ name, script, folder, tellsHeap, env: { ...common, ...env } },
      ...(settings && { settings }),
    });
    closing.push(() => running.stop());
    return running;
  };
  /** A process of our own tells by itself when it works, and where. */
  const startOwn = async (role: Role, settings: object, env: NodeJS.ProcessEnv = {}) => {
    const ready = new Promise<string>((resolve) =>
      hub.onMessage((message, from) => {
        if (message.kind === 'ready' && from === role) resolve(message.url ?? '');
      }),
    );
    const running = await start(`bench-${role}`, `dev/bench/${role}.js`, env, settings);
    return { running, url: await Promise.race([ready, running.failed]) };
  };
  /** A process as it is shipped. */
  const startReal = async (name: string, script: string, env: NodeJS.ProcessEnv): Promise<NodeProcess> => {
    const healthPort = await freePort();
    const running = await start(name, script, { ...env, HEALTH_PORT: String(healthPort) });
    await untilReady(running, healthPort);
    return running;
  };

  const sandbox = await startOwn('sandbox', { socketFile, providerMs } satisfies BenchSandboxSettings);
  const atSandbox = { ALMARA_API_URL: sandbox.url, ALMARA_IDENTITY_URL: sandbox.url };
  const endpoint = await startReal('endpoint', 'src/callbacks/main.js', {});
  const benchEndpoint = await startOwn('endpoint', { socketFile, providerMs } satisfies BenchEndpointSettings);
  const worker = await startReal('worker', 'src/worker/main.js', atSandbox);
  const benchWorker = await startOwn(
    'worker',
    { socketFile, taskQueue: TASK_QUEUE, rawCallbackUrl: benchEndpoint.url } satisfies BenchWorkerSettings,
    atSandbox,
  );
  return {
    sandbox: sandbox.running,
    endpoint,
    benchEndpoint: benchEndpoint.running,
    worker,
    benchWorker: benchWorker.running,
  };
}

/** As an operator would write it, over what the caller has set for Temporal. */
function environment({ temporal, databaseUrl }: Servers, callbackPort: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...CREDENTIALS,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    DATABASE_URL: databaseUrl,
    ALMARA_ROUTE_ID: BILL_ROUTE_ID,
    CALLBACK_BASE_URL: `http://127.0.0.1:${callbackPort}`,
    CALLBACK_PORT: String(callbackPort),
    CALLBACK_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    HOST: '127.0.0.1',
    METRICS_PORT: '0',
  };
}
