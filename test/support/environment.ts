import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import type { ClosingGlobal } from './at-end';

/**
 * Closes what a test file opened through `atEndOfFile` after the file's last `afterAll`. An `afterAll` in a shared helper would
 * run first, because Jest runs them in the order they were written, and close connections under the feet of running workers.
 */
export default class ClosingEnvironment extends TestEnvironment {
  async handleTestEvent(event: Circus.Event): Promise<void> {
    if (event.name !== 'run_finish') return;
    const closers = (this.global as ClosingGlobal).closeAtEndOfFile ?? [];
    for (const close of closers.reverse()) await close();
  }
}
