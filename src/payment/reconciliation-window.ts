import type { Difference } from './reconciliation';

/** Which payments a reconciliation covers, and what it reports. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * How long after its close a payment is asked about again. A provider that turns failed into completed does so within days, and
 * tells nobody (docs/guarantees.md#what-is-not-covered); the other way round it is rarer, and costs a look each.
 */
export const ASKED_AGAIN_AFTER_MS = {
  /** Those that were sent; also those that a person has declined. */
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
  /** Covered besides: payments about which the report before got no answer. Absent: none. */
  readonly again?: readonly string[];
}

/** Payments of one kind by the time of their close: (since, until]. */
export interface ClosingRange {
  readonly since: string;
  readonly until: string;
  readonly of: 'all' | 'declined-after-sending' | 'paid';
}

/** Where the closed payments of a window are found: those closed in it, and those due again in it. */
export function closingRanges({ since, until }: Window): readonly ClosingRange[] {
  const earlier = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
  const due = (of: ClosingRange['of'], after: readonly number[]): readonly ClosingRange[] =>
    after.map((ms) => ({ of, since: earlier(since, ms), until: earlier(until, ms) }));
  return [
    { of: 'all', since, until },
    ...due('declined-after-sending', ASKED_AGAIN_AFTER_MS.declined),
    ...due('paid', ASKED_AGAIN_AFTER_MS.paid),
  ];
}

/** Argument of `reconcilePayments`. */
export interface ReconcileRequest {
  /** ISO 8601. Without it: from where the last complete report ends. */
  readonly since?: string;
}

const TIME = /^[12]\d{3}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** ISO 8601; undefined when it is no time. A bare number is none: JavaScript would take 7 for a month. */
export function timeOf(text: unknown): Date | undefined {
  const time = typeof text === 'string' && TIME.test(text) ? new Date(text) : undefined;
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : time;
}

/** A payment that the provider should have been asked about, and why nothing was learnt. */
export interface Unanswered {
  readonly paymentId: string;
  readonly because: string;
}

export interface ReconciliationReport extends Window {
  /**
   * The next report begins where this one ends: every payment was asked about, but for the few of `unanswered`, which the next asks
   * about again. One payment that can never be read must not stop the window for all others.
   */
  readonly complete: boolean;
  readonly payments: number;
  /** How many of them the provider has answered about. */
  readonly asked: number;
  /** How many it should have and has not. */
  readonly notAsked: number;
  /** The first of these. Absent: none. */
  readonly unanswered?: readonly Unanswered[];
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

/** How many differences it found, listed or not. */
export const differencesIn = ({
  differences,
  moreDifferences,
}: Pick<ReconciliationReport, 'differences' | 'moreDifferences'>): number => differences.length + moreDifferences;

/** A complete report may still leave a few to the next one. */
export const askedAll = ({ complete, notAsked }: ReconciliationReport): boolean => complete && notAsked === 0;

/** Under this id the schedule is found; its runs and those of `billpay reconcile` begin with it. */
export const RECONCILIATION_ID = 'bill-payments-reconciliation';
