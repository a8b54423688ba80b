import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { activityInfo } from '@temporalio/activity';
import type * as almara from '../../src/almara';
import type * as store from '../../src/store';
import type * as createWorker from '../../src/worker/create-worker';
import { GO_ON, saysThatItStands, type StandsAt, type WorkerTestSettings } from './worker-seams';

/**
 * The whole of `worker/main`, real environment, signals and end included, with two seams for tests: which queue it works on, and
 * payments that stand still at a bad moment, until a signal ends the process or lets them go on. For a process of its own.
 */
const load = createRequire(__filename);
const { taskQueue, workflowBundle, activitiesOnly, stands } = JSON.parse(process.argv[2] ?? '{}') as WorkerTestSettings;
const goesOn = once(process, GO_ON);

replace<typeof createWorker>('../../src/worker/create-worker', (real) => ({
  createWorker: (options) =>
    real.createWorker({
      ...options,
      taskQueue,
      workflowBundle,
      ...(activitiesOnly === true && {
        overrides: {
          workflowBundle: undefined as never,
          maxConcurrentActivityTaskExecutions: Object.keys(stands).length,
        },
      }),
    }),
}));
replace<typeof almara>('../../src/almara', (real) => ({
  createAlmara: (...args) => {
    const made = real.createAlmara(...args);
    return {
      ...made,
      async findPayment(paymentId, signal) {
        const found = await made.findPayment(paymentId, signal);
        if (activityInfo().activityType === 'submitPayment') await standStill('looked', paymentId);
        return found;
      },
      async submitPayment(order, ...rest) {
        const submission = await made.submitPayment(order, ...rest);
        await standStill('answered', order.paymentId);
        return submission;
      },
    };
  },
}));
replace<typeof store>('../../src/store', (real) => ({
  openStore: (...args) => {
    const opened = real.openStore(...args);
    const claim: store.Payments['claim'] = async (paymentId, ...rest) => {
      const claimed = await opened.payments.claim(paymentId, ...rest);
      await standStill('claimed', paymentId);
      return claimed;
    };
    return { ...opened, payments: { ...opened.payments, claim } };
  },
}));
load('../../src/worker/main');

/** Whoever loads the module from now on gets the changed exports. */
function replace<Exports extends object>(file: string, change: (real: Exports) => Partial<Exports>): void {
  const real = load(file) as Exports;
  const module = load.cache[load.resolve(file)];
  if (module !== undefined) module.exports = { ...real, ...change(real) };
}

async function standStill(at: StandsAt, paymentId: string): Promise<void> {
  if (stands[paymentId] !== at) return;
  writeSync(1, `${saysThatItStands(at, paymentId)}\n`);
  await goesOn;
}
