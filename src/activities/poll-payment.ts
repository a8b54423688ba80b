import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { isNews } from '../payment/look';
import type { PollInput, PollResult } from '../payment/steps';
import { systemClock, type ActivityDependencies } from './dependencies';
import { lookAgain } from './failures';
import { lookAt } from './look';

/** A poll's own bound on a look: below the activity's start-to-close of 15 s. */
const LOOK_WITHIN = 12_000;

export function createPollPayment(dependencies: ActivityDependencies) {
  const { clock = systemClock } = dependencies;
  return {
    /**
     * Looks until there is news or a deadline has come. Each attempt is one look, and an attempt without news fails with the time
     * of the next one: retries cost no history event, and the failure's message is what operators read as the latest answer.
     */
    async pollPayment(input: PollInput): Promise<PollResult> {
      const look = activityInfo().attempt - 1;
      if (look === 0)
        throw lookAgain(
          `Waiting for the callback. First look in ${inWords(input.firstLookIn)}.`,
          untilNext(input, input.firstLookIn, clock.now()),
        );

      const seen = await lookAt(
        dependencies,
        input.expected,
        AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN)]),
      );
      const now = clock.now();
      if (seen.closed !== undefined || isNews(input.known, seen.observation)) return { kind: 'news', look: seen };
      if (input.overdueAt !== undefined && now >= input.overdueAt) return { kind: 'overdue', look: seen };
      if (input.notFoundBy !== undefined && now >= input.notFoundBy && seen.observation.kind === 'not-found')
        return { kind: 'not-found', look: seen };

      const delay = untilNext(input, Math.min(input.maxInterval, input.interval * 2 ** Math.min(look - 1, 20)), now);
      throw lookAgain(`Almara Pay says ${seen.observation.said}. Look ${look}, next in ${inWords(delay)}.`, delay);
    },
  };
}

/** The next look, brought forward to the next deadline. */
function untilNext({ notFoundBy, overdueAt }: PollInput, wanted: number, now: number): number {
  const deadlines = [notFoundBy, overdueAt].filter((at) => at !== undefined && at > now) as number[];
  return Math.min(wanted, ...deadlines.map((at) => at - now));
}

const inWords = (ms: number): string =>
  ms < 100_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 60_000)} min`;
