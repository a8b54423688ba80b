import { SEND_WINDOW_MS } from '../../src/payment/judge';
import { factsWhen, stageOf, until, type Flow } from './flow';
import { onDatabase } from './postgres';

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

const DECISION = { decision: 'declined', operator: 'amina', note: 'nobody answers', providerCase: 'C-1' } as const;

/**
 * Of a payment that is claimed, and nobody knows what came of it: whatever is seen of it, for half a minute nothing is proven and nobody
 * decides. Then that time passes.
 */
export async function sendWindowPasses(flow: Flow, paymentId: string, provider: { readonly hasTakenIt: boolean }) {
  const stage = () => stageOf(flow, paymentId);
  await until(`${paymentId} to be waited for`, stage, (seen) => seen === 'awaiting-result');
  const { claim, closed, attentionSince } = await factsWhen(
    flow,
    paymentId,
    'what the provider says',
    ({ seen }) => (provider.hasTakenIt ? seen.completedAt : seen.last) !== undefined,
  );
  expect(claim).toMatchObject({ kind: 'taken' });
  expect(claim).not.toHaveProperty('answer');
  expect({ closed, attentionSince }).toEqual({});
  await expect(flow.payments.payment(paymentId).resolve(DECISION)).rejects.toThrow('being sent right now');
  await timePasses(flow, paymentId, SEND_WINDOW_MS);
}
