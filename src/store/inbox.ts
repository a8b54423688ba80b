import type { CallbackReading } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { Database } from './database';
import { untilNotOvertaken } from './overtaken';
import { readOutcome, safeInteger, storableJson, storableText, type OutcomeColumns } from './values';

/** `callback_inbox`: every authentic callback as it came, when it was signalled, and what took it into account. */

/** Per payment. A provider sends one to three; the limit bounds what a broken or leaked URL can make us keep and read. */
export const MAX_STORED_CALLBACKS = 200;

export interface IncomingCallback {
  readonly paymentId: string;
  /** Of the body as it came: the same callback twice is one row. */
  readonly digest: string;
  /** Text as it came, the URL's token already stripped. */
  readonly body: string;
  readonly reading: CallbackReading;
  readonly receivedAt?: Date;
}

export type Added =
  | { readonly kind: 'stored'; readonly id: number }
  | { readonly kind: 'duplicate'; readonly id: number }
  /** Beyond the limit: counted, not kept. */
  | { readonly kind: 'overflow' };

/** What takes a callback into account: the end, or afterwards the comparison with the outcome. */
export type HandledAs = 'close' | 'agreed' | 'dispute';

export interface StoredCallback {
  readonly id: number;
  readonly paymentId: string;
  readonly body: string;
  readonly reading: CallbackReading;
  readonly receivedAt: Date;
  readonly signalledAt?: Date;
  readonly handledAs?: HandledAs;
}

export interface PendingCallback {
  readonly id: number;
  readonly paymentId: string;
  readonly reading: CallbackReading;
  readonly receivedAt: Date;
  /** Only of a closed payment: does the callback agree? */
  readonly closed?: { readonly outcome: BillPaymentOutcome; readonly accountNumber: string };
}

interface CallbackRow {
  readonly id: string;
  readonly payment_id: string;
  readonly body: string;
  readonly reading: CallbackReading;
  readonly received_at: Date;
  readonly signalled_at: Date | null;
  readonly handled_as: HandledAs | null;
}

type PendingRow = Pick<CallbackRow, 'id' | 'payment_id' | 'reading' | 'received_at'> & {
  readonly outcome: OutcomeColumns['outcome'];
  /** Of a payment that the store does not know: null, as its account. */
  readonly receipt: OutcomeColumns['receipt'] | null;
  readonly account_number: string | null;
};

