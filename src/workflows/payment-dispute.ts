import {
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURES, QUERIES, SEARCH_ATTRIBUTES, UPDATES } from '../payment/contract';
import {
  disputeProblems,
  isResolutionOf,
  type DisputeProgress,
  type DisputeReading,
  type DisputeResolution,
  type PaymentDispute,
  type PaymentDisputeOutcome,
  type RecordedResolution,
} from '../payment/dispute';
import { disputeResolutionProblem } from '../payment/update-forms';
import { readDispute, recordResolution } from './activities';
import { untilStored, type WaitsForStore } from './until-stored';
import { disputeDetails, resolvedSummary, type DisputeView } from './dispute-details';
import { refusal, refuseIf, thisUpdate, uncancelled } from './updates';

export const disputeProgress = defineQuery<DisputeProgress>(QUERIES.disputeProgress);
export const resolveDispute = defineUpdate<DisputeProgress, [DisputeResolution]>(UPDATES.resolveDispute);

type Known = Extract<DisputeReading, { kind: 'raised' }>;

/**
 * A closed payment that something authentic contradicts: shows it until people have agreed on what was true, and
 * records that. It never changes an outcome. What it was started with is checked and shown; what it acts on is the store's.
 */
export async function paymentDispute(input: PaymentDispute): Promise<PaymentDisputeOutcome> {
  const problems = disputeProblems(input, workflowInfo().workflowId);
  if (problems.length > 0)
    throw invalid(problems.map(({ field, problem }) => `${field} ${problem}`).join('; '), problems);
  const dispute = new Dispute(input);
  const cancelRequested = CancellationScope.current().cancelRequested;
  // A contradiction does not go away by a cancellation.
  return await CancellationScope.nonCancellable(async () => {
    handleMessages(dispute, cancelRequested);
    const reading = await untilStored(dispute, () => readDispute({ paymentId: input.paymentId }));
    if (reading.kind === 'none') throw invalid(`Payment ${input.paymentId} is not disputed: nothing was raised`, []);
    dispute.learn(reading);
    await condition(() => dispute.resolution !== undefined && allHandlersFinished());
    return dispute.outcome();
  });
}

function handleMessages(dispute: Dispute, cancelRequested: Promise<never>): void {
  setHandler(disputeProgress, () => dispute.progress(), {
    description: 'What is disputed, what is recorded, and what was agreed.',
  });
  setHandler(resolveDispute, (resolution) => uncancelled(() => resolve(dispute, resolution)), {
    description:
      'Say what was agreed about the bill: {"agreed":"paid"|"not-paid","operator","note","providerCase"?}. Changes no outcome.',
    validator: (resolution) => {
      refuseIf(disputeResolutionProblem(resolution));
      if (dispute.known === undefined) throw refusal('The record is being read. Try again in a moment.');
      if (dispute.deciding !== undefined)
        throw refusal(`${dispute.deciding.operator} has decided already; it is being written down.`);
      if (dispute.resolution !== undefined) throw refusal(resolvedAlready(dispute.resolution));
    },
  });
  cancelRequested.catch(() => {
    dispute.cancelAsked = true;
    dispute.refresh();
  });
}

async function resolve(dispute: Dispute, resolution: DisputeResolution): Promise<DisputeProgress> {
  const { paymentId } = dispute.input;
  dispute.deciding = resolution;
  const result = await untilStored(dispute, () => recordResolution({ paymentId, resolution, ...thisUpdate() }));
  dispute.deciding = undefined;
  if (result.kind === 'refused') throw refusal(result.because);
  if (result.kind === 'none')
    throw refusal('The store does not know this dispute any more; was it restored? Nothing was recorded.');
  dispute.resolveAs(result.resolution);
  // Another run was first, and its resolution ends this one too; whoever decided here must hear that it was not theirs.
  if (!isResolutionOf(result.resolution, resolution)) throw refusal(resolvedAlready(result.resolution));
  return dispute.progress();
}

const resolvedAlready = ({ agreed, operator, at }: RecordedResolution): string =>
  `It was resolved already: ${operator} has recorded "${agreed}" at ${at.slice(0, 16).replace('T', ' ')} UTC.`;

const invalid = (message: string, problems: readonly object[]): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`${message}. Disputes are opened by the system.`, FAILURES.invalidRequest, [
    ...problems,
  ]);

/** What the flow and its handlers share. Exists before the first await. */
class Dispute implements DisputeView, WaitsForStore {
  known: Known | undefined;
  storeAway: DisputeView['storeAway'];
  cancelAsked = false;
  /** What is being written down. */
  deciding: DisputeResolution | undefined;
  /** Nothing else asks for a person here: the store is told of as soon as it is slow. */
  readonly attentionAt = workflowInfo().startTime.getTime();

  constructor(readonly input: PaymentDispute) {
    this.refresh();
  }

  get resolution(): RecordedResolution | undefined {
    return this.known?.resolution;
  }

  learn(known: Known): void {
    this.known = known;
    this.publish('disputed');
  }

  resolveAs(resolution: RecordedResolution): void {
    if (this.known !== undefined) this.known = { ...this.known, resolution };
    this.refresh();
  }

  storeIsAway(because: string): void {
    if (this.storeAway === undefined) this.publish('store-unavailable');
    this.storeAway = { because: because.slice(0, 200), since: this.storeAway?.since ?? Date.now() };
    this.refresh();
  }

  storeAnswered(): void {
    if (this.storeAway === undefined) return;
    this.storeAway = undefined;
    this.publish('disputed');
  }

  progress(): DisputeProgress {
    const { paymentId, raisedBy, because, raisedAt } = this.known?.dispute ?? this.input;
    return {
      ...{ paymentId, raisedBy, because, raisedAt },
      ...(this.known && { recorded: this.known.recorded }),
      ...(this.resolution && { resolution: this.resolution }),
    };
  }

  outcome(): PaymentDisputeOutcome {
    if (this.known?.resolution === undefined) throw new Error('the dispute is not resolved yet');
    const { recorded, resolution } = this.known;
    const { agreed, operator, note, at } = resolution;
    const { paymentId } = this.input;
    return { paymentId, agreed, operator, note, resolvedAt: at, summary: resolvedSummary(recorded, resolution) };
  }

  refresh(): void {
    setCurrentDetails(disputeDetails(this));
  }

  private publish(reason: 'disputed' | 'store-unavailable'): void {
    const serviceName = this.known?.serviceName;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: 'Disputed' },
      { key: SEARCH_ATTRIBUTES.reason, value: reason },
      ...(serviceName === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.service, value: serviceName }]),
    ]);
    this.refresh();
  }
}
