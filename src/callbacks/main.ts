import { createAlmaraCallbacks, parseKeyRing } from '../almara/callback';
import { openClient } from '../client/connection';
import { InvalidConfiguration, readCallbacksConfig } from '../config';
import { createLog } from '../log';
import type { ProviderCallbacks } from '../payment/provider';
import { reasonOf } from '../payment/reason';
import { startCallbacks } from './start';

/** `node dist/callbacks/main.js`: the callback endpoint as a process. Any number may run beside each other. */
async function main(): Promise<void> {
  const { keyRing, logLevel, ...config } = readCallbacksConfig();
  const callbacks = callbacksOf(keyRing);
  const log = createLog('callbacks', logLevel);
  const { client, close } = openClient({});
  const running = await startCallbacks({ ...config, callbacks, client, log });

  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'shutting down');
    running.close().then(close).catch(fail);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function callbacksOf(keyRing: string): ProviderCallbacks {
  try {
    return createAlmaraCallbacks(parseKeyRing(keyRing));
  } catch (error) {
    throw new InvalidConfiguration([`CALLBACK_KEYS: ${reasonOf(error)}`]);
  }
}

/** For people at a terminal: what is wrong and what to do, without a stack. Such messages name variables, never their values. */
function fail(error: unknown): void {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
}

main().catch(fail);
