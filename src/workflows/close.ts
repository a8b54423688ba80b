import { ActivityFailure, ApplicationFailure, TemporalFailure, sleep } from '@temporalio/workflow';
import { FAILURES } from '../payment/contract';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { CloseRequest, CloseResult, OperatorAction } from '../payment/steps';
import { closePayment } from './activities';
import type { PaymentTracker } from './tracker';

export interface Ending {
  readonly outcome: BillPaymentOutcome;
  /** It takes the claim in the same transaction: whoever closes unsent makes sure that it never is. */
  readonly unsent?: boolean;
  readonly action?: OperatorAction;
}

/** Recorded, by whomever; or why not, and then nothing was changed. */
export type Closed =
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome }
  | { readonly kind: 'may-have-been-sent' | 'reconsider' | 'not-an-operator' };

/** Writes the end down (design §8). */
export async function close(payment: PaymentTracker, ending: Ending): Promise<Closed> {
  const before = payment.stage;
  payment.ending = ending.outcome;
  payment.enter('recording');
  const result = await record(payment, ending);
  if (result.kind === 'recorded' || result.kind === 'stands') return { kind: 'closed', outcome: result.outcome };
  payment.ending = undefined;
  payment.enter(before);
  return { kind: result.kind };
}

/** The closing transaction alone: the stage is the caller's. What was recorded ends the run, whoever recorded it. */
export async function record(
  payment: PaymentTracker,
  { outcome, unsent = false, action }: Ending,
): Promise<CloseResult> {
  const request: CloseRequest = {
    paymentId: payment.paymentId,
    outcome,
    unsent,
    callbacksConsidered: payment.facts?.callbacks.count ?? 0,
    ...(action && { action }),
  };
  const result = await untilStored(payment, () => payment.turns.take(() => closePayment(request)));
  if (result.kind === 'recorded') payment.close(result.outcome, { disputed: false });
  if (result.kind === 'stands') payment.close(result.outcome, { disputed: result.contradicts });
  return result;
}

/** A payment that ends late still gives the store a moment before a person hears of it. */
const AT_LEAST = 30_000;
/** Between two rounds of a store step: short for a failover, long in an outage, because each round costs events. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 5 * 60_000;

/** What waits for the store, and shows it. */
export interface WaitsForStore {
  /** When a person may be told, at the earliest. */
  readonly attentionAt: number;
  storeIsDown(because: string): void;
  storeAnswered(): void;
}

/** Runs a store step until it is done. A person hears of it when it is not done by the time that a payment may take. */
export async function untilStored<T>(payment: WaitsForStore, step: () => Promise<T>): Promise<T> {
  const began = Date.now();
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      const result = await step();
      payment.storeAnswered();
      return result;
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      // A local activity's failure comes with or without an envelope.
      const cause = error instanceof ActivityFailure ? error.cause : error;
      // The caller's mistake, not the store's: the run fails with the typed cause, and nothing was sent.
      if (isCallersMistake(cause)) throw cause;
      const askAt = Math.max(payment.attentionAt, began + AT_LEAST);
      if (Date.now() >= askAt) payment.storeIsDown(cause?.message ?? 'no answer');
      const untilAsked = askAt > Date.now() ? askAt - Date.now() : Infinity;
      await sleep(Math.min(pause, untilAsked), { summary: 'The store is down: try again' });
    }
  }
}

/** By its type alone: nothing else that a store step says may end a run. */
const isCallersMistake = (cause: Error | undefined): cause is ApplicationFailure =>
  cause instanceof ApplicationFailure &&
  (cause.type === FAILURES.invalidRequest || cause.type === FAILURES.paymentConflict);
