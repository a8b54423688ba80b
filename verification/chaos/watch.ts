import type { Violation } from '../guarantees';
import type { Stage } from './stage';

/** What is known, cheaply, about all payments of a run: the store is asked for what has closed, the engine for what waits. */
export class Watch {
  readonly started = new Set<string>();
  /** Each outcome as it was first seen, as text. */
  readonly outcomes = new Map<string, string>();
  /** Payment id → reason, of those that need attention right now. */
  attention: ReadonlyMap<string, string> = new Map();
  /** Payments whose dispute is open. */
  disputes: readonly string[] = [];
  /** When the engine answered last, by the monotonic clock. */
  engineAnsweredAt = performance.now();
  /** Outcomes that were seen to change (G7). */
  readonly changes: Violation[] = [];
  #seenUntil = new Date(0);

  constructor(private readonly stage: Pick<Stage, 'sql' | 'client'>) {}

  /** Payments that are neither closed nor with a person. */
  get open(): number {
    let waiting = 0;
    for (const id of this.attention.keys()) if (!this.outcomes.has(id)) waiting += 1;
    return this.started.size - this.outcomes.size - waiting;
  }

  /** Servers that are down are asked again the next time. */
  async look(): Promise<void> {
    await Promise.allSettled([this.lookAtStore(), this.lookAtEngine()]);
  }

  async lookAtStore(everything = false): Promise<void> {
    // A transaction that began earlier may show itself later: a margin.
    const since = everything ? new Date(0) : new Date(this.#seenUntil.getTime() - 10_000);
    const { rows } = await this.stage.sql.query<{ payment_id: string; outcome: string; closed_at: Date }>(
      'SELECT payment_id, outcome::text AS outcome, closed_at FROM payments WHERE closed_at >= $1',
      [since],
    );
    for (const { payment_id: paymentId, outcome, closed_at: closedAt } of rows) {
      const before = this.outcomes.get(paymentId);
      if (before === undefined) this.outcomes.set(paymentId, outcome);
      else if (before !== outcome)
        this.changes.push({ guarantee: 'G7', paymentId, what: `its outcome was ${before} and is ${outcome}` });
      if (closedAt > this.#seenUntil) this.#seenUntil = closedAt;
    }
    const closed = new Set(rows.map((row) => row.payment_id));
    for (const [paymentId, outcome] of everything ? this.outcomes : [])
      if (!closed.has(paymentId))
        this.changes.push({ guarantee: 'G7', paymentId, what: `it was ${outcome}, and is open` });
    const open = await this.stage.sql.query<{ payment_id: string }>(
      'SELECT payment_id FROM disputes WHERE opened_at IS NOT NULL AND resolved_at IS NULL',
    );
    this.disputes = open.rows.map((row) => row.payment_id);
  }

  async lookAtEngine(): Promise<void> {
    const found = new Map<string, string>();
    const query = 'BillPaymentState = "NeedsAttention" AND ExecutionStatus = "Running"';
    for await (const run of this.stage.client.workflow.list({ query, pageSize: 1000 }))
      found.set(paymentIdOf(run.workflowId), reasonOf(run.searchAttributes));
    this.attention = found;
    this.engineAnsweredAt = performance.now();
  }
}

export const paymentIdOf = (workflowId: string): string => workflowId.replace(/^bill-payment-/, '');

export function reasonOf(attributes: Readonly<Record<string, unknown>>): string {
  const [reason] = (attributes['BillPaymentReason'] ?? []) as readonly unknown[];
  return typeof reason === 'string' ? reason : 'unknown';
}
