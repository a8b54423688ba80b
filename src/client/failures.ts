import type { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { FAILURES, type InvalidField } from '../payment/contract';
import { InvalidRequest, PaymentConflict, ProviderFailed, Refused, RunEnded, TooLate } from './errors';

/** What a run of `billPayment` without an outcome means to the caller. */
export function failedPayment(
  paymentId: string,
  error: WorkflowFailedError,
): InvalidRequest | PaymentConflict | RunEnded {
  const options = { cause: error };
  const failure = applicationFailure(error);
  if (failure?.type === FAILURES.invalidRequest) return new InvalidRequest(invalidFieldsOf(failure), options);
  if (failure?.type === FAILURES.paymentConflict) return new PaymentConflict(paymentId, options);
  return new RunEnded(paymentId, howItEnded(error.cause), options);
}

/** What a refused command means to the caller. */
export function refusedUpdate(paymentId: string, error: WorkflowUpdateFailedError): TooLate | Refused {
  const failure = applicationFailure(error);
  const because = failure?.message ?? 'the command failed';
  const options = { cause: error };
  return failure?.type === FAILURES.tooLate
    ? new TooLate(paymentId, because, options)
    : new Refused(paymentId, because, options);
}

/** What a failed question to the provider means to the caller. The failures' messages are written for people. */
export function failedQuestion(error: WorkflowFailedError): InvalidRequest | ProviderFailed {
  const failure = applicationFailure(error);
  if (failure?.type === FAILURES.invalidRequest) return new InvalidRequest(invalidFieldsOf(failure), { cause: error });
  return new ProviderFailed(failure?.message ?? `The question ${howItEnded(error.cause)}.`, { cause: error });
}

/** The innermost failure that our own code has thrown. */
export function applicationFailure(error: unknown): ApplicationFailure | undefined {
  let found: ApplicationFailure | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure) found = cause;
  }
  return found;
}

function invalidFieldsOf(failure: ApplicationFailure): readonly InvalidField[] {
  const list: unknown = failure.details?.[0];
  return Array.isArray(list) && list.every(isInvalidField) ? list : [{ field: 'request', problem: failure.message }];
}

function isInvalidField(value: unknown): value is InvalidField {
  const { field, problem } = (value ?? {}) as Partial<Record<keyof InvalidField, unknown>>;
  return typeof field === 'string' && typeof problem === 'string';
}

function howItEnded(cause: Error | undefined): string {
  if (cause instanceof TerminatedFailure) return 'was terminated';
  if (cause instanceof CancelledFailure) return 'was cancelled';
  if (cause instanceof TimeoutFailure) return 'ran out of time';
  return 'failed';
}
