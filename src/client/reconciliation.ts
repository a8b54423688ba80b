import { randomUUID } from 'node:crypto';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type ScheduleDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { TASK_QUEUE, WORKFLOWS } from '../payment/contract';
import { RECONCILIATION_ID, type ReconcileRequest, type ReconciliationReport } from '../payment/reconciliation-window';
import { isOutOfTime, type Engine } from './engine';
import { InvalidRequest, ReconciliationFailed } from './errors';
import { applicationFailure, failedQuestion } from './failures';

/** Between two looks whether a worker has taken it up: a large store takes many minutes. */
const LOOK_EVERY_MS = 10_000;
/** Each begins where the last complete one ends, so what was missed for longer needs no catching up. */
const CATCH_UP_MS = 600_000;
const SHORTEST_MS = 60_000;
/** Whole seconds: the server rounds. */
const LONGEST_MS = 86_400_000;

export interface ReconciliationSchedule {
  readonly id: string;
  readonly everyMs: number;
  readonly paused: boolean;
  /** ISO 8601, UTC. */
  readonly nextAt?: string;
}

export type AppliedSchedule = ReconciliationSchedule & { readonly change: 'created' | 'updated' | 'unchanged' };

/** How the newest reconciliation that has ended went. */
export type LastReconciliation =
  | ({ readonly kind: 'reported' } & ReconciliationReport)
  /** It ended without a report. The message says why, and what to do. */
  | { readonly kind: 'failed'; readonly message: string };

/** A run that continues as new has not ended. */
const ENDED = [
  `WorkflowType="${WORKFLOWS.reconcilePayments}"`,
  'ExecutionStatus IN ("Completed","Failed","TimedOut","Terminated","Canceled")',
].join(' AND ');
/** Nearly always the first is the one. */
const ENDED_PAGE = 10;

/** Comparing store, runs and provider: once, or by a schedule. */
export class Reconciliation {
  constructor(private readonly engine: Engine) {}

  /**
   * Compares now and waits for the report, for as long as it takes. One that runs beside another is harmless.
   * @throws InvalidRequest | ReconciliationFailed | EngineUnavailable
   */
  async run(request: ReconcileRequest = {}): Promise<ReconciliationReport> {
    const { client } = this.engine;
    const workflowId = `${RECONCILIATION_ID}-${new Date().toISOString()}-${randomUUID().slice(0, 4)}`;
    try {
      const run = await this.engine.bounded(() =>
        client.workflow.start(WORKFLOWS.reconcilePayments, { taskQueue: TASK_QUEUE, workflowId, args: [request] }),
      );
      return await this.#reportOf(run);
    } catch (error) {
      throw error instanceof WorkflowFailedError ? failedRun(workflowId, error) : this.engine.trouble(error);
    }
  }

  /** The newest one that has ended, whoever has started it. Undefined: there was none yet. @throws EngineUnavailable */
  async last(): Promise<LastReconciliation | undefined> {
    const { workflow } = this.engine.client;
    try {
      return await this.engine.bounded(async () => {
        // The engine lists what was closed last first.
        for await (const { workflowId, runId } of workflow.list({ query: ENDED, pageSize: ENDED_PAGE })) {
          const end = await endOf(workflow.getHandle(workflowId, runId, { followRuns: false }));
          if (end !== undefined) return end;
        }
        return undefined;
      });
    } catch (error) {
      throw this.engine.trouble(error);
    }
  }

