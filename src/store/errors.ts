import { reasonOf } from '../payment/reason';

/** Causes of the store's own; everything else that is thrown is PostgreSQL's or the network's, and worth another try. */

/** No payment is registered under this id. */
export class UnknownPayment extends Error {
  override readonly name = 'UnknownPayment';
  constructor(readonly paymentId: string) {
    super(
      `Payment ${paymentId} is not in the store. It is written there by registerPayment before anything else; was the store restored?`,
    );
  }
}

/**
 * The claim was asked for, its answer was lost, and it is not there: it was not taken, or not yet. Nothing may be sent.
 * Retryable with a new nonce: if the lost statement takes effect after all, the next attempt finds the claim taken.
 */
export class ClaimUncertain extends Error {
  override readonly name = 'ClaimUncertain';
  constructor(
    readonly paymentId: string,
    cause: unknown,
  ) {
    super(
      `Payment ${paymentId}: the database's answer to the claim was lost, and the claim is not there. Nothing was sent.`,
      { cause },
    );
  }
}

/** What the provider said was written too late to say anything: nothing was written. Worth another look. */
export class AnswerTooOld extends Error {
  override readonly name = 'AnswerTooOld';
  constructor(readonly paymentId: string) {
    super(`Payment ${paymentId}: the answer was more than a minute old when it could be written. It is looked again.`);
  }
}

/** Others have changed the payment each time between reading and writing. Nothing was written; worth another try. */
export class AlwaysOvertaken extends Error {
  override readonly name = 'AlwaysOvertaken';
  constructor(readonly paymentId: string) {
    super(`Payment ${paymentId} was changed by others again and again. Nothing was written.`);
  }
}

/** A call that no correct flow makes, such as posting more than was asked for. Trying again cannot help: it is a bug. */
export class ImpossibleRequest extends Error {
  override readonly name = 'ImpossibleRequest';
}

/** Before a process has begun its work: no server, or none that takes this user. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  constructor(cause: unknown) {
    super(`The database cannot be asked (${reasonOf(cause)}). Check DATABASE_URL and the server, then start again.`, {
      cause,
    });
  }
}
