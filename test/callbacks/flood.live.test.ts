import { Pool } from 'undici';
import { failedWith, nested } from './support';
import { factsOf, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { onDatabase } from '../support/postgres';
import { COMPLETED, ownRequest, PAID_ONCE, runOf, sent, truthOf } from '../support/gates';

/** Bad input: somebody holds one callback URL, and sends thousands of different callbacks to it. */
const CALLBACKS = 4_000;
const CONNECTIONS = 32;
/** What is kept of one payment, and what its run is told of. */
const KEPT = 200;
const MOST_SIGNALS = 20;

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow();
});

const DEAF = { ...SHORT_POLICY, callbackGrace: '10 minutes', pollInterval: '10 minutes', pollMaxInterval: '1 hour' };
const CODES = ['1', '14', '0', '999', '17'];

const bodyOf = (paymentId: string, at: number): string =>
  nested(paymentId, failedWith(CODES[at % CODES.length] ?? ''), { note: `different ${at}` });

async function flood(url: URL, bodies: (at: number) => string): Promise<Record<number, number>> {
  const pool = new Pool(url.origin, { connections: CONNECTIONS });
  const answers: Record<number, number> = {};
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < CALLBACKS) {
      const body = bodies(next++);
      const { statusCode, body: answer } = await pool.request({
        path: url.pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      await answer.dump();
      answers[statusCode] = (answers[statusCode] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  await pool.close();
  return answers;
}

async function countsOf(paymentId: string): Promise<unknown> {
  let counts: unknown;
  await onDatabase(flow.databaseUrl, async (client) => {
    const sql = 'SELECT stored::int, overflowed::int FROM callback_counts WHERE payment_id = $1';
    counts = (await client.query(sql, [paymentId])).rows[0];
  });
  return counts;
}

test('a flood with one valid token: bounded rows and signals, the endpoint answers others, the payment ends as it is', async () => {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: DEAF }));
  let others = 0;
  let isOver = false;
  const flooded = flood(new URL(flow.callbackUrl(paymentId)), (at) => bodyOf(paymentId, at)).finally(
    () => (isOver = true),
  );
  // Meanwhile the callbacks of others are taken, and end their payments.
  while (!isOver) {
    const request = await ownRequest(flow, 'paid-with-callback', { policy: DEAF });
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    others += 1;
  }
  expect(await flooded).toEqual({ 200: CALLBACKS });
  expect(others).toBeGreaterThan(1);

  expect((await factsOf(flow, paymentId)).callbacks).toMatchObject({ count: KEPT, code: { kind: 'ambiguous' } });
  expect(await countsOf(paymentId)).toEqual({ stored: KEPT, overflowed: CALLBACKS - KEPT });
  const signals = async (): Promise<number> =>
    ((await runOf(flow, paymentId).fetchHistory()).events ?? []).filter(
      (event) => event.workflowExecutionSignaledEventAttributes,
    ).length;
  const told = await until('the run to be told', signals, (count) => count > 0);
  expect(told).toBeLessThanOrEqual(MOST_SIGNALS);

  // None of it was proof: the provider's own record ends it.
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  flow.sandbox.setRecord(paymentId, COMPLETED);
  await flow.payments.payment(paymentId).checkNow({ operator: 'op-1' });
  const evidence = { source: 'provider' };
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback', evidence });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  expect(await signals()).toBeLessThanOrEqual(MOST_SIGNALS);
});
