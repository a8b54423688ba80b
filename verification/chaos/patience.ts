import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 30;
const PAUSE_MS = 1_000;

/** For what fails because something else is down just now, or has ended in the same moment: tried again for half a minute. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
