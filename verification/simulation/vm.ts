/** The workflow VM in the simulation's own words: what goes into an activation and what comes out. `sdk-internals.ts` translates. */

/** A failure as the wire has it. Made and read by `sdk-internals.ts` alone. */
export type WireFailure = object;

export type ActivityResult =
  { readonly kind: 'completed'; readonly value: unknown } | { readonly kind: 'failed'; readonly failure: WireFailure };

/** One job of an activation. */
export type Job =
  | { readonly kind: 'start'; readonly input: unknown }
  | { readonly kind: 'signal'; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'update';
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      /** False on replay: what was accepted stays accepted. */
      readonly validate: boolean;
    }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'timer-fired'; readonly seq: number }
  | { readonly kind: 'activity-done'; readonly seq: number; readonly isLocal: boolean; readonly result: ActivityResult }
  /** On replay, before anything else: what was recorded here took this patch. */
  | { readonly kind: 'has-patch'; readonly patch: string }
  /** After a reset. */
  | { readonly kind: 'new-seed'; readonly seed: number };

export interface Activation {
  /** Epoch ms: what `Date.now()` says inside. */
  readonly at: number;
  readonly jobs: readonly Job[];
  readonly isReplaying: boolean;
  readonly historyLength: number;
  /** Of the SDK's ways of doing things, those that the run's history uses. */
  readonly flags: readonly number[];
}

export interface ActivityOptions {
  readonly startToCloseMs: number;
  readonly scheduleToCloseMs?: number;
  readonly heartbeatMs?: number;
  readonly retry: {
    readonly initialMs: number;
    readonly coefficient: number;
    readonly maximumMs: number;
    /** 0: any number. */
    readonly attempts: number;
  };
}

export type Command =
  | {
      readonly kind: 'activity';
      readonly isLocal: boolean;
      readonly seq: number;
      readonly type: string;
      readonly input: readonly unknown[];
      readonly options: ActivityOptions;
    }
  | { readonly kind: 'start-timer'; readonly seq: number; readonly ms: number }
  | { readonly kind: 'cancel-timer'; readonly seq: number }
  | { readonly kind: 'complete'; readonly value: unknown }
  | { readonly kind: 'fail'; readonly type: string; readonly message: string }
  | { readonly kind: 'attributes'; readonly values: Readonly<Record<string, unknown>> }
  /** The marker of `patched`: from here on the history is that of the newer code. */
  | { readonly kind: 'patched'; readonly patch: string }
  | { readonly kind: 'update-accepted'; readonly id: string }
  | { readonly kind: 'update-rejected'; readonly id: string; readonly message: string }
  | { readonly kind: 'update-completed'; readonly id: string; readonly value: unknown };

export type Completion =
  | { readonly kind: 'ok'; readonly commands: readonly Command[]; readonly flags: readonly number[] }
  /** The workflow task fails: a bug of the workflow, always. */
  | { readonly kind: 'failed'; readonly message: string };

export interface RunInfo {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly runId: string;
  /** Of the run that was reset, or of this one. */
  readonly originalRunId: string;
  readonly startTime: number;
  readonly seed: number;
}

/** One run in the cache of one worker. */
export interface WorkflowInstance {
  activate(activation: Activation): Promise<Completion>;
  query(name: string): Promise<unknown>;
  dispose(): Promise<void>;
}

export interface WorkflowVm {
  create(info: RunInfo): Promise<WorkflowInstance>;
  destroy(): Promise<void>;
}
