import { activityInfo } from '@temporalio/activity';
import { notFromItsRun } from './failures';

/**
 * Whether the caller is the run that this belongs to. Some things cannot be known by the store, such as what a person decided: those
 * are believed from that run alone.
 * @param workflowId of the run; absent: any run of that type
 * @throws ApplicationFailure not retryable; nothing was changed
 */
export function onlyFrom(workflowType: string, workflowId?: string): void {
  const { workflowExecution, workflowType: type } = activityInfo();
  const isIt = workflowId === undefined || workflowExecution?.workflowId === workflowId;
  if (!isIt || type !== workflowType) throw notFromItsRun(workflowType, workflowId);
}
