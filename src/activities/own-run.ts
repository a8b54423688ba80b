import { activityInfo } from '@temporalio/activity';
import { notFromItsRun } from './failures';

/**
 * Whether the caller is the run that this belongs to. Some things cannot be known by the store, such as what a person decided: those
 * are believed from that run alone.
 * @throws ApplicationFailure not retryable; nothing was changed
 */
export function onlyFrom(workflowType: string, workflowId: string): void {
  const { workflowExecution, workflowType: type } = activityInfo();
  if (workflowExecution?.workflowId !== workflowId || type !== workflowType)
    throw notFromItsRun(workflowType, workflowId);
}
