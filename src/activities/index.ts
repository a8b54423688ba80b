import { createAlmaraActivities } from './almara';
import type { ActivityDependencies, WorkerDependencies } from './dependencies';
import { createDisputeActivities } from './disputes';
import { withFailureTable } from './failures';
import { createPaymentActivities } from './payments';
import { createPollPayment } from './poll-payment';
import { createReconcileActivities } from './reconcile';
import { createServiceNames } from './service-names';
import { createSubmitPayment } from './submit-payment';

export type { ActivityDependencies, ActivitySettings, Clock, WorkerDependencies } from './dependencies';

/** What payments, disputes and questions need. */
export function createActivities(dependencies: ActivityDependencies) {
  const names = createServiceNames(dependencies.provider, dependencies.log);
  return withFailureTable({
    ...createPaymentActivities(dependencies, names),
    ...createSubmitPayment(dependencies),
    ...createPollPayment(dependencies),
    ...createAlmaraActivities(dependencies),
    ...createDisputeActivities(dependencies, names),
  });
}

/** Everything the worker can do, over its dependencies. Workflows know only this type. */
export function createWorkerActivities(dependencies: WorkerDependencies) {
  return { ...createActivities(dependencies), ...withFailureTable(createReconcileActivities(dependencies)) };
}

export type Activities = ReturnType<typeof createWorkerActivities>;
