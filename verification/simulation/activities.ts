import type { Agenda } from './agenda';
import type { Random } from './random';
import { cancelAll, type OpenTask, type PendingActivity, type Run } from './runs';
import { activityFailure, failureOf, timeoutFailure } from './sdk-internals';
import type { ActivityResult, Command, Job, WireFailure } from './vm';
import type { Worker, Workers } from './workers';

/** How the server and core run activities: attempts, time-outs, retries. What an attempt does is somebody else's. */

export type AttemptEnd =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'error'; readonly error: unknown };

/** One attempt on one worker. */
export interface Attempt {
  /** It asked for a timer to beat with; without, a heartbeat time-out comes for sure. */
  readonly beats: boolean;
  /** Its worker has heard that nobody waits for it any longer. */
  cancel(): Promise<void>;
}

export interface AttemptOrder {
  readonly run: Run;
  readonly command: Extract<Command, { kind: 'activity' }>;
  readonly attempt: number;
  /** When the activity was scheduled, by the engine's clock. */
  readonly scheduledAt: number;
  readonly worker: Worker;
  readonly onEnd: (end: AttemptEnd) => void;
}

export interface ActivityParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly workers: Workers;
  readonly trace: (line: string) => void;
  readonly execute: (order: AttemptOrder) => Attempt;
  /** A regular activity has ended: an event of the run. */
  readonly onDone: (run: Run, job: Job) => void;
  readonly onLocalDone: (run: Run, task: OpenTask, job: Extract<Job, { kind: 'activity-done' }>) => Promise<void>;
}

interface Running {
  readonly worker: Worker;
  readonly attempt: Attempt;
  readonly run: Run;
  readonly pending: PendingActivity;
  isCurrent: boolean;
}

/** An abandoned attempt hears of it with its next beat. */
const NEXT_BEAT = 1_000;

export class Activities {
  readonly #running = new Set<Running>();

  constructor(private readonly parts: ActivityParts) {}

  /** A regular activity, from the moment its task is recorded. */
  schedule(run: Run, command: Extract<Command, { kind: 'activity' }>, scheduledAt: number): void {
    const { agenda } = this.parts;
    const deadline = scheduledAt + (command.options.scheduleToCloseMs ?? Infinity);
    const pending: PendingActivity = { command, scheduledAt, deadline, appointments: [], attempt: 0 };
    run.activities.set(command.seq, pending);
    if (Number.isFinite(deadline))
      pending.appointments.push(
        agenda.after(deadline - agenda.now, () =>
          this.#finish(run, pending, this.#failed(command, timeoutFailure('schedule-to-close'))),
        ),
      );
    this.#dispatch(run, pending, this.parts.random.pick([0, 5, 50, 1_000]));
  }

  /** The run is over: its results are nobody's any more, and those that beat hear of it. */
  abandon(run: Run): void {
    for (const { appointments } of run.activities.values()) cancelAll(appointments);
    run.activities.clear();
    for (const running of this.#running) if (running.run === run) this.#orphan(running);
  }

  /** Its attempts beat no more. */
  silent(worker: Worker): void {
    const { agenda } = this.parts;
    for (const running of this.#running) {
      const { heartbeatMs } = running.pending.command.options;
      if (running.worker !== worker || heartbeatMs === undefined || !running.isCurrent) continue;
      agenda.after(heartbeatMs, () => {
        if (!worker.isUp) this.#timeOut(running, 'heartbeat');
      });
    }
  }

  /** Local activities run inside the workflow task, on its worker; their results are recorded with it or not at all. */
  startLocal(run: Run, task: OpenTask, command: Extract<Command, { kind: 'activity' }>): void {
    this.#tryLocal({ run, task, command }, 1);
  }

  #dispatch(run: Run, pending: PendingActivity, delay: number): void {
    const { agenda, workers } = this.parts;
    pending.appointments.push(
      agenda.after(delay, () => {
        const worker = workers.anyUp();
        if (worker === undefined) this.#dispatch(run, pending, 1_000);
        else this.#start(run, pending, worker);
      }),
    );
  }

