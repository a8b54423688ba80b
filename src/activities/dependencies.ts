import type { Log } from '../log';
import type { Provider } from '../payment/provider';
import type { Store } from '../store';

/** What the activities work with. Only here do the provider and the store meet. */
export interface ActivityDependencies {
  readonly provider: Provider;
  readonly store: Pick<Store, 'payments' | 'reservations' | 'disputes'>;
  readonly settings: ActivitySettings;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Reconciliation reads more of the store than a payment does. */
export type ReconcileDependencies = Pick<ActivityDependencies, 'provider' | 'log' | 'clock'> & {
  readonly store: Pick<Store, 'inbox' | 'disputes' | 'reconciliations'>;
};

/** All that a worker needs. */
export type WorkerDependencies = ActivityDependencies & ReconcileDependencies;

export interface ActivitySettings {
  /** The address that a payment's callback comes to. @throws Error when it would be longer than the provider takes */
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

/** Two clocks, because each lies in its own way: the wall clock is set, the monotonic one may stop while a machine sleeps. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Milliseconds since some fixed point. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
