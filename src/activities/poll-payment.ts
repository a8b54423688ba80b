import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { Policy } from '../payment/policy';
import type { Look, PollInput, PollResult } from '../payment/steps';
import { durationInWords } from '../payment/words';
import { checked, SHAPES } from './arguments';
import type { ActivityDependencies } from './dependencies';
import { lookAgain } from './failures';
import { lookAt } from './look';

/** A poll's own bound on a look: below the activity's start-to-close of 15 s. */
const LOOK_WITHIN_MS = 11_000;
/** While the store does not answer. */
const STORE_AGAIN_MS = 5_000;

export function createPollPayment(dependencies: ActivityDependencies) {
  const { provider } = dependencies;
  return {
    /**
     * Looks until there is an end or a new reason to ask a person. Each attempt is one look, and an attempt without news fails with
     * the time of the next one: retries cost no history event, and the failure's message is what operators read as the latest answer.
     */
    async pollPayment(input: PollInput): Promise<PollResult> {
      const { paymentId, reason, firstLookIn, storeWithin } = checked(SHAPES.poll, input);
      const { attempt } = activityInfo();
      const looks = firstLookIn === undefined ? attempt : attempt - 1;
      if (firstLookIn !== undefined && looks === 0)
        throw lookAgain(`Next look in ${durationInWords(firstLookIn)}.`, firstLookIn);

      const look = await tryLook(paymentId);
      if (look instanceof Error) {
        // Our own store is in the way. A person must hear of it all the same.
        if (storeWithin !== undefined && sinceScheduled() >= storeWithin)
          return { kind: 'store-away', because: look.message };
        throw lookAgain(`No look: ${look.message}. Tried ${looks} times.`, STORE_AGAIN_MS);
      }
      if (isNews(look, reason)) return { kind: 'looked', look };
      const delay = nextDelay(look, looks, reason !== undefined);
      throw lookAgain(
        `${provider.name}: ${look.said ?? 'nothing'}. Look ${looks}, next in ${durationInWords(delay)}.`,
        delay,
      );
    },
  };

  async function tryLook(paymentId: string): Promise<Look | Error> {
    try {
      return await lookAt(dependencies, paymentId, LOOK_WITHIN_MS);
    } catch (error) {
      if (cancellationSignal().aborted || !(error instanceof Error)) throw error;
      return error;
    }
  }
}

/** An end, or another reason to ask a person than the one they were told. */
const isNews = ({ facts, verdict }: Look, reason: string | undefined): boolean =>
  facts.closed !== undefined || verdict.kind !== 'open' || verdict.ask?.reason !== reason;

/** Doubles from one interval to the longest; cut to the moment at which the payment may be judged otherwise. */
function nextDelay({ facts, verdict }: Look, looks: number, isAsked: boolean): number {
  const { pollInterval, pollMaxInterval }: Policy = facts.rules.policy;
  const first = isAsked ? pollMaxInterval : pollInterval;
  const wanted = Math.min(pollMaxInterval, first * 2 ** Math.min(looks - 1, 20));
  return Math.min(wanted, (verdict.kind === 'open' ? verdict.lookAgainIn : undefined) ?? Infinity);
}

/** By the engine's clock alone. */
function sinceScheduled(): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return currentAttemptScheduledTimestampMs - scheduledTimestampMs;
}
