import type { Transport } from '../../src/almara/transport';

export interface Bounds {
  readonly requests: number;
  readonly minutes: number;
  /** The most that one payment may take. 0: only what takes nothing is sent. */
  readonly amount: number;
}

/** Of a check against somebody's system: what is beyond the bounds does not leave us, whatever a test is about to do. */
export function bounded(real: Transport, { requests, minutes, amount }: Bounds): Transport {
  const until = Date.now() + minutes * 60_000;
  let sent = 0;
  let paid = false;
  const count = (): void => {
    sent += 1;
    if (sent > requests) throw new Error(`the check sends at most ${requests} requests`);
    if (Date.now() > until) throw new Error(`the check takes at most ${minutes} minutes`);
  };
  return {
    ...real,
    ask: async (call, signal) => {
      count();
      return await real.ask(call, signal);
    },
    postOnce: async (post, signal) => {
      count();
      const { amount: asked } = JSON.parse(post.body) as { readonly amount: number };
      const takes = (): boolean => {
        if (!post.mayStillSend()) return false;
        if (asked === 0) return true;
        // Once, and no more than what was named.
        if (paid || !(asked <= amount)) return false;
        return (paid = true);
      };
      return await real.postOnce({ ...post, mayStillSend: takes }, signal);
    },
  };
}
