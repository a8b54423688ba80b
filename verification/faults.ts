import { CALLBACK_FAULTS, REQUEST_FAULTS } from '../src/sandbox/faults';

/**
 * What can go wrong, and where: the vocabulary that the simulation, the chaos run and the fault matrix share, so that a count of
 * one can be laid beside a count of the other.
 */

/** The steps of a payment at which a fault can strike. */
export const STEPS = [
  'register',
  'validate',
  /** The look-up right before sending, and what the store knows of a record that it finds. */
  'look',
  /** The store alone: the right to send, and with it the money. */
  'claim',
  /** The payment POST: the provider; then the store, where what it answered is written down. */
  'send',
  /** A callback comes in, is stored and delivered, and brings a look: one step, whenever in a payment's life it comes. */
  'callback',
  /** A look while waiting for the result: the provider, then the store. */
  'poll',
  /** An operator's update, cancelPayment or resolvePayment, with the look before a decision and the record of it. */
  'decide',
  /** The record of the outcome by the flow itself. */
  'record',
] as const;
export type Step = (typeof STEPS)[number];

/** Grouped by who fails. */
export const FAULTS = [
  // Our processes. Before its effect: what the step asks for was not done yet; after: it was, and nobody was told.
  'worker-killed-before-effect',
  'worker-killed-after-effect',
  /** Stopped past its time-outs, then it continues: two attempts of one step. */
  'worker-stalled',
  'endpoint-killed',
  // Our store
  'store-down',
  'commit-answer-lost',
  // The engine and those who use it, while the payment is at that step
  'engine-restarted',
  'run-reset',
  'run-terminated-and-restarted',
  'started-twice',
  'cancel-requested',
  'operator-decides',
  // The provider's answers. A read captures nothing: its reset or time-out counts as before-capture.
  'connection-refused',
  ...REQUEST_FAULTS,
  // The provider's callbacks: a forged or a contradictory one at whatever step the payment is; at `record`: while that is written.
  ...CALLBACK_FAULTS,
] as const;
export type Fault = (typeof FAULTS)[number];
