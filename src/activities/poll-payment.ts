import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { isNews, type Expected, type Look } from '../payment/look';
import type { Observation } from '../payment/observation';
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
      if (look === 0) throw lookAgain(firstMessage(input), untilNext(input, input.firstLookIn, clock.now()));

      const seen = await tryLook(input.expected);
      const now = clock.now();
      if (seen instanceof Error) {
        // Our own store is in the way. The deadline holds all the same: a person must hear of it.
        if (input.overdueAt !== undefined && now >= input.overdueAt) return { kind: 'overdue' };
        throw lookAgain(`No look: ${seen.message}. Tried ${look} times.`, nextDelay(input, look, now));
      }
      const news = newsOf(input, seen, now);
      if (news !== undefined) return { kind: news, look: seen };
      const delay = nextDelay(input, look, now);
      throw lookAgain(`${inSentence(seen.observation)} Look ${look}, next in ${inWords(delay)}.`, delay);
    },
  };

  async function tryLook(expected: Expected): Promise<Look | Error> {
    try {
      return await lookAt(
        dependencies,
        expected,
        AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN)]),
      );
    } catch (error) {
      if (cancellationSignal().aborted || !(error instanceof Error)) throw error;
      return error;
    }
  }
}

const inSentence = ({ kind, said }: Observation): string =>
  kind === 'unreadable' ? `${said}.` : `Almara Pay says ${said}.`;

function firstMessage({ known, firstLookIn }: PollInput): string {
  return known === undefined
    ? `Waiting for the callback. First look in ${inWords(firstLookIn)}.`
    : `Almara Pay said ${known.said}. Next look in ${inWords(firstLookIn)}.`;
}

function newsOf(
  input: PollInput,
  { observation, closed, callbacks }: Look,
  now: number,
): PollResult['kind'] | undefined {
  const { known, confirmAt = Infinity, notFoundBy = Infinity, overdueAt = Infinity } = input;
  if (closed !== undefined || isNews(known, observation)) return 'news';
  const final = observation.kind === 'record' && observation.state !== 'pending';
  // A code or a receipt has come that nobody has looked at yet.
  if (final && callbacks.count !== input.knownCallbacks) return 'news';
  if (final && observation.state === 'failed' && now >= confirmAt) return 'news';
  if (now >= overdueAt) return 'overdue';
  return now >= notFoundBy && observation.kind === 'not-found' ? 'not-found' : undefined;
}

function nextDelay(input: PollInput, look: number, now: number): number {
  return untilNext(input, Math.min(input.maxInterval, input.interval * 2 ** Math.min(look - 1, 20)), now);
}

/** The next look, brought forward to the next deadline. */
function untilNext({ confirmAt, notFoundBy, overdueAt }: PollInput, wanted: number, now: number): number {
  const deadlines = [confirmAt, notFoundBy, overdueAt].filter((at) => at !== undefined && at > now) as number[];
  return Math.min(wanted, ...deadlines.map((at) => at - now));
}

const inWords = (ms: number): string =>
  ms < 100_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 60_000)} min`;
