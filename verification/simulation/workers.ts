import type { TokenCache } from '../../src/almara/token';
import type { Actor } from './actor';
import type { Unwritten } from '../../src/activities/dependencies';
import type { Agenda } from './agenda';
import type { Random } from './random';

/** A worker process. */
export class Worker {
  isAlive = true;
  /** Stopped until then; what it does next, it does then. */
  stalledUntil = 0;
  readonly actors = new Set<Actor>();
  /** What it has seen and could not write down. */
  readonly unwritten: Unwritten = new Map();
  /** Kept by the client, for all that this process does. */
  readonly tokens: TokenCache = {};

  constructor(
    readonly name: string,
    private readonly agenda: Agenda,
  ) {}

  get isUp(): boolean {
    return this.isAlive && this.stalledUntil <= this.agenda.now;
  }
}

export interface WorkersOptions {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly places: 1 | 2;
  readonly onDeath: (worker: Worker) => void;
  readonly onSilence: (worker: Worker) => void;
  readonly trace: (line: string) => void;
}

/** Places for worker processes, mostly two. One that is killed comes back as another process. */
export class Workers {
  #live: Worker[];
  #count = 0;

  constructor(private readonly options: WorkersOptions) {
    this.#live = Array.from({ length: options.places }, () => this.#start());
  }

  /** One that takes work now, if there is one. */
  anyUp(): Worker | undefined {
    const up = this.#live.filter((worker) => worker.isUp);
    return up.length === 0 ? undefined : this.options.random.pick(up);
  }

  kill(worker: Worker): void {
    if (!worker.isAlive) return;
    const { agenda, random, trace, onDeath, onSilence } = this.options;
    trace(`${worker.name} is killed`);
    worker.isAlive = false;
    for (const actor of worker.actors) actor.kill();
    worker.actors.clear();
    this.#live = this.#live.filter((other) => other !== worker);
    agenda.after(random.pick([100, 1_000, 5_000, 60_000]), () => void this.#live.push(this.#start()));
    onDeath(worker);
    onSilence(worker);
  }

  stall(worker: Worker, ms: number): void {
    if (!worker.isAlive) return;
    this.options.trace(`${worker.name} stops for ${ms / 1000} s`);
    worker.stalledUntil = Math.max(worker.stalledUntil, this.options.agenda.now + ms);
    this.options.onSilence(worker);
  }

  /** A stopped worker's place is taken by a new one, so that work goes on beside it. */
  get all(): readonly Worker[] {
    return this.#live;
  }

  #start(): Worker {
    this.#count += 1;
    return new Worker(`worker-${this.#count}`, this.options.agenda);
  }
}
