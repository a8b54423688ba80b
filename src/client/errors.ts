import type { InvalidField } from '../payment/contract';

export type BillPaymentErrorCode =
  | 'invalid-request'
  | 'payment-conflict'
  | 'payment-not-found'
  | 'dispute-not-found'
  | 'too-late'
  | 'refused'
  | 'run-ended'
  | 'provider-failed'
  | 'reconciliation-failed'
  | 'engine-unavailable';

/**
 * What the client throws: one class per cause, each with a `code` that survives two copies of this package.
 * Messages hold payment ids and never a name, a phone or an account number.
 */
export abstract class BillPaymentError extends Error {
  abstract readonly code: BillPaymentErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The request breaks its schema. Every wrong field is named; nothing was started. */
export class InvalidRequest extends BillPaymentError {
  readonly code = 'invalid-request';

  constructor(
    readonly problems: readonly InvalidField[],
    options?: ErrorOptions,
  ) {
    super(
      `The request is not valid: ${problems.map(({ field, problem }) => `${field} ${problem}`).join('; ')}.`,
      options,
    );
  }
}

/** The payment id belongs to a payment with other content. The other payment is untouched; a new payment needs a new id. */
export class PaymentConflict extends BillPaymentError {
  readonly code = 'payment-conflict';

  constructor(
    readonly paymentId: string,
    options?: ErrorOptions,
  ) {
    super(
      `Payment ${paymentId} is already known with other content. It was not changed. Use a new payment id for a new payment.`,
      options,
    );
  }
}

/** The engine knows no run of this id: it was never started here, or its history has been deleted. */
export class PaymentNotFound extends BillPaymentError {
  readonly code = 'payment-not-found';

  constructor(
    readonly paymentId: string,
    options?: ErrorOptions,
  ) {
    super(
      `Temporal knows no payment ${paymentId}. If it is an old one, start it again with the same id and content: its recorded outcome is the answer, and nothing is sent twice.`,
      options,
    );
  }
}

/** The engine knows no dispute of this payment: nothing contradicts its outcome, or the history has been deleted. */
export class DisputeNotFound extends BillPaymentError {
  readonly code = 'dispute-not-found';

  constructor(
    readonly paymentId: string,
    options?: ErrorOptions,
  ) {
    super(
      `Temporal knows no dispute of payment ${paymentId}: nothing contradicts its outcome, or its history has been deleted.`,
      options,
    );
  }
}

/** It cannot be cancelled any more: the request may have left, or the payment is closed. */
export class TooLate extends BillPaymentError {
  readonly code = 'too-late';

  constructor(
    readonly paymentId: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Payment ${paymentId} cannot be cancelled: ${reason}`, options);
  }
}

/** A command that the facts do not allow. The message says why. */
export class Refused extends BillPaymentError {
  readonly code = 'refused';

  constructor(
    readonly paymentId: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Payment ${paymentId}: ${reason}`, options);
  }
}

/** The run ended without an outcome: terminated by hand, or by a bug. What was recorded stands. */
export class RunEnded extends BillPaymentError {
  readonly code = 'run-ended';

  constructor(
    readonly paymentId: string,
    how: string,
    options?: ErrorOptions,
  ) {
    super(
      `The run of payment ${paymentId} ${how} before it had an outcome. The payment itself is safe: start it again with the same id and content. It goes on from what is recorded and is never sent twice.`,
      options,
    );
  }
}

/** A question to the provider (bill, services, health) got no answer or a refusal. No payment is touched by these. */
export class ProviderFailed extends BillPaymentError {
  readonly code = 'provider-failed';
}

/** A reconciliation ended without a report: the store or the engine was away for too long. No payment is touched by it. */
export class ReconciliationFailed extends BillPaymentError {
  readonly code = 'reconciliation-failed';

  constructor(workflowId: string, because = 'it was ended by hand', options?: ErrorOptions) {
    super(
      `The reconciliation ${workflowId} ended without a report (${because}). Run it again: it begins where the last complete one ended.`,
      options,
    );
  }
}

/**
 * Temporal, or the worker behind it, does not answer. Whatever was asked may or may not have happened:
 * ask again with the same payment id, which is safe at any time.
 */
export class EngineUnavailable extends BillPaymentError {
  readonly code = 'engine-unavailable';

  constructor(
    message: string,
    readonly address: string,
    /** Which of the two is missing. */
    readonly part: 'server' | 'worker',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
