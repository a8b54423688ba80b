import { ImpossibleRequest, type Funds } from '../../src/store';
import { assertAmount, safeInteger } from '../../src/store/values';
import { RefusedByDatabase, type PaymentRow, type Tables } from './tables';

export function modelFunds(tables: Tables): Funds {
  return {
    async add({ account: id, amount, currency }) {
      assertAmount(amount, 'a deposit');
      const account = tables.accounts.get(id) ?? { id, currency, available: 0, reserved: 0, posted: 0, deposited: 0 };
      if (account.currency !== currency)
        throw new ImpossibleRequest(
          `Funding account ${id} is not in ${currency}: use its own currency or another account.`,
        );
      if (account.deposited + amount > Number.MAX_SAFE_INTEGER)
        throw new RefusedByDatabase('23514', 'funding_accounts_deposited_check');
      account.available += amount;
      account.deposited += amount;
      tables.accounts.set(id, account);
      return { available: account.available };
    },

    async account(id) {
      const account = tables.accounts.get(id);
      return account && { ...account };
    },
  };
}

/** All of a payment's money or nothing; what names no account needs none. */
export function hold(
  tables: Tables,
  { payment_id, funding_account, amount: text, currency }: PaymentRow,
): 'held' | 'insufficient-funds' | 'unknown-funding-account' {
  if (funding_account === null) return 'held';
  const amount = safeInteger(text);
  const account = tables.accounts.get(funding_account);
  if (account?.currency !== currency) return 'unknown-funding-account';
  if (account.available < amount) return 'insufficient-funds';
  account.available -= amount;
  account.reserved += amount;
  tables.reservations.set(payment_id, { fundingAccount: funding_account, amount });
  return 'held';
}

/** Of what is held `posted` is paid out, and the rest given back. */
export function settle(tables: Tables, paymentId: string, posted: number): void {
  const reservation = tables.reservations.get(paymentId);
  if (reservation === undefined || reservation.settled !== undefined) return;
  const released = reservation.amount - posted;
  reservation.settled = { posted, released };
  const account = tables.accounts.get(reservation.fundingAccount);
  if (account === undefined) throw new Error(`funding account ${reservation.fundingAccount} is gone`);
  account.reserved -= reservation.amount;
  account.posted += posted;
  account.available += released;
}

export function stateOf({ settled }: { readonly settled?: { readonly posted: number } }) {
  if (settled === undefined) return 'reserved';
  return settled.posted > 0 ? 'posted' : 'voided';
}
