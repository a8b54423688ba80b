import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';

/**
 * The steps the engine may retry, with the time each may take. Store steps are local (idempotent writes, milliseconds);
 * whatever speaks to the provider for long, or sends money, is a regular activity.
 */

/**
 * One round of tries, about 11 s; the flow starts the next (`untilStored`). Bounded by attempts and not by time: the SDK forgets a
 * schedule-to-close time-out that comes due while a local activity waits for its next attempt.
 */
const STORE_STEP = {
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds', maximumAttempts: 8 },
} as const;
export const { registerPayment } = proxyLocalActivities<Pick<Activities, 'registerPayment'>>({
  ...STORE_STEP,
  summary: 'Register the payment',
});
export const { recordOutcome } = proxyLocalActivities<Pick<Activities, 'recordOutcome'>>({
  ...STORE_STEP,
  summary: 'Record the outcome',
});

export const { readDispute } = proxyLocalActivities<Pick<Activities, 'readDispute'>>({
  ...STORE_STEP,
  summary: 'Read the dispute',
});
export const { recordResolution } = proxyLocalActivities<Pick<Activities, 'recordResolution'>>({
  ...STORE_STEP,
  summary: 'Record what was agreed',
});

/** One look at once. When it fails twice the poll takes over. */
export const { lookAtPayment } = proxyLocalActivities<Pick<Activities, 'lookAtPayment'>>({
  startToCloseTimeout: '3 seconds',
  summary: 'Look at the provider now',
  retry: { initialInterval: '100 milliseconds', maximumAttempts: 2 },
});

/** The biller is asked while we wait: about 4 s. */
export const { validateAccount } = proxyActivities<Pick<Activities, 'validateAccount'>>({
  startToCloseTimeout: '15 seconds',
  summary: 'Check the account',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** Heartbeats every second, so that a killed worker is noticed in 4 s. Only what failed before the claim is retried. */
export const { submitPayment } = proxyActivities<Pick<Activities, 'submitPayment'>>({
  startToCloseTimeout: '60 seconds',
  heartbeatTimeout: '3 seconds',
  summary: 'Claim, and send once',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** Each retry is a look, timed by the failure's own delay. The policy below is for attempts that a dead worker took along. */
export const { pollPayment } = proxyActivities<Pick<Activities, 'pollPayment'>>({
  startToCloseTimeout: '15 seconds',
  summary: 'Latest answer of the provider: see Last Failure',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes' },
});

/** Read-only requests of people and backends: they would rather have an error soon. */
export const reads = proxyActivities<
  Pick<
    Activities,
    | 'validateAccount'
    | 'queryBill'
    | 'findBillNumber'
    | 'listBillServices'
    | 'listRoutes'
    | 'walletBalance'
    | 'checkHealth'
  >
>({
  startToCloseTimeout: '15 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 4 },
});

/** A page of look-ups. Provider trouble repeats it a few times; what it has learnt by then is in the heartbeat. */
export const { reconcilePage } = proxyActivities<Pick<Activities, 'reconcilePage'>>({
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
  summary: 'Compare payments with the provider',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** The rest of a reconciliation: only a store or an engine that is away makes these fail. */
export const reconciling = proxyActivities<
  Pick<
    Activities,
    | 'beginReconciliation'
    | 'reconcileRuns'
    | 'reconcileStore'
    | 'disputesToOpen'
    | 'markDisputeOpened'
    | 'recordReconciliation'
  >
>({
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** Saving twice saves once more of the same: harmless, but not repeated without need. */
export const { saveBillNumber } = proxyActivities<Pick<Activities, 'saveBillNumber'>>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
});
