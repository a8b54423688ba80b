import type { Difference } from './reconciliation';

/** Which payments a reconciliation covers, and what it reports. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * How long after its close a payment is asked about again. A provider that turns failed into completed does so within days, and
 * tells nobody (design §2); the other way round it is rarer, and costs a look each.
 */
export const ASKED_AGAIN_AFTER_MS = {
  /** That were sent; also those that a person has declined. */
  declined: [HOUR, DAY, 7 * DAY, 30 * DAY],
  paid: [DAY, 30 * DAY],
} as const;

/** The first reconciliation looks back so far: what was closed before is due no more. */
export const FIRST_LOOK_BACK_MS = 31 * DAY;

/**
 * Half open: (since, until]. Covered are the payments that are open, those closed in it, and those whose time to be asked again lies
 * in it; each once, however long it is. ISO 8601, UTC.
 */
export interface Window {
  readonly since: string;
  readonly until: string;
}

/** Argument of `reconcilePayments`. */
export interface ReconcileRequest {
  /** ISO 8601. Without it: from where the last complete report ends. */
  readonly since?: string;
}

export interface ReconciliationReport extends Window {
  /** Every payment was asked about: the next report begins where this one ends. */
  readonly complete: boolean;
  readonly payments: number;
  /** How many of them the provider has answered about. */
  readonly asked: number;
  /** How many it should have and has not. */
  readonly notAsked: number;
  /** The first trouble, in words. */
  readonly trouble?: string;
  /** Runs of payments that were looked for in the store. */
  readonly runs: number;
  readonly disputesRaised: number;
  readonly differences: readonly Difference[];
  /** Beyond those that are listed. */
  readonly moreDifferences: number;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Under this id the schedule is found; its runs and those of `billpay reconcile` begin with it. */
export const RECONCILIATION_ID = 'bill-payments-reconciliation';
