import type { Client } from '@temporalio/client';
import { within } from '../within';

/** The engine takes a call in milliseconds; a longer wait would only keep other payments from theirs. The sweep tries again. */
const WITHIN_MS = 5_000;
/** The SDK notices a passed deadline only after the pause it is in; nobody waits for that. */
const GRACE_MS = 250;

/** @throws what the engine answered, or `TooSlow` */
export function callEngine<T>(client: Client, call: () => Promise<T>): Promise<T> {
  return within(WITHIN_MS + GRACE_MS, client.withDeadline(Date.now() + WITHIN_MS, call));
}
