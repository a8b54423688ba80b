import { Context, heartbeat } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { concurrently } from '../payment/concurrently';
import {
  disputeWorkflowIdOf,
  QUERIES,
  SEARCH_ATTRIBUTES,
  WORKFLOWS,
  workflowIdOf,
  type BillPaymentState,
} from '../payment/contract';
import { POLICY_BOUNDS, resolvePolicy } from '../payment/policy';
import type { PaymentProgress } from '../payment/progress';
import { isStuck, type PaymentRun, type StoredPayment } from '../payment/reconciliation';
import type { Window } from '../payment/reconciliation-window';

/** What Temporal knows about payments: asked by reconciliation, inside its activities. */

const PAGE = 200;
/** A few at once: the engine's other work is payments. */
const DESCRIBED_AT_ONCE = 4;
const QUERY_WITHIN_MS = 5_000;
/** No policy asks a person earlier, and none later. */
const EARLIEST_ATTENTION = resolvePolicy({ attentionAfter: POLICY_BOUNDS.attentionAfter.min }).attentionAfter;
const LATEST_ATTENTION = resolvePolicy({ attentionAfter: POLICY_BOUNDS.attentionAfter.max }).attentionAfter;
/** A run registers its payment first of all. One that no worker has taken up yet has done nothing at all. */
const REGISTERS_WITHIN_MS = 60_000;
const UNTOUCHED_EVENTS = 2;

/** The latest run of a payment. */
export async function runOf({ paymentId, closed }: StoredPayment, now: number): Promise<PaymentRun> {
  const { client } = Context.current();
  const handle = client.workflow.getHandle(workflowIdOf(paymentId));
  try {
    const { status, startTime, runId, typedSearchAttributes, raw } = await handle.describe();
    const startedAt = startTime.toISOString();
    if (status.name === 'COMPLETED') {
      const run = client.workflow.getHandle(workflowIdOf(paymentId), runId, { followRuns: false });
      return { kind: 'completed', result: await run.result() };
    }
    if (status.name !== 'RUNNING') return { kind: 'ended', how: endings[status.name] ?? 'ended' };
    const state: BillPaymentState | undefined = typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) as BillPaymentState;
    const nobodyAsked = closed === undefined && state !== 'NeedsAttention';
    const taskAttempt = raw.pendingWorkflowTask?.attempt;
    const running = { kind: 'running', startedAt, ...(taskAttempt && { taskAttempt }) } as const;
    if (!nobodyAsked || isStuck(running) || now - startTime.getTime() < EARLIEST_ATTENTION) return running;
    const attentionAt = (await attentionOf(paymentId)) ?? new Date(startTime.getTime() + LATEST_ATTENTION);
    return { ...running, attentionAt: attentionAt.toISOString() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'none' };
    throw error;
  }
}

const endings: Readonly<Partial<Record<string, string>>> = {
  FAILED: 'failed',
  TERMINATED: 'was terminated',
  TIMED_OUT: 'ran out of time',
  CANCELED: 'was cancelled',
  CANCELLED: 'was cancelled',
};

/** What became of the run of a dispute that should wait for people. Undefined: it waits. */
export async function endOfDispute(paymentId: string): Promise<'completed' | 'lost' | undefined> {
  try {
    const { status } = await Context.current().client.workflow.getHandle(disputeWorkflowIdOf(paymentId)).describe();
    if (status.name === 'RUNNING') return undefined;
    return status.name === 'COMPLETED' ? 'completed' : 'lost';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'lost';
    throw error;
  }
}

/** When a person is asked, by the run itself. Undefined when it does not answer: then only the longest policy is certain. */
async function attentionOf(paymentId: string): Promise<Date | undefined> {
  const { client } = Context.current();
  try {
    const progress = await client.withDeadline(Date.now() + QUERY_WITHIN_MS, () =>
      client.workflow.getHandle(workflowIdOf(paymentId)).query<PaymentProgress>(QUERIES.paymentProgress),
    );
    return new Date(progress.attentionAt);
  } catch {
    return undefined;
  }
}

/**
 * Payments whose run is open or has completed in the window, a page of them. Failed ones are left out: a run of an invalid request
 * never had a payment.
 */
export async function paymentsWithRuns(
  { since, until }: Window,
  now: number,
  page: string | undefined,
): Promise<{ readonly paymentIds: readonly string[]; readonly next?: string }> {
  const { client } = Context.current();
  const finished = `ExecutionStatus = 'Completed' AND CloseTime > '${since}' AND CloseTime <= '${until}'`;
  const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    pageSize: PAGE,
    query: `WorkflowType = '${WORKFLOWS.billPayment}' AND (ExecutionStatus = 'Running' OR (${finished}))`,
    ...(page !== undefined && { nextPageToken: Buffer.from(page, 'base64') }),
  });
  const prefix = workflowIdOf('');
  const paymentIds: string[] = [];
  await concurrently(executions, DESCRIBED_AT_ONCE, async ({ execution, startTime, closeTime }) => {
    heartbeat();
    const id = execution?.workflowId ?? '';
    if (!id.startsWith(prefix)) return;
    const isOpen = closeTime === null || closeTime === undefined;
    const startedAt = Number(startTime?.seconds ?? 0) * 1000;
    if (isOpen && (now - startedAt < REGISTERS_WITHIN_MS || (await isUntouched(id)))) return;
    paymentIds.push(id.slice(prefix.length));
  });
  return { paymentIds, ...(nextPageToken.length > 0 && { next: Buffer.from(nextPageToken).toString('base64') }) };
}

/**
 * Whether the run itself says that it was written down. One that still waits for the store has done nothing, and after an outage
 * many of them do: to call them lost would have people stop the workers. Who does not answer is taken to be registered; what was
 * deleted since it was listed is no run any more.
 */
export async function isRegistered(paymentId: string): Promise<boolean> {
  const { client } = Context.current();
  try {
    const { serviceId, stage } = await client.withDeadline(Date.now() + QUERY_WITHIN_MS, () =>
      client.workflow.getHandle(workflowIdOf(paymentId)).query<PaymentProgress>(QUERIES.paymentProgress),
    );
    return serviceId !== '' || stage === 'closed';
  } catch (error) {
    return !(error instanceof WorkflowNotFoundError);
  }
}

/** Has done nothing, or was deleted since it was listed: the list of runs is a little behind. */
export async function isUntouched(workflowId: string): Promise<boolean> {
  try {
    const { historyLength } = await Context.current().client.workflow.getHandle(workflowId).describe();
    return historyLength <= UNTOUCHED_EVENTS;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
