import { proxyActivities } from '@temporalio/workflow';

/** The least that a durable step can be: one workflow, one activity. */
const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

export async function bare(): Promise<void> {
  await nothing();
}
