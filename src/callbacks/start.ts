import type { Client } from '@temporalio/client';
import { startHealth, type HealthSettings } from '../health';
import type { Log } from '../log';
import type { ProviderCallbacks } from '../payment/provider';
import { openStore, requireMigrated } from '../store';
import { within } from '../within';
import { createCallbackApp, type CallbackAppOptions } from './app';
import { createBackground, type Background } from './background';
import { createDelivery, type Delivery } from './deliver';
import { createOpenDispute } from './disputes';
import { engineOf } from './engine';
import { createMetrics, type CallbackMetrics } from './metrics';
import { createSignal } from './signal';
import { startSweeper } from './sweeper';
import { describeTrouble } from './trouble';

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
  readonly metrics: CallbackMetrics;
  /** Accepts nothing more, finishes the requests and deliveries that run, then lets go of everything. */
  close(): Promise<void>;
}

/** Deliveries that are not done by then are left to the next sweep of any endpoint. */
const FINISH_WITHIN_MS = 10_000;
/** A check of the engine ends before whoever asks for it has left. */
const ASK = { ms: 1_500 };

/** The whole endpoint: listener, delivery, sweep, health. */
export async function startCallbacks(settings: CallbacksSettings): Promise<RunningCallbacks> {
  const { host, port, databaseUrl, callbacks, client, log } = settings;
  await requireMigrated(databaseUrl);

  const metrics = createMetrics();
  const store = openStore({ databaseUrl, log });
  const closing: Closing = [() => store.close()];
  const close = once(async () => {
    for (const step of closing.reverse()) await step();
  });

  try {
    let isOpen = true;
    const healthUrl = await listenForHealth(settings, closing, metrics, {
      accepting: () => (isOpen ? Promise.resolve() : Promise.reject(new Error('shutting down'))),
      store: () => store.ping(),
      temporal: async () => void (await engineOf(client).bounded(() => client.workflowService.getSystemInfo({}), ASK)),
    });

    const signal = createSignal(client);
    const openDispute = createOpenDispute(client);
    const delivery = createDelivery({ store, signal, openDispute, log, metrics });
    const background = startDelivering(settings, closing, metrics, delivery);

    const deliver: CallbackAppOptions['deliver'] = (callback) => {
      background.offer(callback);
    };
    const app = createCallbackApp({ inbox: store.inbox, callbacks, deliver, log, metrics });
    closing.push(() => {
      isOpen = false;
      return app.close();
    });
    const url = await app.listen({ host, port });
    log.info({ port: Number(new URL(url).port) }, 'the callback endpoint accepts callbacks');
    return { url, ...(healthUrl !== undefined && { healthUrl }), metrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What ends the parts, in the order in which they were begun: undone in reverse, also when the start fails half-way. */
type Closing = (() => Promise<unknown>)[];

async function listenForHealth(
  { host, healthPort, metricsPort }: CallbacksSettings,
  closing: Closing,
  { registry: metrics }: CallbackMetrics,
  checks: HealthSettings['checks'],
): Promise<string | undefined> {
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
  metrics: CallbackMetrics,
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
      metrics.deliveryFailures.inc();
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

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
