import { makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

/** A workflow of somebody else: it calls whatever it likes on our queue, under whatever name. */
export async function stranger(taskQueue: string, activity: string, args: readonly unknown[]): Promise<unknown> {
  const activities = proxyActivities<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: '30 seconds',
    retry: { maximumAttempts: 1 },
  });
  return await activities[activity]?.(...args);
}

/** Goes on as one of ours, as a run of ours does that continues as new. */
export async function continueInto(
  taskQueue: string,
  workflowType: string,
  args: readonly unknown[],
): Promise<unknown> {
  return await makeContinueAsNewFunc({ workflowType, taskQueue })(...args);
}

export { stranger as billPayment, stranger as paymentDispute };
