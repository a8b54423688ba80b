/** What we learn about a payment, in the field's words. Only an implementation of the port (`provider.ts`) makes these. */

/** Proof for the customer. For prepaid electricity the token is the product. */
export interface Receipt {
  readonly number?: string;
  readonly narration?: string;
  readonly token?: string;
}

/** One reading of the provider's record of a payment, fetched by us. `said` is written for people and holds nothing personal. */
export type Observation =
  /** The provider does not know the id: no proof that nothing was taken. */
  | { readonly kind: 'not-found'; readonly said: string }
  /** An answer nobody can read: never a guess. */
  | { readonly kind: 'unreadable'; readonly said: string }
  | PaymentRecord;

export interface PaymentRecord {
  readonly kind: 'record';
  /** Final either way; pending is everything that is not said to be final. */
  readonly state: 'completed' | 'failed' | 'pending';
  readonly said: string;
  /** Whether it says that it is a payment, and not another kind of transaction. */
  readonly isPayment: boolean;
  readonly paymentId?: string;
  readonly amount?: number;
  readonly accountNumber?: string;
  readonly currency?: string;
  /** The provider's own id of the payment. */
  readonly providerId?: string;
  readonly receipt: Receipt;
}

/** What we know after trying to send. 'unknown' is a result and not an error: the request may have left us. */
export type Submission =
  | { readonly kind: 'accepted'; readonly providerId: string }
  | { readonly kind: 'rejected'; readonly reasons: readonly string[] }
  /** Not one byte of the request can have left: it will never be captured. */
  | { readonly kind: 'not-sent'; readonly because: string }
  | { readonly kind: 'unknown'; readonly because: string };

/** What a result code proves: each is read as strictly as any of the provider's documents allows. */
export type CodeMeaning = 'success' | 'refusal' | 'ambiguous' | 'duplicate';

/** One authentic callback as read: a hint to look, never proof of payment (G3). */
export interface CallbackReading {
  /** How the payment went; or only that there is something to look at, with the receipt if it brings one. */
  readonly tells: 'result' | 'receipt';
  readonly claims: 'paid' | 'failed' | 'unclear';
  /** Only of a callback that tells a result: another's code is in no list. */
  readonly code?: { readonly value: string; readonly meaning: CodeMeaning };
  readonly amount?: number;
  readonly accountNumber?: string;
  readonly currency?: string;
  readonly providerId?: string;
  readonly receipt: Receipt;
  readonly said: string;
}

/** Argument of the `providerCallback` signal. The workflow takes it as a hint and reads the callbacks from the inbox. */
export interface CallbackNotice {
  readonly receivedAt: string;
  readonly claims: CallbackReading['claims'];
  readonly code?: string;
}

/** Whether an account can be paid. Advisory: a valid account can still fail. */
export type AccountReading =
  { readonly kind: 'valid'; readonly customerName?: string } | { readonly kind: 'invalid'; readonly reason: string };
