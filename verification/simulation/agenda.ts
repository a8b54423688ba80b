import type { Random } from './random';

/** Something that will happen. Cancelled, it does not. */
export interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void | Promise<void>;
  cancelled: boolean;
}

/**
 * Virtual time: nothing waits, the clock jumps to whatever is next. What is due at the same moment happens in an order of the
 * seed's choosing.
 */
export class Agenda {
  readonly #heap: Appointment[] = [];

  constructor(
    public now: number,
    private readonly random: Random,
  ) {}

  after(ms: number, happen: Appointment['happen']): Appointment {
    const appointment = { at: this.now + Math.max(0, ms), order: this.random.next(), happen, cancelled: false };
    this.#heap.push(appointment);
    this.#up(this.#heap.length - 1);
    return appointment;
  }

  /** When the next thing happens; undefined: nothing ever will. */
  get nextAt(): number | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0]?.at;
  }

  /** Jumps to the next thing and lets it happen; false: there is none. */
  async step(): Promise<boolean> {
    if (this.nextAt === undefined) return false;
    const next = this.#pop();
    if (next === undefined) return false;
    this.now = Math.max(this.now, next.at);
    await next.happen();
    return true;
  }

  #pop(): Appointment | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last;
      this.#down(0);
    }
    return first;
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #down(start: number): void {
    for (let index = start; ;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #swapIfEarlier(one: number, other: number): boolean {
    if (!this.#isEarlier(one, other)) return false;
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other] as Appointment, heap[one] as Appointment];
    return true;
  }

  #isEarlier(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }
}