  #start(run: Run, pending: PendingActivity, worker: Worker): void {
    const { agenda, trace, execute } = this.parts;
    const { command } = pending;
    pending.attempt += 1;
    trace(`${run.runId} ${command.type} attempt ${pending.attempt} begins on ${worker.name}`);
    const order = { run, command, attempt: pending.attempt, scheduledAt: pending.scheduledAt, worker };
    const attempt = execute({ ...order, onEnd: (end) => this.#ended(running, end) });
    const running: Running = { worker, attempt, run, pending, isCurrent: true };
    this.#running.add(running);
    const { startToCloseMs, heartbeatMs } = command.options;
    pending.appointments.push(agenda.after(startToCloseMs, () => this.#timeOut(running, 'start-to-close')));
    if (heartbeatMs !== undefined)
      pending.appointments.push(
        agenda.after(heartbeatMs, () => {
          if (!attempt.beats || !worker.isUp) this.#timeOut(running, 'heartbeat');
        }),
      );
  }

  #ended(running: Running, end: AttemptEnd): void {
    this.#running.delete(running);
    if (!running.isCurrent) return;
    const { run, pending } = running;
    if (end.kind === 'value') return this.#finish(run, pending, { kind: 'completed', value: end.value ?? null });
    const { failure, message, retryable, nextRetryMs } = failureOf(end.error);
    this.parts.trace(`${run.runId} ${pending.command.type} attempt ${pending.attempt} failed: ${message}`);
    this.#retry(run, pending, failure, retryable, nextRetryMs);
  }

  #timeOut(running: Running, kind: 'start-to-close' | 'heartbeat'): void {
    if (!running.isCurrent) return;
    const { run, pending } = running;
    this.parts.trace(`${run.runId} ${pending.command.type} attempt ${pending.attempt}: ${kind} time-out`);
    this.#orphan(running);
    this.#retry(run, pending, timeoutFailure(kind), true, undefined);
  }

  #orphan(running: Running): void {
    running.isCurrent = false;
    const { agenda } = this.parts;
    const { worker, attempt } = running;
    if (attempt.beats) agenda.after(Math.max(0, worker.stalledUntil - agenda.now) + NEXT_BEAT, () => attempt.cancel());
  }

  #retry(run: Run, pending: PendingActivity, failure: WireFailure, retryable: boolean, nextRetryMs?: number): void {
    const { command, attempt, deadline, appointments } = pending;
    const { retry } = command.options;
    const delay = nextRetryMs ?? Math.min(retry.initialMs * retry.coefficient ** (attempt - 1), retry.maximumMs);
    const isLast = !retryable || (retry.attempts > 0 && attempt >= retry.attempts);
    if (isLast || this.parts.agenda.now + delay > deadline)
      return this.#finish(run, pending, this.#failed(command, failure));
    // The schedule-to-close time-out stays; those of the attempt are over.
    cancelAll(appointments.slice(Number.isFinite(deadline) ? 1 : 0));
    this.#dispatch(run, pending, delay);
  }

  #failed(command: PendingActivity['command'], failure: WireFailure): ActivityResult {
    return { kind: 'failed', failure: activityFailure(command.type, failure) };
  }

  #finish(run: Run, pending: PendingActivity, result: ActivityResult): void {
    const { seq } = pending.command;
    if (run.activities.get(seq) !== pending) return;
    cancelAll(pending.appointments);
    run.activities.delete(seq);
    for (const running of this.#running) if (running.pending === pending) this.#orphan(running);
    this.parts.onDone(run, { kind: 'activity-done', seq, isLocal: false, result });
  }

  #tryLocal(local: Local, attempt: number): void {
    const { agenda, execute, onLocalDone } = this.parts;
    const { run, task, command } = local;
    const { worker } = task;
    if (!worker.isAlive) return;
    if (!worker.isUp) {
      agenda.after(worker.stalledUntil - agenda.now, () => this.#tryLocal(local, attempt));
      return;
    }
    let isCurrent = true;
    const job = { kind: 'activity-done', seq: command.seq, isLocal: true } as const;
    /** Its worker tells its workflow, when it is there to do so. */
    const done = (result: ActivityResult): void => {
      agenda.after(Math.max(0, worker.stalledUntil - agenda.now), () => {
        if (worker.isAlive) return worker.isUp ? onLocalDone(run, task, { ...job, result }) : done(result);
      });
    };
    const failed = (failure: WireFailure, retryable: boolean, inEnvelope: boolean): void => {
      const { retry } = command.options;
      if (retryable && (retry.attempts === 0 || attempt < retry.attempts)) {
        const delay = Math.min(retry.initialMs * retry.coefficient ** (attempt - 1), retry.maximumMs);
        agenda.after(delay, () => this.#tryLocal(local, attempt + 1));
        return;
      }
      done({ kind: 'failed', failure: inEnvelope ? activityFailure(command.type, failure) : failure });
    };
    const timeOut = agenda.after(command.options.startToCloseMs, () => {
      isCurrent = false;
      failed(timeoutFailure('start-to-close'), true, true);
      return running.cancel();
    });
    const running = execute({
      run,
      command,
      attempt,
      scheduledAt: agenda.now,
      worker,
      onEnd: (end) => {
        if (!isCurrent) return;
        timeOut.cancelled = true;
        if (end.kind === 'value') return done({ kind: 'completed', value: end.value ?? null });
        const { failure, retryable } = failureOf(end.error);
        failed(failure, retryable, false);
      },
    });
  }
}

interface Local {
  readonly run: Run;
  readonly task: OpenTask;
  readonly command: Extract<Command, { kind: 'activity' }>;
}
