import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  TimeoutFailure,
  allHandlersFinished,
  condition,
} from '@temporalio/workflow';
import type { GaveUp } from '../payment/ending';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { BillPaymentRequest, CheckedRequest } from '../payment/request';
import { stageOf, type RegisteredBill } from '../payment/state';
import { WAITS_FOR_MONEY, type Registration } from '../payment/steps';
import { registerPayment, submitPayment, validateAccount } from './activities';
import { awaitResult } from './await-result';
import { handleMessages } from './messages';
import { Payment } from './payment';
import { record, waitsForStore } from './record';
import { untilStored } from './until-stored';

/**
 * Pays one bill: register, check the account, claim and send once, wait for proof, record.
 * A declined or cancelled payment is a completed run with its outcome; a failed run means that the request was invalid, or that
 * its id belongs to another payment.
 */
export async function billPayment(request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  const payment = new Payment();
  const cancelRequested = CancellationScope.current().cancelRequested;
  // The engine cancels nothing here: whether a payment can still be cancelled is decided by who gets its claim.
  return await CancellationScope.nonCancellable(async () => {
    handleMessages(payment, cancelRequested);
    // A handler may end the payment beside the flow: whoever records an outcome first ends the run.
    const outcome = await Promise.race([pay(payment, request), payment.ended]);
    await condition(allHandlersFinished);
    return outcome;
  });
}

async function pay(payment: Payment, request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  const registration = await untilStored(waitsForStore(payment), () => registerPayment(request));
  if (registration.kind === 'closed') {
    payment.apply(registration);
    return registration.outcome;
  }
  const bill = billOf(registration);
  payment.apply({ kind: 'registered', bill, look: registration.look });
  // An earlier run may have sent it, or its id is in use.
  if (stageOf(payment.state) !== 'validating') return await awaitResult(payment, 0);

  const invalid = await validate(bill);
  if (invalid !== undefined) return await endUnsent(payment, invalid);

  payment.apply({ kind: 'submitting' });
  const unsent = await submit(payment, bill);
  if (unsent !== undefined) return await endUnsent(payment, unsent);
  return await awaitResult(payment, registration.look.facts.rules.policy.callbackGrace);
}

/** The time that is left is a duration: the run's clock is not the store's. */
function billOf({
  request,
  provider,
  serviceName,
  expiresIn,
}: Extract<Registration, { kind: 'open' }>): RegisteredBill {
  return {
    ...{ request, provider, expiresAt: Date.now() + expiresIn },
    ...(serviceName !== undefined && { serviceName }),
  };
}

async function validate(bill: RegisteredBill): Promise<GaveUp | undefined> {
  const { serviceId, accountNumber } = bill.request;
  const account = await untilExpired(bill, 'validation', (options) =>
    validateAccount.executeWithOptions(options, [{ serviceId, accountNumber }]),
  );
  if (account.kind === 'gave-up') return account;
  return account.kind === 'valid'
    ? undefined
    : { kind: 'gave-up', step: 'validation', reason: 'account-invalid', said: account.reason };
}

/** Look, claim, send. Giving up is no proof that nothing was sent: the claim decides that, when the end is recorded. */
async function submit(payment: Payment, bill: RegisteredBill): Promise<GaveUp | undefined> {
  const result = await untilExpired(bill, 'submission', (options) =>
    submitPayment.executeWithOptions(options, [bill.request satisfies CheckedRequest]),
  );
  switch (result.kind) {
    case 'gave-up':
      return result;
    case 'no-funds':
      return { kind: 'gave-up', step: 'funds', reason: result.reason, said: result.said };
    case 'looked':
      payment.apply(result);
      return undefined;
  }
}

async function endUnsent(payment: Payment, why: GaveUp): Promise<BillPaymentOutcome> {
  const result = await record(payment, { kind: 'unsent', why });
  // It may have been sent after all, or the provider has a record under its id.
  return result.kind === 'closed' ? result.outcome : await awaitResult(payment, 0);
}

/**
 * Runs a step until the time to send is over. It is scheduled also when the time is up, and the engine ends it at once: a worker that
 * was stopped for long may finish a task under the name of a later one, and a branch on the clock would then make a history that does
 * not replay.
 */
async function untilExpired<T>(
  { expiresAt }: RegisteredBill,
  step: GaveUp['step'],
  run: (options: { readonly scheduleToCloseTimeout: number }) => Promise<T>,
): Promise<T | GaveUp> {
  try {
    return await run({ scheduleToCloseTimeout: Math.max(1, expiresAt - Date.now()) });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    // Of a step whose time ended between two tries: what the last one said.
    const cause = error.cause instanceof TimeoutFailure ? (error.cause.cause ?? error.cause) : error.cause;
    const said = cause?.message ?? 'no answer in time';
    if (!(cause instanceof ApplicationFailure)) return { kind: 'gave-up', step, reason: 'expired', said };
    if (cause.type === WAITS_FOR_MONEY) return { kind: 'gave-up', step: 'funds', reason: 'insufficient-funds', said };
    return { kind: 'gave-up', step, reason: cause.nonRetryable === true ? 'rejected' : 'expired', said };
  }
}
