import { declineProblem } from '../../src/payment/decisions';
import { resolvePolicy } from '../../src/payment/policy';
import { judge, type Facts, type Rules } from '../../src/payment/verdict';
import type { Model, Step } from './explore';
import { heard, learn, lookOf, lookSteps } from './verdict-close-looks';
import {
  canonical,
  EXPECTED,
  isContradicted,
  TICK_MS,
  unproven,
  violations,
  type Close,
  type State,
  type Stored,
  type VerdictBug,
} from './verdict-close-state';

/**
 * From submission to verdict and close (docs/technical-description.md#verdict and #recording), with the product's own rules:
 * `observe` and `judge`, `weighCallbacks`, `declineProblem`, `compareWithOutcome`. Only the closing transaction is told again.
 *
 * Bound: one payment of 2 units that was sent; the provider shows nothing, pending, completed, failed, or a completed record that
 * differs, and turns a final answer round once; callbacks with our token, each a refusal code, an ambiguous code or a claim of
 * paid, whatever the record says, and each early, late or never; one forged callback; looks under way, whose answers
 * come in any order, or unreadable; a clock of three ticks, where one tick is `failureConfirmation`, `notFoundGrace` and the life of a
 * token with its margin, and two are `attentionAfter`; operators who decide at once: paid, paid in part, declined with a provider case or
 * without; a reset, with closes of the first that go on; funds held, or a zombie's late reserve. A look reads the provider
 * first and the store later; the flow judges at any time after that. How many of each: `VERDICT_BOUNDS`.
 *
 * A repeated callback is no row, a lost one never comes, and whoever dies stalls for ever: none of them needs a step of its own.
 */

const LAST_TICK = 2;
const ATTENTION_TICKS = 2;

interface Bounds {
  readonly callbacks: number;
  readonly looks: number;
  readonly operators: number;
  readonly runs: number;
}

/** All at once would be millions of states: each looks closely at one side. */
export const VERDICT_BOUNDS = {
  callbacks: { callbacks: 2, looks: 1, operators: 0, runs: 1 },
  looks: { callbacks: 1, looks: 2, operators: 0, runs: 1 },
  resets: { callbacks: 1, looks: 1, operators: 0, runs: 2 },
  'one operator': { callbacks: 1, looks: 1, operators: 1, runs: 1 },
  'two operators': { callbacks: 0, looks: 1, operators: 2, runs: 1 },
} as const satisfies Record<string, Bounds>;

type Steps = Iterable<Step<State>>;

export function verdictModel(side: keyof typeof VERDICT_BOUNDS, bug?: VerdictBug): Model<State> {
  const bounds: Bounds = VERDICT_BOUNDS[side];
  return {
    name: `verdict and close: ${side}`,
    bound: `callbacks ${bounds.callbacks}, looks at a time ${bounds.looks}, operators ${bounds.operators}, runs ${bounds.runs}, ticks ${LAST_TICK + 1}`,
    initial: [INITIAL, { ...INITIAL, funds: 'none' }],
    *next(state) {
      yield* callbackSteps(state, bounds, bug);
      for (const [index, close] of state.closes.entries()) yield* closeSteps(state, index, close, bug);
      if (state.funds === 'none' && state.outcome === undefined)
        yield { label: 'a zombie reserves the money', to: { ...state, funds: 'reserved' } };
      // Once it has ended only what is under way goes on: everything else would meet the outcome that stands.
      if (state.outcome !== undefined) return;
      if (state.now < LAST_TICK) yield { label: 'a tick passes', to: { ...state, now: state.now + 1 } };
      yield* providerSteps(state);
      yield* lookSteps(state, bounds.looks, bug);
      yield* flowSteps(state, bug);
      yield* operatorSteps(state, bounds, bug);
      if (state.runs < bounds.runs) yield { label: 'the run is reset', to: reset(state) };
    },
    violations,
    canonical,
  };
}

const NOTHING_SEEN = (submittedAt: number): Facts => ({
  sent: 'unknown',
  submittedAt: submittedAt * TICK_MS,
  callbacks: { count: 0, receipt: {} },
  completedSeen: false,
});

