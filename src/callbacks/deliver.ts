import type { Log } from '../log';
import { concurrently } from '../payment/concurrently';
import type { CallbackNotice } from '../payment/observation';
import type { Inbox, Payments, PendingCallback } from '../store';
import { compareWithOutcome, type ClosedPayment } from './compare';
import { createMetrics, type CallbackMetrics } from './metrics';
import { becauseOf, createOpening, type DisputeOutbox, type OpenDispute } from './disputes';
import type { Signal } from './signal';
import { describeTrouble } from './trouble';

/** What delivery needs of the store. */
export interface DeliveryStore {
  readonly inbox: Pick<Inbox, 'pending' | 'signalsSent' | 'markSignalled' | 'markHandled'>;
  readonly payments: Pick<Payments, 'addReceipt'>;
  readonly disputes: DisputeOutbox;
}

export interface DeliveryOptions {
  readonly store: DeliveryStore;
  readonly signal: Signal;
  readonly log: Log;
  readonly openDispute: OpenDispute;
  readonly metrics?: CallbackMetrics;
}

export interface Delivery {
  /**
   * Deals with these callbacks of one payment, as far as they are still pending, oldest first. Never throws: what could not be
   * delivered stays pending.
   */
  deliverPayment(paymentId: string, callbackIds: Iterable<number>): Promise<Delivered>;
  /** The same for everything that is pending, and for the disputes that nobody has opened. Throws only when the store cannot say what that is. */
  sweep(): Promise<SweepReport>;
}

export interface Delivered {
  /** Callbacks that are still pending. */
  readonly left: number;
  /** Whether the store or the engine failed. A payment without a running workflow is no failure. */
  readonly failed: boolean;
}

export interface SweepReport {
  /** Callbacks that were pending, and disputes that nobody had opened. */
  readonly found: number;
  readonly left: number;
}

/** More would not help: each signal makes the workflow read all callbacks from the inbox, and it polls besides. */
const MAX_SIGNALS = 20;
const PAGE = 200;
const CONCURRENT_PAYMENTS = 8;

/**
 * Brings stored callbacks where they belong: to the workflow of an open payment, or to a comparison with the outcome of a closed
 * one. Everything starts from what is pending in the inbox, so it does not matter who stored it or how often this runs: a
 * delivery cut short is repeated, and a repeated hint is harmless.
 */
export function createDelivery({ metrics = createMetrics(), ...options }: DeliveryOptions): Delivery {
  const { store, log } = options;
  const afterEarlierWork = createPaymentQueues();
  const open = createOpening(store.disputes, options.openDispute);
  const deliver = createStep({ metrics, ...options, open });
  /** Where the next sweep begins. */
  let afterId = 0;

  /** Read again when it is due: an earlier delivery or another endpoint may have dealt with it. */
  const stillPending = async (id: number): Promise<PendingCallback | undefined> =>
    (await store.inbox.pending(1, undefined, id - 1)).find((callback) => callback.id === id);

  const deliverPayment = (paymentId: string, callbackIds: Iterable<number>): Promise<Delivered> =>
    afterEarlierWork(paymentId, async () => {
      const ids = [...new Set(callbackIds)].sort((a, b) => a - b);
      let done = 0;
      try {
        for (const id of ids) {
          const callback = await stillPending(id);
          if (callback !== undefined && !(await deliver(callback))) break;
          done += 1;
        }
        return { left: ids.length - done, failed: false };
      } catch (error) {
        metrics.deliveryFailures.inc();
        const trouble = describeTrouble(error);
        log.warn({ paymentId, ...trouble }, 'callbacks could not be delivered; the next sweep tries again');
        return { left: ids.length - done, failed: true };
      }
    });

  return {
    deliverPayment,
    async sweep() {
      let [found, left] = [0, 0];
      for (;;) {
        const page = await store.inbox.pending(PAGE, undefined, afterId);
        afterId = page.length < PAGE ? 0 : (page.at(-1)?.id ?? 0);
        const byPayment = idsByPayment(page);
        let failures = 0;
        await concurrently(byPayment, CONCURRENT_PAYMENTS, async ([paymentId, ids]) => {
          const result = await deliverPayment(paymentId, ids);
          left += result.left;
          if (result.failed) failures += 1;
        });
        found += page.length;
        // All failed: the engine is away, or these are payments it never takes. The next sweep goes on behind them.
        if (afterId === 0 || failures === byPayment.size) break;
      }
      metrics.undelivered.set(left);
      const disputes = await sweepDisputes();
      return { found: found + disputes.found, left: left + disputes.left };
    },
  };

  /** What a close or reconciliation has raised, and what an endpoint that died left between raising and opening. */
  async function sweepDisputes(): Promise<SweepReport> {
    const raised = await store.disputes.toOpen(PAGE);
    let left = 0;
    await concurrently(raised, CONCURRENT_PAYMENTS, async ({ paymentId }) => {
      try {
        await open(paymentId);
      } catch (error) {
        left += 1;
        metrics.deliveryFailures.inc();
        log.warn({ paymentId, ...describeTrouble(error) }, 'a dispute could not be opened; the next sweep tries again');
      }
    });
    metrics.unopened.set(left);
    return { found: raised.length, left };
  }
}

