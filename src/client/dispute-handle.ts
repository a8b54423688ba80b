import { WorkflowUpdateFailedError } from '@temporalio/client';
import { disputeWorkflowIdOf, QUERIES, UPDATES } from '../payment/contract';
import { isResolutionOf, type DisputeProgress, type DisputeResolution } from '../payment/dispute';
import type { Engine } from './engine';
import { DisputeNotFound, Refused } from './errors';
import { refusedUpdate } from './failures';
import { Run } from './run';
import type { BillDisputeHandle, Decision } from './types';

/** The dispute of one payment, found by the payment's id. */
export class DisputeHandle implements BillDisputeHandle {
  readonly #run: Run;

  constructor(
    readonly paymentId: string,
    engine: Engine,
  ) {
    this.#run = new Run(engine, disputeWorkflowIdOf(paymentId), (options) => new DisputeNotFound(paymentId, options));
  }

  async progress(): Promise<DisputeProgress> {
    return await this.#run.query<DisputeProgress>(QUERIES.disputeProgress);
  }

  async resolve({ requestId, ...resolution }: Decision & DisputeResolution): Promise<DisputeProgress> {
    try {
      const updated = await this.#run.update<DisputeProgress>(UPDATES.resolveDispute, resolution, requestId);
      if (updated.kind === 'answer') return updated.answer;
    } catch (error) {
      throw error instanceof WorkflowUpdateFailedError ? refusedUpdate(this.paymentId, error) : error;
    }
    return await this.#asResolvedBefore(resolution);
  }

  /** It had ended already: fine if by this very resolution, whose answer was lost, or which was sent twice. */
  async #asResolvedBefore(resolution: DisputeResolution): Promise<DisputeProgress> {
    const progress = await this.progress();
    const known = progress.resolution;
    if (known !== undefined && isResolutionOf(known, resolution)) return progress;
    throw new Refused(
      this.paymentId,
      known === undefined
        ? 'its dispute went on in another run meanwhile. Look at it and decide again.'
        : `its dispute was resolved already: ${known.operator} has recorded "${known.agreed}" at ${known.at}.`,
    );
  }
}
