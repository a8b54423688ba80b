import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { QUERIES, UPDATES, workflowIdOf } from '../payment/contract';
import { isOutcomeOf } from '../payment/ending';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { Cancellation, PaymentProgress, Resolution, StatusCheck } from '../payment/progress';
import { endedBy } from '../payment/words';
import { isOutOfTime, type Engine } from './engine';
import { EngineUnavailable, PaymentNotFound, Refused, TooLate } from './errors';
import { failedPayment, refusedUpdate } from './failures';
import { Run, type UpdateName } from './run';
import type { BillPaymentHandle, Decision, StillOpen, WaitOptions } from './types';

/** Below the usual 30 s of a proxy or a load balancer in front of the caller. */
const DEFAULT_WAIT_MS = 25_000;
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;
/**
 * A longer wait is several calls. The server ends a long poll after 20 s and the SDK polls again inside the same call, each time with
 * one more listener on the call's signal and none removed: a wait of four minutes made Node warn of a leak. Not shorter, so that
 * a server that is away is told within the call (30 attempts, a second apart).
 */
const LONGEST_CALL_MS = 60_000;
/** A shorter call could not even carry the answer of a closed payment. */
const MIN_WAIT_MS = 500;
/** An open payment is told with its progress if that comes within this. */
const QUICK_MS = 1_000;
const CLOSED_MS = 10_000;
/** Pauses between two looks of `follow`. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

type RunEnd =
  | { readonly kind: 'outcome'; readonly outcome: BillPaymentOutcome }
  | { readonly kind: 'failed'; readonly error: unknown };

/** One payment, found by its id alone. */
export class PaymentHandle implements BillPaymentHandle {
  readonly #run: Run;

  constructor(
    readonly paymentId: string,
    private readonly engine: Engine,
  ) {
    this.#run = new Run(engine, workflowIdOf(paymentId), (options) => new PaymentNotFound(paymentId, options));
  }

  async progress(): Promise<PaymentProgress> {
    return await this.#query();
  }