function idsByPayment(callbacks: readonly PendingCallback[]): Map<string, number[]> {
  const ids = new Map<string, number[]>();
  for (const { paymentId, id } of callbacks) ids.set(paymentId, [...(ids.get(paymentId) ?? []), id]);
  return ids;
}

/** The two ways of dealing with one callback; false: not now, and not the payment's others either. */
function createStep({
  store,
  signal,
  log,
  metrics,
  open,
}: DeliveryOptions & { readonly metrics: CallbackMetrics; readonly open: (paymentId: string) => Promise<void> }) {
  async function toWorkflow({ id, paymentId, reading, receivedAt }: PendingCallback): Promise<boolean> {
    if ((await store.inbox.signalsSent(paymentId)) >= MAX_SIGNALS) {
      // Taken off the list all the same: the workflow reads it with the others.
      metrics.signals.inc({ result: 'withheld' });
    } else {
      const code = reading.code?.value;
      const notice: CallbackNotice = {
        receivedAt: receivedAt.toISOString(),
        claims: reading.claims,
        ...(code !== undefined && { code }),
      };
      const result = await signal(paymentId, notice);
      metrics.signals.inc({ result });
      if (result === 'no-run') {
        log.warn({ paymentId }, 'a callback waits: the payment is open and no workflow runs for it');
        return false;
      }
    }
    await store.inbox.markSignalled([id]);
    return true;
  }

  async function toOutcome(callback: PendingCallback, closed: ClosedPayment): Promise<boolean> {
    const { id, paymentId, reading } = callback;
    const comparison = compareWithOutcome(closed, reading);
    if (comparison.kind === 'agrees') {
      if (comparison.receipt !== undefined) await store.payments.addReceipt(paymentId, comparison.receipt);
      await store.inbox.markHandled([id], 'agreed');
      metrics.agreements.inc();
      return true;
    }
    const because = becauseOf(closed.outcome, reading, comparison.otherIn);
    await store.disputes.raise(paymentId, { by: 'callback', because });
    await open(paymentId);
    await store.inbox.markHandled([id], 'dispute');
    metrics.contradictions.inc();
    log.warn(
      { paymentId, outcome: closed.outcome.kind, claims: reading.claims },
      'a callback contradicts the outcome: disputed',
    );
    return true;
  }

  return (callback: PendingCallback): Promise<boolean> =>
    callback.closed === undefined ? toWorkflow(callback) : toOutcome(callback, callback.closed);
}

/** Work on one payment waits for the work on it before: a delivery and a sweep would signal the same callback twice. */
function createPaymentQueues() {
  const last = new Map<string, Promise<unknown>>();
  return <T>(paymentId: string, work: () => Promise<T>): Promise<T> => {
    const mine = (last.get(paymentId) ?? Promise.resolve()).then(work);
    const settled = mine
      .catch(() => undefined)
      .then(() => {
        if (last.get(paymentId) === settled) last.delete(paymentId);
      });
    last.set(paymentId, settled);
    return mine;
  };
}
