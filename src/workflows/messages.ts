import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURES, QUERIES, SIGNALS, UPDATES } from '../payment/contract';
import {
  cancellationProblem,
  declineProblem,
  endedBy,
  isDecisionOf,
  mayNotDecide,
  resolutionProblem,
  statusCheckProblem,
} from '../payment/decisions';
import type { CallbackHint } from '../payment/observation';
import type { Cancellation, PaymentProgress, Resolution, StatusCheck } from '../payment/progress';
import { lookNow } from './await-verdict';
import { record } from './close';
import { cancelled } from './endings';
import { actionOf, type PaymentTracker } from './tracker';
import { refusal, refuse, refuseIf, thisUpdate, uncancelled } from './updates';

export const providerCallback = defineSignal<[CallbackHint]>(SIGNALS.providerCallback);
export const resolvePayment = defineUpdate<PaymentProgress, [Resolution]>(UPDATES.resolvePayment);
export const checkStatusNow = defineUpdate<PaymentProgress, [StatusCheck]>(UPDATES.checkStatusNow);
export const cancelPayment = defineUpdate<PaymentProgress, [Cancellation]>(UPDATES.cancelPayment);
export const paymentProgress = defineQuery<PaymentProgress>(QUERIES.paymentProgress);

/** Far below what the engine allows, and far above what a payment needs. */
const MANY_EVENTS = 10_000;

/** What the UI's Request Cancellation is recorded as. */
const FROM_UI: Cancellation = { operator: 'temporal-ui', note: 'Request Cancellation' };

/**
 * The messages a payment understands. Registered before the first await; a validator's refusal is a sentence, because an operator
 * reads it in a dialog. Handlers run uncancellable, as the flow does.
 */
export function handleMessages(payment: PaymentTracker, cancelRequested: Promise<never>): void {
  setHandler(paymentProgress, () => payment.progress(), {
    description: 'Where the payment stands, and what the provider said last.',
  });

  // Whatever the signal carries is a hint only: what the callbacks say is read from the inbox, where only authentic ones are.
  setHandler(
    providerCallback,
    () => {
      payment.hints += 1;
    },
    { description: 'A callback was stored: look at the provider now. Sent by the callback endpoint.' },
  );

  setHandler(resolvePayment, (resolution) => uncancelled(() => resolve(payment, resolution)), {
    description:
      'Decide a payment that needs attention, with proof: {"decision":"paid"|"declined","operator","note","receiptNumber"?,"amount"?,"providerCase"?}.',
    validator: (resolution) => {
      refuseIf(resolutionProblem(resolution, payment.isRegistered ? payment.request.amount : 0));
      if (payment.stage !== 'needs-attention')
        throw refusal(
          `There is nothing to decide: the payment is ${stageInWords(payment)}. Decisions are for payments that need attention.`,
        );
      if (payment.decision !== undefined)
        throw refusal(`${payment.decision.operator} has decided already; it is being written down.`);
    },
  });

  setHandler(checkStatusNow, (check) => uncancelled(() => checkNow(payment, check)), {
    description: 'Ask the provider at once: {"operator"}. Changes nothing by itself.',
    validator: (check) => {
      refuseIf(statusCheckProblem(check));
      if (workflowInfo().historyLength > MANY_EVENTS)
        throw refusal('It was checked very often already. The poll goes on by itself.');
      if (payment.stage !== 'awaiting-result' && payment.stage !== 'needs-attention')
        throw refusal(`There is nothing to ask: the payment is ${stageInWords(payment)}.`);
    },
  });

  setHandler(cancelPayment, (by) => uncancelled(() => cancel(payment, by)), {
    description: 'Cancel a payment that was not sent yet: {"operator","note"}.',
    validator: (by) => {
      refuseIf(cancellationProblem(by));
      if (!payment.isRegistered) throw refusal('The payment is being registered. Try again in a moment.');
      if (!isBeforeSending(payment)) throw tooLate(payment);
    },
  });

  cancelRequested.catch(async () => {
    await condition(() => payment.isRegistered || payment.outcome !== undefined);
    try {
      if (!isBeforeSending(payment)) throw tooLate(payment);
      await cancel(payment, FROM_UI);
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      // Nobody is answered here: the details say it.
      payment.cancellationRefused = error.message;
      payment.refresh();
    }
  });
}

/** Asks the provider first, then checks again that nobody else decided (design §7.6). */
async function resolve(payment: PaymentTracker, resolution: Resolution): Promise<PaymentProgress> {
  const look = await lookNow(payment, 'poll');
  if (payment.decision !== undefined) throw refusal(`${payment.decision.operator} has decided meanwhile.`);
  // The engine may deliver an update again whose answer it has dropped.
  if (payment.outcome !== undefined && isDecisionOf(payment.outcome, resolution)) return payment.progress();
  if (payment.stage !== 'needs-attention')
    throw refusal(`It has ended by itself meanwhile: the payment is ${stageInWords(payment)}.`);
  if (resolution.decision === 'declined')
    refuseIf(declineProblem(payment.expected, payment.seen, look, resolution, Date.now()));
  payment.decision = { ...resolution, at: Date.now(), ...thisUpdate() };
  await condition(() => payment.outcome !== undefined || payment.decision === undefined);
  if (payment.outcome === undefined) throw refusal(TAKEN_BACK[payment.takenBack](resolution.operator));
  if (!isDecisionOf(payment.outcome, resolution)) throw refusal(endedBy(payment.outcome));
  return payment.progress();
}

const TAKEN_BACK = {
  news: () =>
    'Something has come in that speaks against it; nothing was changed. Look at the payment and decide again.',
  'not-an-operator': mayNotDecide,
} as const;

async function checkNow(payment: PaymentTracker, _check: StatusCheck): Promise<PaymentProgress> {
  await lookNow(payment, 'poll');
  return payment.progress();
}

/** Takes the claim and closes, in one transaction, or it is too late: there is nothing in between. */
async function cancel(payment: PaymentTracker, by: Cancellation): Promise<PaymentProgress> {
  const result = await record(payment, cancellationOf(payment, { ...by, ...thisUpdate() }));
  if (result.kind === 'not-an-operator') throw refusal(mayNotDecide(by.operator));
  const isCancelled = (result.kind === 'recorded' || result.kind === 'stands') && result.outcome.kind === 'cancelled';
  if (!isCancelled) throw tooLate(payment);
  return payment.progress();
}

const cancellationOf = (payment: PaymentTracker, by: Cancellation & { readonly updateId?: string }) => ({
  outcome: cancelled(payment, by.operator, by.note),
  unsent: true,
  action: actionOf(payment, 'cancelPayment', by),
});

const isBeforeSending = (payment: PaymentTracker): boolean =>
  payment.isRegistered &&
  (payment.stage === 'validating' || payment.stage === 'reserving' || payment.stage === 'submitting');

const tooLate = (payment: PaymentTracker) =>
  refuse(
    payment.outcome === undefined
      ? 'Too late to cancel: the payment may already be with Almara Pay. Wait for its result.'
      : `Too late to cancel: the payment is ${stageInWords(payment)}.`,
    FAILURES.tooLate,
  );

function stageInWords(payment: PaymentTracker): string {
  if (payment.outcome !== undefined) return `closed as ${payment.outcome.kind}`;
  const words = {
    validating: 'being checked',
    reserving: 'reserving funds',
    submitting: 'being sent',
    'awaiting-result': 'waiting for its result',
    'needs-attention': 'waiting for a decision',
    recording: 'being written down',
    closed: 'closed',
  } as const;
  return words[payment.stage];
}
