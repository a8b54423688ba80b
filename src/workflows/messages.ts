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
import { isOutcomeOf, type Ending } from '../payment/ending';
import type { CallbackNotice } from '../payment/observation';
import type { Cancellation, PaymentProgress, Resolution, StatusCheck } from '../payment/progress';
import { stageOf } from '../payment/state';
import type { RecordResult } from '../payment/steps';
import { cancellationProblem, resolutionProblem, statusCheckProblem } from '../payment/update-forms';
import { isRegistered, progressOf } from '../payment/views';
import { endedBy, STAGE_IN_WORDS } from '../payment/words';
import { lookNow } from './await-result';
import type { Payment } from './payment';
import { record } from './record';
import { refusal, refuse, refuseIf, thisUpdate, uncancelled } from './updates';

export const providerCallback = defineSignal<[CallbackNotice]>(SIGNALS.providerCallback);
export const resolvePayment = defineUpdate<PaymentProgress, [Resolution]>(UPDATES.resolvePayment);
export const checkStatusNow = defineUpdate<PaymentProgress, [StatusCheck]>(UPDATES.checkStatusNow);
export const cancelPayment = defineUpdate<PaymentProgress, [Cancellation]>(UPDATES.cancelPayment);
export const paymentProgress = defineQuery<PaymentProgress>(QUERIES.paymentProgress);

/** Far below what the engine allows, and far above what a payment needs. */
const MANY_EVENTS = 10_000;

/** What the UI's Request Cancellation is recorded as. */
const FROM_UI: Cancellation = { operator: 'temporal-ui', note: 'Request Cancellation' };

/**
 * The messages a payment understands. Registered before the first await. A validator checks the form alone: whether the facts allow
 * it is decided with them, where it is recorded. A refusal is a sentence, because an operator reads it in a dialog. Handlers run
 * uncancellable, as the flow does.
 */
export function handleMessages(payment: Payment, cancelRequested: Promise<never>): void {
  setHandler(paymentProgress, () => progressOf(payment.state), {
    description: 'Where the payment stands, and what the provider said last.',
  });

  // Whatever the signal carries is a hint only: what the callbacks say is read from the inbox, where only authentic ones are.
  setHandler(
    providerCallback,
    () => {
      payment.callbacksToLookAt += 1;
    },
    { description: 'A callback was stored: look at the provider now. Sent by the callback endpoint.' },
  );

  setHandler(resolvePayment, (resolution) => uncancelled(() => resolve(payment, resolution)), {
    description:
      'Decide a payment that needs attention, with proof: {"decision":"paid"|"declined","operator","note","receiptNumber"?,"token"?,"amount"?,"providerCase"?}.',
    validator: (resolution) => {
      refuseIf(resolutionProblem(resolution));
    },
  });

  setHandler(checkStatusNow, (check) => uncancelled(() => checkNow(payment, check)), {
    description: 'Ask the provider at once: {"operator"}. Changes nothing by itself.',
    validator: (check) => {
      refuseIf(statusCheckProblem(check));
      refuseIfWornOut();
      const stage = stageOf(payment.state);
      if (stage !== 'awaiting-result' && stage !== 'needs-attention')
        throw refusal(`There is nothing to ask: the payment is ${STAGE_IN_WORDS[stage]}.`);
    },
  });

  setHandler(cancelPayment, (by) => uncancelled(() => cancel(payment, { ...by, ...thisUpdate() })), {
    description: 'Cancel a payment that was not sent yet: {"operator","note"}.',
    validator: (by) => {
      refuseIf(cancellationProblem(by));
    },
  });

  cancelRequested.catch(async () => {
    try {
      await cancel(payment, FROM_UI);
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      // Nobody is answered here: the details say it.
      payment.apply({ kind: 'cancellation-refused', because: error.message });
    }
  });
}

/** Looks first: proof goes before a decision, and a decline rests on an answer of its own. */
async function resolve(payment: Payment, resolution: Resolution): Promise<PaymentProgress> {
  await registered(payment);
  const look = await lookNow(payment);
  const lookFailed = look === undefined && { lookFailed: true as const };
  return await end(payment, { kind: 'decided', resolution, ...thisUpdate(), ...lookFailed });
}

/** Takes the claim and ends the payment, in one transaction, or it is too late: there is nothing in between. */
async function cancel(
  payment: Payment,
  { operator, note, updateId }: Cancellation & { readonly updateId?: string },
): Promise<PaymentProgress> {
  await registered(payment);
  const why = { kind: 'cancelled', operator, note, ...(updateId !== undefined && { updateId }) } as const;
  return await end(payment, { kind: 'unsent', why });
}

/** An update that meets its own outcome succeeded: its answer may have been lost. */
async function end(payment: Payment, ending: Ending): Promise<PaymentProgress> {
  const result: RecordResult = await record(payment, ending);
  switch (result.kind) {
    case 'closed':
      if (!isOutcomeOf(result.outcome, ending)) throw endedOtherwise(ending, result);
      return progressOf(payment.state);
    case 'refused':
      throw refusal(result.because);
    case 'open':
      throw refuse(
        'Too late to cancel: the payment may already be with the provider. Wait for its result.',
        FAILURES.tooLate,
      );
  }
}

const endedOtherwise = (ending: Ending, { outcome }: Extract<RecordResult, { kind: 'closed' }>) =>
  ending.kind === 'unsent'
    ? refuse(`Too late to cancel: the payment is closed as ${outcome.kind}.`, FAILURES.tooLate)
    : refusal(endedBy(outcome));

async function checkNow(payment: Payment, _check: StatusCheck): Promise<PaymentProgress> {
  await lookNow(payment);
  return progressOf(payment.state);
}

const registered = (payment: Payment): Promise<void> => condition(() => isRegistered(payment.state));

/** Each look that is asked for costs events, and a run has a bound of them: a decision ends it, and is always taken. */
function refuseIfWornOut(): void {
  if (workflowInfo().historyLength > MANY_EVENTS)
    throw refusal('This payment was asked about very often already. The poll goes on by itself.');
}
