import type { ActivityDependencies, WorkerDependencies } from './dependencies';
import { createDisputeActivities } from './disputes';
import { withFailureTable } from './failures';
import { createLookAtPayment } from './look';
import { createPaymentActivities } from './payments';
import { createPollPayment } from './poll-payment';
import { createProviderReads } from './provider-reads';
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
    ...createLookAtPayment(dependencies),
    ...createPollPayment(dependencies),
    ...createProviderReads(dependencies),
    ...createDisputeActivities(dependencies, names),
  });
}

/** Everything the worker can do, over its dependencies. Workflows know only this type. */
export function createWorkerActivities(dependencies: WorkerDependencies) {
  const all = { ...dependencies, unwritten: dependencies.unwritten ?? new Map() };
  return { ...createActivities(all), ...withFailureTable(createReconcileActivities(all)) };
}

export type Activities = ReturnType<typeof createWorkerActivities>;
