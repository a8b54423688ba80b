import { createLog } from '../../src/log';
import { readSandboxConfig } from '../../src/config';
import { startSandbox, STATUS } from '../../src/sandbox';
import { concurrently } from '../../src/payment/concurrently';
import { joinHub } from './control';

/** The simulated provider in a process of its own, with timings that its main does not offer. */
export interface BenchSandboxSettings {
  readonly socketFile: string;
  /** From a payment's submission to its result, whose callback follows at once. */
  readonly providerMs: number;
}

/** How many callbacks are under way at a time when all payments are completed at once. */
const CALLBACKS_AT_ONCE = 16;

async function main(): Promise<void> {
  const { socketFile, providerMs } = JSON.parse(process.argv[2] ?? '{}') as BenchSandboxSettings;
  const { logLevel, port: _port, ...config } = readSandboxConfig();
  const log = createLog('sandbox', logLevel);
  const sandbox = await startSandbox({ ...config, log, pendingMs: providerMs, callbackDelayMs: 0 });
  const complete = async (paymentId: string): Promise<void> => {
    sandbox.setRecord(paymentId, { status: STATUS.completed });
    await sandbox.sendCallback(paymentId);
  };
  const line = await joinHub(socketFile, 'sandbox', (message) => {
    if (message.kind === 'complete') void concurrently(message.paymentIds, CALLBACKS_AT_ONCE, complete);
  });
  line.send('bench', { kind: 'ready', url: sandbox.url });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
