import { randomUUID } from 'node:crypto';
import type { Provider } from '../../src/payment/provider';
import type { Observation } from '../../src/payment/observation';
import type { ReconcileRequest, ReconciliationReport } from '../../src/payment/reconciliation-window';
import { RECONCILIATION_ID } from '../../src/payment/reconciliation-window';
import { WORKFLOWS } from '../../src/payment/contract';
import type { Flow } from './flow';
import { onDatabase } from './postgres';

/** For tests of reconciliation: a run of it, what is planted behind the store's back, and what must not change. */

const hourAgo = (): string => new Date(Date.now() - 3_600_000).toISOString();

export async function reconcile(
  flow: Flow,
  request: ReconcileRequest = { since: hourAgo() },
  workflowId = `${RECONCILIATION_ID}-${randomUUID()}`,
): Promise<ReconciliationReport> {
  return (await flow.client.workflow.execute(WORKFLOWS.reconcilePayments, {
    taskQueue: flow.taskQueue,
    workflowId,
    args: [request],
  })) as ReconciliationReport;
}

/** The ids that are looked up, in order; `look` may spoil an answer. */
export function looking(look: (paymentId: string) => Observation | undefined = () => undefined) {
  const looks: string[] = [];
  const provider = (real: Provider): Provider => ({
    ...real,
    findPayment: async (paymentId, signal) => {
      looks.push(paymentId);
      const observation = look(paymentId);
      const answer = await real.findPayment(paymentId, signal);
      return observation === undefined ? answer : { ...answer, observation };
    },
  });
  return { looks, provider };
}

/** In order, without the words. */
export const found = ({ differences }: ReconciliationReport): readonly string[] =>
  differences.map(({ kind, subject, dispute }) => `${kind} ${subject}${dispute ? ' !' : ''}`).sort();

/** As somebody with all rights would by hand: no trigger sees it. */
export async function plant(flow: Flow, sql: string, values: readonly unknown[] = []): Promise<void> {
  await onDatabase(flow.databaseUrl, async (client) => {
    await client.query('SET session_replication_role = replica');
    const { rowCount } = await client.query(sql, [...values]);
    if (rowCount !== 1) throw new Error(`planted ${rowCount} rows with: ${sql}`);
  });
}

/** Everything in the store but the reports, and what was seen of payments: reconciliation looks, and a look is written down. */
export async function everythingElse(flow: Flow): Promise<Readonly<Record<string, readonly string[]>>> {
  const all: Record<string, readonly string[]> = {};
  await onDatabase(flow.databaseUrl, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'reconciliations' ORDER BY 1",
    );
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `SELECT (to_jsonb(t) - 'seen' - 'version')::text AS row FROM ${name} t ORDER BY 1`,
      );
      all[name] = rows.map(({ row }) => row);
    }
  });
  return all;
}
