import { ImpossibleRequest, UnknownPayment, type Reservations } from '../../src/store';
import { assertAmount, readOutcome } from '../../src/store/values';
import { columnsOf, RefusedByDatabase, type Tables } from './tables';

export function modelReservations(tables: Tables): Reservations {
  return {
    async reserve(paymentId, { fundingAccount, amount, currency }) {
      assertAmount(amount, 'an amount to reserve');
      const payment = tables.payments.get(paymentId);
      if (payment === undefined) throw new UnknownPayment(paymentId);
      const outcome = readOutcome(columnsOf(payment));
      if (outcome !== undefined) return { kind: 'closed', outcome };
      if (tables.reservations.has(paymentId)) return { kind: 'reserved' };
      if (payment.amount !== amount || payment.currency !== currency)
        throw new ImpossibleRequest(`Payment ${paymentId}: what is reserved must be what is paid`);

      const account = tables.accounts.get(fundingAccount);
      if (account?.currency !== currency) return { kind: 'unknown-account' };
      if (account.available < amount) return { kind: 'insufficient' };
      account.available -= amount;
      account.reserved += amount;
      tables.reservations.set(paymentId, { fundingAccount, amount });
      return { kind: 'reserved' };
    },

    async addFunds({ account: id, amount, currency }) {
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

/** The second phase: of what was reserved, `posted` is paid out and the rest given back. Nothing without a reservation. */
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
