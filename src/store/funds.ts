import type { Database } from './database';
import { ImpossibleRequest } from './errors';
import { assertAmount, safeInteger } from './values';

/** `funding_accounts` and `reservations`: a payer's money is held by the claim, then posted or given back by the end. */

/** deposited = available + reserved + posted, always (a CHECK). Whole units of the currency. */
export interface FundingAccount {
  readonly id: string;
  readonly currency: string;
  readonly available: number;
  readonly reserved: number;
  readonly posted: number;
  readonly deposited: number;
}

export interface Deposit {
  readonly account: string;
  readonly amount: number;
  readonly currency: string;
}

/** In a statement whose CTE `payment` has locked a payment: holds its money, all of it or nothing; `held` tells. */
export const HOLD = `
  held AS (
    UPDATE funding_accounts a SET available = a.available - p.amount, reserved = a.reserved + p.amount
      FROM payment p
     WHERE a.id = p.funding_account
       AND a.currency = p.currency
       AND a.available >= p.amount -- the guarantee: read and written under one row lock, so no number of callers overdraws
    RETURNING a.id),
  reserved AS (
    INSERT INTO reservations (payment_id, funding_account, amount)
    SELECT payment_id, funding_account, amount FROM payment WHERE EXISTS (SELECT FROM held))`;

/** In a statement whose CTE `ended` ends a payment: of what is held for it `paid` is posted, and the rest is given back. */
export const SETTLE = `
  settled AS (
    UPDATE reservations r SET settled_at = now(), posted = ended.paid, released = r.amount - ended.paid
      FROM ended WHERE r.payment_id = ended.payment_id AND r.settled_at IS NULL
    RETURNING r.funding_account, r.amount, r.posted, r.released),
  moved AS (
    UPDATE funding_accounts a
       SET reserved = a.reserved - s.amount, posted = a.posted + s.posted, available = a.available + s.released
      FROM settled s WHERE a.id = s.funding_account)`;

export function createFunds(database: Database) {
  return {
    /**
     * Money comes in; the account is made by its first deposit. Not idempotent: who lost the answer looks at the account first.
     * @throws ImpossibleRequest if the account is in another currency
     */
    async add({ account, amount, currency }: Deposit): Promise<{ readonly available: number }> {
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

export type Funds = ReturnType<typeof createFunds>;

interface AccountRow {
  readonly id: string;
  readonly currency: string;
  readonly available: string;
  readonly reserved: string;
  readonly posted: string;
  readonly deposited: string;
}
