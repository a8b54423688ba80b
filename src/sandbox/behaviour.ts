/** The words the table of behaviours is written in. */

export const BEHAVIOUR_NAMES = [
  'paid-with-callback',
  'callback-lost',
  'callback-before-answer',
  'callback-three-times',
  'flat-callback',
  'premature-callback',
  'invalid-account',
  'rejected',
  'duplicate-id-rejected',
  'failed-refusal',
  'failed-ambiguous',
  'failed-callback-lost',
  'failed-then-completed',
  'post-timeout',
  'post-reset',
  'post-500',
  'post-429',
  'post-unreadable',
  'reset-before-capture',
  '429-before-capture',
  'lookup-429',
  'lookup-401',
  'pending-for-ever',
  'not-found-then-paid',
  'amount-differs',
  'record-exists',
  'prepaid',
  'prepaid-callback-lost',
  'bill-due',
] as const;

export type BehaviourName = (typeof BEHAVIOUR_NAMES)[number];

/** How long the provider takes for what, in milliseconds. */
export interface Timings {
  /** From the capture to a paid or failed result. */
  readonly pendingMs: number;
  /** From the result to its callback. */
  readonly callbackDelayMs: number;
  /** From a failed result to the completed one that replaces it. */
  readonly completedLaterMs: number;
  /** How long a captured payment may stay invisible to a look-up. */
  readonly notFoundMs: number;
}

/** The numeric states of a record. 4 and 6 are documented; no document gives the number of "pending": 1 is our choice. */
export const STATUS = { pending: 1, completed: 4, failed: 6 } as const;
export type Status = (typeof STATUS)[keyof typeof STATUS];

/** A moment after the capture: the sum of the timings named. */
export type Moment = readonly (keyof Timings)[];

/** How the payment POST (type 2) is answered. */
export type PostAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'invalid-field'; readonly field: string; readonly problem: string }
  | { readonly kind: 'duplicate-id' }
  | { readonly kind: 'error'; readonly status: 429 | 500 }
  /** 200 with a body that breaks off. */
  | { readonly kind: 'unreadable' }
  /** The connection is reset. */
  | { readonly kind: 'reset' }
  /** No answer at all; the connection is closed in the end. */
  | { readonly kind: 'hang' };

export interface CallbackContent {
  readonly shape: 'nested' | 'flat';
  readonly status: Status;
  readonly code: string;
  /** A prepaid token, in the only slot the documents leave for one. */
  readonly token?: string;
}

export interface PlannedCallback {
  /** `before-answer`: delivered and answered before the POST is. */
  readonly when: Moment | 'before-answer';
  readonly content: CallbackContent;
}

export interface Behaviour {
  readonly name: BehaviourName;
  readonly account: string;
  readonly description: string;
  /** What validation (type 3) says of the account. */
  readonly accountValid: boolean;
  /** Whether the POST becomes a payment record, whatever its answer says. */
  readonly captures: boolean;
  readonly answer: PostAnswer;
  /** What becomes of a captured payment; pending before the first step. */
  readonly history: readonly { readonly at: Moment; readonly status: Status }[];
  readonly callbacks: readonly PlannedCallback[];
  /** How look-ups by id are disturbed. */
  readonly looks: LookTrouble;
  /** Whether a bill is open and the account is among the saved bill numbers. */
  readonly billDue: boolean;
}

export type LookTrouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly status: 401 | 429; readonly times: number }
  /** Not found for `notFoundMs`, and at least once after the capture. */
  | { readonly kind: 'invisible-at-first' }
  /** Pending for `pendingMs` after the callback, and at least to one look after it. */
  | { readonly kind: 'lags-behind-callback' }
  | { readonly kind: 'wrong-amount'; readonly factor: number }
  /** Somebody else's completed record under the id, before any POST. */
  | { readonly kind: 'foreign-record' };
