import { ImpossibleRequest, UnknownPayment, type Claimed, type PaymentFacts, type Payments } from '../../src/store';
import { filledReceipt, readOutcome } from '../../src/store/values';
import type { CheckedRequest } from '../../src/payment/request';
import { modelClose } from './close';
import type { StoreModelOptions } from './index';
import { callbacksOf, columnsOf, RefusedByDatabase, stored, type PaymentRow, type Tables } from './tables';

export function modelPayments(tables: Tables, options: StoreModelOptions): Payments {
  const { now, bugs = {} } = options;
  const known = (paymentId: string): PaymentRow => {
    const row = tables.payments.get(paymentId);
    if (row === undefined) throw new UnknownPayment(paymentId);
    return row;
  };

  return {
    async register(request, fingerprint) {
      checkColumns(request);
      const { paymentId, serviceId, accountNumber, amount, currency } = request;
      const row = tables.payments.get(paymentId);
      if (row === undefined) {
        tables.payments.set(paymentId, {
          paymentId,
          fingerprint,
          serviceId,
          accountNumber,
          amount,
          currency,
          receipt: {},
        });
        return { kind: 'open', claimed: false, reserved: false };
      }
      if (row.fingerprint !== fingerprint) return { kind: 'conflict' };
      const outcome = readOutcome(columnsOf(row));
      if (outcome !== undefined) return { kind: 'closed', outcome };
      return { kind: 'open', claimed: row.claim !== undefined, reserved: tables.reservations.has(paymentId) };
    },

    async claim(paymentId, { nonce, account, tokenExpiresAt }): Promise<Claimed> {
      if (nonce === 'sealed' || nonce === '') throw new ImpossibleRequest('a nonce must be of this attempt alone');
      const row = known(paymentId);
      const isFree =
        row.claim === undefined ? row.outcome === undefined : bugs.noSeal === true && row.claim.kind === 'seal';
      if (isFree) {
        row.claim = { kind: 'claim', nonce, account, tokenExpiresAt, at: new Date(now()) };
        return { kind: 'claimed' };
      }
      const outcome = readOutcome(columnsOf(row));
      if (outcome !== undefined) return { kind: 'closed', outcome };
      // The same attempt again, because the first answer was lost: it knows its claim by the nonce.
      return row.claim?.kind === 'claim' && row.claim.nonce === nonce ? { kind: 'claimed' } : { kind: 'taken' };
    },

    async noteCompleted(paymentId) {
      const row = tables.payments.get(paymentId);
      if (row !== undefined) row.completedSeenAt ??= new Date(now());
    },

    facts: async (paymentId) => factsOf(tables, known(paymentId)),

    close: (request) => modelClose(tables, options, request),

    async addReceipt(paymentId, receipt) {
      const row = tables.payments.get(paymentId);
      if (row?.outcome?.kind !== 'paid') return false;
      const added = { ...stored(filledReceipt(receipt)), ...row.receipt };
      if (Object.keys(added).length === Object.keys(row.receipt).length) return false;
      row.receipt = added;
      return true;
    },
  };
}

function checkColumns({ paymentId, amount }: CheckedRequest): void {
  if (!/^[a-z0-9-]{8,36}$/.test(paymentId)) throw new RefusedByDatabase('23514', 'payments_payment_id_check');
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new RefusedByDatabase('23514', 'payments_amount_check');
}

function factsOf(tables: Tables, row: PaymentRow): PaymentFacts {
  const { claim, paymentId } = row;
  const outcome = readOutcome(columnsOf(row));
  const callbacks = callbacksOf(tables, paymentId).map(({ reading, receivedAt }) => ({ reading, receivedAt }));
  return {
    ...(claim?.kind === 'claim' && {
      claim: { at: claim.at, tokenExpiresAt: claim.tokenExpiresAt, account: claim.account },
    }),
    ...(outcome !== undefined && { outcome }),
    completedSeen: row.completedSeenAt !== undefined,
    callbacks,
    callbackCount: callbacks.length,
    callbacksDropped: tables.overflowed.get(paymentId) ?? 0,
    disputed: row.disputedAt !== undefined,
  };
}
