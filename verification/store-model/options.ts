/** How the store model is made. */
export interface StoreModelOptions {
  /** Epoch ms. */
  readonly now: () => number;
  /** Planted, to see them found. */
  readonly bugs?: {
    /** An end leaves the claim free and the row's version as it is: an attempt that had read it before still gets the claim. */
    readonly noSeal?: boolean | undefined;
    /** The outcome first, the money in a transaction of its own. */
    readonly twoStepRecord?: boolean | undefined;
  };
  /** Awaited between the two steps of an end; what it throws leaves it there, as the death of a process would. */
  readonly betweenSteps?: (paymentId: string) => Promise<void>;
}
