/**
 * What can go wrong, and where: the vocabulary that the simulation, the chaos run and the fault matrix share, so that a count of
 * one can be laid beside a count of the other.
 */

/** The steps of a payment at which a fault can strike. */
export const STEPS = [
  'register',
  'validate',
  'reserve',
  /** The look-up right before sending. */
  'look',
  'claim',
  /** The payment POST. */
  'send',
  /** A callback comes in, is stored and delivered. */
  'callback',
  /** A look while waiting for the result. */
  'poll',
  /** An operator's update: cancelPayment or resolvePayment. */
  'decide',
  'close',
] as const;
export type Step = (typeof STEPS)[number];

/** Grouped by who fails. */
export const FAULTS = [
  // Our processes
  'worker-killed-before-effect',
  'worker-killed-after-effect',
  /** Stopped past its time-outs, then it continues: two attempts of one step. */
  'worker-stalled',
  'endpoint-killed',
  // Our store
  'store-down',
  'commit-answer-lost',
  // The engine and those who use it
  'engine-restarted',
  'run-reset',
  'run-terminated-and-restarted',
  'started-twice',
  'cancel-requested',
  'operator-decides',
  // The provider's answers
  'connection-refused',
  'reset-before-capture',
  'reset-after-capture',
  'timeout-before-capture',
  'timeout-after-capture',
  'answer-401',
  'answer-403',
  'answer-429',
  'answer-5xx',
  'body-truncated',
  'body-unreadable',
  'body-slow',
  // The provider's callbacks
  'callback-lost',
  'callback-repeated',
  'callback-early',
  'callback-late',
  'callbacks-reordered',
  'callback-forged',
  'callback-contradictory',
] as const;
export type Fault = (typeof FAULTS)[number];
