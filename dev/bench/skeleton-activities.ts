import { activityInfo } from '@temporalio/activity';

/** The steps of a payment without what they do. */
export function createSkeletonActivities(askForSignal: (workflowId: string) => void) {
  return {
    async nothing(): Promise<void> {},

    /** The provider would call back after this. */
    async submit(): Promise<void> {
      askForSignal(activityInfo().workflowExecution?.workflowId ?? '');
    },
  };
}

export type SkeletonActivities = ReturnType<typeof createSkeletonActivities>;
