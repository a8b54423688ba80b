import type { Almara } from '../almara';
import type { CallbackKeyRing } from '../almara/callback';
import type { Log } from '../log';
import type { Store } from '../store';

/** What the activities work with. Only here do the provider and the store meet. */
export interface ActivityDependencies {
  readonly almara: Almara;
  readonly store: Pick<Store, 'payments' | 'reservations' | 'disputes'>;
  readonly settings: ActivitySettings;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Reconciliation reads more of the store than a payment does. */
export type ReconcileDependencies = Pick<ActivityDependencies, 'almara' | 'log' | 'clock'> & {
  readonly store: Pick<Store, 'inbox' | 'disputes' | 'reconciliations'>;
};

/** All that a worker needs. */
export type WorkerDependencies = ActivityDependencies & ReconcileDependencies;

export interface ActivitySettings {
  readonly callbackBaseUrl: string;
  readonly keyRing: CallbackKeyRing;
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
