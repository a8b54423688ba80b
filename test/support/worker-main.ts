import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as store from '../../src/store';
import type * as createWorker from '../../src/worker/create-worker';
import type { WorkerTestSettings } from './worker-process';

/**
 * The whole of `worker/main`, real environment, signals and end included, with two seams for tests: which queue it works on, and a
 * signal that it sends itself at its first claim. For a process of its own.
 */
const load = createRequire(__filename);
const { taskQueue, workflowBundle, activitiesOnly, atClaim } = JSON.parse(
  process.argv[2] ?? '{}',
) as WorkerTestSettings;

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
replace<typeof store>('../../src/store', ({ openStore }) => ({
  openStore: (settings) => withSignal(openStore(settings)),
}));
load('../../src/worker/main');

/** Whoever loads the module from now on gets the changed exports. */
function replace<Exports extends object>(file: string, change: (real: Exports) => Partial<Exports>): void {
  const real = load(file) as Exports;
  const module = load.cache[load.resolve(file)];
  if (module !== undefined) module.exports = { ...real, ...change(real) };
}

function withSignal(real: store.Store): store.Store {
  if (atClaim === undefined) return real;
  const { claim } = real.payments;
  let isFirst = true;
  const signalled = (when: 'before' | 'after'): void => {
    if (!isFirst || atClaim.when !== when) return;
    isFirst = false;
    writeSync(1, 'signals itself\n');
    process.kill(process.pid, atClaim.signal);
    // The signal may reach another thread first: this one does nothing more until it has.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  };
  return {
    ...real,
    payments: {
      ...real.payments,
      async claim(...args) {
        signalled('before');
        const claimed = await claim(...args);
        signalled('after');
        return claimed;
      },
    },
  };
}
