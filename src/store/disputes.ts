import type {
  DisputeReading,
  DisputeResolution,
  PaymentDispute,
  RaisedBy,
  RecordedResolution,
} from '../payment/dispute';
import type { OperatorAction } from '../payment/operator-action';
import type { Database, Queryable } from './database';
import { ImpossibleRequest, UnknownPayment } from './errors';
import { recordAction } from './operator-actions';
import { readOutcome, safeInteger, storableJson, storableText, type OutcomeColumns } from './values';

/**
 * `disputes`: outcomes that something authentic contradicts. Raising comes first, the workflow second: what is raised and not opened
 * is the list that endpoints and reconciliation work off, so that a crash in between loses nothing.
 */

export interface Raise {
  readonly by: RaisedBy;
  /** What contradicts the outcome, for people, without personal data. */
  readonly because: string;
}

export interface StoredDispute extends PaymentDispute {
  /** Since when its workflow is known to have been started. ISO 8601, UTC. */
  readonly openedAt?: string;
  readonly resolution?: RecordedResolution;
}

/** The dispute with what it is about. */
export type DisputeFacts = Omit<Extract<DisputeReading, { kind: 'raised' }>, 'kind' | 'serviceName'> & {
  readonly serviceId: string;
};

export type Resolved =
  | { readonly kind: 'recorded'; readonly resolution: RecordedResolution }
  /** It was resolved before, and that stays. */
  | { readonly kind: 'stands'; readonly resolution: RecordedResolution };

interface DisputeRow {
  readonly payment_id: string;
  readonly raised_by: RaisedBy;
  readonly because: string;
  readonly raised_at: Date;
  readonly opened_at: Date | null;
  readonly resolved_at: Date | null;
  readonly resolution: DisputeResolution | null;
}

interface FactsRow extends DisputeRow, OutcomeColumns {
  readonly amount: string;
  readonly currency: string;
  readonly service_id: string;
  readonly hold: 'reserved' | 'posted' | 'voided' | null;
}

const COLUMNS = 'payment_id, raised_by, because, raised_at, opened_at, resolved_at, resolution';

export function createDisputes(database: Database) {
  return {
    /** The first dispute of a payment is kept; the outcome stays. @throws UnknownPayment | ImpossibleRequest when it is open */
    raise: (paymentId: string, raise: Raise): Promise<{ readonly isNew: boolean }> =>
      database.transaction((tx) => raiseDispute(tx, paymentId, raise)),

    /** Raised, but nobody knows of a workflow yet. Oldest first. */
    async toOpen(limit: number): Promise<readonly PaymentDispute[]> {
      const { rows } = await database.query<DisputeRow>(
        `SELECT ${COLUMNS} FROM disputes
          WHERE opened_at IS NULL AND resolved_at IS NULL
          ORDER BY raised_at, payment_id LIMIT $1`,
        [limit],
      );
      return rows.map(disputeOf);
    },

    /** Its workflow was started, and nobody has resolved it. By payment id, from behind `after` on. */
    async unresolved(after: string, limit: number): Promise<readonly PaymentDispute[]> {
      const { rows } = await database.query<DisputeRow>(
        `SELECT ${COLUMNS} FROM disputes
          WHERE opened_at IS NOT NULL AND resolved_at IS NULL AND payment_id > $1
          ORDER BY payment_id LIMIT $2`,
        [after, limit],
      );
      return rows.map(disputeOf);
    },

    /** Its workflow was started, now or before. The first time is kept. */
    async markOpened(paymentId: string): Promise<void> {
      await database.query('UPDATE disputes SET opened_at = now() WHERE payment_id = $1 AND opened_at IS NULL', [
        paymentId,
      ]);
    },

    async find(paymentId: string): Promise<StoredDispute | undefined> {
      const { rows } = await database.query<DisputeRow>(`SELECT ${COLUMNS} FROM disputes WHERE payment_id = $1`, [
        paymentId,
      ]);
      return rows[0] && storedDisputeOf(rows[0]);
    },

    /** One statement sees one moment: the dispute, the outcome, and what became of the money. */
    async facts(paymentId: string): Promise<DisputeFacts | undefined> {
      const { rows } = await database.query<FactsRow>(
        `SELECT ${COLUMNS}, p.outcome, p.receipt, p.amount, p.currency, p.service_id, r.state AS hold
           FROM disputes JOIN payments p USING (payment_id) LEFT JOIN reservations r USING (payment_id)
          WHERE payment_id = $1`,
        [paymentId],
      );
      return rows[0] && factsOf(rows[0]);
    },

    /** What people agreed on, once, with who said so. @throws ImpossibleRequest when nothing was raised */
    resolve: (paymentId: string, resolution: DisputeResolution, action: OperatorAction): Promise<Resolved> =>
      database.transaction((tx) => resolveDispute(tx, paymentId, resolution, action)),
  };
}

