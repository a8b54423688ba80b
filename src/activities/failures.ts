import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { FAILURES, type InvalidField } from '../payment/contract';
import { ProviderRefusal, ProviderTrouble } from '../payment/provider';
import { WAITS_FOR_MONEY } from '../payment/steps';
import { timeInWords } from '../payment/words';

/** The retry policies' own maximum. A longer delay would reach beyond the time to submit, and the engine would give up at once. */
const LONGEST_DELAY = 30_000;

/** Between two looks at a funding account. */
const FUNDS_AGAIN_MS = 10_000;

/** The one table from a cause to what the engine does about it. */
function toFailure(error: unknown): unknown {
  // Nothing was learnt: ask again, and not before the provider wants to be asked.
  if (error instanceof ProviderTrouble) {
    return ApplicationFailure.create({
      message: error.message,
      type: `Provider:${error.kind}`,
      ...(error.retryAfterMs !== undefined && { nextRetryDelay: Math.min(error.retryAfterMs, LONGEST_DELAY) }),
    });
  }
  // The provider understood, and refuses: the same again brings the same.
  if (error instanceof ProviderRefusal) return ApplicationFailure.nonRetryable(error.message, 'ProviderRefused');
  // Everything else is retried as it is: a store that does not answer, a claim that is uncertain, a mistake of ours until it is mended.
  return error;
}

/** The caller's mistake, every wrong field at once. Nothing was registered or sent. */
export function invalidRequest(problems: readonly InvalidField[]): ApplicationFailure {
  const list = problems.map(({ field, problem }) => `${field} ${problem}`).join('; ');
  return ApplicationFailure.nonRetryable(
    `The request is invalid and nothing was sent: ${list}`,
    FAILURES.invalidRequest,
    [...problems],
  );
}

export function paymentConflict(paymentId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Payment ${paymentId} exists with other content. Send the same content again to get its outcome, or use a new id for a new payment.`,
    FAILURES.paymentConflict,
  );
}

/** What is asked to be sent is not what was registered. Nothing was claimed or sent. */
export const otherContent = (paymentId: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `Payment ${paymentId} was registered with other content than is to be sent. Nothing was sent.`,
    FAILURES.paymentConflict,
  );

/** A decision, or that nothing was sent, is believed from the payment's own run alone. Nothing was changed. */
export const notFromItsRun = (workflowType: string, workflowId: string | undefined): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `This is taken from workflow ${workflowType}${workflowId === undefined ? '' : ` with the id ${workflowId}`} alone. Nothing was changed.`,
    FAILURES.refused,
  );

/** No fault: it is tried again until the money has come, or the time for it is over. */
export const waitsForMoney = (what: string, until: number, leftMs: number): ApplicationFailure =>
  noFault({
    message: `It waits for money until ${timeInWords(until)} UTC: ${what}. Nothing was sent, nothing is held.`,
    type: WAITS_FOR_MONEY,
    nextRetryDelay: Math.max(1, Math.min(leftMs, FUNDS_AGAIN_MS)),
  });

/** Our own switch: nothing was claimed or sent, and it is tried again until the payment expires. */
export const submissionsOff = (): ApplicationFailure =>
  noFault({
    message:
      'Submissions are switched off on this worker (SUBMISSIONS=off). Nothing was sent. It waits until it expires: then it is declined, and nothing was taken.',
    type: 'SubmissionsOff',
  });

/** A look that brought no news: no error at all, only the engine's way to wait without an event. */
export const lookAgain = (message: string, delayMs: number): ApplicationFailure =>
  noFault({ message, type: 'LookAgain', nextRetryDelay: Math.max(1, delayMs) });

/** Operators read its message as the latest answer: a stack would only look like a fault. */
function noFault(options: { readonly message: string; readonly type: string; readonly nextRetryDelay?: number }) {
  const failure = ApplicationFailure.create({ ...options, category: ApplicationFailureCategory.BENIGN });
  failure.stack = '';
  return failure;
}

type AnyActivity = (...args: never[]) => Promise<unknown>;

/** Puts every activity behind the table. */
export function withFailureTable<T extends Readonly<Record<string, AnyActivity>>>(activities: T): T {
  const guarded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as T;
}
