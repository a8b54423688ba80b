import type { DisputeProgress, DisputeResolution } from '../payment/dispute';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { PaymentProgress, Resolution } from '../payment/progress';

/** Not decided yet. No failure: ask again, with the same id. */
export interface StillOpen {
  readonly kind: 'open';
  readonly paymentId: string;
  /** Where it stands, if the worker answered quickly. */
  readonly progress?: PaymentProgress;
}

export interface WaitOptions {
  /** How long to wait for the outcome, at most a day. An open payment may be told a second later. Default 25 000. */
  readonly waitMs?: number | undefined;
  /** Ends the wait; the promise rejects with the signal's reason. The payment goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Who decides, and why. */
export interface Decision {
  readonly operator: string;
  readonly note: string;
  /** The same decision sent twice with one request id (a double click, a repeated call) acts once. */
  readonly requestId?: string | undefined;
}

export interface BillPaymentHandle {
  readonly paymentId: string;
  /** @throws PaymentNotFound | EngineUnavailable */
  progress(): Promise<PaymentProgress>;
  /**
   * Waits for the outcome, within limits.
   * @throws InvalidRequest | PaymentConflict (the worker's check came to it) | RunEnded | PaymentNotFound | EngineUnavailable
   */
  outcome(options?: WaitOptions): Promise<BillPaymentOutcome | StillOpen>;
  /**
   * Where it stands now and after each change, until it is closed. Ends quietly when the signal is aborted; goes on while
   * no worker answers. Every look is a query, at most every two seconds: for screens, not for thousands of payments.
   * @throws like `outcome`
   */
  follow(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PaymentProgress>;
  /** Until the request may have left. Cancelling what is already cancelled answers as the first time. @throws TooLate | PaymentNotFound | EngineUnavailable */
  cancel(by: Decision): Promise<PaymentProgress>;
  /** A person's decision, only while it needs attention. @throws Refused | PaymentNotFound | EngineUnavailable */
  resolve(by: Decision & Resolution): Promise<PaymentProgress>;
  /** Asks the provider now. @throws Refused | PaymentNotFound | EngineUnavailable */
  checkNow(by: { readonly operator: string }): Promise<PaymentProgress>;
}

/** A contradicted outcome. It stays as it is; what was true of the bill is agreed on by people. */
export interface BillDisputeHandle {
  readonly paymentId: string;
  /** @throws DisputeNotFound | EngineUnavailable */
  progress(): Promise<DisputeProgress>;
  /** What was agreed, once. The same again answers as the first time. @throws Refused | DisputeNotFound | EngineUnavailable */
  resolve(by: Decision & DisputeResolution): Promise<DisputeProgress>;
}
