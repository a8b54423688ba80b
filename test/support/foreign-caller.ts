import { randomUUID } from 'node:crypto';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities';
import type { WORKFLOWS } from '../../src/payment/contract';
import { atEndOfFile } from './at-end';
import type { Flow } from './flow';
import { randomQueue, testTemporal } from './temporal';

export type ActivityName = keyof Activities;

/** Somebody else in the namespace, with workflows of their own. */
export interface Stranger {
  /** Calls an activity of ours, and gives what it gives. @throws ApplicationFailure as the activity */
  call(activity: ActivityName, ...args: readonly unknown[]): Promise<unknown>;
  /** From a workflow that is called like one of ours. */
  callAs(
    workflow: typeof WORKFLOWS.billPayment | typeof WORKFLOWS.paymentDispute,
    activity: ActivityName,
    ...args: readonly unknown[]
  ): Promise<unknown>;
  /** A run that continues as new as one of ours, with these arguments: gives what that one gives. */
  continueInto(workflow: string, ...args: readonly unknown[]): Promise<unknown>;
}

export async function startStranger(flow: Flow): Promise<Stranger> {
  const taskQueue = randomQueue();
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('./foreign-workflow'),
    logger: new DefaultLogger('ERROR'),
  });
  const { connection } = await testTemporal();
  const worker = await Worker.create({ connection, namespace: flow.namespace, taskQueue, workflowBundle });
  const run = worker.run();
  atEndOfFile(async () => {
    worker.shutdown();
    await run;
  });
  // Past the flow's own client, which starts everything on our queue.
  const { workflow } = new Client({ connection: flow.client.connection, namespace: flow.namespace });
  async function callAs(type: string, activity: ActivityName, ...args: readonly unknown[]): Promise<unknown> {
    const workflowId = `stranger-${randomUUID()}`;
    try {
      return await workflow.execute(type, { taskQueue, workflowId, args: [flow.taskQueue, activity, args] });
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      throw cause instanceof ActivityFailure && cause.cause instanceof ApplicationFailure ? cause.cause : error;
    }
  }
  const continueInto: Stranger['continueInto'] = (type, ...args) =>
    workflow.execute('continueInto', {
      taskQueue,
      workflowId: `stranger-${randomUUID()}`,
      args: [flow.taskQueue, type, args],
    });
  return { continueInto, callAs, call: (activity, ...args) => callAs('stranger', activity, ...args) };
}
