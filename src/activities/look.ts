import { cancellationSignal } from '@temporalio/activity';
import { weighCallbacks, type Expected, type Look } from '../payment/look';
import type { Observation } from '../payment/observation';
import { ProviderTrouble, type Provider } from '../payment/provider';
import { systemClock, type ActivityDependencies } from './dependencies';

/** One look at a payment: the provider's record first, then what our own store knows by then. */
export async function lookAt(
  { provider, store, clock = systemClock }: ActivityDependencies,
  expected: Expected,
  signal: AbortSignal,
): Promise<Look> {
  const observation = await observe(provider, expected.paymentId, signal);
  const at = new Date(clock.now()).toISOString();
  // For ever: from now on only a matching record, or a person, closes this payment, whatever becomes of this run.
  if (observation.kind === 'record' && observation.state === 'completed')
    await store.payments.noteCompleted(expected.paymentId);
  const facts = await store.payments.facts(expected.paymentId);
  const readings = facts.callbacks.map(({ reading }) => reading);
  // Callbacks beyond those that are kept were not read: one of them may hold the code that forbids a decline.
  const unread = facts.callbacksDropped > 0 && {
    code: { kind: 'ambiguous', value: 'of a callback that was not kept' } as const,
  };
  return {
    observation,
    at,
    callbacks: { ...weighCallbacks(expected, readings), ...unread, count: facts.callbackCount },
    completedSeen: facts.completedSeen,
    ...(facts.claim && {
      claim: { at: facts.claim.at.toISOString(), tokenExpiresAt: facts.claim.tokenExpiresAt.toISOString() },
    }),
    ...(facts.outcome && { closed: facts.outcome }),
  };
}

async function observe(provider: Provider, paymentId: string, signal: AbortSignal): Promise<Observation> {
  try {
    return (await provider.findPayment(paymentId, signal)).observation;
  } catch (error) {
    // No answer is not worth a failure here: it reads like an answer that nobody understands.
    if (error instanceof ProviderTrouble) return { kind: 'unreadable', said: error.message };
    // Too slow for this look, which is an answer as well; a worker that stops is not.
    if (signal.aborted && !cancellationSignal().aborted) return { kind: 'unreadable', said: 'nothing in time' };
    throw error;
  }
}
