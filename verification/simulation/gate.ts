import type { Fault, Step } from '../faults';
import type { Actor, Go, Point } from './actor';
import type { Agenda } from './agenda';
import type { Random } from './random';
import type { Weather } from './weather';

/** A process that code runs in: what kills or stops it, kills or stops everything it is doing. */
export interface Host {
  readonly name: string;
  /** Stopped until then. */
  readonly stalledUntil: number;
  /** What may strike the process itself right before or after an effect. */
  blows(side: Point['side']): readonly Fault[];
  strike(fault: Fault): void;
}

/** How code that is simulated stands still: before and after every effect, for as long as the seed says. */
export interface Gate {
  readonly actor: Actor;
  /** @returns one of the faults that the caller can act out, or undefined */
  pass(point: Point, possible?: readonly Fault[], signal?: AbortSignal): Promise<Fault | undefined>;
  /** Nothing happens for so long. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Waits for something outside, which calls `go` once. */
  wait<T>(begin: (go: (value: T) => void) => void, signal?: AbortSignal): Promise<T>;
}

export interface GateParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly weather: Weather;
  readonly trace: (line: string) => void;
  /** Somebody stands at this step: what is done to a run while it is there is done now. */
  readonly onStep: (step: Step) => void;
}

export function createGate(parts: GateParts, actor: Actor, host: Host): Gate {
  const { agenda, random, weather, trace, onStep } = parts;

  /** A stopped process goes on when it is continued. */
  const letGo = (ticket: number, go: Go): void | Promise<void> => {
    if (actor.isDead) return;
    if (host.stalledUntil <= agenda.now) return actor.resume(ticket, go);
    agenda.after(host.stalledUntil - agenda.now + random.int(3), () => letGo(ticket, go));
  };

  return {
    actor,
    async pass(point, possible = [], signal) {
      const blow = weather.strike(point.step, host.blows(point.side));
      const fault = weather.strike(point.step, possible);
      const how = [blow, fault].filter((what) => what !== undefined).join(' and ');
      trace(`${actor.name} ${point.side} ${point.call}${how && ` (${how})`}`);
      onStep(point.step);
      if (blow !== undefined) agenda.after(0, () => host.strike(blow));
      const ticket = actor.nextTicket;
      agenda.after(latency(random) + (blow === undefined ? 0 : 1), () => letGo(ticket, GO_ON));
      await actor.stand(signal);
      return fault;
    },
    async pause(ms, signal) {
      const ticket = actor.nextTicket;
      agenda.after(ms, () => letGo(ticket, GO_ON));
      await actor.stand(signal);
    },
    async wait<T>(begin: (go: (value: T) => void) => void, signal?: AbortSignal) {
      const ticket = actor.nextTicket;
      let isGone = false;
      begin((value) => {
        if (!isGone) agenda.after(0, () => letGo(ticket, { kind: 'value', value }));
        isGone = true;
      });
      return (await actor.stand(signal)) as T;
    },
  };
}

const GO_ON: Go = { kind: 'value', value: undefined };

/** Mostly quick, and by few values, so that many things happen at one moment; at times slower than any time-out. */
function latency(random: Random): number {
  const roll = random.next();
  if (roll < 0.8) return random.pick([0, 1, 2, 5, 20]);
  if (roll < 0.96) return random.pick([50, 200, 1_000, 2_600]);
  if (roll < 0.995) return random.pick([4_000, 5_500, 9_000, 13_000]);
  return random.pick([31_000, 65_000]);
}
