import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

/** The steps of a payment without what they do. */
export function createSkeletonActivities(askForSignal: (workflowId: string) => void) {
  return {
    async nothing(): Promise<void> {},

    /** The provider would call back after this. */
    async submit(): Promise<void> {
      askForSignal(activityInfo().workflowExecution?.workflowId ?? '');
    },

    /** Fails to be told when to come back. */
    async poll(): Promise<void> {
      throw ApplicationFailure.create({
        message: 'Waiting for the callback. First look in 20 s.',
        type: 'LookAgain',
        nextRetryDelay: '20 seconds',
        category: ApplicationFailureCategory.BENIGN,
      });
    },
  };
}

export type SkeletonActivities = ReturnType<typeof createSkeletonActivities>;
