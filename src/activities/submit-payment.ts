import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { fingerprint } from '../payment/fingerprint';
import { judge } from '../payment/judge';
import type { Submission } from '../payment/observation';
import type { CheckedRequest } from '../payment/request';
import type { Look, SubmitResult } from '../payment/steps';
import type { Reading } from '../store';
import { merchantOf, systemClock, type ActivityDependencies, type Clock } from './dependencies';
import { requestOf } from './arguments';
import { otherContent, submissionsOff, waitsForMoney } from './failures';
import { isUntouched, lookBefore } from './look';

/** The first byte leaves within this time after the claim, or never: a worker that slept in between sends nothing. */
const SEND_WITHIN_MS = 5_000;
/** The engine takes a worker for dead after 3 s of silence. */
const HEARTBEAT_EVERY_MS = 1_000;
/** Between two tries to write down what was heard. */
const WRITE_AGAIN_MS = 500;

export function createSubmitPayment(dependencies: ActivityDependencies) {
  const { provider, store, settings, log, clock = systemClock } = dependencies;
  const by = merchantOf(dependencies);
  return {
    /**
     * Looks, claims, sends. Safe to retry: the claim is taken once, with the money, and never given back, and only who took it sends,
     * once. It fails only before the claim; from the claim on, everything that can go wrong is an answer. What is sent is what was
     * registered: anything else gets no claim.
     */
    async submitPayment(input: CheckedRequest): Promise<SubmitResult> {
      // The policy is the row's: what this worker's own switch says of it was asked when it was registered.
      const request = requestOf(input, { allowTestPolicy: true });
      return await withHeartbeat(() => submit(request, Context.current().cancellationSignal));
    },
  };

  async function submit(request: CheckedRequest, signal: AbortSignal): Promise<SubmitResult> {
    const { paymentId } = request;
    const before = await store.payments.read(paymentId, by);
    if (!isUntouched(before.facts)) return { kind: 'looked', look: lookOf(before) };
    const missing = moneyMissing(before, request);
    if (missing !== undefined) return missing;

    // Look. Trouble here means that nothing was claimed or sent: the engine tries again.
    const { session, look } = await lookBefore(dependencies, paymentId, signal);
    if (look !== undefined) return { kind: 'looked', look };
    if (settings.submissions === 'off') throw submissionsOff();

    // What cannot be made must fail here: after the claim nobody could send it any more.
    const order = { ...request, callbackUrl: settings.callbackUrl(paymentId) };
    const nonce = randomUUID();

    // Claim. The time starts before the statement leaves us, so that a slow commit counts against the send.
    const maySend = within(SEND_WITHIN_MS, clock);
    const claim = await store.payments.claim(
      paymentId,
      before,
      { nonce, fingerprint: await fingerprint(request), sessionExpiresAt: new Date(session.expiresAt) },
      by,
    );
    switch (claim.kind) {
      case 'claimed':
        break;
      case 'other-content':
        throw otherContent(paymentId);
      case 'no-funds':
        return noFunds(claim.reason, before, request);
      case 'not-claimed':
        return { kind: 'looked', look: lookOf(await store.payments.read(paymentId, by)) };
    }

    // Send, once, with what the look has just proven.
    const submission = await provider.submitPayment(order, session, maySend, signal);
    log.info({ paymentId, submission: submission.kind }, 'submission answered');
    return { kind: 'looked', look: lookOf(await writeDown(paymentId, nonce, submission, signal)) };
  }

  /** For as long as this attempt lives: what was heard and not written is not known to anybody. */
  async function writeDown(
    paymentId: string,
    nonce: string,
    submission: Submission,
    signal: AbortSignal,
  ): Promise<Reading> {
    for (;;) {
      try {
        return await store.payments.answered(paymentId, nonce, submission, by);
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ paymentId, err: error }, 'what the provider answered is not written down yet');
        await clock.sleep(WRITE_AGAIN_MS, signal);
      }
    }
  }
}

const lookOf = ({ facts, now }: Reading): Look => ({ facts, verdict: judge(facts, now), at: now });

/** Before the provider is asked: too little money waits, or is the answer. */
function moneyMissing(reading: Reading, request: CheckedRequest): SubmitResult | undefined {
  const { fundingAccount, amount } = request;
  if (fundingAccount === undefined) return undefined;
  if (reading.available === undefined) return noFunds('unknown-funding-account', reading, request);
  return reading.available < amount ? noFunds('insufficient-funds', reading, request) : undefined;
}

/** @throws ApplicationFailure retryable, while the payment still waits for money */
function noFunds(
  reason: 'insufficient-funds' | 'unknown-funding-account',
  { facts, now }: Reading,
  { fundingAccount, amount, currency }: CheckedRequest,
): SubmitResult {
  const left = facts.registeredAt + facts.rules.policy.fundsWithin - now;
  if (reason === 'insufficient-funds' && left > 0)
    throw waitsForMoney(
      `${fundingAccount} does not hold ${currency} ${amount}`,
      facts.registeredAt + facts.rules.policy.fundsWithin,
      left,
    );
  const said =
    reason === 'insufficient-funds'
      ? `${fundingAccount} does not hold ${currency} ${amount}`
      : `there is no ${fundingAccount} in ${currency}`;
  return { kind: 'no-funds', reason, said };
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
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
