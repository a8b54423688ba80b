import type { Log } from '../log';
import { concurrently } from '../payment/concurrently';
import type { CallbackHint, CallbackReading, Receipt } from '../payment/observation';
import { compareWithOutcome, type ClosedPayment } from './compare';
import { Counters } from './metrics';
import { becauseOf, createOpening, type DisputeOutbox, type OpenDispute } from './disputes';
import type { Signal } from './signal';
import { describeTrouble } from './trouble';

/** A callback that nothing has dealt with: not signalled while its payment is open, or not named after it was closed. */
export interface PendingCallback {
  readonly id: number;
  readonly paymentId: string;
  readonly reading: CallbackReading;
  readonly receivedAt: Date;
  /** Present once the payment is closed. */
  readonly closed?: ClosedPayment;
}

/** What delivery needs of the store. */
export interface DeliveryStore {
  readonly inbox: {
    /** By id, which is oldest first; only those with an id above `afterId`. */
    pending(limit: number, olderThan?: Date, afterId?: number): Promise<readonly PendingCallback[]>;
    signalsSent(paymentId: string): Promise<number>;
    markSignalled(ids: readonly number[]): Promise<void>;
    name(ids: readonly number[], by: 'agreed' | 'dispute'): Promise<void>;
  };
  readonly payments: {
    addReceipt(paymentId: string, receipt: Receipt): Promise<unknown>;
  };
  readonly disputes: DisputeOutbox;
}

export interface DeliveryOptions {
  readonly store: DeliveryStore;
  readonly signal: Signal;
  readonly log: Log;
  readonly openDispute: OpenDispute;
  readonly counters?: Counters;
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
export function createDelivery({ counters = new Counters(), ...options }: DeliveryOptions): Delivery {
  const { store, log } = options;
  const inTurn = createTurns();
  const open = createOpening(store.disputes, options.openDispute);
  const deliver = createStep({ counters, ...options, open });
  /** Where the next sweep begins. */
  let afterId = 0;

  /** Read again in its turn: an earlier delivery or another endpoint may have dealt with it. */
  const stillPending = async (id: number): Promise<PendingCallback | undefined> =>
    (await store.inbox.pending(1, undefined, id - 1)).find((callback) => callback.id === id);

  const deliverPayment = (paymentId: string, callbackIds: Iterable<number>): Promise<Delivered> =>
    inTurn(paymentId, async () => {
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
        counters.add('delivery_failures');
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
      counters.set('undelivered', left);
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
        counters.add('delivery_failures');
        log.warn({ paymentId, ...describeTrouble(error) }, 'a dispute could not be opened; the next sweep tries again');
      }
    });
    counters.set('unopened', left);
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
  counters,
  open,
}: DeliveryOptions & { readonly counters: Counters; readonly open: (paymentId: string) => Promise<void> }) {
  async function toWorkflow({ id, paymentId, reading, receivedAt }: PendingCallback): Promise<boolean> {
    if ((await store.inbox.signalsSent(paymentId)) >= MAX_SIGNALS) {
      // Taken off the list all the same: the workflow reads it with the others.
      counters.add('signals', 'withheld');
    } else {
      const code = reading.code?.value;
      const hint: CallbackHint = {
        receivedAt: receivedAt.toISOString(),
        claims: reading.claims,
        ...(code !== undefined && { code }),
      };
      const result = await signal(paymentId, hint);
      counters.add('signals', result);
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
      await store.inbox.name([id], 'agreed');
      counters.add('agreed');
      return true;
    }
    const because = becauseOf(closed.outcome, reading, comparison.otherIn);
    await store.disputes.raise(paymentId, { by: 'callback', because });
    await open(paymentId);
    await store.inbox.name([id], 'dispute');
    counters.add('contradictions');
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
function createTurns() {
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