const INITIAL: State = {
  now: 0,
  shown: 'nothing',
  turned: false,
  inbox: [],
  forged: false,
  run: 'waiting',
  runs: 1,
  startedAt: 0,
  facts: NOTHING_SEEN(0),
  attention: false,
  looks: [],
  operators: [],
  operatorsCame: 0,
  closes: [],
  funds: 'reserved',
  completedSeen: false,
  disputed: false,
  saidCompleted: false,
  saidAnyCompleted: false,
  failedConfirmed: false,
  wrong: [],
};

/** Runs anew, with what the first had under way beside it. */
const reset = (state: State): State => {
  const { decision: _forgotten, ...rest } = state;
  return {
    ...rest,
    run: 'waiting',
    runs: state.runs + 1,
    startedAt: state.now,
    facts: NOTHING_SEEN(state.now),
    attention: false,
    looks: [],
    operators: [],
    closes: state.closes.map((close) => ({ ...close, current: false })),
  };
};

function* providerSteps(state: State): Steps {
  const shows = (shown: State['shown'], turned = state.turned): Step<State> => ({
    label: `Almara Pay shows ${shown}`,
    to: { ...state, shown, turned },
  });
  if (state.shown === 'nothing') yield shows('pending');
  if (state.shown === 'pending') {
    yield shows('completed');
    yield shows('failed');
    yield shows('completed, another amount');
  }
  if (state.turned) return;
  if (state.shown === 'completed') yield shows('failed', true);
  if (state.shown === 'failed') yield shows('completed', true);
}

function* callbackSteps(state: State, bounds: Bounds, bug: VerdictBug | undefined): Steps {
  const { inbox, outcome } = state;
  const stored = inbox.filter(({ authentic }) => authentic).length;
  if (stored < bounds.callbacks)
    for (const kind of ['refusal', 'ambiguous', 'paid'] as const)
      yield {
        label: `a callback comes: ${kind}`,
        to: { ...state, inbox: [...inbox, { kind, authentic: true }] },
      };
  if (bug === 'code from an unauthenticated callback' && !state.forged)
    yield {
      label: 'a forged callback comes: refusal',
      to: { ...state, forged: true, inbox: [...inbox, { kind: 'refusal', authentic: false }] },
    };
  if (outcome === undefined) return;
  const next = inbox.findIndex(({ named }) => named === undefined);
  const callback = inbox[next];
  if (callback === undefined) return;
  const contradicts = isContradicted(outcome, callback.kind);
  const named: Stored = { ...callback, named: contradicts ? 'dispute' : 'agreed' };
  yield {
    label: `the callback (${callback.kind}) is compared with the outcome`,
    to: { ...state, inbox: inbox.with(next, named), disputed: state.disputed || contradicts },
  };
}

function rulesOf({ startedAt }: State, bug: VerdictBug | undefined): Rules {
  const policy = resolvePolicy(undefined);
  return {
    policy: {
      ...policy,
      failureConfirmation: bug === 'first failure believed' ? 0 : TICK_MS,
      notFoundGrace: TICK_MS,
    },
    prepaid: false,
    failedWithoutCode: 'ask',
    attentionAt: (startedAt + ATTENTION_TICKS) * TICK_MS,
  };
}

/** The waiting flow: verdict first, then a person's decision, then the question to a person. */
function* flowSteps(state: State, bug: VerdictBug | undefined): Steps {
  if (state.run !== 'waiting') return;
  const { facts, decision } = state;
  const verdict = judge(EXPECTED, facts, rulesOf(state, bug), state.now * TICK_MS);
  if (verdict.kind === 'paid') {
    yield { label: 'the verdict is paid', to: closing(state, { kind: 'paid', amount: 2, by: 'machine' }) };
  } else if (verdict.kind === 'failed') {
    yield { label: 'the verdict is failed', to: closing(state, { kind: 'declined', amount: 0, by: 'machine' }) };
  } else if (decision !== undefined) {
    yield { label: 'the decision is taken up', to: closing(state, { ...decision, by: 'operator' }) };
  } else if (verdict.attention !== undefined) {
    if (bug === 'decline on not-found' && verdict.attention.reason === 'not-found')
      yield { label: 'not found: declined', to: closing(state, { kind: 'declined', amount: 0, by: 'machine' }) };
    if (bug === 'void while unknown' && state.funds === 'reserved')
      yield { label: 'it takes too long: the money is given back', to: { ...state, funds: 'voided' } };
    if (!state.attention)
      yield { label: `a person is asked: ${verdict.attention.reason}`, to: { ...state, attention: true } };
  }
}