  /** The schedule as it should be, whatever it was; a pause stays. @throws InvalidRequest | EngineUnavailable */
  async applySchedule(everyMs: number): Promise<AppliedSchedule> {
    if (!(everyMs >= SHORTEST_MS && everyMs <= LONGEST_MS && everyMs % 1_000 === 0))
      throw new InvalidRequest([{ field: 'every', problem: 'must be whole seconds, from one minute to one day' }]);
    try {
      return await this.#apply(everyMs).catch((error: unknown) => {
        // Somebody else has created it meanwhile.
        if (error instanceof ScheduleAlreadyRunning) return this.#apply(everyMs);
        throw error;
      });
    } catch (error) {
      throw this.engine.trouble(error);
    }
  }

  /** Undefined: there is none. @throws EngineUnavailable */
  async schedule(): Promise<ReconciliationSchedule | undefined> {
    try {
      const found = await this.#describe();
      return found && scheduleOf(found);
    } catch (error) {
      throw this.engine.trouble(error);
    }
  }

  async #apply(everyMs: number): Promise<AppliedSchedule> {
    const { schedule } = this.engine.client;
    const found = await this.#describe();
    if (found === undefined)
      await this.engine.bounded(() => schedule.create({ scheduleId: RECONCILIATION_ID, ...wanted(everyMs) }));
    else if (isAsWanted(found, everyMs)) return { ...scheduleOf(found), change: 'unchanged' };
    else
      await this.engine.bounded(() =>
        schedule.getHandle(RECONCILIATION_ID).update(({ state }) => ({ ...wanted(everyMs), state })),
      );
    const now = await this.#describe();
    return {
      ...(now ? scheduleOf(now) : { id: RECONCILIATION_ID, everyMs, paused: false }),
      change: found === undefined ? 'created' : 'updated',
    };
  }

  async #describe(): Promise<ScheduleDescription | undefined> {
    try {
      return await this.engine.bounded(() => this.engine.client.schedule.getHandle(RECONCILIATION_ID).describe());
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }

  async #reportOf(run: WorkflowHandle): Promise<ReconciliationReport> {
    for (;;) {
      try {
        return await this.engine.bounded<ReconciliationReport>(() => run.result() as Promise<ReconciliationReport>, {
          ms: LOOK_EVERY_MS,
        });
      } catch (error) {
        if (!isOutOfTime(error)) throw error;
        if (!(await this.engine.isTakenUp(run))) throw this.engine.trouble(error, 'worker');
      }
    }
  }
}

/** Undefined: it says nothing, because it is forgotten by now, or was asked for with a wrong argument. */
async function endOf(run: WorkflowHandle): Promise<LastReconciliation | undefined> {
  try {
    return { kind: 'reported', ...((await run.result()) as ReconciliationReport) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (!(error instanceof WorkflowFailedError)) throw error;
    const failed = failedRun(run.workflowId, error);
    return failed instanceof InvalidRequest ? undefined : { kind: 'failed', message: failed.message };
  }
}

function failedRun(workflowId: string, error: WorkflowFailedError): InvalidRequest | ReconciliationFailed {
  const failed = failedQuestion(error);
  if (failed instanceof InvalidRequest) return failed;
  const because = error.cause instanceof TimeoutFailure ? 'it ran out of time' : applicationFailure(error)?.message;
  return new ReconciliationFailed(workflowId, because, { cause: error });
}

const wanted = (everyMs: number) => ({
  spec: { intervals: [{ every: everyMs }] },
  action: {
    type: 'startWorkflow' as const,
    workflowType: WORKFLOWS.reconcilePayments,
    workflowId: RECONCILIATION_ID,
    taskQueue: TASK_QUEUE,
    args: [{}] as [ReconcileRequest],
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
});

function isAsWanted({ spec, action, policies }: ScheduleDescription, everyMs: number): boolean {
  const { intervals = [], calendars = [], skip = [] } = spec;
  return (
    intervals.length === 1 &&
    intervals[0]?.every === everyMs &&
    // Absent, whatever its type says, when there is none.
    !intervals[0].offset &&
    calendars.length === 0 &&
    skip.length === 0 &&
    action.workflowType === WORKFLOWS.reconcilePayments &&
    action.workflowId === RECONCILIATION_ID &&
    action.taskQueue === TASK_QUEUE &&
    JSON.stringify(action.args) === '[{}]' &&
    policies.overlap === ScheduleOverlapPolicy.SKIP &&
    policies.catchupWindow === CATCH_UP_MS
  );
}

function scheduleOf({ scheduleId, spec, state, info }: ScheduleDescription): ReconciliationSchedule {
  const next = info.nextActionTimes[0];
  return {
    id: scheduleId,
    everyMs: spec.intervals?.[0]?.every ?? 0,
    paused: state.paused,
    ...(next !== undefined && { nextAt: next.toISOString() }),
  };
}
