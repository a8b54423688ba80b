import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { TASK_QUEUE, WORKFLOWS } from '../payment/contract';
import { disputeStart, type PaymentDispute } from '../payment/dispute';
import type { CallbackReading } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { Disputes } from '../store';
import { engineOf } from './engine';

/** Starts the workflow of a dispute. One that was started before is as good. Throws when the engine did not take it. */
export type OpenDispute = (dispute: PaymentDispute) => Promise<void>;

/** What opening needs of the store. */
export type DisputeOutbox = Pick<Disputes, 'raise' | 'toOpen' | 'find' | 'markOpened'>;

export function createOpenDispute(client: Client): OpenDispute {
  const engine = engineOf(client);
  return async (dispute) => {
    const options = { ...disputeStart(dispute), taskQueue: TASK_QUEUE, workflowIdConflictPolicy: 'FAIL' } as const;
    try {
      await engine.bounded(() => client.workflow.start(WORKFLOWS.paymentDispute, options));
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };
}

/**
 * Starts first and marks afterwards: a crash in between starts it again, which finds it started. What is marked is started again as
 * well, as long as nobody has resolved it: a run that was terminated by hand comes back with the next contradiction.
 */
export function createOpening(disputes: DisputeOutbox, openDispute: OpenDispute): (paymentId: string) => Promise<void> {
  return async (paymentId) => {
    const dispute = await disputes.find(paymentId);
    if (dispute === undefined || dispute.resolution !== undefined) return;
    const { raisedBy, because, raisedAt } = dispute;
    await openDispute({ paymentId, raisedBy, because, raisedAt });
    await disputes.markOpened(paymentId);
  };
}

/** What a callback says against an outcome, for people. Of its code only what looks like one: the rest is a stranger's text. */
export function becauseOf(
  outcome: BillPaymentOutcome,
  { claims, code }: CallbackReading,
  otherIn: readonly string[],
): string {
  const shown = code !== undefined && /^-?\d{1,4}$/.test(code.value) ? ` (code ${code.value})` : '';
  const other = otherIn.length === 0 ? '' : `, of another ${otherIn.join(' and ')}`;
  return `Recorded as ${outcome.kind}; a later callback says ${claims}${shown}${other}`;
}
