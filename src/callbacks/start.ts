import type { Client } from '@temporalio/client';
import { startHealth, type HealthSettings } from '../health';
import type { Log } from '../log';
import type { ProviderCallbacks } from '../payment/provider';
import { openStore, pendingMigrations } from '../store';
import { createCallbackApp, type CallbackAppOptions } from './app';
import { createBackground, type Background } from './background';
import { createDelivery, type Delivery } from './deliver';
import { createOpenDispute } from './disputes';
import { Counters } from './metrics';
import { createSignal } from './signal';
import { startSweeper } from './sweeper';
import { describeTrouble, within } from './trouble';

export interface CallbacksSettings {
  readonly host: string;
  /** 0: any free one; `url` tells which. */
  readonly port: number;
  /** Without it there is no health listener. */
  readonly healthPort?: number;
  /** May be the same as `healthPort`. */
  readonly metricsPort?: number;
  readonly databaseUrl: string;
  readonly callbacks: ProviderCallbacks;
  /** Stays the caller's: it is not closed here. */
  readonly client: Client;
  readonly log: Log;
  readonly sweepEveryMs?: number;
}

export interface RunningCallbacks {
  /** Where it listens; the provider needs the public address in front of it. */
  readonly url: string;
  /** Of the health listener, if there is one. */
  readonly healthUrl?: string;
  readonly counters: Counters;
  /** Accepts nothing more, finishes the requests and deliveries that run, then lets go of everything. */
  close(): Promise<void>;
}

/** Deliveries that are not done by then are left to the next sweep of any endpoint. */
const FINISH_WITHIN_MS = 10_000;
const ASK_TEMPORAL_WITHIN_MS = 1_500;

/** The whole endpoint: listener, delivery, sweep, health. */
export async function startCallbacks(settings: CallbacksSettings): Promise<RunningCallbacks> {
  const { host, port, databaseUrl, callbacks, client, log } = settings;
  await refuseOldDatabase(databaseUrl);

  const counters = new Counters();
  const store = openStore({ databaseUrl, log });
  const closing: Closing = [() => store.close()];
  const close = once(async () => {
    for (const step of closing.reverse()) await step();
  });

  try {
    let isOpen = true;
    const healthUrl = await listenForHealth(settings, closing, counters, {
      accepting: () => (isOpen ? Promise.resolve() : Promise.reject(new Error('shutting down'))),
      store: () => store.ping(),
      temporal: () => reachTemporal(client),
    });

    const signal = createSignal(client);
    const openDispute = createOpenDispute(client);
    const delivery = createDelivery({ store, signal, openDispute, log, counters });
    const background = startDelivering(settings, closing, counters, delivery);

    const deliver: CallbackAppOptions['deliver'] = (callback) => {
      background.offer(callback);
    };
    const app = createCallbackApp({ inbox: store.inbox, callbacks, deliver, log, counters });
    closing.push(() => {
      isOpen = false;
      return app.close();
    });
    const url = await app.listen({ host, port });
    log.info({ port: Number(new URL(url).port) }, 'the callback endpoint accepts callbacks');
    return { url, ...(healthUrl !== undefined && { healthUrl }), counters, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What ends the parts, in the order in which they were begun: undone in reverse, also when the start fails half-way. */
type Closing = (() => Promise<unknown>)[];

async function refuseOldDatabase(databaseUrl: string): Promise<void> {
  const missing = await pendingMigrations(databaseUrl);
  if (missing.length === 0) return;
  throw new Error(`The database lacks ${missing.join(', ')}. Run "billpay migrate" first, then start again.`);
}

async function listenForHealth(
  { host, healthPort, metricsPort }: CallbacksSettings,
  closing: Closing,
  counters: Counters,
  checks: HealthSettings['checks'],
): Promise<string | undefined> {
  const metrics = (): string => counters.toPrometheus();
  const listen = async (health: HealthSettings): Promise<string> => {
    const { url, close } = await startHealth(health);
    closing.push(close);
    return url;
  };
  const isShared = healthPort === metricsPort;
  if (metricsPort !== undefined && !isShared) await listen({ host, port: metricsPort, checks: {}, metrics });
  if (healthPort === undefined) return undefined;
  return await listen({ host, port: healthPort, checks, ...(isShared && { metrics }) });
}

function startDelivering(
  { log, sweepEveryMs }: CallbacksSettings,
  closing: Closing,
  counters: Counters,
  delivery: Delivery,
): Background {
  const background = createBackground({
    run: (paymentId, ids) => delivery.deliverPayment(paymentId, ids),
    onFailure: (paymentId, error) => {
      log.error({ paymentId, ...describeTrouble(error) }, 'a delivery broke; the sweep repeats it');
    },
  });
  const sweeper = startSweeper({
    sweep: () => delivery.sweep(),
    onFailure: (error) => {
      counters.add('delivery_failures');
      log.warn(describeTrouble(error), 'the sweep could not read the inbox; it tries again');
    },
    ...(sweepEveryMs !== undefined && { everyMs: sweepEveryMs }),
  });
  closing.push(async () => {
    const finished = Promise.all([sweeper.close(), background.idle()]);
    await within(FINISH_WITHIN_MS, finished).catch(() => {
      log.warn('deliveries did not end in time; the next sweep goes on with them');
    });
  });
  return background;
}

async function reachTemporal(client: Client): Promise<void> {
  await client.withDeadline(Date.now() + ASK_TEMPORAL_WITHIN_MS, () => client.workflowService.getSystemInfo({}));
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
