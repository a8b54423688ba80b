import { BillPaymentError, type BillPaymentErrorCode, type BillPaymentOutcome } from '../client';

/** What scripts act on; from 64 on as in BSD's sysexits.h. They do not change once released. */
export const EXIT = {
  /** Paid; or, for a command that is not about one payment's end, done. */
  ok: 0,
  /** It did not work, and the message says why. */
  failed: 1,
  /** Declined or cancelled. */
  notPaid: 2,
  /** No outcome yet, also while it needs attention. */
  open: 3,
  /** A reconciliation found something that does not agree. */
  differences: 4,
  /** It found nothing, but could not ask about everything. */
  incomplete: 5,
  usage: 64,
  conflict: 65,
  notFound: 66,
  /** Temporal, or the worker behind it, does not answer. */
  unavailable: 69,
} as const;

export function exitOfOutcome(outcome: BillPaymentOutcome | undefined): number {
  if (outcome === undefined) return EXIT.open;
  return outcome.kind === 'paid' ? EXIT.ok : EXIT.notPaid;
}

const OF_ERRORS: Readonly<Record<BillPaymentErrorCode, number>> = {
  'invalid-request': EXIT.usage,
  'payment-conflict': EXIT.conflict,
  'payment-not-found': EXIT.notFound,
  'dispute-not-found': EXIT.notFound,
  'too-late': EXIT.failed,
  refused: EXIT.failed,
  'run-ended': EXIT.failed,
  'provider-failed': EXIT.failed,
  'reconciliation-failed': EXIT.failed,
  'engine-unavailable': EXIT.unavailable,
};

/** A command line, an input file or an environment that cannot be used. */
export class UsageError extends Error {}

export function exitOfError(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof BillPaymentError ? OF_ERRORS[error.code] : EXIT.failed;
}