function closing(state: State, outcome: Close['outcome']): State {
  const close: Close = { outcome, considered: state.facts.callbacks.count, current: true, halfDone: false };
  return { ...state, run: 'closing', closes: [...state.closes, close] };
}

/** `resolvePayment`: accepted while a person is asked; then a look of its own, and the checks again. */
function* operatorSteps(state: State, bounds: Bounds, bug: VerdictBug | undefined): Steps {
  const { attention, run, decision, operators } = state;
  if (run === 'waiting' && attention && decision === undefined && state.operatorsCame < bounds.operators)
    for (const wants of ['paid', 'paid in part', 'declined', 'declined with a case'] as const)
      yield {
        label: `an operator sends: ${wants}`,
        to: { ...state, operators: [...operators, wants].sort(), operatorsCame: state.operatorsCame + 1 },
      };
  for (const [index, wants] of operators.entries()) {
    const rest = { ...state, operators: operators.filter((_, at) => at !== index) };
    if (run !== 'waiting' || decision !== undefined) {
      yield { label: `the operator (${wants}) hears that it is decided`, to: rest };
      continue;
    }
    const seen = learn(heard(rest), state.shown, state.now, bug);
    const resolution = { operator: 'amina', note: 'n', ...(wants === 'declined with a case' && { providerCase: 'c' }) };
    const refused =
      wants.startsWith('declined') &&
      declineProblem(
        EXPECTED,
        rest.facts,
        lookOf(seen, state.shown, state.now),
        { decision: 'declined', ...resolution },
        state.now * TICK_MS,
      ) !== undefined;
    const decided = { kind: wants.startsWith('paid') ? 'paid' : 'declined', amount: AMOUNTS[wants] } as const;
    yield refused
      ? { label: `the operator (${wants}) is refused after a look`, to: seen }
      : { label: `the operator (${wants}) has decided`, to: { ...seen, decision: decided } };
  }
}

const AMOUNTS = { paid: 2, 'paid in part': 1, declined: 0, 'declined with a case': 0 } as const;

/** The closing transaction. */
function* closeSteps(state: State, index: number, close: Close, bug: VerdictBug | undefined): Steps {
  const { outcome, current, considered } = close;
  const what = `the close as ${outcome.kind} by ${outcome.by}${current ? '' : ', of a run that is gone,'}`;
  const isDone: State = { ...state, closes: state.closes.filter((_, at) => at !== index) };
  if (close.halfDone) {
    yield { label: `${what} moves the money`, to: { ...isDone, funds: settled(state.funds, outcome.amount) } };
  } else if (state.outcome !== undefined) {
    const contradicts = state.outcome.amount !== outcome.amount;
    yield {
      label: `${what} meets an outcome that stands`,
      to: { ...isDone, run: current ? 'ended' : state.run, disputed: state.disputed || contradicts },
    };
  } else if (hasNews(state, close, bug)) {
    const { decision: _dropped, ...undecided } = isDone;
    yield {
      label: `${what} is told to reconsider`,
      to: current ? { ...undecided, run: 'waiting' } : isDone,
    };
  } else {
    const named = state.inbox.map((callback, at): Stored =>
      at < considered ? { ...callback, named: 'close' } : callback,
    );
    const recorded: State = {
      ...isDone,
      outcome,
      inbox: named,
      wrong: [...state.wrong, ...unproven(state, outcome)],
      run: current ? 'ended' : state.run,
    };
    if (bug === 'two-step close')
      yield {
        label: `${what} is recorded`,
        to: { ...recorded, closes: [...recorded.closes, { ...close, halfDone: true }] },
      };
    else yield { label: `${what} is recorded`, to: { ...recorded, funds: settled(state.funds, outcome.amount) } };
  }
}

function hasNews(
  { inbox, completedSeen }: State,
  { outcome, considered }: Close,
  bug: VerdictBug | undefined,
): boolean {
  if (outcome.kind !== 'declined' || outcome.by === 'operator') return false;
  return completedSeen || (bug !== 'callbacks not counted by the close' && inbox.length !== considered);
}

function settled(funds: State['funds'], amount: number): State['funds'] {
  if (funds !== 'reserved') return funds;
  return amount === 0 ? 'voided' : amount;
}
