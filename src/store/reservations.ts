import type { BillPaymentOutcome } from '../payment/outcome';
import type { Database, Queryable } from './database';
import { ImpossibleRequest, UnknownPayment } from './errors';
import { assertAmount, readOutcome, safeInteger, type OutcomeColumns } from './values';

/**
 * `funding_accounts` and `reservations`: a payer's money is reserved before a payment is sent, then posted or voided by its close.
 * Lock order, everywhere: the payment's row, its reservation, the funding account. So nothing here can deadlock.
 */

export interface Reserve {
  readonly fundingAccount: string;
  readonly amount: number;
  readonly currency: string;
}

export type Reserved =
  | { readonly kind: 'reserved' }
  | { readonly kind: 'insufficient' }
  /** Not there, or in another currency. */
  | { readonly kind: 'unknown-account' }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome };

/** deposited = available + reserved + posted, always (a CHECK). Whole units of the currency. */
export interface FundingAccount {
  readonly id: string;
  readonly currency: string;
  readonly available: number;
  readonly reserved: number;
  readonly posted: number;
  readonly deposited: number;
}

interface AccountRow {
  readonly id: string;
  readonly currency: string;
  readonly available: string;
  readonly reserved: string;
  readonly posted: string;
  readonly deposited: string;
}

export function createReservations(database: Database) {
  return {
    /** Idempotent. A payment that is closed reserves nothing any more, also when it was closed without a reservation. */
    reserve: (paymentId: string, request: Reserve): Promise<Reserved> => {
      assertAmount(request.amount, 'an amount to reserve');
      return database.transaction((tx) => reserve(tx, paymentId, request));
    },

    /**
     * Money comes in; the account is made by its first deposit. Not idempotent: who lost the answer looks at the account first.
     * @throws ImpossibleRequest if the account is in another currency
     */
    async addFunds({
      account,
      amount,
      currency,
    }: {
      readonly account: string;
      readonly amount: number;
      readonly currency: string;
    }): Promise<{ readonly available: number }> {
      assertAmount(amount, 'a deposit');
      const { rows } = await database.query<{ available: string }>(
        `INSERT INTO funding_accounts AS a (id, currency, available, deposited) VALUES ($1, $2, $3, $3)
         ON CONFLICT (id) DO UPDATE SET available = a.available + excluded.available, deposited = a.deposited + excluded.deposited
          WHERE a.currency = excluded.currency -- shillings are never added to dollars
         RETURNING available`,
        [account, currency, amount],
      );
      if (rows[0] === undefined)
        throw new ImpossibleRequest(
          `Funding account ${account} is not in ${currency}: use its own currency or another account.`,
        );
      return { available: safeInteger(rows[0].available) };
    },

    async account(id: string): Promise<FundingAccount | undefined> {
      const { rows } = await database.query<AccountRow>(
        'SELECT id, currency, available, reserved, posted, deposited FROM funding_accounts WHERE id = $1',
        [id],
      );
      const row = rows[0];
      return (
        row && {
          id: row.id,
          currency: row.currency,
          available: safeInteger(row.available),
          reserved: safeInteger(row.reserved),
          posted: safeInteger(row.posted),
          deposited: safeInteger(row.deposited),
        }
      );
    },
  };
}

export type Reservations = ReturnType<typeof createReservations>;

interface PaymentRow extends OutcomeColumns {
  readonly amount: string;
  readonly currency: string;
  readonly held: boolean;
}

async function reserve(
  tx: Queryable,
  paymentId: string,
  { fundingAccount, amount, currency }: Reserve,
): Promise<Reserved> {
  // The row lock makes a reserve and a close of the same payment wait for each other: money is held before the close, which
  // then settles it, or not at all. A second statement reads, because only a new statement sees what the wait was for.
  await tx.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
  const { rows } = await tx.query<PaymentRow>(
    `SELECT outcome, receipt, amount, currency,
            EXISTS (SELECT FROM reservations r WHERE r.payment_id = p.payment_id) AS held
       FROM payments p WHERE payment_id = $1`,
    [paymentId],
  );
  const payment = rows[0];
  if (payment === undefined) throw new UnknownPayment(paymentId);
  const outcome = readOutcome(payment);
  if (outcome !== undefined) return { kind: 'closed', outcome };
  if (payment.held) return { kind: 'reserved' };
  if (safeInteger(payment.amount) !== amount || payment.currency !== currency) {
    throw new ImpossibleRequest(`Payment ${paymentId}: what is reserved must be what is paid`);
  }

  const held = await tx.query(
    `WITH taken AS (
       UPDATE funding_accounts SET available = available - $3, reserved = reserved + $3
        WHERE id = $2
          AND currency = $4
          AND available >= $3 -- the guarantee: read and written under one row lock, so no number of callers overdraws
       RETURNING id)
     INSERT INTO reservations (payment_id, funding_account, amount) SELECT $1, id, $3 FROM taken`,
    [paymentId, fundingAccount, amount, currency],
  );
  if (held.rowCount === 1) return { kind: 'reserved' };

  const known = await tx.query('SELECT FROM funding_accounts WHERE id = $1 AND currency = $2', [
    fundingAccount,
    currency,
  ]);
  return { kind: known.rowCount === 1 ? 'insufficient' : 'unknown-account' };
}

/** What a close owes an account: moved as its last statement, so that a busy account is locked as briefly as can be. */
export interface Settlement {
  readonly fundingAccount: string;
  readonly posted: number;
  readonly released: number;
}

/**
 * The second phase, part one: of what was reserved, `paid` is posted and the rest released; 0 voids it.
 * The caller holds the payment's row. Undefined when nothing was reserved.
 */
export async function settleReservation(
  tx: Queryable,
  paymentId: string,
  paid: number,
): Promise<Settlement | undefined> {
  const { rows } = await tx.query<{ funding_account: string; posted: string; released: string }>(
    `UPDATE reservations SET settled_at = now(), posted = $2, released = amount - $2
      WHERE payment_id = $1 AND settled_at IS NULL -- once; a second time is also refused by a trigger
     RETURNING funding_account, posted, released`,
    [paymentId, paid],
  );
  const row = rows[0];
  return (
    row && { fundingAccount: row.funding_account, posted: safeInteger(row.posted), released: safeInteger(row.released) }
  );
}

/** Part two. The CHECKs of the account refuse a settlement that does not add up. */
export async function moveFunds(tx: Queryable, { fundingAccount, posted, released }: Settlement): Promise<void> {
  await tx.query(
    `UPDATE funding_accounts
        SET reserved = reserved - ($2::bigint + $3::bigint), posted = posted + $2::bigint, available = available + $3::bigint
      WHERE id = $1`,
    [fundingAccount, posted, released],
  );
}
