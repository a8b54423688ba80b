import type { Step } from '../faults';

/** Where somebody stands still: right before an effect, or after it and before its answer is known. */
export interface Point {
  readonly step: Step;
  /** Such as `claim` or `look`. */
  readonly call: string;
  readonly side: 'before' | 'after';
}

/** What lets an actor go on, or how it ended: a value, or an error that is thrown at it. */
export type Go =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'error'; readonly error: unknown };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Real code run in steps: it stands at a gate before and after every effect until the simulation lets it go on. Only one actor
 * moves at a time, and whoever moves it waits until it stands again or has ended, so real time decides nothing.
 */
export class Actor {
  /** Who moves now: fake timers belong to it. */
  static current: Actor | undefined;

  isDead = false;
  isDone = false;
  /** It asked for a timer to beat with. */
  beats = false;
  #waiting: Waiting | undefined;
  #stands = 0;
  #quiet: () => void = () => undefined;

  constructor(readonly name: string) {}

  /** Of the next time it stands: who lets it go names which time is meant. */
  get nextTicket(): number {
    return this.#stands + 1;
  }

  /** Runs until the first gate, or the end. */
  async start<T>(work: () => Promise<T>, onEnd: (end: Go) => void): Promise<void> {
    await this.#move(() => {
      work().then(
        (value) => this.#end(() => onEnd({ kind: 'value', value })),
        (error: unknown) => this.#end(() => onEnd({ kind: 'error', error })),
      );
    });
  }

  /** Stands until it is let go. For code run by an actor, never for the simulation itself. */
  async stand(signal?: AbortSignal): Promise<unknown> {
    this.#stands += 1;
    signal?.throwIfAborted();
    const onAbort = () => this.#take()?.reject(signal?.reason);
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#quiet();
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Lets it go on, until it stands again or has ended. Nothing happens to one that is dead or was moved on already. */
  async resume(ticket: number, go: Go): Promise<void> {
    if (this.isDead || this.#waiting === undefined || ticket !== this.#stands) return;
    await this.#move(() => {
      const waiting = this.#take();
      if (go.kind === 'value') waiting?.resolve(go.value);
      else waiting?.reject(go.error);
    });
  }

  /** Something outside that may move it, such as an abort. */
  async disturb(act: () => void): Promise<void> {
    if (this.isDead || this.isDone) return;
    const before = this.#waiting;
    const quiet = this.#whenQuiet();
    Actor.current = this;
    act();
    if (this.#waiting !== before) await quiet;
    Actor.current = undefined;
  }

  /** Its process is gone: what it would have done next never happens. */
  kill(): void {
    this.isDead = true;
    this.#waiting = undefined;
  }

  async #move(act: () => void): Promise<void> {
    const quiet = this.#whenQuiet();
    Actor.current = this;
    act();
    await quiet;
    Actor.current = undefined;
  }

  #whenQuiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #end(report: () => void): void {
    this.isDone = true;
    report();
    this.#quiet();
  }
}
