/** How the store model is made. */
export interface StoreModelOptions {
  /** Epoch ms. */
  readonly now: () => number;
  /** Planted, to see them found. */
  readonly bugs?: {
    /** An end without a seal: an attempt that was slow still gets it. */
    readonly noSeal?: boolean | undefined;
    /** The outcome first, the money in a transaction of its own. */
    readonly twoStepRecord?: boolean | undefined;
  };
  /** Awaited between the two steps of an end; what it throws ends it there, as the death of a process would. */
  readonly betweenSteps?: (paymentId: string) => Promise<void>;
}
