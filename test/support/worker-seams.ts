/** What `worker-main.ts` and its test say to each other. */

/** Where an attempt of `submitPayment` stands still: what it is named after is done, and nothing after it. */
export type StandsAt = 'looked' | 'claimed' | 'answered';

/** What `worker-main.ts` is told. Everything else it reads from its environment, as anywhere. */
export interface WorkerTestSettings {
  readonly taskQueue: string;
  readonly workflowBundle: { readonly codePath: string };
  /** It runs no workflows, and takes as many activities as stand still: stopped with them, it takes no other along. */
  readonly activitiesOnly?: boolean;
  /** By payment id. */
  readonly stands: Readonly<Record<string, StandsAt>>;
}

/** What it says when one does. */
export const saysThatItStands = (at: StandsAt, paymentId: string): string => `${paymentId} stands still: ${at}`;

/** The signal at which everything that stands still goes on; one at which the SDK does not stop a worker. */
export const GO_ON = 'SIGHUP';
