import { condition, sleep } from '@temporalio/workflow';
import type { BillPaymentOutcome } from '../payment/outcome';
import { askOf } from '../payment/state';
import type { Look, PollInput, PollResult } from '../payment/steps';
import { lookAtPayment, pollPayment } from './activities';
import type { Payment } from './payment';
import { record } from './record';

/** The provider may lag behind its own callback: looks follow its first, each so long after the one before, ms. */
const LAGS_MS = [1_000, 1_000, 3_000] as const;

/**
 * Waits until the payment has ended: proven, decided by a person beside this, or closed by another run. The callback is waited for
 * first, then one poll runs beside; a callback adds a look at once. It never ends on a guess: no time-out turns unknown into declined.
 *
 * Timers alone tell that it is time, and never a comparison with the clock: what a run reads from the clock after a local activity is
 * not the same in a replay when a query was answered beside it, and the history would not replay.
 * @param graceMs how long the callback alone is waited for
 */
export async function awaitResult(payment: Payment, graceMs: number): Promise<BillPaymentOutcome> {
  payment.apply({ kind: 'awaiting' });
  const poll = new Poll(payment, graceMs);
  const looks = new Looks();
  for (;;) {
    const look = lookOf(payment);
    if (look.facts.closed !== undefined) payment.apply({ kind: 'closed', ...look.facts.closed });
    if (payment.outcome !== undefined) return payment.outcome;
    if (look.verdict.kind !== 'open') {
      await record(payment, { kind: 'proven' });
      // A store whose clock was set back may not take yet what a look has proven: that is asked again after the next look.
      if (payment.outcome !== undefined || lookOf(payment) !== look) continue;
    }
    poll.keepGoing();
    const hasNews = (): boolean =>
      poll.isDue ||
      payment.callbacksToLookAt > 0 ||
      looks.isDue ||
      lookOf(payment) !== look ||
      payment.outcome !== undefined;
    // A replay tells what ends beside a handler's local activity together with that: nothing is done about either before both are told.
    await condition(() => !payment.localActivities.isLocked && hasNews());
    if (poll.hasEnded) poll.takeResult();
    else if (payment.callbacksToLookAt > 0) {
      payment.callbacksToLookAt = 0;
      looks.plan(await lookNow(payment), LAGS_MS);
    } else if (looks.isDue) looks.plan(await lookNow(payment));
  }
}

function lookOf({ state: { step } }: Payment): Look {
  if (step.kind === 'registering' || step.look === undefined) throw new Error('nothing is known of the payment yet');
  return step.look;
}

/** One look at once, or nothing when it fails: then it has not happened, and the poll goes on. */
export async function lookNow(payment: Payment): Promise<Look | undefined> {
  try {
    const look = await payment.localActivities.runExclusive(() => lookAtPayment(payment.paymentId));
    seen(payment, look);
    return look;
  } catch {
    return undefined;
  }
}

/** Whoever has a look has an answer of the store. */
function seen(payment: Payment, look: Look): void {
  if (payment.state.storeAway !== undefined) payment.apply({ kind: 'store-answered' });
  payment.apply({ kind: 'looked', look });
}

/** When the run itself looks next. A poll looks by its own times. */
class Looks {
  isDue = false;
  private lags: readonly number[] = [];
  /** What an earlier timer rings for is no longer asked: to cancel one would cost an event, as its ringing does. */
  private timers = 0;

  /** After a look: again after the lags, while the provider does not say the end; else when what it says may be judged otherwise. */
  plan(look: Look | undefined, lags: readonly number[] = this.lags): void {
    const { lookAgainIn } = look?.verdict.kind === 'open' ? look.verdict : {};
    const isFinal = look?.facts.seen.last?.state === 'completed' || look?.facts.seen.last?.state === 'failed';
    const [lag, ...rest] = lags;
    this.isDue = false;
    this.lags = isFinal ? [] : rest;
    this.timers += 1;
    const { timers } = this;
    const wait = isFinal ? lookAgainIn : lag;
    if (wait === undefined) return;
    void sleep(wait, { summary: 'Next look' }).then(() => {
      if (this.timers === timers) this.isDue = true;
    });
  }
}

/**
 * The poll beside the flow: one activity at a time, whose retries are the looks, so that a look costs no event. It is never
 * cancelled: closing the run drops it.
 */
class Poll {
  private rounds = 0;
  /** It is retried for ever, so only one that somebody has failed by hand is lost. */
  private result: PollResult | 'lost' | undefined;
  private is: 'waiting' | 'due' | 'running' = 'waiting';

  constructor(
    private readonly payment: Payment,
    graceMs: number,
  ) {
    this.goOnIn(graceMs);
  }

  get hasEnded(): boolean {
    return this.result !== undefined;
  }

  get isDue(): boolean {
    return this.is === 'due';
  }

  keepGoing(): void {
    if (this.is !== 'due' || this.hasEnded) return;
    this.is = 'running';
    this.rounds += 1;
    const ended = (result: PollResult | 'lost'): void => {
      this.result = result;
      this.is = 'due';
    };
    pollPayment(this.nextRound()).then(ended, () => ended('lost'));
  }

  takeResult(): void {
    const { result, payment } = this;
    this.result = undefined;
    if (result === undefined) return;
    if (result === 'lost') this.goOnIn(lookOf(payment).facts.rules.policy.pollMaxInterval);
    else if (result.kind === 'store-away') payment.apply({ ...result, at: Date.now() });
    else seen(payment, result.look);
  }

  private goOnIn(ms: number): void {
    this.is = ms > 0 ? 'waiting' : 'due';
    if (ms > 0)
      void sleep(ms, { summary: 'Then poll' }).then(() => {
        this.is = 'due';
      });
  }

  private nextRound(): PollInput {
    const { payment } = this;
    const { facts, at } = lookOf(payment);
    const { policy } = facts.rules;
    const isAway = payment.state.storeAway !== undefined;
    // What people are told now: anything else is news.
    const reason = isAway ? 'store-unavailable' : askOf(payment.state)?.reason;
    const interval = reason === undefined || isAway ? policy.pollInterval : policy.pollMaxInterval;
    return {
      paymentId: payment.paymentId,
      ...(reason !== undefined && { reason }),
      ...(this.rounds > 1 && { firstLookIn: interval }),
      // Times of the store are compared with each other alone.
      ...(reason === undefined && { storeWithin: Math.max(1, facts.registeredAt + policy.attentionAfter - at) }),
    };
  }
}
