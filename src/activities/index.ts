import { createAlmaraActivities } from './almara';
import type { ActivityDependencies } from './dependencies';
import { createDisputeActivities } from './disputes';
import { withFailureTable } from './failures';
import { createPaymentActivities } from './payments';
import { createPollPayment } from './poll-payment';
import { createReconcileActivities } from './reconcile';
import { createServiceNames } from './service-names';
import { createSubmitPayment } from './submit-payment';

export type { ActivityDependencies, ActivitySettings, Clock } from './dependencies';

/** Everything the worker can do, over its dependencies. Workflows know only this type. */
export function createActivities(dependencies: ActivityDependencies) {
  const names = createServiceNames(dependencies.almara, dependencies.log);
  return withFailureTable({
    ...createPaymentActivities(dependencies, names),
    ...createSubmitPayment(dependencies),
    ...createPollPayment(dependencies),
    ...createAlmaraActivities(dependencies),
    ...createReconcileActivities(dependencies),
    ...createDisputeActivities(dependencies, names),
  });
}

export type Activities = ReturnType<typeof createActivities>;
