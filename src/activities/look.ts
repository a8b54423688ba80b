import { cancellationSignal } from '@temporalio/activity';
import { isKnownThere, type Facts } from '../payment/facts';
import type { Observation } from '../payment/observation';
import { ProviderTrouble, type ProviderSession } from '../payment/provider';
import type { Look } from '../payment/steps';
import { UnknownPayment, type Observed } from '../store';
import { checked, SHAPES } from './arguments';
import { merchantOf, stopwatch, systemClock, type ActivityDependencies } from './dependencies';

/** One look at a payment: what the provider says is written down before anybody hears of it. */
export async function lookAt(dependencies: ActivityDependencies, paymentId: string, withinMs: number): Promise<Look> {
  const { provider, clock = systemClock } = dependencies;
  const askedAgo = stopwatch(clock).atMost;
  const observation = await observe(() =>
    provider.findPayment(paymentId, AbortSignal.any([cancellationSignal(), AbortSignal.timeout(withinMs)])),
  );
  return await writeDown(dependencies, paymentId, { observation, askedAgo, answeredAgo: stopwatch(clock).atLeast });
}

/** So many are remembered: more only in an outage of the store that lasts. */
const MOST_UNWRITTEN = 10_000;

/**
 * A look whose write failed has not happened: it is repeated. But a record that was seen must not be forgotten while this worker
 * lives, a completed one least of all, even if the provider says something else when the store is back: the next look at the payment
 * takes it along.
 */
export async function writeDown(
  dependencies: Pick<ActivityDependencies, 'provider' | 'settings' | 'unwritten'> & {
    readonly store: Pick<ActivityDependencies['store'], 'payments'>;
  },
  paymentId: string,
  observed: Observed,
): Promise<Look> {
  const { store, unwritten } = dependencies;
  const { observation } = observed;
  const before = unwritten?.get(paymentId);
  try {
    const look = await store.payments.look(paymentId, observed, merchantOf(dependencies), before);
    if (unwritten?.get(paymentId) === before) unwritten?.delete(paymentId);
    return look;
  } catch (error) {
    const known = unwritten?.get(paymentId);
    const isKept = observation.kind === 'record' && !(error instanceof UnknownPayment);
    const isMore = isKept && (known === undefined || !isCompleted(known.observation));
    if (isMore && unwritten !== undefined && unwritten.size < MOST_UNWRITTEN) unwritten.set(paymentId, observed);
    throw error;
  }
}

const isCompleted = (observation: Observation): boolean =>
  observation.kind === 'record' && observation.state === 'completed';

/**
 * The look before anything is decided on the ground that nothing was sent: it must be readable. A record is written down.
 * @throws ProviderTrouble when nothing could be learnt
 */
export async function lookBefore(
  dependencies: ActivityDependencies,
  paymentId: string,
  signal: AbortSignal,
): Promise<{ readonly session: ProviderSession; readonly look?: Look }> {
  const { provider, clock = systemClock } = dependencies;
  const askedAgo = stopwatch(clock).atMost;
  const { observation, session } = await provider.findPayment(paymentId, signal);
  if (observation.kind === 'unreadable')
    throw new ProviderTrouble('unreadable', `The look-up before sending could not be read: ${observation.said}`);
  if (observation.kind === 'not-found' && dependencies.unwritten?.has(paymentId) !== true) return { session };
  const observed = { observation, askedAgo, answeredAgo: stopwatch(clock).atLeast };
  return { session, look: await writeDown(dependencies, paymentId, observed) };
}

/** Nobody has sent or ended it, and nothing is known of it at the provider. */
export const isUntouched = (facts: Facts): boolean =>
  facts.claim.kind === 'free' && facts.closed === undefined && !isKnownThere(facts);

async function observe(find: () => Promise<{ readonly observation: Observation }>): Promise<Observation> {
  try {
    return (await find()).observation;
  } catch (error) {
    if (cancellationSignal().aborted) throw error;
    // No answer is not worth a failure here: it reads like an answer that nobody understands.
    if (error instanceof ProviderTrouble) return { kind: 'unreadable', said: error.message };
    // Too slow for this look, which is an answer as well.
    if (isTimeout(error)) return { kind: 'unreadable', said: 'nothing in time' };
    throw error;
  }
}

const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError';

/** Below the local activity's start-to-close of 3 s: a slow provider is an answer, and not a time-out. */
const LOOK_WITHIN_MS = 2_000;

export function createLookAtPayment(dependencies: ActivityDependencies) {
  return {
    /** One look at once, for a callback or a person. Local: it is short, and repeats harmlessly. */
    async lookAtPayment(paymentId: string): Promise<Look> {
      return await lookAt(dependencies, checked(SHAPES.paymentId, paymentId), LOOK_WITHIN_MS);
    },
  };
}
