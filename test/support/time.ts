import { onDatabase } from './postgres';
import type { Flow } from './flow';

/**
 * As if all that is written of an open payment had happened so much earlier: nobody waits half a minute for a window to close. The
 * store keeps these times as they are, so its triggers do not run for this one change.
 */
export async function timePasses({ databaseUrl }: Pick<Flow, 'databaseUrl'>, paymentId: string, ms: number) {
  await onDatabase(databaseUrl, async (client) => {
    await client.query('BEGIN; SET LOCAL session_replication_role = replica');
    const { rows } = await client.query<{ seen: unknown; answer: unknown }>(
      'SELECT seen, answer FROM payments WHERE payment_id = $1 AND outcome IS NULL FOR UPDATE',
      [paymentId],
    );
    if (rows[0] === undefined) throw new Error(`payment ${paymentId} is not open`);
    await client.query(
      `UPDATE payments
          SET registered_at = registered_at - $2::interval, claimed_at = claimed_at - $2::interval,
              session_expires_at = session_expires_at - $2::interval, attention_since = attention_since - $2::interval,
              seen = $3, answer = $4, version = version + 1
        WHERE payment_id = $1`,
      [paymentId, `${ms} milliseconds`, earlier(rows[0].seen, ms), earlier(rows[0].answer, ms)],
    );
    await client.query('COMMIT');
  });
}

/** Times are the numbers that are called so. */
const earlier = (value: unknown, ms: number): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [
          name,
          typeof inner === 'number' && /(^at|At|Since)$/.test(name) ? inner - ms : earlier(inner, ms),
        ]),
      );
