import { randomBytes, randomUUID } from 'node:crypto';
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import { almaraAt } from '../../dev/almara';
import { createAlmara, type AlmaraSettings } from '../../src/almara';
import { createAlmaraCallbacks, parseKeyRing, type CallbackKeyRing } from '../../src/almara/callback';
import { startCallbacks, type CallbacksSettings, type RunningCallbacks } from '../../src/callbacks';
import { BillPayments } from '../../src/client';
import { SEARCH_ATTRIBUTES, TASK_QUEUE, workflowIdOf } from '../../src/payment/contract';
import type { Facts } from '../../src/payment/facts';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { PaymentProgress } from '../../src/payment/progress';
import type { Provider, ProviderCallbacks } from '../../src/payment/provider';
import type { BillPaymentRequest } from '../../src/payment/request';
import {
  accountOf,
  SERVICES,
  startSandbox,
  type BehaviourName,
  type Sandbox,
  type SandboxSettings,
} from '../../src/sandbox';
import { migrate, openStore, UnknownPayment, type Merchant, type Store } from '../../src/store';
import type { ActivitySettings, Clock } from '../../src/activities';
import { systemClock, type WorkerDependencies } from '../../src/activities/dependencies';
import { createWorker } from '../../src/worker/create-worker';
import { createLog, type Log } from '../../src/log';
import { atEndOfFile } from './at-end';
import { testDatabase } from './postgres';
import { ownNamespace, randomQueue, testTemporal, workflowBundle } from './temporal';

/**
 * The whole system for one test file: the run's Temporal server, a database of its own, a sandbox, a callback endpoint and a
 * worker on a queue of its own. All real; only the durations are short.
 */
export interface Flow {
  readonly payments: BillPayments;
  readonly client: Client;
  /** Of the Temporal server. */
  readonly address: string;
  readonly namespace: string;
  readonly sandbox: Sandbox;
  readonly store: Store;
  readonly databaseUrl: string;
  readonly log: Log;
  readonly ring: CallbackKeyRing;
  readonly providerCallbacks: ProviderCallbacks;
  readonly callbacks: RunningCallbacks;
  /** Of its worker, unless that is started with others. */
  readonly settings: ActivitySettings;
  readonly taskQueue: string;
  readonly worker: Worker;
  readonly provider: Provider;
  /** Who asks the store. */
  readonly merchant: Merchant;
  /** A request that the sandbox treats as the behaviour says. Each call is a new payment. */
  request(behaviour: BehaviourName, change?: Partial<BillPaymentRequest>): BillPaymentRequest;
  /** The callback URL that the provider is given. */
  callbackUrl(paymentId: string): string;
  /** Stops this worker; `startWorker` starts another one on the same queue. */
  stopWorker(): Promise<void>;
  startWorker(options?: FlowWorker): Promise<Worker>;
}

export interface FlowWorker {
  /** To put a fault into what the activities work with; the real thing comes in. */
  readonly provider?: (real: Provider) => Provider;
  readonly store?: (real: Store) => WorkerDependencies['store'];
  readonly settings?: Partial<ActivitySettings>;
  readonly clock?: Clock;
  readonly overrides?: Partial<WorkerOptions>;
}

export interface FlowOptions extends FlowWorker {
  readonly sandbox?: Partial<SandboxSettings>;
  readonly timeouts?: AlmaraSettings['timeouts'];
  readonly callbacks?: Partial<CallbacksSettings>;
  /** No worker yet: the test starts one when it wants. */
  readonly withoutWorker?: boolean;
  /** A namespace of its own and the task queue of the wire contract: for programs that connect by themselves. */
  readonly ownNamespace?: boolean;
  /** Of worker, endpoint, store and adapter. */
  readonly log?: Log;
}

/**
 * What is waited for is short; what would end a payment is so long that a slow machine cannot change a test's result. A test about
 * a deadline sets that one itself.
 */
