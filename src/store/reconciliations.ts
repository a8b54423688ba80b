import type { StoredPayment } from '../payment/reconciliation';
import {
  closingRanges,
  FIRST_LOOK_BACK_MS,
  type ClosingRange,
  type ReconciliationReport,
  type Window,
} from '../payment/reconciliation-window';
import type { Database, Queryable } from './database';
import { SEALED } from './facts';
import { readOutcome, safeInteger, storableJson, type OutcomeColumns } from './values';

/** What reconciliation reads of payments and funds, and `reconciliations`: its reports. Nothing else is written here. */

export interface AccountSum {
  readonly id: string;
  /** What the account says, and what its reservations say. */
  readonly reserved: { readonly account: number; readonly reservations: number };
  readonly posted: { readonly account: number; readonly reservations: number };
}

/** A transaction that was under way at the end of a window may have written a time before it. */
const OVERLAP_MS = 60_000;
/** Reservations summed up in one statement: well within the time that a statement has. */
const SUMMED_AT_ONCE = 20_000;

export function createReconciliations(database: Database) {
  return {
    /**
     * From `since`, or from where the reports without a gap end, until now by the database's clock; and what those reports left
     * without an answer. A `since` in the future is given back as it is.
     */
    async window(since?: Date): Promise<Window> {
      const { rows } = await database.query<{ since: Date; until: Date; again: readonly string[] }>(
        `WITH covered AS (SELECT max(covers_until) AS until FROM reconciliations)
         SELECT coalesce($1::timestamptz, least(now(), coalesce(until - $2 * interval '1 millisecond', now() - $3 * interval '1 millisecond'))) AS since,
                now() AS until, ${UNANSWERED} AS again
           FROM covered`,
        [since ?? null, OVERLAP_MS, FIRST_LOOK_BACK_MS],
      );
      const row = rows[0];
      if (row === undefined) throw new Error('the database did not tell the time');
      return { since: row.since.toISOString(), until: row.until.toISOString(), again: row.again };
    },

    /** The payments that a window covers, by id, from behind `after` on. */
    async page(window: Window, after: string, limit: number): Promise<readonly StoredPayment[]> {
      const ranges = closingRanges(window);
      const { rows } = await database.query<PaymentRow>(
        `${PAYMENT}
          WHERE p.payment_id > $1
            AND (${['p.outcome IS NULL', 'p.payment_id = ANY ($3)', ...ranges.map(inRange)].join(' OR ')})
          ORDER BY p.payment_id LIMIT $2`,
        [after, limit, window.again ?? [], ...ranges.flatMap(({ since, until }) => [since, until])],
      );
      return rows.map(paymentOf);
    },

    /** As they are now. */
    async read(paymentIds: readonly string[]): Promise<readonly StoredPayment[]> {
      const { rows } = await database.query<PaymentRow>(`${PAYMENT} WHERE p.payment_id = ANY ($1)`, [paymentIds]);
      return rows.map(paymentOf);
    },

    /** Those of the ids that are no payments here. */
    async unknown(paymentIds: readonly string[]): Promise<readonly string[]> {
      const { rows } = await database.query<{ id: string }>(
        `SELECT id FROM unnest($1::text[]) AS id WHERE NOT EXISTS (SELECT FROM payments WHERE payment_id = id) ORDER BY id`,
        [paymentIds],
      );
      return rows.map(({ id }) => id);
    },

    /** Funding accounts whose sums differ from those of their reservations. */
    accountsOff: (): Promise<readonly AccountSum[]> => database.transaction(accountsOff),

    /** Idempotent by the run. */
    async record(runId: string, report: ReconciliationReport): Promise<void> {
      const { since, until, startedAt, complete, differences, ...counts } = report;
      await database.query(
        `INSERT INTO reconciliations (run_id, since, until, started_at, complete, covers_until, counts, differences)
         SELECT $1, $2::timestamptz, $3::timestamptz, $4::timestamptz, $5::boolean,
                CASE WHEN $5::boolean AND $2::timestamptz <= coalesce(max(covers_until), $3::timestamptz - $8 * interval '1 millisecond')
                     THEN $3::timestamptz END, $6::jsonb, $7::jsonb
           FROM reconciliations
         ON CONFLICT DO NOTHING`,
        [runId, since, until, startedAt, complete, storableJson(counts), storableJson(differences), FIRST_LOOK_BACK_MS],
      );
    },
  };
}

export type Reconciliations = ReturnType<typeof createReconciliations>;

/**
 * Who ran beside the latest of the reports without a gap has asked without knowing what that one left: the next asks about what any of
 * them left. Kept with the counts of a report.
 */
