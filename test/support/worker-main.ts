import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as almara from '../../src/almara';
import type * as store from '../../src/store';
import type * as createWorker from '../../src/worker/create-worker';
import type { WorkerTestSettings } from './worker-process';

/**
 * The whole of `worker/main`, real environment, signals and end included, with two seams for tests: which queue it works on, and a
 * signal that it sends itself at a bad moment. For a process of its own.
 */
const load = createRequire(__filename);
const { taskQueue, workflowBundle, activitiesOnly, dies } = JSON.parse(process.argv[2] ?? '{}') as WorkerTestSettings;

replace<typeof createWorker>('../../src/worker/create-worker', (real) => ({
  createWorker: (options) =>
    real.createWorker({
      ...options,
      taskQueue,
      workflowBundle,
      ...(activitiesOnly === true && {
        overrides: { workflowBundle: undefined as never, maxConcurrentActivityTaskExecutions: 1 },
      }),
    }),
}));
replace<typeof almara>('../../src/almara', (real) => ({
  createAlmara: (...args) => {
    const made = real.createAlmara(...args);
    return { ...made, findPayment: dying('look', made.findPayment) };
  },
}));
replace<typeof store>('../../src/store', (real) => ({
  openStore: (...args) => {
    const opened = real.openStore(...args);
    return { ...opened, payments: { ...opened.payments, claim: dying('claim', opened.payments.claim) } };
  },
}));
load('../../src/worker/main');

/** Whoever loads the module from now on gets the changed exports. */
function replace<Exports extends object>(file: string, change: (real: Exports) => Partial<Exports>): void {
  const real = load(file) as Exports;
  const module = load.cache[load.resolve(file)];
  if (module !== undefined) module.exports = { ...real, ...change(real) };
}

function dying<Args extends unknown[], Result>(
  after: 'look' | 'claim',
  step: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  if (dies?.after !== after) return step;
  let isFirst = true;
  return async (...args) => {
    const result = await step(...args);
    if (isFirst) signalItself(dies.by);
    isFirst = false;
    return result;
  };
}

function signalItself(signal: NodeJS.Signals): void {
  writeSync(1, 'signals itself\n');
  process.kill(process.pid, signal);
  // It may reach another thread first: this one does nothing more until it has.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}
