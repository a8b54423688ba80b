import { MAX_STORED_CALLBACKS, type Inbox } from '../../src/store';
import { storableText } from '../../src/store/values';
import { callbacksOf, outcomeOf, stored, type CallbackRow, type Tables } from './tables';

export function modelInbox(tables: Tables, now: () => number): Inbox {
  const { callbacks, overflowed } = tables;
  const withIds = (ids: readonly number[]): readonly CallbackRow[] => callbacks.filter(({ id }) => ids.includes(id));
  const closedOf = (paymentId: string) => {
    const payment = tables.payments.get(paymentId);
    const outcome = payment && outcomeOf(payment);
    return outcome && { outcome, accountNumber: payment.account_number };
  };

  return {
    async add({ paymentId, digest, body, reading, receivedAt }) {
      const kept = callbacksOf(tables, paymentId);
      const known = kept.find((callback) => callback.digest === digest);
      if (known !== undefined) return { kind: 'duplicate', id: known.id };
      if (kept.length >= MAX_STORED_CALLBACKS) {
        overflowed.set(paymentId, (overflowed.get(paymentId) ?? 0) + 1);
        return { kind: 'overflow' };
      }
      const id = callbacks.length + 1;
      callbacks.push({
        id,
        paymentId,
        digest,
        body: storableText(body),
        reading: stored(reading),
        receivedAt: receivedAt ?? new Date(now()),
      });
      return { kind: 'stored', id };
    },

    async pending(limit, olderThan, afterId = 0) {
      const waits = ({ id, paymentId, handledAs, signalledAt, receivedAt }: CallbackRow): boolean =>
        id > afterId &&
        handledAs === undefined &&
        (signalledAt === undefined || closedOf(paymentId) !== undefined) &&
        (olderThan === undefined || receivedAt <= olderThan);
      return callbacks
        .filter(waits)
        .slice(0, limit)
        .map(({ id, paymentId, reading, receivedAt }) => {
          const closed = closedOf(paymentId);
          return { id, paymentId, reading, receivedAt, ...(closed !== undefined && { closed }) };
        });
    },

    async signalsSent(paymentId) {
      return callbacksOf(tables, paymentId).filter(({ signalledAt }) => signalledAt !== undefined).length;
    },

    async markSignalled(ids) {
      for (const callback of withIds(ids)) callback.signalledAt ??= new Date(now());
    },

    async markHandled(ids, by) {
      for (const callback of withIds(ids)) callback.handledAs ??= by;
    },

    async forPayment(paymentId) {
      return callbacksOf(tables, paymentId).map(({ id, body, reading, receivedAt, signalledAt, handledAs }) => ({
        id,
        paymentId,
        body,
        reading,
        receivedAt,
        ...(signalledAt !== undefined && { signalledAt }),
        ...(handledAs !== undefined && { handledAs }),
      }));
    },
  };
}
