/**
 * An explicit-state model checker: every state that a model can reach within its bound, breadth first, so that the first violation
 * found is one of the shortest ways to it.
 */

/** States are plain data and never changed in place. */
export interface Model<State> {
  readonly name: string;
  /** What the bound is, in words: how many of everything. */
  readonly bound: string;
  readonly initial: readonly State[];
  next(state: State): Iterable<Step<State>>;
  /** What is violated in this state, in words. */
  violations(state: State): readonly string[];
  /** Equal for states that need not be told apart. */
  canonical(state: State): string;
}

export interface Step<State> {
  /** What happens, for a person who reads the counterexample. */
  readonly label: string;
  readonly to: State;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly ms: number;
  readonly counterexample?: Counterexample;
}

export interface Counterexample {
  readonly violated: readonly string[];
  readonly steps: readonly string[];
}

/** Far above what the models need: a model that grows beyond is a mistake, and is told so instead of filling the memory. */
const MAX_STATES = 2_000_000;

/** @throws Error when the model has more states than `maxStates`: then nothing was proven */
export function explore<State>(model: Model<State>, maxStates = MAX_STATES): Exploration {
  const began = performance.now();
  const seen = new Set<string>();
  /** How each state was reached: the index of the state before it, and the label. */
  const cameFrom: { readonly from: number; readonly label: string }[] = [];
  let level: (readonly [number, State])[] = [];
  let transitions = 0;

  const visit = (state: State, from: number, label: string, into: (readonly [number, State])[]): number | undefined => {
    const key = model.canonical(state);
    if (seen.has(key)) return undefined;
    if (seen.size >= maxStates) throw new Error(`${model.name} has more than ${maxStates} states: bound it closer`);
    seen.add(key);
    cameFrom.push({ from, label });
    into.push([cameFrom.length - 1, state]);
    return cameFrom.length - 1;
  };
  const result = (counterexample?: Counterexample): Exploration => ({
    states: seen.size,
    transitions,
    ms: Math.round(performance.now() - began),
    ...(counterexample && { counterexample }),
  });
  const checked = (state: State, index: number | undefined): Counterexample | undefined => {
    const violated = index === undefined ? [] : model.violations(state);
    return index === undefined || violated.length === 0 ? undefined : { violated, steps: stepsTo(cameFrom, index) };
  };

  for (const state of model.initial) {
    const counterexample = checked(state, visit(state, -1, 'it begins', level));
    if (counterexample !== undefined) return result(counterexample);
  }
  while (level.length > 0) {
    const following: (readonly [number, State])[] = [];
    for (const [index, state] of level) {
      for (const { label, to } of model.next(state)) {
        transitions += 1;
        const counterexample = checked(to, visit(to, index, label, following));
        if (counterexample !== undefined) return result(counterexample);
      }
    }
    level = following;
  }
  return result();
}

function stepsTo(cameFrom: readonly { readonly from: number; readonly label: string }[], index: number): string[] {
  const steps: string[] = [];
  for (let at = cameFrom[index]; at !== undefined && at.from >= 0; at = cameFrom[at.from]) steps.unshift(at.label);
  return steps;
}

/** For people: what was violated, and one step a line. */
export function inWords({ violated, steps }: Counterexample): string {
  return [violated.join('; '), ...steps.map((step, index) => `${String(index + 1).padStart(4)}. ${step}`)].join('\n');
}
