import { FAULTS, STEPS, type Fault, type Step } from '../faults';
import type { Random } from './random';

/** A cell of the fault matrix. */
export interface Cell {
  readonly fault: Fault;
  readonly step: Step;
}

export const cellName = ({ fault, step }: Cell): string => `${fault}/${step}`;

/** How often an enabled fault strikes where it can. */
const RATES = [0.01, 0.05, 0.15, 0.4] as const;

/** What would otherwise keep a run from ever getting anywhere. */
const MOST: Partial<Record<Fault, number>> = {
  'worker-killed-before-effect': 4,
  'worker-killed-after-effect': 4,
  'worker-stalled': 3,
  'endpoint-killed': 3,
  'store-down': 30,
  'commit-answer-lost': 30,
  'engine-restarted': 4,
  'run-reset': 3,
  'run-terminated-and-restarted': 3,
  'started-twice': 3,
  'cancel-requested': 2,
  'operator-decides': 5,
  'callback-forged': 4,
  'callback-contradictory': 3,
};

/**
 * Which faults strike in one run, and how often. Each run has a climate of its own: some faults not at all and others often, since
 * an even rain of everything hides what only two faults together can do.
 */
export class Weather {
  /** Everything has been thrown at it: from now on nothing fails any more. */
  isCalm = false;
  readonly cells = new Map<string, number>();
  readonly #rates = new Map<Fault, number>();
  readonly #struck = new Map<Fault, number>();
  /** Strikes for certain, the first time it can. */
  #focus: Cell | undefined;

  constructor(
    private readonly random: Random,
    /** This one strikes, and nothing else does. */
    only: Cell | undefined,
  ) {
    const share = random.pick([0, 0.1, 0.3, 0.6]);
    this.#focus = only ?? (random.chance(0.7) ? { fault: random.pick(FAULTS), step: random.pick(STEPS) } : undefined);
    for (const fault of FAULTS)
      this.#rates.set(fault, only === undefined && random.chance(share) ? random.pick(RATES) : 0);
  }

  /** Whether something is to strike at this step for certain. */
  isDue(step: Step): boolean {
    return this.#focus?.step === step && !this.isCalm;
  }

  /** One of these faults strikes here, or none. */
  strike<Possible extends Fault>(step: Step, possible: readonly Possible[]): Possible | undefined {
    if (this.isCalm) return undefined;
    for (const fault of possible) {
      if (this.#focus?.step === step && this.#focus.fault === fault) return this.#note(fault, step);
      const rate = this.#rates.get(fault) ?? 0;
      const isSpent = (this.#struck.get(fault) ?? 0) >= (MOST[fault] ?? Infinity);
      if (rate > 0 && !isSpent && this.random.chance(rate)) return this.#note(fault, step);
    }
    return undefined;
  }

  /** A fault that whoever asks has decided on. */
  note(fault: Fault, step: Step): void {
    this.#note(fault, step);
  }

  #note<Struck extends Fault>(fault: Struck, step: Step): Struck {
    if (this.#focus?.fault === fault && this.#focus.step === step) this.#focus = undefined;
    this.#struck.set(fault, (this.#struck.get(fault) ?? 0) + 1);
    const name = cellName({ fault, step });
    this.cells.set(name, (this.cells.get(name) ?? 0) + 1);
    return fault;
  }
}
