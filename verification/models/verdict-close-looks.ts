import { weighCallbacks, type Look } from '../../src/payment/look';
import type { Observation } from '../../src/payment/observation';
import { observe } from '../../src/payment/verdict';
import type { Step } from './explore';
import { EXPECTED, READINGS, TICK_MS, type State, type VerdictBug } from './verdict-close-state';

/** Looks at the provider, as the verdict model sees them, with the product's own `weighCallbacks` and `observe`. */

/** A look: the provider's answer, and later, with what the store knows by then, news for the run. */
export function* lookSteps(state: State, looksAtOnce: number, bug: VerdictBug | undefined): Iterable<Step<State>> {
  const { looks, shown, run, now } = state;
  if (looks.length < looksAtOnce && run === 'waiting')
    yield { label: `a look reads: ${shown}`, to: heard({ ...state, looks: [...looks, { shown, at: now }] }) };
  if (run !== 'waiting') return;
  for (const [index, seen] of looks.entries()) {
    const rest = { ...state, looks: looks.filter((_, at) => at !== index) };
    yield { label: `a look brings: ${seen.shown}`, to: learn(rest, seen.shown, seen.at, bug) };
    yield { label: 'a look brings nothing that can be read', to: learn(rest, 'unreadable', now, bug) };
  }
}

/** For the checks alone: since when the provider has said failed. */
export function heard(state: State): State {
  const { shown, now, failedSince } = state;
  if (shown !== 'failed') return state;
  return failedSince === undefined
    ? { ...state, failedSince: now }
    : { ...state, failedConfirmed: state.failedConfirmed || now > failedSince };
}

export function learn(
  state: State,
  seen: State['shown'] | 'unreadable',
  readAt: number,
  bug: VerdictBug | undefined,
): State {
  const isCompleted = seen === 'completed' || seen === 'completed, another amount';
  const completedSeen = (state.completedSeen || isCompleted) && bug !== 'completed forgotten';
  const look = lookOf({ ...state, completedSeen }, seen, readAt);
  return {
    ...state,
    completedSeen,
    saidCompleted: state.saidCompleted || seen === 'completed',
    saidAnyCompleted: state.saidAnyCompleted || isCompleted,
    facts: observe(EXPECTED, state.facts, look, state.now * TICK_MS),
  };
}

/** The token died with the first tick; with its margin, the request is dead one tick later. */
const CLAIM = { at: new Date(0).toISOString(), tokenExpiresAt: new Date(0).toISOString() };

export const lookOf = ({ inbox, completedSeen }: State, seen: State['shown'] | 'unreadable', readAt: number): Look => ({
  at: new Date(readAt * TICK_MS).toISOString(),
  observation: OBSERVATIONS[seen],
  callbacks: weighCallbacks(
    EXPECTED,
    inbox.map(({ kind }) => READINGS[kind]),
  ),
  completedSeen,
  claim: CLAIM,
});

const record = (state: 'pending' | 'completed' | 'failed', amount = EXPECTED.amount): Observation => ({
  kind: 'record',
  state,
  said: state,
  isPayment: true,
  receipt: { number: 'S1' },
  ...EXPECTED,
  amount,
});
const OBSERVATIONS: { readonly [Seen in State['shown'] | 'unreadable']: Observation } = {
  nothing: { kind: 'not-found', said: 'not found' },
  unreadable: { kind: 'unreadable', said: 'noise' },
  pending: record('pending'),
  completed: record('completed'),
  failed: record('failed'),
  'completed, another amount': record('completed', 1),
};
