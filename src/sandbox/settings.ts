import type { Log } from '../log';
import type { Timings } from './behaviour';
import type { FaultPlan } from './faults';

/** Durations in milliseconds, so that a test runs in fractions of a second. */
export interface SandboxSettings extends Partial<Timings> {
  /** 0: any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenLifetimeSeconds?: number;
  /** How long a POST that is never answered hangs before its connection is closed. */
  readonly slowMs?: number;
  /** How long an accepted payment POST waits for its answer, after the capture. */
  readonly answerDelayMs?: number;
  /** Hosts besides loopback that callbacks may go to: names inside a private network (compose). */
  readonly callbackHosts?: readonly string[];
  /** What goes wrong besides what the accounts ask for. */
  readonly faults?: FaultPlan;
  /** Without one the sandbox is silent. */
  readonly log?: Log;
  /** Epoch milliseconds; a test may turn it forward. Timers run on real time whatever it says. */
  readonly now?: () => number;
}

export const DEFAULT_TIMINGS: Timings = {
  pendingMs: 500,
  callbackDelayMs: 500,
  completedLaterMs: 5_000,
  notFoundMs: 3_000,
};

/** Longer than any client waits. */
export const DEFAULT_SLOW_MS = 60_000;
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 3_600;

export function timingsOf(settings: Partial<Timings>): Timings {
  return {
    pendingMs: settings.pendingMs ?? DEFAULT_TIMINGS.pendingMs,
    callbackDelayMs: settings.callbackDelayMs ?? DEFAULT_TIMINGS.callbackDelayMs,
    completedLaterMs: settings.completedLaterMs ?? DEFAULT_TIMINGS.completedLaterMs,
    notFoundMs: settings.notFoundMs ?? DEFAULT_TIMINGS.notFoundMs,
  };
}
