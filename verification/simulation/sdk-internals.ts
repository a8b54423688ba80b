import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import {
  defaultFailureConverter,
  defaultPayloadConverter,
  ensureApplicationFailure,
  TypedSearchAttributes,
} from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time';
import { coresdk, type temporal } from '@temporalio/proto';
import type * as workerModule from '@temporalio/worker/lib/worker';
import type { ReusableVMWorkflowCreator as Creator } from '@temporalio/worker/lib/workflow/reusable-vm';
import type * as reusableVmModule from '@temporalio/worker/lib/workflow/reusable-vm';
import type {
  Activation,
  ActivityOptions,
  ActivityResult,
  Command,
  Job,
  RunInfo,
  WireFailure,
  WorkflowInstance,
  WorkflowVm,
} from './vm';

/**
 * The one file that knows the SDK from the inside: the worker's own workflow VM, driven activation by activation, and the wire
 * format it speaks. None of it is public, so an upgrade of the SDK stops here with a clear message.
 */

const WRITTEN_FOR = '1.24.0';

interface Internals {
  readonly parseWorkflowCode: typeof workerModule.parseWorkflowCode;
  readonly ReusableVMWorkflowCreator: typeof reusableVmModule.ReusableVMWorkflowCreator;
}

/**
 * Loaded only now, so that a part that has moved is told as such and not as a missing module.
 * @throws Error when the SDK is another version than the one this was written for, or has another shape
 */
export function knownSdk(version = installedVersion(), load: (path: string) => unknown = require): Internals {
  if (version !== WRITTEN_FOR) throw unknownSdk(`found ${version}`);
  try {
    const { parseWorkflowCode } = load('@temporalio/worker/lib/worker') as typeof workerModule;
    const { ReusableVMWorkflowCreator } = load(
      '@temporalio/worker/lib/workflow/reusable-vm',
    ) as typeof reusableVmModule;
    if (typeof parseWorkflowCode === 'function' && typeof ReusableVMWorkflowCreator === 'function')
      return { parseWorkflowCode, ReusableVMWorkflowCreator };
  } catch (error) {
    throw unknownSdk('cannot load them', error);
  }
  throw unknownSdk('does not find them');
}

const unknownSdk = (problem: string, cause?: unknown): Error =>
  new Error(
    `The simulation drives the SDK's workflow VM by parts that are not public; it was written for ${WRITTEN_FOR} and ${problem}. Check ` +
      "`ReusableVMWorkflowCreator`, `BaseVMWorkflow.activate`, `createWorkflow` and `parseWorkflowCode` of @temporalio/worker's lib against " +
      'verification/simulation/sdk-internals.ts, run `npx jest test/verification/simulation`, then raise the version there.',
    { cause },
  );