export function createInbox(database: Database) {
  return {
    add: (callback: IncomingCallback): Promise<Added> =>
      untilNotOvertaken(callback.paymentId, () => tryToAdd(database, callback)),

    /**
     * What the delivery has to do, oldest first: tell the workflow of an open payment, compare with the outcome of a closed one.
     * @param olderThan leaves the youngest to the endpoint that has just stored them
     * @param afterId pages on, so that rows nobody can deliver do not hide the rest
     */
    async pending(limit: number, olderThan?: Date, afterId = 0): Promise<readonly PendingCallback[]> {
      const { rows } = await database.query<PendingRow>(
        `/* pending-callbacks */ SELECT c.id, c.payment_id, c.reading, c.received_at, p.outcome, p.receipt, p.account_number
           FROM callback_inbox c LEFT JOIN payments p USING (payment_id)
          WHERE c.handled_as IS NULL
            AND (p.outcome IS NOT NULL OR c.signalled_at IS NULL) -- a signalled one comes back once its payment closed without it
            AND ($2::timestamptz IS NULL OR c.received_at <= $2)
            AND c.id > $3
          ORDER BY c.id
          LIMIT $1`,
        [limit, olderThan ?? null, afterId],
      );
      return rows.map((row) => {
        const outcome = readOutcome({ outcome: row.outcome, receipt: row.receipt ?? {} });
        return {
          id: safeInteger(row.id),
          paymentId: row.payment_id,
          reading: row.reading,
          receivedAt: row.received_at,
          ...(outcome !== undefined && { closed: { outcome, accountNumber: row.account_number ?? '' } }),
        };
      });
    },

    /** How many callbacks of this payment the workflow was told of. */
    async signalsSent(paymentId: string): Promise<number> {
      const { rows } = await database.query<{ signals: string }>(
        '/* count-signals */ SELECT count(*) AS signals FROM callback_inbox WHERE payment_id = $1 AND signalled_at IS NOT NULL',
        [paymentId],
      );
      return safeInteger(rows[0]?.signals ?? '0');
    },

    /** The first time is kept. */
    async markSignalled(ids: readonly number[]): Promise<void> {
      await database.query(
        `/* mark-signalled */ UPDATE callback_inbox SET signalled_at = now()
          WHERE id IN (SELECT id FROM callback_inbox WHERE id = ANY ($1::bigint[]) AND signalled_at IS NULL ORDER BY id FOR UPDATE)`,
        [ids],
      );
    },

    /** Takes callbacks off the delivery's list. What one was handled as first stays. */
    async markHandled(ids: readonly number[], as: HandledAs): Promise<void> {
      await database.query(
        `/* mark-handled */ UPDATE callback_inbox SET handled_as = $2, handled_at = now()
          WHERE id IN (SELECT id FROM callback_inbox WHERE id = ANY ($1::bigint[]) AND handled_as IS NULL ORDER BY id FOR UPDATE)`,
        [ids, as],
      );
    },

    /** All that were kept, oldest first. */
    async forPayment(paymentId: string): Promise<readonly StoredCallback[]> {
      const { rows } = await database.query<CallbackRow>(
        `SELECT id, payment_id, body, reading, received_at, signalled_at, handled_as
           FROM callback_inbox WHERE payment_id = $1 ORDER BY id LIMIT $2`,
        [paymentId, MAX_STORED_CALLBACKS],
      );
      return rows.map((row) => ({
        id: safeInteger(row.id),
        paymentId: row.payment_id,
        body: row.body,
        reading: row.reading,
        receivedAt: row.received_at,
        ...(row.signalled_at !== null && { signalledAt: row.signalled_at }),
        ...(row.handled_as !== null && { handledAs: row.handled_as }),
      }));
    },
  };
}

export type Inbox = ReturnType<typeof createInbox>;

/**
 * One statement, so that nobody waits for another's round trips: a repeated callback is found in the index, without a lock; one beyond
 * the limit is counted, and not kept. Undefined: another has come first, the same one or the last that is kept.
 */
async function tryToAdd(
  database: Database,
  { paymentId, digest, body, reading, receivedAt }: IncomingCallback,
): Promise<Added | undefined> {
  const { rows } = await database
    .query<{ known: string | null; added: string | null; beyond: boolean }>(
      `/* store-callback */ WITH known AS (
         SELECT id FROM callback_inbox WHERE payment_id = $1 AND digest = $2),
       beyond AS (
         UPDATE callback_counts SET overflowed = overflowed + 1
          WHERE payment_id = $1 AND stored >= $6 AND NOT EXISTS (SELECT FROM known) RETURNING payment_id),
       added AS (
         INSERT INTO callback_inbox (payment_id, digest, body, reading, received_at)
         SELECT $1, $2, $3, $4, coalesce($5, now()) WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM beyond)
         ON CONFLICT DO NOTHING RETURNING id),
       counted AS (
         INSERT INTO callback_counts AS c (payment_id, stored) SELECT $1, 1 FROM added
         ON CONFLICT (payment_id) DO UPDATE SET stored = c.stored + 1) -- a CHECK refuses one too many
       SELECT (SELECT id FROM known) AS known, (SELECT id FROM added) AS added, EXISTS (SELECT FROM beyond) AS beyond`,
      [
        ...[paymentId, digest, storableText(body), storableJson(reading)],
        ...[receivedAt ?? null, MAX_STORED_CALLBACKS],
      ],
    )
    .catch((error: unknown) => {
      if (error instanceof Error && 'constraint' in error && error.constraint === 'callback_limit') return { rows: [] };
      throw error;
    });
  const { known, added, beyond } = rows[0] ?? {};
  if (beyond === true) return { kind: 'overflow' };
  if (typeof known === 'string') return { kind: 'duplicate', id: safeInteger(known) };
  return typeof added === 'string' ? { kind: 'stored', id: safeInteger(added) } : undefined;
}
