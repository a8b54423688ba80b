import { requestFor, type PaymentCalls } from './payment-calls';

/** A payment without an engine: its calls one after another, and a promise where the flow would wait for its signal. */
export function createRawPayments(calls: PaymentCalls) {
  const waiting = new Map<string, () => void>();
  return {
    async pay(paymentId: string): Promise<void> {
      const called = new Promise<void>((resolve) => waiting.set(paymentId, resolve));
      const request = requestFor(paymentId);
      await calls.validate(request);
      await calls.send(request, await calls.hold(request));
      await called;
      if (!(await calls.look(request))) throw new Error('the callback came before the record was completed');
      await calls.record(request);
    },

    callbackCame(paymentId: string): void {
      waiting.get(paymentId)?.();
      waiting.delete(paymentId);
    },
  };
}
