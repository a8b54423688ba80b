import { ApplicationFailure, CancellationScope, currentUpdateInfo } from '@temporalio/workflow';
import { FAILURES } from '../payment/contract';

/** What the handlers of updates have in common, whatever the workflow. */

/** Shown in the dialog of the Web UI: a stack below the sentence would look like a fault. */
export function refuse(message: string, type: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(message, type);
  failure.stack = '';
  return failure;
}

export const refusal = (message: string): ApplicationFailure => refuse(message, FAILURES.refused);

export function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw refusal(problem);
}

/** Handlers run uncancellable, as the flows do. */
export const uncancelled = <T>(handler: () => Promise<T>): Promise<T> => CancellationScope.nonCancellable(handler);

/** The engine's id of the update that is being handled: it is recorded with what it did. */
export function thisUpdate(): { readonly updateId?: string } {
  const update = currentUpdateInfo();
  return update === undefined ? {} : { updateId: update.id };
}
