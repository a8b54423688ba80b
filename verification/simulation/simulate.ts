import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { Agenda } from './agenda';
import { plant } from '../../src/payment/planted';
import { plantInWorkflows, ruleOf, type Bug } from './bugs';
import { loadWorkflows } from './sdk-internals';
import type { WorkflowVm } from './vm';
import { withVirtualTimers } from './virtual-timers';
import type { Cell } from './weather';
import { World, type RunReport } from './world';

/** Many runs, each from its own seed: `seed`, `seed + 1`, and so on, so that any of them can be run alone. */
export interface SimulateOptions {
  /** How many; or for how long, and then as many as fit. */
  readonly runs: number | { readonly minutes: number };
  readonly seed: number;
  readonly bug?: Bug | undefined;
  /** Injects this cell of the fault matrix in each run, and nothing else. */
  readonly only?: Cell | undefined;
  readonly onRun?: (report: RunReport) => void;
  /** Goes on behind a run with a violation; else it is the last. */
  readonly keepGoing?: boolean | undefined;
}

export interface SimulationReport {
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  /** How the payments stand in the end. */
  readonly ended: ReadonlyMap<RunReport['ended'], number>;
  /** `fault/step`, and how often it was injected. */
  readonly cells: ReadonlyMap<string, number>;
  /** Runs in which something was violated. */
  readonly failed: readonly RunReport[];
}

export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const { runs, seed, bug, only, onRun, keepGoing = false } = options;
  const vm = await (bug === undefined ? soundWorkflows() : workflowsWith(bug));
  const ended = new Map<RunReport['ended'], number>();
  const cells = new Map<string, number>();
  const failed: RunReport[] = [];
  let agenda: Agenda | undefined;
  let [done, steps] = [0, 0];
  plant(ruleOf(bug));
  const startedAt = performance.now();
  const isOver = (): boolean =>
    typeof runs === 'number' ? done >= runs : performance.now() - startedAt >= runs.minutes * 60_000;
  const current = (): Agenda => {
    if (agenda === undefined) throw new Error('a timer outside of a run');
    return agenda;
  };
  await withVirtualTimers(current, async () => {
    while (!isOver() && (keepGoing || failed.length === 0)) {
      const report = await new World({ seed: seed + done, vm, bug, only, onAgenda: (its) => (agenda = its) }).run();
      done += 1;
      steps += report.steps;
      count(ended, report.ended);
      for (const [cell, times] of report.cells) count(cells, cell, times);
      if (report.violations.length > 0) failed.push(report);
      onRun?.(report);
    }
  });
  plant(undefined);
  if (bug !== undefined) await vm.destroy();
  return { runs: done, steps, seconds: (performance.now() - startedAt) / 1_000, ended, cells, failed };
}

/** What the workflow of a payment may call. */
const ACTIVITIES = [
  'registerPayment',
  'validateAccount',
  'submitPayment',
  'pollPayment',
  'lookAtPayment',
  'recordOutcome',
];

const workflowsWith = async (bug: Bug | undefined): Promise<WorkflowVm> =>
  await loadWorkflows(plantInWorkflows(await workflowCode(), bug), ACTIVITIES);

let sound: Promise<WorkflowVm> | undefined;

/** Loaded once: to read the bundle takes longer than a run does, and nothing in it is kept from one run to the next. */
function soundWorkflows(): Promise<WorkflowVm> {
  sound ??= workflowsWith(undefined);
  return sound;
}

let bundling: Promise<string> | undefined;

/** The build's bundle; from the sources it is made on the spot, once. */
function workflowCode(): Promise<string> {
  bundling ??= bundle();
  return bundling;
}

async function bundle(): Promise<string> {
  const built = path.join(__dirname, '..', '..', 'src', 'workflow-bundle.js');
  if (existsSync(built)) return readFileSync(built, 'utf8');
  const workflowsPath = path.join(__dirname, '..', '..', 'src', 'workflows');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return code;
}

function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
