import { concurrently } from '../payment/concurrently';
import { disputeWorkflowIdOf, QUERIES, SEARCH_ATTRIBUTES, UPDATES, WORKFLOWS, workflowIdOf } from '../payment/contract';
import type { DisputeProgress, DisputeResolution } from '../payment/dispute';
import type { PaymentProgress, Resolution } from '../payment/progress';
import { ATTENTION_REASONS, guideTo, THE_PROVIDER, type AskedFor } from '../payment/words';
import { grpcStatus, FAILED_PRECONDITION, isOutOfTime, type Engine } from './engine';

/** A payment or a dispute that needs attention: a person decides, or finds out. */
export interface AttentionItem {
  readonly kind: 'payment' | 'dispute';
  readonly paymentId: string;
  readonly reason: AskedFor;
  /** ISO 8601, UTC. From the list alone, when no worker tells: since the run was started. */
  readonly since: string;
  readonly service?: string;
  readonly amount?: number;
  readonly currency?: string;
  /** What is the case. Absent when no worker tells, and of all but the oldest 300, about which none is asked. */
  readonly known?: string;
  /** What a person does first. */
  readonly first: string;
  /** The updates that are open to them, as examples to be filled in. */
  readonly updates: readonly ExampleUpdate[];
}

export interface ExampleUpdate {
  readonly workflowId: string;
  readonly name: (typeof UPDATES)['resolvePayment' | 'resolveDispute'];
  readonly argument: Resolution | DisputeResolution;
}

/** So many are queried, the oldest: a query may have a busy worker replay the run, and nobody reads beyond them at once. */
export const MOST_ASKED = 300;

const NEEDS_ATTENTION = [
  'ExecutionStatus="Running"',
  `(${SEARCH_ATTRIBUTES.state.name}="NeedsAttention" OR WorkflowType="${WORKFLOWS.paymentDispute}")`,
].join(' AND ');

const LIST_MS = 60_000;
/** A worker that is alive answers in much less, also when it has to replay the run first. */
const QUERY_MS = 5_000;
const AT_ONCE = 8;

/** One line of the engine's list: all that is known without a worker. */
interface Listed {
  readonly kind: AttentionItem['kind'];
  readonly paymentId: string;
  readonly reason: AskedFor;
  readonly startedAt: string;
  readonly service?: string;
}

/** All that needs attention, oldest first. A worker adds what it knows; without one the list is there all the same. */
export async function listAttention(engine: Engine, mostAsked = MOST_ASKED): Promise<readonly AttentionItem[]> {
  const listed = [...(await list(engine))].sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  const items = listed.slice(mostAsked).map(withoutWorker);
  let silentInARow = 0;
  await concurrently(listed.slice(0, mostAsked), AT_ONCE, async (one) => {
    // A whole round without an answer: nobody is there, and the rest need not be asked.
    if (silentInARow >= AT_ONCE) return void items.push(withoutWorker(one));
    try {
      const told = await ask(engine, one);
      silentInARow = 0;
      if (told !== undefined) items.push(told);
    } catch (error) {
      if (isOutOfTime(error) || grpcStatus(error)?.code === FAILED_PRECONDITION) silentInARow += 1;
      items.push(withoutWorker(one));
    }
  });
  return items.sort((a, b) => a.since.localeCompare(b.since) || a.paymentId.localeCompare(b.paymentId));
}

async function list(engine: Engine): Promise<readonly Listed[]> {
  try {
    return await engine.bounded(
      async () => {
        const listed: Listed[] = [];
        for await (const run of engine.client.workflow.list({ query: NEEDS_ATTENTION })) {
          const isDispute = run.type === WORKFLOWS.paymentDispute;
          const prefix = isDispute ? disputeWorkflowIdOf('') : workflowIdOf('');
          const service = run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.service);
          listed.push({
            kind: isDispute ? 'dispute' : 'payment',
            paymentId: run.workflowId.slice(prefix.length),
            reason: isDispute ? 'disputed' : knownReason(run.typedSearchAttributes.get(SEARCH_ATTRIBUTES.reason)),
            startedAt: run.startTime.toISOString(),
            ...(service !== undefined && { service }),
          });
        }
        return listed;
      },
      { ms: LIST_MS },
    );
  } catch (error) {
    throw engine.trouble(error);
  }
}

/** Anybody may write a search attribute, and a newer worker may know more reasons: the plain one is never wrong. */
const knownReason = (text: string | undefined): AskedFor =>
  ATTENTION_REASONS.find((reason) => reason === text) ?? 'provider-silent';

/** Undefined: it has gone on meanwhile. */
async function ask(engine: Engine, one: Listed): Promise<AttentionItem | undefined> {
  const query = async <T>(workflowId: string, name: string): Promise<T> =>
    await engine.bounded(() => engine.client.workflow.getHandle(workflowId).query<T>(name), { ms: QUERY_MS });
  if (one.kind === 'dispute') {
    const dispute = await query<DisputeProgress>(disputeWorkflowIdOf(one.paymentId), QUERIES.disputeProgress);
    return dispute.resolution === undefined ? disputed(one, dispute) : undefined;
  }
  const progress = await query<PaymentProgress>(workflowIdOf(one.paymentId), QUERIES.paymentProgress);
  return progress.reason === undefined ? undefined : undecided(one, progress, knownReason(progress.reason));
}

function undecided(one: Listed, progress: PaymentProgress, reason: AskedFor): AttentionItem {
  const { paymentId, amount, currency, attentionSince, startedAt, serviceName, because } = progress;
  const service = serviceName ?? one.service;
  return {
    ...withoutWorker({ ...one, reason }),
    since: attentionSince ?? startedAt,
    // A payment that the store has never registered says nothing of itself.
    ...(amount > 0 && { amount, currency }),
    ...(service !== undefined && { service }),
    known: guideTo(reason, nameOf(progress)).known(because ?? progress.provider?.said ?? 'nothing yet'),
    first: guideTo(reason, nameOf(progress)).first,
    updates: updatesOf(paymentId, reason),
  };
}

const nameOf = ({ provider }: PaymentProgress): string => provider?.name ?? THE_PROVIDER;

function disputed(one: Listed, { raisedAt, because, recorded }: DisputeProgress): AttentionItem {
  return {
    ...withoutWorker(one),
    since: raisedAt,
    ...(recorded?.kind === 'paid' && { amount: recorded.amount, currency: recorded.currency }),
    known: guideTo('disputed', THE_PROVIDER).known(because),
  };
}

function withoutWorker({ kind, paymentId, reason, startedAt, service }: Listed): AttentionItem {
  return {
    kind,
    paymentId,
    reason,
    since: startedAt,
    ...(service !== undefined && { service }),
    first: guideTo(reason, THE_PROVIDER).first,
    updates: updatesOf(paymentId, reason),
  };
}

function updatesOf(paymentId: string, reason: AskedFor): readonly ExampleUpdate[] {
  if (reason === 'disputed') {
    const by = { operator: 'YOU', note: 'WHO AGREED, HOW' };
    return (['paid', 'not-paid'] as const).map((agreed) => ({
      workflowId: disputeWorkflowIdOf(paymentId),
      name: UPDATES.resolveDispute,
      argument: { agreed, ...by },
    }));
  }
  return guideTo(reason, THE_PROVIDER).decisions.map((argument) => ({
    workflowId: workflowIdOf(paymentId),
    name: UPDATES.resolvePayment,
    argument,
  }));
}
