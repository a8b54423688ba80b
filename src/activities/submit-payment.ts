import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { PaymentRecord } from '../payment/observation';
import { ProviderTrouble } from '../payment/provider';
import type { CheckedRequest } from '../payment/request';
import type { SubmissionResult } from '../payment/steps';
import { submissionsOff } from './failures';
import { systemClock, type ActivityDependencies, type Clock } from './dependencies';

/** The first byte leaves within this time after the claim, or never: a worker that slept in between sends nothing. */
const SEND_WITHIN = 5_000;
/** The engine takes a worker for dead after 3 s of silence. */
const HEARTBEAT_EVERY = 1_000;

export function createSubmitPayment({ provider, store, settings, log, clock = systemClock }: ActivityDependencies) {
  return {
    /**
     * Looks, claims, sends (design §6). Safe to retry: a claim is taken once and never given back, and only who took it sends,
     * once. It fails only before the claim; from the claim on, everything that can go wrong is an answer.
     */
    async submitPayment(request: CheckedRequest): Promise<SubmissionResult> {
      const { paymentId } = request;
      const { cancellationSignal: signal } = Context.current();
      return await withHeartbeat(async () => {
        // Look. Trouble here means that nothing was claimed or sent: the engine tries again.
        const { observation, session } = await provider.findPayment(paymentId, signal);
        if (observation.kind === 'unreadable')
          throw new ProviderTrouble('unreadable', `The look-up before sending could not be read: ${observation.said}`);
        if (observation.kind === 'record') return await explain(paymentId, observation);

        // What is claimed goes on: it may have been sent, and the claim below says so.
        if (settings.submissions === 'off' && (await store.payments.facts(paymentId)).claim === undefined)
          throw submissionsOff();

        // What cannot be made must fail here: after the claim nobody could send it any more.
        const order = { ...request, callbackUrl: settings.callbackUrl(paymentId) };

        // Claim. The time starts before the statement leaves us, so that a slow commit counts against the send.
        const maySend = within(SEND_WITHIN, clock);
        const claim = await store.payments.claim(paymentId, {
          nonce: randomUUID(),
          account: provider.account,
          tokenExpiresAt: new Date(session.expiresAt),
        });
        if (claim.kind === 'closed') return claim;
        if (claim.kind === 'taken') return { kind: 'unknown', because: 'an earlier attempt may have sent it' };

        // Send, once. The session is the one that the look has just proven.
        const submission = await provider.submitPayment(order, session, maySend, signal);
        log.info({ paymentId, submission: submission.kind }, 'submission answered');
        return submission;
      });
    },
  };

  /** A record is there before we send: of an attempt of ours, or of somebody else. Nothing is sent either way. */
  async function explain(paymentId: string, record: PaymentRecord): Promise<SubmissionResult> {
    if (record.state === 'completed') await store.payments.noteCompleted(paymentId);
    const facts = await store.payments.facts(paymentId);
    if (facts.outcome !== undefined) return { kind: 'closed', outcome: facts.outcome };
    if (facts.claim !== undefined) return { kind: 'unknown', because: 'an earlier attempt has sent it' };
    log.warn({ paymentId }, 'the provider has a record under an id that we never sent');
    return { kind: 'id-in-use', record };
  }
}

/** True until the time is over by either clock. A wall clock that was set back proves nothing, so it counts as over. */
function within(ms: number, clock: Clock): () => boolean {
  const wall = clock.now();
  const monotonic = clock.monotonic();
  return () => {
    const passed = clock.now() - wall;
    return clock.monotonic() - monotonic < ms && passed < ms && passed >= -1_000;
  };
}

async function withHeartbeat<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_EVERY);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