const UNANSWERED = `ARRAY(
  SELECT DISTINCT one ->> 'paymentId' FROM reconciliations r, jsonb_array_elements(r.counts -> 'unanswered') AS one
   WHERE r.covers_until IS NOT NULL AND r.finished_at >= covered.until ORDER BY 1)`;

const OF: Readonly<Record<ClosingRange['of'], string>> = {
  all: '',
  'declined-after-sending': `AND p.state = 'declined' AND p.claimed_by <> '${SEALED}'`,
  paid: "AND p.state = 'paid'",
};
/** The index of `closed_at` has the closed ones only, and is used where that is said word for word. The bounds are parameters from $4 on. */
const inRange = ({ of }: ClosingRange, index: number): string =>
  `(p.outcome IS NOT NULL ${OF[of]} AND p.closed_at > $${4 + 2 * index} AND p.closed_at <= $${5 + 2 * index})`;

const PAYMENT = `
  SELECT p.payment_id, p.account_number, p.amount, p.currency, p.claimed_by, p.claim_account,
         p.outcome, p.receipt, p.closed_at, p.disputed_at IS NOT NULL AS disputed,
         r.payment_id IS NOT NULL AS reserved, r.settled_at IS NOT NULL AS settled, coalesce(r.posted, 0) AS posted
    FROM payments p LEFT JOIN reservations r USING (payment_id)`;

interface PaymentRow extends OutcomeColumns {
  readonly payment_id: string;
  readonly account_number: string;
  readonly amount: string;
  readonly currency: string;
  readonly claimed_by: string | null;
  readonly claim_account: string | null;
  readonly closed_at: Date | null;
  readonly disputed: boolean;
  readonly reserved: boolean;
  readonly settled: boolean;
  readonly posted: string;
}

function paymentOf(row: PaymentRow): StoredPayment {
  const outcome = readOutcome(row);
  return {
    paymentId: row.payment_id,
    accountNumber: row.account_number,
    amount: safeInteger(row.amount),
    currency: row.currency,
    claim: claimOf(row),
    ...(outcome !== undefined &&
      row.closed_at !== null && { closed: { at: row.closed_at.toISOString(), outcome, disputed: row.disputed } }),
    ...(row.reserved && { reservation: { settled: row.settled, posted: safeInteger(row.posted) } }),
  };
}

function claimOf({ claimed_by, claim_account }: PaymentRow): StoredPayment['claim'] {
  if (claimed_by === null) return { kind: 'free' };
  return claimed_by === SEALED ? { kind: 'sealed' } : { kind: 'taken', account: claim_account ?? '' };
}

interface Sums {
  reserved: number;
  posted: number;
}

/** All statements see one moment, so that what moves meanwhile moves in none of the sums. */
async function accountsOff(tx: Queryable): Promise<readonly AccountSum[]> {
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const sums = await sumReservations(tx);
  const { rows } = await tx.query<{ id: string; reserved: string; posted: string }>(
    'SELECT id, reserved, posted FROM funding_accounts ORDER BY id',
  );
  return rows.flatMap(({ id, reserved, posted }) => {
    const sum = sums.get(id) ?? { reserved: 0, posted: 0 };
    const account = {
      id,
      reserved: { account: safeInteger(reserved), reservations: sum.reserved },
      posted: { account: safeInteger(posted), reservations: sum.posted },
    };
    const addsUp = [account.reserved, account.posted].every((part) => part.account === part.reservations);
    return addsUp ? [] : [account];
  });
}

async function sumReservations(tx: Queryable): Promise<ReadonlyMap<string, Sums>> {
  const sums = new Map<string, Sums>();
  for (let after: string | null = ''; after !== null;) {
    const page: readonly SumRow[] = await sumFrom(tx, after);
    for (const { funding_account, reserved, posted } of page) {
      const sum = sums.get(funding_account) ?? { reserved: 0, posted: 0 };
      sums.set(funding_account, { reserved: sum.reserved + Number(reserved), posted: sum.posted + Number(posted) });
    }
    after = page[0]?.last ?? null;
  }
  return sums;
}

interface SumRow {
  readonly funding_account: string;
  readonly reserved: string;
  readonly posted: string;
  /** The last payment of the whole page. */
  readonly last: string;
}

async function sumFrom(tx: Queryable, after: string): Promise<readonly SumRow[]> {
  const { rows } = await tx.query<SumRow>(
    `WITH page AS (
       SELECT payment_id, funding_account, amount, settled_at, posted FROM reservations
        WHERE payment_id > $1 ORDER BY payment_id LIMIT $2)
     SELECT funding_account, sum(CASE WHEN settled_at IS NULL THEN amount ELSE 0 END) AS reserved,
            sum(coalesce(posted, 0)) AS posted, (SELECT max(payment_id) FROM page) AS last
       FROM page GROUP BY funding_account`,
    [after, SUMMED_AT_ONCE],
  );
  return rows;
}