export const SHORT_POLICY = {
  submitWithin: '10 minutes',
  callbackGrace: '3 seconds',
  pollInterval: '300 milliseconds',
  pollMaxInterval: '1 second',
  notFoundGrace: '3 seconds',
  failureConfirmation: '600 milliseconds',
  attentionAfter: '10 minutes',
  receiptGrace: '400 milliseconds',
} as const;

export const FLOAT = { account: 'float-1', amount: 1_000_000, currency: 'KES' } as const;

export const CREDENTIALS = { clientId: 'test-client', clientSecret: 'test-secret' };
const SANDBOX = { pendingMs: 150, callbackDelayMs: 100, completedLaterMs: 8_000, notFoundMs: 800, slowMs: 2_000 };
const service = (name: string): string =>
  SERVICES.find(({ serviceTypeDescription }) => serviceTypeDescription === name)?.serviceId ?? '';
export const PREPAID_SERVICE = service('KPLC PREPAID');
export const POSTPAID_SERVICE = service('KPLC POSTPAID');

export async function startFlow(options: FlowOptions = {}): Promise<Flow> {
  const temporal = await testTemporal();
  const { log = createLog('test', 'fatal') } = options;
  const namespace = options.ownNamespace === true ? await ownNamespace() : temporal.namespace;
  const taskQueue = options.ownNamespace === true ? TASK_QUEUE : randomQueue();
  const client = new Client({
    connection: temporal.client.connection,
    namespace,
    interceptors: { workflow: [onQueue(taskQueue)] },
  });

  const database = await testDatabase();
  await migrate(database.url);
  const store = openStore({ databaseUrl: database.url, log });
  await store.funds.add(FLOAT);
  const ring = parseKeyRing(`test:${randomBytes(32).toString('base64')}`);
  const providerCallbacks = createAlmaraCallbacks(ring);
  const sandbox = await startSandbox({ ...CREDENTIALS, ...SANDBOX, ...options.sandbox });
  const callbacks = await startCallbacks({
    host: '127.0.0.1',
    port: 0,
    databaseUrl: database.url,
    callbacks: providerCallbacks,
    client,
    log,
    sweepEveryMs: 500,
    ...options.callbacks,
  });
  const almara = createAlmara(
    { ...almaraAt(sandbox.url, CREDENTIALS), ...(options.timeouts && { timeouts: options.timeouts }) },
    { log },
  );
  atEndOfFile(async () => {
    await stopWorker();
    await sandbox.close();
    await callbacks.close();
    await almara.close();
    await store.close();
    await database.drop();
  });

  const settings: ActivitySettings = {
    callbackUrl: (paymentId) => providerCallbacks.urlOf(callbacks.url, paymentId),
    prepaidServices: [PREPAID_SERVICE],
    failedWithoutCode: 'ask',
    allowTestPolicy: true,
  };
  let running: { readonly worker: Worker; readonly run: Promise<void> } | undefined;
  async function startWorker(own: FlowWorker = options): Promise<Worker> {
    const worker = await createWorker({
      connection: temporal.connection,
      namespace,
      taskQueue,
      workflowBundle: workflowBundle(),
      provider: own.provider?.(almara) ?? almara,
      store: own.store?.(store) ?? store,
      settings: { ...settings, ...own.settings },
      log,
      ...(own.clock && { clock: own.clock }),
      overrides: { shutdownGraceTime: '100 milliseconds', shutdownForceTime: '5 seconds', ...own.overrides },
    });
    running = { worker, run: worker.run() };
    return worker;
  }
  async function stopWorker(): Promise<void> {
    if (running === undefined) return;
    const { worker, run } = running;
    running = undefined;
    worker.shutdown();
    await run;
  }
  if (options.withoutWorker !== true) await startWorker();

  return {
    payments: new BillPayments(client),
    client,
    address: temporal.address,
    namespace,
    sandbox,
    store,
    databaseUrl: database.url,
    log,
    ring,
    providerCallbacks,
    callbacks,
    settings,
    taskQueue,
    provider: almara,
    merchant: { account: almara.account, provider: almara.name, failedWithoutCode: 'ask' },
    get worker() {
      if (running === undefined) throw new Error('no worker is running');
      return running.worker;
    },
    request: (behaviour, change = {}) => ({
      // The sandbox knows some behaviours by the account in the id, before it has seen the account.
      paymentId: `t-${accountOf(behaviour)}-${randomUUID().slice(0, 13)}`,
      serviceId: behaviour.startsWith('prepaid') ? PREPAID_SERVICE : POSTPAID_SERVICE,
      serviceName: behaviour.startsWith('prepaid') ? 'KPLC PREPAID' : 'KPLC POSTPAID',
      accountNumber: accountOf(behaviour),
      amount: 220,
      payer: { name: 'A Payer', msisdn: '254712345678' },
      description: 'Electricity',
      fundingAccount: FLOAT.account,
      policy: SHORT_POLICY,
      ...change,
    }),
    callbackUrl: settings.callbackUrl,
    startWorker,
    stopWorker,
  };
}

