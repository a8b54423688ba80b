import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import {
  SEARCH_ATTRIBUTES,
  TASK_QUEUE,
  WORKFLOWS,
  disputeWorkflowIdOf,
  type BillPaymentState,
} from '../payment/contract';
import type { PaymentDispute, RaisedBy } from '../payment/dispute';
import type { CallbackReading } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';
import { within } from './trouble';

/** Starts the workflow of a dispute. One that was started before is as good. Throws when the engine did not take it. */
export type OpenDispute = (dispute: PaymentDispute) => Promise<void>;

/** What opening needs of the store. */
export interface DisputeOutbox {
  raise(paymentId: string, raise: { readonly by: RaisedBy; readonly because: string }): Promise<unknown>;
  toOpen(limit: number): Promise<readonly PaymentDispute[]>;
  find(paymentId: string): Promise<(PaymentDispute & { readonly resolution?: object }) | undefined>;
  markOpened(paymentId: string): Promise<void>;
}

const START_WITHIN_MS = 5_000;
/** The SDK notices a passed deadline only after the pause it is in; nobody waits for that. */
const GRACE_MS = 250;
/** The engine keeps up to 200 bytes. */
const SUMMARY_CHARACTERS = 150;

export function createOpenDispute(client: Client): OpenDispute {
  return async (dispute) => {
    const started = client.withDeadline(Date.now() + START_WITHIN_MS, () => start(client, dispute));
    await within(START_WITHIN_MS + GRACE_MS, started);
  };
}

/**
 * A run of this id that is open or was completed is the dispute's. One that failed or was terminated before it was known to be
 * opened is not: whoever has started it with a wrong input, or ended it by hand, must not make the dispute invisible.
 */
async function start(client: Client, dispute: PaymentDispute): Promise<void> {
  const workflowId = disputeWorkflowIdOf(dispute.paymentId);
  const state: BillPaymentState = 'Disputed';
  try {
    await client.workflow.start(WORKFLOWS.paymentDispute, {
      taskQueue: TASK_QUEUE,
      workflowId,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: [dispute],
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.state, value: state },
        { key: SEARCH_ATTRIBUTES.reason, value: 'disputed' },
      ],
      staticSummary: `Disputed · ${dispute.because}`.slice(0, SUMMARY_CHARACTERS),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
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
export function becauseOf(outcome: BillPaymentOutcome, { claims, code }: CallbackReading): string {
  const shown = code !== undefined && /^-?\d{1,4}$/.test(code.value) ? ` (code ${code.value})` : '';
  return `Recorded as ${outcome.kind}; a later callback says ${claims}${shown}`;
}
