import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { BillPayments } from '../src/client';
import { readLocalConfig } from '../src/config';
import { createLog } from '../src/log';
import { SERVICES } from '../src/sandbox';
import { runOnStack } from './run';
import type { Stack } from './stack';

/**
 * `npm run bench`: payments per second against bare one-activity workflows per second, on the same server in the same run. Rounds
 * alternate, so that a machine that slows down slows both; the ratio of each pair is what counts, the medians are what is quoted.
 */
const ROUNDS = 5;
const PER_ROUND = 200;
const AT_ONCE = 40;
const QUEUE = 'bench-bare';

async function bench(stack: Stack): Promise<number> {
  const bare = await startBareWorker(stack);
  try {
    await stack.store.funds.add({ account: 'bench', amount: 1_000_000_000, currency: 'KES' });
    console.log(
      `\n${ROUNDS} rounds of ${PER_ROUND} payments (paid by callback, funds held) and ${PER_ROUND} bare workflows, ${AT_ONCE} at once`,
    );
    const payments = new BillPayments(stack.client);
    await perSecond(AT_ONCE, () => payOne(payments));
    await perSecond(AT_ONCE, () => runBare(stack.client));

    const ratios: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const paid = await perSecond(PER_ROUND, () => payOne(payments));
      const plain = await perSecond(PER_ROUND, () => runBare(stack.client));
      ratios.push(paid / plain);
      console.log(
        `round ${round}: ${paid.toFixed(1)} payments/s, ${plain.toFixed(1)} bare/s, ratio ${(paid / plain).toFixed(2)}`,
      );
    }
    const sorted = [...ratios].sort((one, other) => one - other);
    console.log(`ratio: median ${at(sorted, 0.5)}, from ${at(sorted, 0)} to ${at(sorted, 1)}`);
    return 0;
  } finally {
    await bare.stop();
  }
}

const at = (sorted: readonly number[], part: number): string =>
  (sorted[Math.floor(part * (sorted.length - 1))] ?? NaN).toFixed(2);

/** Runs `count` of them, `AT_ONCE` at a time. */
async function perSecond(count: number, one: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let left = count;
  const next = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return count / ((performance.now() - started) / 1000);
}

async function payOne(payments: BillPayments): Promise<void> {
  const outcome = await payments.pay(
    {
      paymentId: randomUUID(),
      serviceId: SERVICES[0]?.serviceId ?? '',
      serviceName: 'KPLC POSTPAID',
      accountNumber: '700001',
      amount: 1,
      payer: { name: 'Bench Payer', msisdn: '254712345678' },
      description: 'Bench',
      fundingAccount: 'bench',
    },
    { waitMs: 60_000 },
  );
  if (outcome.kind !== 'paid') throw new Error(`a payment of the benchmark was not paid but ${outcome.kind}`);
}

async function runBare(client: Client): Promise<void> {
  await client.workflow.execute('bare', { taskQueue: QUEUE, workflowId: `bare-${randomUUID()}` });
}

async function startBareWorker({ address, namespace }: Stack): Promise<{ stop(): Promise<void> }> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: QUEUE,
    workflowsPath: path.join(__dirname, 'bare-workflow.js'),
    activities: { nothing: () => Promise.resolve() },
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
  });
  const running = worker.run();
  return {
    async stop() {
      // A signal of the terminal has done it already.
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

void runOnStack(
  {
    log: createLog('bench', 'error'),
    progress: console.log,
    keep: false,
    sandbox: { pendingMs: 0, callbackDelayMs: 0 },
    allowTestPolicy: false,
    ...readLocalConfig(),
  },
  (stack, interrupted) => Promise.race([bench(stack), interrupted.then(() => 1)]),
);
