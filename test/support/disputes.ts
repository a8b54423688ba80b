import { disputeWorkflowIdOf, QUERIES } from '../../src/payment/contract';
import type { DisputeProgress } from '../../src/payment/dispute';
import { outcomeOf, until, type Flow } from './flow';
import { ownRequest } from './gates';

export const BECAUSE = 'Recorded as declined; Almara Pay says completed';

export const disputeRun = (flow: Flow, paymentId: string, runId?: string) =>
  flow.client.workflow.getHandle(disputeWorkflowIdOf(paymentId), runId);

/** Declined, its hold given back. */
export async function declinedPayment(flow: Flow): Promise<string> {
  const request = await ownRequest(flow, 'rejected');
  await flow.payments.start(request);
  const outcome = await outcomeOf(flow, request.paymentId);
  if (outcome.kind !== 'declined') throw new Error(`the test payment is ${outcome.kind}`);
  return request.paymentId;
}

export const raise = (flow: Flow, paymentId: string) =>
  flow.store.disputes.raise(paymentId, { by: 'look', because: BECAUSE });

/** Raised, and opened by the endpoint's sweep. */
export async function disputed(flow: Flow): Promise<string> {
  const paymentId = await declinedPayment(flow);
  await raise(flow, paymentId);
  await opened(flow, paymentId);
  return paymentId;
}

/** Its workflow runs and has read the record. */
export async function opened(flow: Flow, paymentId: string): Promise<void> {
  await until(
    'the dispute to be opened',
    () => flow.store.disputes.find(paymentId),
    (dispute) => dispute?.openedAt !== undefined,
  );
  const progress = () => disputeRun(flow, paymentId).query<DisputeProgress>(QUERIES.disputeProgress);
  await until('the record to be read', progress, ({ recorded }) => recorded !== undefined);
}
