import { ImpossibleRequest, type Funds } from '../../src/store';
import { assertAmount } from '../../src/store/values';
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

/** What a payment's funding account has; undefined: it names none, or there is none in its currency. */
export function availableFor(tables: Tables, { fundingAccount, currency }: PaymentRow): number | undefined {
  const account = fundingAccount === undefined ? undefined : tables.accounts.get(fundingAccount);
  return account?.currency === currency ? account.available : undefined;
}

/** All of it, or nothing: false. */
export function hold(tables: Tables, payment: PaymentRow): boolean {
  const { paymentId, fundingAccount, amount } = payment;
  if (fundingAccount === undefined) return true;
  const account = tables.accounts.get(fundingAccount);
  if (account === undefined || (availableFor(tables, payment) ?? -1) < amount) return false;
  account.available -= amount;
  account.reserved += amount;
  tables.reservations.set(paymentId, { fundingAccount, amount });
  return true;
}

/** The second phase: of what was held, `posted` is paid out and the rest given back. Nothing without a reservation. */
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