/** Every start of this client goes to the file's own queue, whatever the code under test says. */
function onQueue(taskQueue: string): WorkflowClientInterceptor {
  return { start: (input, next) => next({ ...input, options: { ...input.options, taskQueue } }) };
}

/** The system's clock, so much ahead. */
export const clockAhead = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });

/**
 * How long a test waits for what must come: it ends the test only when that never comes. A worker that stops may take a task with
 * it, which the engine gives to the next one after its time-out of 10 s, and the machine may be busy.
 */
export const PATIENCE_MS = 90_000;

/** Waits for a state that must come: polls it, and says what it saw last when it does not. */
export async function until<T>(what: string, look: () => Promise<T> | T, isThere: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (isThere(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`${what} did not come within ${PATIENCE_MS} ms; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What the store knows. */
export const factsOf = async (flow: Flow, paymentId: string): Promise<Facts> =>
  (await flow.store.payments.read(paymentId, flow.merchant)).facts;

/** What the store knows, once it knows that. */
export async function factsWhen(
  flow: Flow,
  paymentId: string,
  what: string,
  isThere: (facts: Facts) => boolean,
): Promise<Facts> {
  const known = () =>
    factsOf(flow, paymentId).catch((error: unknown) => {
      if (error instanceof UnknownPayment) return undefined;
      throw error;
    });
  const facts = await until(`${what} of ${paymentId}`, known, (seen) => seen !== undefined && isThere(seen));
  if (facts === undefined) throw new Error(`payment ${paymentId} was never registered`);
  return facts;
}

/** Waits for the outcome; an open payment is a failure of the test. */
export async function outcomeOf(flow: Flow, paymentId: string): Promise<BillPaymentOutcome> {
  const outcome = await flow.payments.payment(paymentId).outcome({ waitMs: PATIENCE_MS });
  if (outcome.kind === 'open') throw new Error(`payment ${paymentId} is still open: ${JSON.stringify(outcome)}`);
  return outcome;
}

/**
 * Waits until it needs attention, then says why and what is known. Watches the search attribute, as an operator's list does: a
 * query every few milliseconds would keep a worker without a cache from its work.
 */
export async function needsAttention(flow: Flow, paymentId: string): Promise<PaymentProgress> {
  const run = flow.client.workflow.getHandle(workflowIdOf(paymentId));
  const state = async () => (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
  await until(`${paymentId} needs attention`, state, (seen) => seen === 'NeedsAttention');
  return await flow.payments.payment(paymentId).progress();
}

export const stageOf = async (flow: Flow, paymentId: string): Promise<string> =>
  (await flow.payments.payment(paymentId).progress()).stage;

/** The run's history as it is. */
export const historyOf = (flow: Flow, paymentId: string) =>
  flow.client.workflow.getHandle(workflowIdOf(paymentId)).fetchHistory();
