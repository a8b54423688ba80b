import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/payment/reason';
import { installRuntime } from '../src/worker/runtime';
import { startStack, type Stack, type StackOptions } from './stack';

/** A server that hangs must not keep us: its guard ends it when we are gone. */
const STOP_WITHIN_MS = 30_000;

/** What one of the programs here does with its stack. Its answer is the exit code; a signal of the terminal settles `interrupted`. */
export type Program = (stack: Stack, interrupted: Promise<void>) => Promise<number>;

/**
 * Starts everything, runs `program`, stops everything and ends the process, whatever happens. The engine's threads keep a process
 * alive and its signal handlers keep SIGTERM from ending it: only `process.exit` does.
 */
export async function runOnStack(options: StackOptions, program: Program): Promise<never> {
  const interrupted = interruption();
  let stack: Stack | undefined;
  let code = 1;
  try {
    installRuntime(options.log);
    // Interrupted while it starts, nothing is worth waiting for: every server has a guard that ends it with us.
    void interrupted.then(() => stack ?? process.exit(1));
    stack = await startStack(options);
    code = await program(stack, interrupted);
  } catch (error) {
    console.error(reasonOf(error));
  }
  await Promise.race([stack?.stop(), sleep(STOP_WITHIN_MS)]);
  process.exit(code);
}

/** The first signal asks for an orderly end, the second does not wait for it. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (): void => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
