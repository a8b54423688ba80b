import type { Client } from '@temporalio/client';
import { Engine } from '../client/engine';

/** The engine takes a call in milliseconds; a longer wait would only keep other payments from theirs. The sweep tries again. */
const CALL_WITHIN_MS = 5_000;

export const engineOf = (client: Client): Engine => new Engine(client, CALL_WITHIN_MS);
