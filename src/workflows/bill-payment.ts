import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  sleep,
} from '@temporalio/workflow';
import type { AccountReading } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { BillPaymentRequest } from '../payment/request';
import type { Reservation, SubmissionResult } from '../payment/steps';
import { registerPayment, reserveFunds, submitPayment, validateAccount } from './activities';
import { awaitVerdict, lookNow, Poll } from './await-verdict';
import { close, untilStored } from './close';
import { declinedUnsent, rejected } from './endings';
import { handleMessages } from './messages';
import { PaymentTracker } from './tracker';

/**
 * Pays one bill (design §1): register, check the account, hold the funds, send once, wait for proof, close.
 * A declined or cancelled payment is a completed run with its outcome; a failed run means that the request was invalid, or that
 * its id belongs to another payment.
 */
export async function billPayment(request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  const payment = new PaymentTracker();
  const cancelRequested = CancellationScope.current().cancelRequested;
  // The engine cancels nothing here: whether a payment can still be cancelled is decided by who gets its claim.
  return await CancellationScope.nonCancellable(async () => {
    handleMessages(payment, cancelRequested);
    // A cancellation closes the payment beside the flow: whoever records an outcome first ends the run.
    const outcome = await Promise.race([pay(payment, request), payment.ended]);
    await condition(allHandlersFinished);
    return outcome;
  });
}

async function pay(payment: PaymentTracker, request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  const known = await untilStored(payment, () => registerPayment(request));
  if (known.kind === 'closed') return keep(payment, known.outcome, known);
  payment.register(known);
  if (known.claimed) return await settle(payment, { kind: 'unknown', because: 'an earlier run may have sent it' });

  const account = await validate(payment);
  if (account.kind === 'gave-up')
    return await closeUnsent(payment, declinedUnsent(payment, 'validation', account.why, account.said));
  if (account.kind === 'invalid')
    return await closeUnsent(payment, declinedUnsent(payment, 'validation', 'account-invalid', account.reason));

  const funds = await reserve(payment);
  if (funds.kind === 'closed') return keep(payment, funds.outcome);
  if (funds.kind !== 'reserved')
    return await closeUnsent(payment, declinedUnsent(payment, 'funds', FUNDS_REASONS[funds.kind], 'nothing was sent'));

  payment.fundsHeld = payment.request.fundingAccount !== undefined;
  const submission = await submit(payment);
  if (submission.kind === 'closed') return keep(payment, submission.outcome);
  if (submission.kind === 'gave-up')
    return await closeUnsent(payment, declinedUnsent(payment, 'submission', submission.why, submission.said));
  if (submission.kind === 'rejected') return await closeRejected(payment, submission.reasons);

  return await settle(payment, submission.kind === 'not-sent' ? { ...submission, kind: 'unknown' } : submission);
}

const FUNDS_REASONS = { insufficient: 'insufficient-funds', 'unknown-account': 'unknown-funding-account' } as const;

async function validate(payment: PaymentTracker): Promise<AccountReading | GaveUp> {
  const { serviceId, accountNumber } = payment.request;
  return await untilExpired(payment, (options) =>
    validateAccount.executeWithOptions(options, [{ serviceId, accountNumber }]),
  );
}

async function reserve(payment: PaymentTracker): Promise<Reservation> {
  const { fundingAccount, paymentId, amount, currency } = payment.request;
  if (fundingAccount === undefined) return { kind: 'reserved' };
  payment.enter('reserving');
  const funds = { paymentId, fundingAccount, amount, currency };
  return await untilStored(payment, () => payment.turns.take(() => reserveFunds(funds)));
}

/** Look, claim, send (design §6). Giving up is no proof that nothing was sent: the claim decides that, in the close. */
async function submit(payment: PaymentTracker): Promise<SubmissionResult | GaveUp> {
  payment.enter('submitting');
  return await untilExpired(payment, (options) => submitPayment.executeWithOptions(options, [payment.request]));
}

/** Between a close that was refused and the look at why: the store may still be writing it down. */
const LOOK_PAUSE = 1_000;

/** It may have been sent: nothing but proof, or a person, ends it. */
async function settle(
  payment: PaymentTracker,
  submission: Parameters<PaymentTracker['submitted']>[0],
): Promise<BillPaymentOutcome> {
  payment.submitted(submission);
  if (submission.kind === 'id-in-use' && submission.record === undefined) await lookNow(payment, 'poll');
  const poll = new Poll(payment);
  for (;;) {
    const settlement = await awaitVerdict(payment, poll);
    if (settlement.kind === 'closed') return keep(payment, settlement.outcome);
    const closed = await close(payment, settlement);
    if (closed.kind === 'closed') return closed.outcome;
    payment.takeBackDecision(closed.kind === 'not-an-operator' ? 'not-an-operator' : 'news');
    if (closed.kind === 'not-an-operator') continue;
    // Evidence has come in that the verdict did not rest on: see it first.
    await sleep(LOOK_PAUSE, { summary: 'New evidence: look again' });
    await lookNow(payment, 'callback');
  }
}

async function closeUnsent(payment: PaymentTracker, outcome: BillPaymentOutcome): Promise<BillPaymentOutcome> {
  const closed = await close(payment, { outcome, unsent: true });
  if (closed.kind === 'closed') return closed.outcome;
  if (closed.kind === 'may-have-been-sent')
    return await settle(payment, { kind: 'unknown', because: 'an attempt to send it was under way' });
  // Nothing was sent, and yet the provider has a completed record under our id.
  return await settle(payment, { kind: 'id-in-use' });
}

async function closeRejected(payment: PaymentTracker, reasons: readonly string[]): Promise<BillPaymentOutcome> {
  const closed = await close(payment, { outcome: rejected(payment, reasons) });
  if (closed.kind === 'closed') return closed.outcome;
  return await settle(payment, { kind: 'unknown', because: 'refused, yet something speaks against it' });
}

function keep(
  payment: PaymentTracker,
  outcome: BillPaymentOutcome,
  { disputed } = { disputed: false },
): BillPaymentOutcome {
  payment.close(outcome, { disputed });
  return outcome;
}

interface GaveUp {
  readonly kind: 'gave-up';
  /** Its time was up, or the provider refuses what would be asked again. */
  readonly why: 'expired' | 'rejected';
  readonly said: string;
}

/**
 * Runs a step until `submitWithin` has passed since the start of the run. It is scheduled also when the time is up, and the engine
 * ends it at once: a worker that was stopped for long may finish a task under the name of a later one, and a branch on the clock
 * would then make a history that does not replay.
 */
async function untilExpired<T>(
  payment: PaymentTracker,
  step: (options: { readonly scheduleToCloseTimeout: number }) => Promise<T>,
): Promise<T | GaveUp> {
  try {
    return await step({ scheduleToCloseTimeout: Math.max(1, payment.expiresAt - Date.now()) });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const refused = error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true;
    return {
      kind: 'gave-up',
      why: refused ? 'rejected' : 'expired',
      said: error.cause?.message ?? 'no answer in time',
    };
  }
}
