import {
  condition,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../../src/payment/contract';
import type { SkeletonActivities } from '../skeleton-activities';
import { providerCallback } from './signal';

/**
 * What the engine has to do for a payment that is paid by callback, and nothing else: the same steps in the same order, and none of
 * them does anything. `events` of the two rows must be the same number.
 */
const local = proxyLocalActivities<SkeletonActivities>({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds', maximumAttempts: 8 },
  summary: 'A step of the store',
});
const regular = proxyActivities<SkeletonActivities>({
  startToCloseTimeout: '15 seconds',
  summary: 'A step of the provider',
});
const { submit } = proxyActivities<SkeletonActivities>({
  startToCloseTimeout: '60 seconds',
  heartbeatTimeout: '3 seconds',
  summary: 'Send',
});

export async function skeleton(): Promise<void> {
  let called = false;
  setHandler(providerCallback, () => {
    called = true;
  });
  await local.nothing(); // register
  await regular.nothing(); // validate
  await submit();
  await condition(() => called, '20 seconds');
  await local.nothing(); // look
  await local.nothing(); // record
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.state, value: 'Paid' }]);
}