export type Disputes = ReturnType<typeof createDisputes>;

/**
 * In the transaction of a look, or in one of its own. The payment's row is locked before the dispute's is written, by everybody, so
 * that a look and a callback that raise at once wait for each other instead of dying of it. The mark on the payment is what its
 * readers see without a second look; it is written here alone, with the row.
 */
export async function raiseDispute(
  tx: Queryable,
  paymentId: string,
  { by, because }: Raise,
): Promise<{ readonly isNew: boolean }> {
  const { rows } = await tx.query<{ closed: boolean }>(
    'SELECT outcome IS NOT NULL AS closed FROM payments WHERE payment_id = $1 FOR UPDATE',
    [paymentId],
  );
  if (rows[0] === undefined) throw new UnknownPayment(paymentId);
  if (!rows[0].closed) throw new ImpossibleRequest(`Payment ${paymentId} is open: there is no outcome to dispute`);
  const { rowCount } = await tx.query(
    'INSERT INTO disputes (payment_id, raised_by, because) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [paymentId, by, storableText(because)],
  );
  await tx.query('UPDATE payments SET disputed_at = now() WHERE payment_id = $1 AND disputed_at IS NULL', [paymentId]);
  return { isNew: rowCount === 1 };
}

async function resolveDispute(
  tx: Queryable,
  paymentId: string,
  resolution: DisputeResolution,
  action: OperatorAction,
): Promise<Resolved> {
  const { rows: known } = await tx.query<DisputeRow>(
    `SELECT ${COLUMNS} FROM disputes WHERE payment_id = $1 FOR UPDATE`,
    [paymentId],
  );
  if (known[0] === undefined) throw new ImpossibleRequest(`Payment ${paymentId} is not disputed`);
  const standing = storedDisputeOf(known[0]).resolution;
  if (standing !== undefined) return { kind: 'stands', resolution: standing };
  await recordAction(tx, paymentId, action);
  const { rows } = await tx.query<DisputeRow>(
    `UPDATE disputes SET resolved_at = now(), resolution = $2 WHERE payment_id = $1 AND resolved_at IS NULL RETURNING ${COLUMNS}`,
    [paymentId, storableJson(resolution)],
  );
  const recorded = rows[0] && storedDisputeOf(rows[0]).resolution;
  if (recorded === undefined) throw new ImpossibleRequest(`Payment ${paymentId}: the resolution was not written`);
  return { kind: 'recorded', resolution: recorded };
}

const disputeOf = (row: DisputeRow): PaymentDispute => ({
  paymentId: row.payment_id,
  raisedBy: row.raised_by,
  because: row.because,
  raisedAt: row.raised_at.toISOString(),
});

const storedDisputeOf = (row: DisputeRow): StoredDispute => ({
  ...disputeOf(row),
  ...(row.opened_at !== null && { openedAt: row.opened_at.toISOString() }),
  ...(row.resolution !== null &&
    row.resolved_at !== null && { resolution: { ...row.resolution, at: row.resolved_at.toISOString() } }),
});

function factsOf(row: FactsRow): DisputeFacts {
  const { resolution } = storedDisputeOf(row);
  const recorded = readOutcome(row);
  if (recorded === undefined)
    throw new ImpossibleRequest(`Payment ${row.payment_id} is open: there is no outcome to dispute`);
  return {
    dispute: disputeOf(row),
    recorded,
    amount: safeInteger(row.amount),
    currency: row.currency,
    serviceId: row.service_id,
    // A closed payment holds nothing any more.
    hold: row.hold === 'posted' || row.hold === 'voided' ? row.hold : 'none',
    ...(resolution !== undefined && { resolution }),
  };
}
