import { ActivityFailure, ApplicationFailure, sleep } from '@temporalio/workflow';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { CloseRequest, CloseResult, OperatorAction } from '../payment/steps';
import { store } from './activities';
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
  | { readonly kind: 'may-have-been-sent' | 'reconsider' };

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
  const result = await untilStored(payment, 'Record the outcome', (options) =>
    store.closePayment.executeWithOptions(options, [request]),
  );
  if (result.kind === 'recorded') payment.close(result.outcome, { disputed: false });
  if (result.kind === 'stands') payment.close(result.outcome, { disputed: result.contradicts });
  return result;
}

/** A payment that ends late still gives the store a moment before a person hears of it. */
const AT_LEAST = 60_000;
/** A local activity that retries keeps its workflow task alive, which costs events: in a long outage it is tried briefly, and rarely. */
const BRIEFLY = 10_000;
const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 5 * 60_000;

/** Runs a store step until it is done. A person hears of it when it is not done by the time that a payment may take. */
export async function untilStored<T>(
  payment: PaymentTracker,
  summary: string,
  step: (options: { readonly scheduleToCloseTimeout: number; readonly summary: string }) => Promise<T>,
): Promise<T> {
  let patience = Math.max(payment.attentionAt - Date.now(), AT_LEAST);
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      const result = await step({ scheduleToCloseTimeout: patience, summary });
      payment.storeAnswered();
      return result;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // The caller's mistake, not the store's: the run fails with the typed cause, and nothing was sent.
      if (error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true) throw error.cause;
      payment.storeIsDown(error.cause?.message ?? 'no answer');
      await sleep(pause, { summary: 'The store is down: try again' });
      patience = BRIEFLY;
    }
  }
}
