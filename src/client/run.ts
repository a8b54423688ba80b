import { WorkflowUpdateFailedError, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { UPDATES } from '../payment/contract';
import { FAILED_PRECONDITION, grpcStatus, type Engine } from './engine';
import { EngineUnavailable, type BillPaymentError } from './errors';
import { applicationFailure } from './failures';

/** A decision asks the provider first (a look takes up to 10 s) and may wait for its turn. */
const UPDATE_MS = 60_000;
const UPDATE_ATTEMPTS = 3;

export type UpdateName = (typeof UPDATES)[keyof typeof UPDATES];

/** One workflow by its id: what is asked of it and sent to it, each call bounded, each error one of ours. */
export class Run {
  /** Without a run id: after a reset or another start the same payment goes on in another run. */
  readonly handle: WorkflowHandle;

  constructor(
    private readonly engine: Engine,
    workflowId: string,
    private readonly notFound: (options: ErrorOptions) => BillPaymentError,
  ) {
    this.handle = engine.client.workflow.getHandle(workflowId);
  }

  async describe(signal?: AbortSignal): Promise<WorkflowExecutionDescription> {
    try {
      return await this.engine.bounded(() => this.handle.describe(), { signal });
    } catch (error) {
      throw signal?.aborted ? error : this.trouble(error);
    }
  }

  async query<Answer>(name: string, signal?: AbortSignal): Promise<Answer> {
    try {
      return await this.engine.bounded(() => this.handle.query<Answer>(name), { signal });
    } catch (error) {
      throw signal?.aborted ? error : await this.#workerTrouble(error, signal);
    }
  }

  /**
   * Sends a command. `ended` when the run had ended before it could act: the engine says the same of a run that has ended and of
   * one that never was. A refusal comes as the engine's `WorkflowUpdateFailedError`.
   */
  async update<Answer>(
    name: UpdateName,
    argument: object,
    requestId: string | undefined,
  ): Promise<{ readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'ended'; readonly error: Error }> {
    // One request id may serve for two commands: an update id is one per run, whatever the update.
    const options = {
      args: [argument] as [object],
      ...(requestId === undefined ? {} : { updateId: `${name}:${requestId}` }),
    };
    try {
      return {
        kind: 'answer',
        answer: await this.engine.bounded(() => this.#execute<Answer>(name, options), { ms: UPDATE_MS }),
      };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { kind: 'ended', error };
      if (!(error instanceof WorkflowUpdateFailedError)) throw await this.#workerTrouble(error);
      if (completedMeanwhile(error)) return { kind: 'ended', error };
      throw error;
    }
  }

  /** What a failed call means. */
  trouble(error: unknown): unknown {
    return error instanceof WorkflowNotFoundError ? this.notFound({ cause: error }) : this.engine.trouble(error);
  }

  /**
   * A message that comes in just as the run ends makes the engine repeat the run's last task, and drop the update that was in it:
   * nothing of it is in the history, so it is sent again. If it has acted all the same, the store knows.
   */
  async #execute<Answer>(name: UpdateName, options: { args: [object]; updateId?: string }): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.handle.executeUpdate<Answer, [object]>(name, options);
      } catch (error) {
        if (attempt === UPDATE_ATTEMPTS || grpcStatus(error)?.code !== FAILED_PRECONDITION) throw error;
      }
    }
  }

  /** Only a worker can answer queries and updates: tells whether the worker or the server is missing. */
  async #workerTrouble(error: unknown, signal?: AbortSignal): Promise<unknown> {
    const trouble = this.trouble(error);
    if (!(trouble instanceof EngineUnavailable)) return trouble;
    try {
      await this.describe(signal);
    } catch (why) {
      return why;
    }
    return this.engine.trouble(error, 'worker');
  }
}

/** How the engine fails an update whose workflow completed before it did. */
const completedMeanwhile = (error: WorkflowUpdateFailedError): boolean =>
  applicationFailure(error)?.type === 'AcceptedUpdateCompletedWorkflow';
