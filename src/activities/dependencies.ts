import { setTimeout } from 'node:timers/promises';
import type { Log } from '../log';
import type { Provider } from '../payment/provider';
import type { Merchant, Observed, Store } from '../store';

/** What the activities work with. Only here do the provider and the store meet. */
export interface ActivityDependencies {
  readonly provider: Provider;
  readonly store: Pick<Store, 'payments' | 'disputes' | 'operatorActions'>;
  readonly settings: ActivitySettings;
  readonly log: Log;
  readonly clock?: Clock;
  /** What this worker has seen and could not write down, by payment. */
  readonly unwritten?: Unwritten;
}

export type Unwritten = Map<string, Observed>;

/** Reconciliation reads more of the store than a payment does. */
export type ReconcileDependencies = Omit<ActivityDependencies, 'store'> & {
  readonly store: Pick<Store, 'payments' | 'inbox' | 'disputes' | 'operatorActions' | 'reconciliations'>;
};

/** All that a worker needs. */
export type WorkerDependencies = ActivityDependencies & ReconcileDependencies;

export interface ActivitySettings {
  /** The signed address for a payment's callback. */
  readonly callbackUrl: (paymentId: string) => string;
  /** Service ids whose receipt is useless without its token. */
  readonly prepaidServices: readonly string[];
  readonly failedWithoutCode: 'ask' | 'decline';
  readonly allowTestPolicy: boolean;
  /** Names of those who may decide; none: everybody. */
  readonly operators?: readonly string[];
  /** `off`: nothing is sent. For the time between a restored backup and the end of its reconciliation. */
  readonly submissions?: 'on' | 'off';
}

/** Who asks the store. */
export const merchantOf = ({ provider, settings }: Pick<ActivityDependencies, 'provider' | 'settings'>): Merchant => ({
  account: provider.account,
  provider: provider.name,
  failedWithoutCode: settings.failedWithoutCode,
});

/** Two clocks, because each lies in its own way: the wall clock is set, the monotonic one may stop while a machine sleeps. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Milliseconds since some fixed point. */
  monotonic(): number;
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** How long ago this was called, in ms: by the clock that says longer, and by the one that says shorter. */
export function stopwatch(clock: Clock): { readonly atMost: () => number; readonly atLeast: () => number } {
  const wall = clock.now();
  const monotonic = clock.monotonic();
  const byEach = (): readonly [number, number] => [clock.now() - wall, clock.monotonic() - monotonic];
  return { atMost: () => Math.max(...byEach()), atLeast: () => Math.max(0, Math.min(...byEach())) };
}
