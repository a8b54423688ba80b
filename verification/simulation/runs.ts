import type { Appointment } from './agenda';
import type { Command, Job, WorkflowInstance } from './vm';
import type { Worker } from './workers';

/** What the simulated server keeps of a run. */

export interface RecordedActivation {
  readonly at: number;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
}

/** A completed workflow task: what a replay feeds, and where a reset may cut. */
export interface RecordedTask {
  readonly jobs: readonly Job[];
  readonly activations: readonly RecordedActivation[];
}

/** The workflow task that is under way. */
export interface OpenTask {
  readonly jobs: readonly Job[];
  readonly worker: Worker;
  readonly activations: RecordedActivation[];
  /** Local activities that are not done yet, by their number. */
  readonly locals: Set<number>;
}

export type RunEnd =
  | { readonly kind: 'completed'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly type: string; readonly message: string }
  | { readonly kind: 'terminated' };

export interface PendingActivity {
  readonly command: Extract<Command, { kind: 'activity' }>;
  readonly scheduledAt: number;
  readonly deadline: number;
  /** Of retries and time-outs; all are cancelled when it ends. */
  readonly appointments: Appointment[];
  attempt: number;
}

export class Run {
  readonly history: RecordedTask[] = [];
  /** What happened since the last task began, oldest first. */
  pending: Job[] = [];
  task: OpenTask | undefined;
  isWaking = false;
  /** Its last task was lost. */
  isRedone = false;
  cached: { readonly instance: WorkflowInstance; readonly worker: Worker } | undefined;
  end: RunEnd | undefined;
  readonly activities = new Map<number, PendingActivity>();
  readonly timers = new Map<number, Appointment>();
  /** What its history says of the SDK that made it. */
  readonly flags = new Set<number>();
  /** Search attributes: what everybody sees. */
  visible: Readonly<Record<string, unknown>> = {};
  /** Updates that were asked for, and what came of them. */
  readonly updates = new Map<string, 'asked' | 'accepted' | 'rejected' | 'completed' | 'lost'>();

  constructor(
    readonly runId: string,
    readonly originalRunId: string,
    readonly startTime: number,
    readonly seed: number,
    readonly input: unknown,
  ) {}

  get isOpen(): boolean {
    return this.end === undefined;
  }
}

type ActivityCommand = Extract<Command, { kind: 'activity' }>;

/** What a history leaves open: started, and neither done nor cancelled in it. */
export function openIn(history: readonly RecordedTask[], next: readonly Job[]) {
  const timers = new Map<number, number>();
  const activities = new Map<number, { readonly command: ActivityCommand; readonly at: number }>();
  const locals = new Map<number, ActivityCommand>();
  const apply = (jobs: readonly Job[]): void => {
    for (const job of jobs) {
      if (job.kind === 'timer-fired') timers.delete(job.seq);
      if (job.kind === 'activity-done') (job.isLocal ? locals : activities).delete(job.seq);
    }
  };
  for (const { activations } of history) {
    for (const { at, jobs, commands } of activations) {
      apply(jobs);
      for (const command of commands) {
        if (command.kind === 'start-timer') timers.set(command.seq, at + command.ms);
        if (command.kind === 'cancel-timer') timers.delete(command.seq);
        if (command.kind === 'activity' && command.isLocal) locals.set(command.seq, command);
        if (command.kind === 'activity' && !command.isLocal) activities.set(command.seq, { command, at });
      }
    }
  }
  apply(next);
  return { timers, activities, locals };
}

export const cancelAll = (appointments: Iterable<Appointment>): void => {
  for (const appointment of appointments) appointment.cancelled = true;
};
