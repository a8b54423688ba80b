import { proxyActivities } from '@temporalio/workflow';

/** A workflow of somebody else: it calls whatever it likes on our queue, under whatever name. */
export async function stranger(taskQueue: string, activity: string, args: readonly unknown[]): Promise<unknown> {
  const activities = proxyActivities<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: '30 seconds',
    retry: { maximumAttempts: 1 },
  });
  return await activities[activity]?.(...args);
}

export { stranger as billPayment, stranger as paymentDispute };
