import { readSandboxConfig } from '../config';
import { createLog } from '../log';
import { startSandbox } from './sandbox';

async function main(): Promise<void> {
  const { logLevel, ...settings } = readSandboxConfig();
  const log = createLog('sandbox', logLevel);
  const sandbox = await startSandbox({ ...settings, log });
  log.info(`simulated Almara Pay at ${sandbox.url}`);
  const stop = (): void => void sandbox.close().then(() => log.info('stopped'));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
