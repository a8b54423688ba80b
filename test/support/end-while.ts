import type { Ending } from '../../src/payment/ending';
import type { Store } from '../../src/store';
import { onDatabase } from './postgres';
import { end } from './store';
import type { TcpProxy } from './tcp-proxy';

export interface SlowStore {
  readonly databaseUrl: string;
  readonly proxy: TcpProxy;
  /** Through the proxy, as the application "slow". */
  readonly slow: Store;
}

/** Ends it on the ground of what was read before `meanwhile`, as far as that still holds. */
export async function endWhile(
  { databaseUrl, proxy, slow }: SlowStore,
  paymentId: string,
  ending: Ending,
  meanwhile: () => Promise<unknown>,
) {
  const began = new Date();
  const held = proxy.hold('FROM payments p WHERE');
  const ended = end(slow, paymentId, ending);
  const release = await held;
  await onDatabase(databaseUrl, async (client) => {
    const hasRead = `SELECT FROM pg_stat_activity WHERE application_name = 'slow' AND state = 'idle' AND query_start > $1`;
    while ((await client.query(hasRead, [began])).rowCount === 0);
  });
  await meanwhile();
  release();
  return await ended;
}
