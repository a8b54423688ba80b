import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities, type ActivitySettings } from '../../src/activities';
import type { Unwritten } from '../../src/activities/dependencies';
import type { Log } from '../../src/log';
import { actionOf } from '../../src/payment/operator-action';
import type { Provider as ProviderPort } from '../../src/payment/provider';
import type { RecordRequest } from '../../src/payment/steps';
import type { Step } from '../faults';
import type { StoreModel } from '../store-model';
import type { Attempt, AttemptOrder } from './activities';
import { Actor } from './actor';
import { createSimulatedAlmara } from './almara';
import { createGate, type GateParts, type Host } from './gate';
import type { Provider } from './provider';
import { gateStore, type GatedStore, type StoreOutage } from './store-gates';
import type { Worker, Workers } from './workers';

/** Runs the real activities, each attempt over dependencies of its own that stand at its gate. */

export interface ExecuteParts extends GateParts {
  readonly workers: Workers;
  readonly provider: Provider;
  readonly model: StoreModel;
  readonly outage: StoreOutage;
  readonly settings: ActivitySettings;
  readonly workflowId: string;
  readonly onEffect: () => void;
  /** Planted bugs put themselves between. */
  readonly spoilAlmara: (almara: ProviderPort) => ProviderPort;
  readonly spoilActivities: (activities: Activities) => Activities;
  readonly unwrittenOf: (worker: Worker) => Unwritten;
  readonly losesRecord: boolean;
}

export type Activities = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

export const silentLog = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'log'].map((level) => [level, () => undefined]),
) as unknown as Log;

export function createExecute(parts: ExecuteParts): (order: AttemptOrder) => Attempt {
  const { agenda, random, workers, provider, model, outage, settings, workflowId, onEffect } = parts;
  return (order) => {
    const { run, command, attempt, worker, onEnd } = order;
    const actor = new Actor(`${run.runId} ${command.type}.${attempt} on ${worker.name}`);
    worker.actors.add(actor);
    const gate = createGate(parts, actor, hostOf(worker, workers, parts));
    let last: Step | undefined;
    /** A report is the end of whatever was done last. */
    const stepOf = (call: string): Step => {
      if (call !== 'report' || last === undefined) last = stepOfCall(order, call);
      return last;
    };
    const gated = gateStore({ agenda, random, outage, model, gate, stepOf, onEffect });
    const store = parts.losesRecord ? losingRecord(gated, provider) : gated;
    const almara = createSimulatedAlmara({ agenda, gate, worker, provider, stepOf, log: silentLog });
    const activities = parts.spoilActivities(
      createActivities({
        provider: parts.spoilAlmara(almara),
        store,
        settings,
        log: silentLog,
        clock: {
          now: () => agenda.now,
          monotonic: () => agenda.now,
          sleep: (ms, signal) => gate.pause(ms, signal),
        },
        unwritten: parts.unwrittenOf(worker),
      }),
    );
    const environment = new MockActivityEnvironment(
      {
        attempt,
        activityType: command.type,
        isLocal: command.isLocal,
        workflowType: 'billPayment',
        workflowExecution: { workflowId, runId: run.runId },
        scheduledTimestampMs: order.scheduledAt,
        currentAttemptScheduledTimestampMs: agenda.now,
      },
      { logger: silentLog as never },
    );
    const activity = activities[command.type];
    if (activity === undefined) throw new Error(`there is no activity ${command.type}`);
    const report = () => gate.pass({ step: stepOf('report'), call: 'report', side: 'after' });
    const work = async (): Promise<unknown> => {
      try {
        const value = await environment.run(activity, ...(command.input as never[]));
        await report();
        return value;
      } catch (error) {
        await report();
        throw error;
      }
    };
    agenda.after(0, () => {
      if (actor.isDead) return;
      return actor.start(work, (end) => {
        worker.actors.delete(actor);
        onEnd(end);
      });
    });
    return {
      get beats() {
        return actor.beats;
      },
      cancel: () => actor.disturb(() => environment.cancel()),
    };
  };
}

/** That it is completed could not be written down: then nobody is told so again. */
function losingRecord(store: GatedStore, provider: Provider): GatedStore {
  const look: GatedStore['payments']['look'] = async (...args) => {
    try {
      return await store.payments.look(...args);
    } catch (error) {
      const [, { observation }] = args;
      if (observation.kind === 'record' && observation.state === 'completed') provider.loseRecord();
      throw error;
    }
  };
  return { ...store, payments: { ...store.payments, look } };
}

function hostOf(worker: Worker, workers: Workers, { random }: GateParts): Host {
  return {
    name: worker.name,
    get stalledUntil() {
      return worker.stalledUntil;
    },
    blows: (side) => [
      side === 'before' ? 'worker-killed-before-effect' : 'worker-killed-after-effect',
      'worker-stalled',
    ],
    strike: (fault) =>
      fault === 'worker-stalled'
        ? workers.stall(worker, random.pick([4_000, 12_000, 70_000, 1_200_000, 7_200_000]))
        : workers.kill(worker),
  };
}

const STEPS: Readonly<Record<string, Step>> = {
  registerPayment: 'register',
  validateAccount: 'validate',
  pollPayment: 'poll',
  recordOutcome: 'record',
};

/** Of the calls of a submission; what was heard is written down as part of sending. */
const SUBMIT_STEPS: Readonly<Record<string, Step>> = { claim: 'claim', send: 'send', answered: 'send' };

function stepOfCall({ run, command }: AttemptOrder, call: string): Step {
  const { type, input } = command;
  if (type === 'submitPayment') return SUBMIT_STEPS[call] ?? 'look';
  const isAsked = [...run.updates.values()].some((state) => state === 'asked' || state === 'accepted');
  if (type === 'lookAtPayment') return isAsked ? 'decide' : 'callback';
  const [request] = input as readonly Partial<RecordRequest>[];
  if (type === 'recordOutcome' && request?.ending !== undefined && actionOf(request.ending) !== undefined)
    return 'decide';
  return STEPS[type] ?? 'register';
}
