import { condition, patched } from '@temporalio/workflow';
import type { Look } from '../payment/look';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { PollInput, PollResult } from '../payment/steps';
import { confirmationDue, judge } from '../payment/verdict';
import { findPayment, pollPayment } from './activities';
import type { Ending } from './close';
import { decided, failed, paid } from './endings';
import type { PaymentTracker } from './tracker';

/** How an open payment comes to its end: by proof or by a person, or because another run has closed it. */
export type Settlement =
  ({ readonly kind: 'settled' } & Ending) | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome };

/** Runs that began with 0.1.0 do not poll an id that is in use. */
const POLLS_ID_IN_USE = 'polls-id-in-use';

/** The provider may lag behind its own callback: looks follow one after these. */
const LAGS = [1_000, 2_000, 5_000] as const;

/**
 * Waits until the payment is proven paid or failed, or a person decides (design §7). One poll runs beside it; a callback adds a
 * look at once. It never returns on a guess: no time-out turns unknown into declined.
 */
export async function awaitVerdict(payment: PaymentTracker, poll: Poll): Promise<Settlement> {
  let looks: readonly number[] = [];
  for (;;) {
    const verdict = judge(payment.expected, payment.seen, payment.rules, Date.now());
    if (verdict.kind === 'paid') return { kind: 'settled', outcome: paid(payment, verdict.record, verdict.receipt) };
    if (verdict.kind === 'failed') return { kind: 'settled', outcome: failed(payment, verdict.said, verdict.code) };
    // Another run has closed it. Proof to the contrary went through above, so that the closing transaction sees the contradiction.
    if (payment.lastLook?.closed !== undefined) return { kind: 'closed', outcome: payment.lastLook.closed };
    if (payment.decision !== undefined) return { kind: 'settled', ...decided(payment, payment.decision) };
    const asks = verdict.attention ?? payment.stillAsks();
    if (asks !== undefined) payment.needAttention(asks.reason, asks.because);
    poll.keepGoing();

    const { revision } = payment;
    await untilTrueOr(
      earliest(looks[0], verdict.judgeAgainAt),
      () => poll.hasResult || payment.hints > 0 || payment.decision !== undefined || payment.revision !== revision,
    );

    if (poll.hasResult) {
      poll.takeResult();
    } else if (payment.hints > 0) {
      payment.hints = 0;
      const final = isFinal(await lookNow(payment, 'callback'));
      looks = final ? [] : LAGS.map((lag) => Date.now() + lag);
    } else if (looks[0] !== undefined && Date.now() >= looks[0]) {
      const final = isFinal(await lookNow(payment, 'callback'));
      looks = final ? [] : looks.slice(1);
    }
  }
}

/** One look at once, or nothing when it fails: that is no loss, the poll goes on. */
export async function lookNow(payment: PaymentTracker, cause: 'callback' | 'poll'): Promise<Look | undefined> {
  try {
    const look = await payment.turns.take(() => findPayment(payment.expected));
    payment.learn(look, cause);
    return look;
  } catch {
    return undefined;
  }
}

const isFinal = (look: Look | undefined): boolean =>
  look?.observation.kind === 'record' && look.observation.state !== 'pending';

/**
 * The poll beside the flow: one activity at a time, whose retries are the looks, so that a look costs no event. It is never
 * cancelled: closing the run drops it.
 */
export class Poll {
  private rounds = 0;
  private running = false;
  private result: PollResult | undefined;

  constructor(private readonly payment: PaymentTracker) {}

  get hasResult(): boolean {
    return this.result !== undefined;
  }

  keepGoing(): void {
    if (this.running || this.hasResult) return;
    // Somebody else's record proves nothing, but another run may close the payment, or have closed it before this one was reset.
    if (this.payment.seen.sent === 'not-by-us' && !patched(POLLS_ID_IN_USE)) return;
    this.running = true;
    this.rounds += 1;
    pollPayment(this.nextRound()).then(
      (result) => {
        this.running = false;
        this.result = result;
      },
      // It is retried for ever, so only somebody who failed it by hand comes here: start another.
      () => {
        this.running = false;
        this.payment.revision += 1;
      },
    );
  }

  takeResult(): void {
    // Without a look only the time has passed: that is judged as well.
    if (this.result?.look !== undefined) this.payment.learn(this.result.look, 'poll');
    this.result = undefined;
  }

  private nextRound(): PollInput {
    const { policy, attentionAt } = this.payment.rules;
    const { observation: known, callbacks, submittedAt } = this.payment.seen;
    const confirmAt = confirmationDue(this.payment.seen, policy);
    // A failure that is still to be confirmed is given its time; then a person is asked.
    const askAt = Math.max(attentionAt, confirmAt ?? 0);
    const asked = this.payment.attention !== undefined;
    const interval = asked ? policy.pollMaxInterval : policy.pollInterval;
    const notFoundBy = submittedAt + policy.notFoundGrace;
    return {
      expected: this.payment.expected,
      knownCallbacks: callbacks.count,
      firstLookIn: this.rounds === 1 ? policy.callbackGrace : interval,
      interval,
      maxInterval: policy.pollMaxInterval,
      ...(known && { known }),
      ...(confirmAt !== undefined && { confirmAt }),
      ...(notFoundBy > Date.now() && { notFoundBy }),
      ...(askAt > Date.now() && { overdueAt: askAt }),
    };
  }
}

const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
};

/** A timer costs two events: none is started when the change is there already, or when no time is given. */
async function untilTrueOr(at: number | undefined, changed: () => boolean): Promise<void> {
  if (changed()) return;
  if (at === undefined) return await condition(changed);
  if (at > Date.now()) await condition(changed, at - Date.now(), { summary: 'Next look' });
}