function installedVersion(): string {
  const path = require.resolve('@temporalio/worker/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

export async function loadWorkflows(code: string, activityNames: readonly string[]): Promise<WorkflowVm> {
  const { parseWorkflowCode, ReusableVMWorkflowCreator } = knownSdk();
  const bundle = parseWorkflowCode(code);
  const script = new vm.Script(bundle.code, { filename: bundle.filename });
  // Not by `create`: it installs promise hooks for stack traces, and a watchdog thread for every call costs more than the call.
  const creator = new ReusableVMWorkflowCreator(script, bundle, undefined as unknown as number, new Set(activityNames));
  return {
    create: (info) => createInstance(creator, info),
    destroy: async () => {
      // As `destroy` does, without the handlers that were never installed.
      vm.runInContext('__TEMPORAL__.api.destroy()', (creator as unknown as { context: vm.Context }).context);
    },
  };
}

async function createInstance(creator: Creator, info: RunInfo): Promise<WorkflowInstance> {
  const startTime = new Date(info.startTime);
  const workflow = await creator.createWorkflow({
    info: {
      workflowId: info.workflowId,
      runId: info.runId,
      workflowType: info.workflowType,
      searchAttributes: {},
      typedSearchAttributes: new TypedSearchAttributes(),
      taskQueue: 'bill-payments',
      namespace: 'default',
      firstExecutionRunId: info.originalRunId,
      originalExecutionRunId: info.originalRunId,
      startTime,
      runStartTime: startTime,
      taskTimeoutMs: 10_000,
      attempt: 1,
      historyLength: 3,
      historySize: 300,
      continueAsNewSuggested: false,
      targetWorkerDeploymentVersionChanged: false,
      unsafe: {
        now: () => info.startTime,
        isReplaying: false,
        isReplayingHistoryEvents: false,
        random: Math.random,
      } as never,
    },
    randomnessSeed: longOf(info.seed).toBytes(),
    now: info.startTime,
    showStackTraceSources: false,
  });
  return {
    async activate(activation) {
      const answer = await workflow.activate(toActivation(info, activation));
      const { successful, failed } = answer;
      if (successful === undefined || successful === null)
        return { kind: 'failed', message: failed?.failure?.message ?? 'the activation failed without a message' };
      const { commands, usedInternalFlags } = successful;
      return { kind: 'ok', commands: (commands ?? []).map(toCommand), flags: usedInternalFlags ?? [] };
    },
    async query(name) {
      const job = { queryWorkflow: { queryId: 'q', queryType: name, arguments: [] } };
      const activation = coresdk.workflow_activation.WorkflowActivation.fromObject({ runId: info.runId, jobs: [job] });
      const answer = await workflow.activate(activation);
      const result = answer.successful?.commands?.[0]?.respondToQuery;
      if (!isSet(result?.succeeded?.response))
        throw new Error(`the query ${name} failed: ${result?.failed?.message ?? answer.failed?.failure?.message}`);
      return fromPayload(result.succeeded.response);
    },
    dispose: () => workflow.dispose(),
  };
}

function toActivation(info: RunInfo, { at, jobs, isReplaying, historyLength, flags }: Activation) {
  return {
    runId: info.runId,
    timestamp: msToTs(at),
    isReplaying,
    historyLength,
    jobs: jobs.map((job) => toJob(info, job)),
    availableInternalFlags: [...flags],
  };
}

function toJob(info: RunInfo, job: Job): coresdk.workflow_activation.IWorkflowActivationJob {
  switch (job.kind) {
    case 'start':
      return {
        initializeWorkflow: {
          workflowType: info.workflowType,
          workflowId: info.workflowId,
          arguments: [toPayload(job.input)],
          randomnessSeed: longOf(info.seed),
          firstExecutionRunId: info.originalRunId,
          attempt: 1,
          startTime: msToTs(info.startTime),
          headers: {},
        },
      };
    case 'signal':
      return { signalWorkflow: { signalName: job.name, input: [toPayload(job.input)], identity: '', headers: {} } };
    case 'update':
      return {
        doUpdate: {
          id: job.id,
          protocolInstanceId: job.id,
          name: job.name,
          input: [toPayload(job.input)],
          headers: {},
          meta: { updateId: job.id, identity: '' },
          runValidator: job.validate,
        },
      };
    case 'cancel':
      return { cancelWorkflow: { reason: '' } };
    case 'timer-fired':
      return { fireTimer: { seq: job.seq } };
    case 'activity-done':
      return { resolveActivity: { seq: job.seq, isLocal: job.isLocal, result: toResolution(job.result) } };
    case 'has-patch':
      return { notifyHasPatch: { patchId: job.patch } };
    case 'new-seed':
      return { updateRandomSeed: { randomnessSeed: longOf(job.seed) } };
  }
}

function toResolution(result: ActivityResult): coresdk.activity_result.IActivityResolution {
  return result.kind === 'completed'
    ? { completed: { result: toPayload(result.value) } }
    : { failed: { failure: result.failure } };
}

function toCommand(command: coresdk.workflow_commands.IWorkflowCommand): Command {
  const local = command.scheduleLocalActivity;
  const activity = command.scheduleActivity ?? local;
  if (isSet(activity)) {
    return {
      kind: 'activity',
      isLocal: isSet(local),
      seq: activity.seq ?? 0,
      type: activity.activityType ?? '',
      input: (activity.arguments ?? []).map(fromPayload),
      options: toOptions(activity),
    };
  }
  if (isSet(command.startTimer))
    return {
      kind: 'start-timer',
      seq: command.startTimer.seq ?? 0,
      ms: durationOf(command.startTimer.startToFireTimeout) ?? 0,
    };
  if (isSet(command.cancelTimer)) return { kind: 'cancel-timer', seq: command.cancelTimer.seq ?? 0 };
  if (isSet(command.completeWorkflowExecution))
    return { kind: 'complete', value: fromPayload(command.completeWorkflowExecution.result) };
  if (isSet(command.failWorkflowExecution)) {
    const failure = command.failWorkflowExecution.failure;
    return {
      kind: 'fail',
      type: failure?.applicationFailureInfo?.type ?? 'unknown',
      message: failure?.message ?? '',
    };
  }
  if (isSet(command.upsertWorkflowSearchAttributes))
    return { kind: 'attributes', values: attributesOf(command.upsertWorkflowSearchAttributes) };
  if (isSet(command.setPatchMarker)) return { kind: 'patched', patch: command.setPatchMarker.patchId ?? '' };
  if (isSet(command.updateResponse)) return toUpdateCommand(command.updateResponse);
  throw new Error(`the simulation does not know this command: ${Object.keys(command).join()}`);
}

function toUpdateCommand({
  protocolInstanceId,
  accepted,
  rejected,
  completed,
}: coresdk.workflow_commands.IUpdateResponse): Command {
  const id = protocolInstanceId ?? '';
  if (isSet(accepted)) return { kind: 'update-accepted', id };
  if (isSet(rejected)) return { kind: 'update-rejected', id, message: rejected.message ?? '' };
  return { kind: 'update-completed', id, value: fromPayload(completed) };
}

function attributesOf({ searchAttributes }: coresdk.workflow_commands.IUpsertWorkflowSearchAttributes) {
  const fields = searchAttributes?.indexedFields ?? {};
  return Object.fromEntries(Object.entries(fields).map(([key, payload]) => [key, JSON.parse(textOf(payload))]));
}

/** The wire knows `null` and absent, and means the same. */
const isSet = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null;

const textOf = ({ data }: temporal.api.common.v1.IPayload): string =>
  !isSet(data) || data.length === 0 ? 'null' : Buffer.from(data).toString('utf8');

type WireOptions = Pick<
  coresdk.workflow_commands.IScheduleActivity,
  'startToCloseTimeout' | 'scheduleToCloseTimeout' | 'heartbeatTimeout' | 'retryPolicy'
>;

function toOptions(options: WireOptions): ActivityOptions {
  const { retryPolicy } = options;
  const initialMs = durationOf(retryPolicy?.initialInterval) ?? 1_000;
  const scheduleToCloseMs = durationOf(options.scheduleToCloseTimeout);
  const heartbeatMs = durationOf(options.heartbeatTimeout);
  return {
    startToCloseMs: durationOf(options.startToCloseTimeout) ?? Infinity,
    retry: {
      initialMs,
      coefficient: retryPolicy?.backoffCoefficient || 2,
      maximumMs: durationOf(retryPolicy?.maximumInterval) ?? 100 * initialMs,
      attempts: retryPolicy?.maximumAttempts ?? 0,
    },
    ...(scheduleToCloseMs !== undefined && { scheduleToCloseMs }),
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  };
}

const durationOf = (duration: Parameters<typeof tsToMs>[0]): number | undefined =>
  !isSet(duration) ? undefined : tsToMs(duration);

/** The SDK has no constructor for its 64-bit numbers; the seconds of a time are one. */
const longOf = (value: number): Long => msToTs(Math.floor(value) * 1_000).seconds as Long;
type Long = NonNullable<ReturnType<typeof msToTs>['seconds']>;

const toPayload = (value: unknown) => defaultPayloadConverter.toPayload(value);

function fromPayload(payload: temporal.api.common.v1.IPayload | null | undefined): unknown {
  return !isSet(payload) ? undefined : defaultPayloadConverter.fromPayload(payload);
}

/** What an activity threw, as the engine keeps it, and what it does about it. */
export function failureOf(error: unknown): {
  readonly failure: WireFailure;
  readonly message: string;
  readonly retryable: boolean;
  readonly nextRetryMs?: number;
} {
  const known = ensureApplicationFailure(error);
  const failure = defaultFailureConverter.errorToFailure(known, defaultPayloadConverter);
  return {
    failure: { ...failure, stackTrace: '' },
    message: known.message,
    retryable: !known.nonRetryable,
    ...(isSet(known.nextRetryDelay) && { nextRetryMs: Number(known.nextRetryDelay) }),
  };
}

/** A regular activity's end as its workflow sees it: in an envelope. */
export function activityFailure(type: string, cause: WireFailure): WireFailure {
  return {
    message: 'Activity task failed',
    source: 'TypeScriptSDK',
    cause,
    activityFailureInfo: { activityType: { name: type }, activityId: '1', identity: '' },
  };
}

const TIMEOUTS = { 'start-to-close': 1, 'schedule-to-start': 2, 'schedule-to-close': 3, heartbeat: 4 } as const;

export function timeoutFailure(kind: keyof typeof TIMEOUTS): WireFailure {
  return { message: `activity ${kind} timeout`, source: 'Server', timeoutFailureInfo: { timeoutType: TIMEOUTS[kind] } };
}
