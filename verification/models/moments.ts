/**
 * When things happen, ms from the registration. 45 s is beyond the send window and within the time for which an answer is fresh;
 * 3 minutes are beyond both, the policy's times and the question to a person, within the life of a session; 10 minutes
 * are when a session of the first two moments is dead for sure.
 */
export const TICKS = [0, 45_000, 180_000, 600_000] as const;

export const timeOf = (tick: number): number => TICKS[tick] ?? Infinity;

/** How long a session lives from the look that has proven it. */
export const SESSION_MS = 240_000;
/** How far the provider's clock may be behind ours. */
export const CLOCKS_DIFFER_MS = 300_000;

export const POLICY = {
  submitWithin: 150_000,
  fundsWithin: 0,
  callbackGrace: 1_000,
  pollInterval: 2_000,
  pollMaxInterval: 10_000,
  notFoundGrace: 120_000,
  failureConfirmation: 120_000,
  attentionAfter: 150_000,
  receiptGrace: 30_000,
} as const;

export const AMOUNT = 2;
