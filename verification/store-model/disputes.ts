import type { PaymentDispute } from '../../src/payment/dispute';
import { ImpossibleRequest, type Disputes, type Raise, type RecordedResolution } from '../../src/store';
import { safeInteger, storableText } from '../../src/store/values';
import { recordModelAction } from './actions';
import { outcomeOf, paymentOf, RefusedByDatabase, stored, update, type DisputeRow, type Tables } from './tables';

export function modelDisputes(tables: Tables, now: () => number): Disputes {
  const { disputes, payments } = tables;
  return {
    raise: async (paymentId, why) => raise(tables, paymentId, why, now()),

    async toOpen(limit) {
      return [...disputes.values()]
        .filter(({ openedAt, resolution }) => openedAt === undefined && resolution === undefined)
        .sort((a, b) => compare(a.raisedAt, b.raisedAt) || compare(a.paymentId, b.paymentId))
        .slice(0, limit)
        .map(disputeOf);
    },

    async unresolved(after, limit) {
      return [...disputes.values()]
        .filter(({ openedAt, resolution }) => openedAt !== undefined && resolution === undefined)
        .filter(({ paymentId }) => paymentId > after)
        .sort((a, b) => compare(a.paymentId, b.paymentId))
        .slice(0, limit)
        .map(disputeOf);
    },

    async markOpened(paymentId) {
      const dispute = disputes.get(paymentId);
      if (dispute !== undefined) dispute.openedAt ??= iso(now());
    },

    async find(paymentId) {
      const dispute = disputes.get(paymentId);
      return dispute && { ...dispute };
    },

    async facts(paymentId) {
      const [dispute, payment] = [disputes.get(paymentId), payments.get(paymentId)];
      const recorded = payment && outcomeOf(payment);
      if (dispute === undefined || payment === undefined || recorded === undefined) return undefined;
      const { resolution } = dispute;
      const settled = tables.reservations.get(paymentId)?.settled;
      return {
        dispute: disputeOf(dispute),
        recorded,
        amount: safeInteger(payment.amount),
        currency: payment.currency,
        serviceId: payment.service_id,
        hold: settled === undefined ? 'none' : settled.posted > 0 ? 'posted' : 'voided',
        ...(resolution !== undefined && { resolution }),
      };
    },

    async resolve(paymentId, resolution, action) {
      const dispute = disputes.get(paymentId);
      const payment = payments.get(paymentId);
      if (dispute === undefined || payment === undefined)
        throw new ImpossibleRequest(`Payment ${paymentId} is not disputed`);
      if (dispute.resolution !== undefined) return { kind: 'stands', resolution: dispute.resolution };
      recordModelAction(tables, payment, action, new Date(now()));
      const recorded: RecordedResolution = { ...stored(resolution), at: iso(now()) };
      dispute.resolution = recorded;
      return { kind: 'recorded', resolution: recorded };
    },
  };
}

/** Marks the payment and keeps the first dispute. Never touches an outcome. */
export function raise(tables: Tables, paymentId: string, why: Raise, now: number): { readonly isNew: boolean } {
  const payment = paymentOf(tables, paymentId);
  if (payment.outcome === null)
    throw new ImpossibleRequest(`Payment ${paymentId} is open: there is no outcome to dispute`);
  if (why.because === '') throw new RefusedByDatabase('23514', 'disputes_because_check');
  if (payment.disputed_at === null) update(payment, { disputed_at: new Date(now) });
  if (tables.disputes.has(paymentId)) return { isNew: false };
  const dispute: DisputeRow = {
    paymentId,
    raisedBy: why.by,
    because: storableText(why.because),
    raisedAt: iso(now),
  };
  tables.disputes.set(paymentId, dispute);
  return { isNew: true };
}

const disputeOf = ({ paymentId, raisedBy, because, raisedAt }: DisputeRow): PaymentDispute => ({
  paymentId,
  raisedBy,
  because,
  raisedAt,
});

const iso = (at: number): string => new Date(at).toISOString();
const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
