import { condition, sleep } from '@temporalio/workflow';
import type { BillPaymentOutcome } from '../payment/outcome';
import { askOf } from '../payment/state';
import type { Look, PollInput, PollResult } from '../payment/steps';
import { lookAtPayment, pollPayment } from './activities';
import type { Payment } from './payment';
import { record } from './record';

/** The provider may lag behind its own callback: looks follow one after these. */
const LAGS_MS = [1_000, 2_000, 5_000] as const;

/**
 * Waits until the payment has ended: proven, decided by a person beside this, or closed by another run. The callback is waited for
 * first, then one poll runs beside; a callback adds a look at once. It never ends on a guess: no time-out turns unknown into declined.
 * @param graceMs how long the callback alone is waited for
 */
export async function awaitResult(payment: Payment, graceMs: number): Promise<BillPaymentOutcome> {
  payment.apply({ kind: 'awaiting' });
  const poll = new Poll(payment);
  const looks = new Looks(Date.now() + graceMs);
  const alarm = new Alarm();
  for (;;) {
    const look = lookOf(payment);
    if (look.facts.closed !== undefined) payment.apply({ kind: 'closed', ...look.facts.closed });
    if (payment.outcome !== undefined) return payment.outcome;
    if (look.verdict.kind !== 'open') {
      await record(payment, { kind: 'proven' });
      continue;
    }
    if (Date.now() >= looks.pollFrom) poll.keepGoing();
    await alarm.untilTrueOr(
      looks.nextAt(poll),
      () => poll.hasEnded || payment.callbacksToLookAt > 0 || lookOf(payment) !== look || payment.outcome !== undefined,
    );
    if (poll.hasEnded) {
      const isLost = poll.takeResult() === 'lost';
      if (isLost) looks.pollFrom = Date.now() + look.facts.rules.policy.pollMaxInterval;
    } else if (payment.callbacksToLookAt > 0) {
      payment.callbacksToLookAt = 0;
      looks.plan(await lookNow(payment), LAGS_MS);
    } else if (looks.isDue()) {
      looks.plan(await lookNow(payment));
    }
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
  private times: readonly number[] = [];

  constructor(public pollFrom: number) {}

  /** After a look: again after the lags, while the provider does not say the end; else when what it says may be judged otherwise. */
  plan(look: Look | undefined, lags: readonly number[] = []): void {
    const now = Date.now();
    const rest = lags.length > 0 ? lags.map((lag) => now + lag) : this.times.slice(1);
    const { lookAgainIn } = look?.verdict.kind === 'open' ? look.verdict : {};
    const again = lookAgainIn === undefined ? [] : [now + lookAgainIn];
    const isFinal = look?.facts.seen.last?.state === 'completed' || look?.facts.seen.last?.state === 'failed';
    this.times = isFinal ? again : rest;
  }

  isDue(): boolean {
    return this.times[0] !== undefined && Date.now() >= this.times[0];
  }

  /** The next moment at which there is something to do without news. */
  nextAt(poll: Poll): number | undefined {
    const times = [...this.times.slice(0, 1), ...(poll.isRunning ? [] : [this.pollFrom])];
    return times.length === 0 ? undefined : Math.min(...times);
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
  isRunning = false;

  constructor(private readonly payment: Payment) {}

  get hasEnded(): boolean {
    return this.result !== undefined;
  }

  keepGoing(): void {
    if (this.isRunning || this.hasEnded) return;
    this.isRunning = true;
    this.rounds += 1;
    const ended = (result: PollResult | 'lost'): void => {
      this.result = result;
      this.isRunning = false;
    };
    pollPayment(this.nextRound()).then(ended, () => ended('lost'));
  }

  takeResult(): PollResult | 'lost' | undefined {
    const { result, payment } = this;
    this.result = undefined;
    if (result === undefined || result === 'lost') return result;
    if (result.kind === 'store-away') payment.apply({ ...result, at: Date.now() });
    else seen(payment, result.look);
    return result;
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

/**
 * A timer costs an event, and to cancel it another one: one that rings for nothing is let ring, and what rings earlier than is asked
 * for only has the caller look around.
 */
class Alarm {
  private ringsAt = Infinity;
  private rung = 0;

  /** No timer is started when the change is there already, or when no time is given. */
  async untilTrueOr(at: number | undefined, changed: () => boolean): Promise<void> {
    if (changed() || (at !== undefined && at <= Date.now())) return;
    if (at !== undefined && at < this.ringsAt) this.set(at);
    const { rung } = this;
    await condition(() => changed() || (at !== undefined && this.rung > rung));
  }

  private set(at: number): void {
    this.ringsAt = at;
    void sleep(at - Date.now(), { summary: 'Next look' }).then(() => {
      if (this.ringsAt === at) this.ringsAt = Infinity;
      this.rung += 1;
    });
  }
}