  async outcome({ waitMs = DEFAULT_WAIT_MS, signal }: WaitOptions = {}): Promise<BillPaymentOutcome | StillOpen> {
    return (await this.#outcomeWithin(waitMs, signal)) ?? (await this.#stillOpen(signal));
  }

  async *follow({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<
    PaymentProgress,
    void,
    void
  > {
    const left = new AbortController();
    const until = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
    try {
      yield* this.#changes(until);
    } catch (error) {
      if (!until.aborted) throw error;
    } finally {
      left.abort();
    }
  }

  async cancel({ operator, note, requestId }: Decision): Promise<PaymentProgress> {
    const cancellation: Cancellation = { operator, note };
    return await this.#update(UPDATES.cancelPayment, cancellation, requestId, (outcome) =>
      outcome.kind === 'cancelled'
        ? undefined
        : new TooLate(this.paymentId, `it is closed already. ${outcome.summary}`),
    );
  }

  async resolve({ requestId, ...by }: Decision & Resolution): Promise<PaymentProgress> {
    const resolution: Resolution = by;
    // Asked again, or its answer was lost on the way: what they decided is what is recorded.
    const progress = await this.#update(UPDATES.resolvePayment, resolution, requestId, (outcome) =>
      isOutcomeOf(outcome, { kind: 'decided', resolution }) ? undefined : new Refused(this.paymentId, endedBy(outcome)),
    );
    const { amount, outcome } = progress;
    // Without an amount all of it was meant: an earlier decision about a part is another one.
    if (outcome?.kind === 'paid' && outcome.amount !== (resolution.amount ?? amount))
      throw new Refused(this.paymentId, endedBy(outcome));
    return progress;
  }

  async checkNow({ operator }: StatusCheck): Promise<PaymentProgress> {
    const check: StatusCheck = { operator };
    // A closed payment has nothing to look for: where it stands is the answer.
    return await this.#update(UPDATES.checkStatusNow, check, undefined, () => undefined);
  }

  /** The outcome, or undefined when there is none within `waitMs`. */
  async #outcomeWithin(waitMs: number, signal?: AbortSignal): Promise<BillPaymentOutcome | undefined> {
    const until = Date.now() + (waitMs > 0 ? Math.min(waitMs, MAX_WAIT_MS) : 0);
    for (;;) {
      const ms = Math.min(Math.max(until - Date.now(), MIN_WAIT_MS), LONGEST_CALL_MS);
      try {
        return (await this.engine.bounded(() => this.#run.handle.result(), { ms, signal })) as BillPaymentOutcome;
      } catch (error) {
        if (signal?.aborted) throw error;
        if (isOutOfTime(error)) {
          if (Date.now() >= until) return undefined;
          continue;
        }
        if (!(error instanceof WorkflowFailedError)) throw this.#run.trouble(error);
        if (!(await this.#goesOnInAnotherRun(signal))) throw failedPayment(this.paymentId, error);
      }
    }
  }

  /** A reset terminates the run that was waited for and goes on in another one. */
  async #goesOnInAnotherRun(signal?: AbortSignal): Promise<boolean> {
    const { status } = await this.#run.describe(signal);
    return status.name === 'RUNNING' || status.name === 'COMPLETED';
  }

  async #stillOpen(signal?: AbortSignal): Promise<StillOpen> {
    const { paymentId } = this;
    try {
      const progress = await this.engine.bounded(
        () => this.#run.handle.query<PaymentProgress>(QUERIES.paymentProgress),
        {
          ms: QUICK_MS,
          signal,
        },
      );
      return { kind: 'open', paymentId, progress };
    } catch (error) {
      if (signal?.aborted) throw error;
      // Without the worker it is open all the same. But "open" must not stand for "nobody knows": ask the server itself.
      await this.#run.describe(signal);
      return { kind: 'open', paymentId };
    }
  }

  async #query(signal?: AbortSignal): Promise<PaymentProgress> {
    return await this.#run.query<PaymentProgress>(QUERIES.paymentProgress, signal);
  }

  async #update(
    name: UpdateName,
    argument: Cancellation | Resolution | StatusCheck,
    requestId: string | undefined,
    /** What to tell if the payment is closed so; undefined: it is what the command is for. */
    tooLateFor: (outcome: BillPaymentOutcome) => Refused | TooLate | undefined,
  ): Promise<PaymentProgress> {
    try {
      const updated = await this.#run.update<PaymentProgress>(name, argument, requestId);
      if (updated.kind === 'answer') return updated.answer;
      const outcome = await this.#outcomeWithin(CLOSED_MS);
      if (outcome === undefined)
        throw new Refused(this.paymentId, 'it went on in another run meanwhile. Look at it and decide again.', {
          cause: updated.error,
        });
      const tooLate = tooLateFor(outcome);
      if (tooLate !== undefined) throw tooLate;
    } catch (error) {
      if (!(error instanceof WorkflowUpdateFailedError)) throw error;
      // It may have met what it did itself: the engine can drop an update's answer and deliver the update again.
      const outcome = await this.#outcomeWithin(QUICK_MS).catch(() => undefined);
      if (outcome === undefined || tooLateFor(outcome) !== undefined) throw refusedUpdate(this.paymentId, error);
    }
    return await this.#query();
  }

  async *#changes(until: AbortSignal): AsyncGenerator<PaymentProgress, void, void> {
    // Beside the looks one call waits for the end of the run: a run that ended without an outcome would never show "closed".
    let end: RunEnd | undefined;
    const ended = this.#end(until).then((result) => (end = result));
    let shown = '';
    let pause = SHORTEST_PAUSE_MS;
    while (!until.aborted) {
      const progress = await this.#progressOrSilence(until);
      const now = JSON.stringify(progress) ?? shown;
      if (progress !== undefined && now !== shown) {
        yield progress;
        shown = now;
        pause = SHORTEST_PAUSE_MS;
      }
      if (progress?.stage === 'closed') return;
      if (end?.kind === 'failed') throw end.error;
      // The end of the run cuts the pause short, once: after it only the last look is missing.
      await (end === undefined
        ? Promise.race([ended, sleep(pause, undefined, { signal: until })])
        : sleep(pause, undefined, { signal: until }));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Never rejects. Troubles of the engine are not the run's end: the looks meet them too, and tell. */
  async #end(until: AbortSignal): Promise<RunEnd | undefined> {
    while (!until.aborted) {
      try {
        const outcome = await this.#outcomeWithin(DEFAULT_WAIT_MS, until);
        if (outcome !== undefined) return { kind: 'outcome', outcome };
      } catch (error) {
        if (!(error instanceof EngineUnavailable)) return { kind: 'failed', error };
        await sleep(LONGEST_PAUSE_MS, undefined, { signal: until }).catch(() => undefined);
      }
    }
    return undefined;
  }

  async #progressOrSilence(until: AbortSignal): Promise<PaymentProgress | undefined> {
    try {
      return await this.#query(until);
    } catch (error) {
      if (error instanceof EngineUnavailable && error.part === 'worker') return undefined;
      throw error;
    }
  }
}
