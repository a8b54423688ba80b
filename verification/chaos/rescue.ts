import { randomUUID } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import { workflowIdOf } from '../../src/payment/contract';
import type { Stage } from './stage';
import type { Tally } from './tally';

const NON_DETERMINISM =
  temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;

/**
 * A worker that was stopped past a workflow task's time-out and is then given the run's next task finishes the old task under the
 * new one's name (the SDK logs "Trying to send a new WFT for a run which already has one"). The time its code saw is then not the
 * time that is recorded, the history no longer replays, and the run stands still until somebody resets it. Reconciliation tells it
 * as `run-stuck`; here people are quicker. Every rescue is in the report.
 */
export async function rescue({ client }: Stage, paymentId: string, tally: Tally): Promise<void> {
  const run = client.workflow.getHandle(workflowIdOf(paymentId));
  const { runId } = await run.describe();
  const { events } = await client.workflow.getHandle(run.workflowId, runId).fetchHistory();
  if (!events?.some(({ workflowTaskFailedEventAttributes: failed }) => failed?.cause === NON_DETERMINISM)) return;
  const first = events.find((event) => event.workflowTaskCompletedEventAttributes);
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: run.workflowId, runId },
    reason: 'its history does not replay',
    requestId: randomUUID(),
    workflowTaskFinishEventId: first?.eventId ?? null,
  });
  tally.add('rescued', 'a history that did not replay, reset to its first task');
}
