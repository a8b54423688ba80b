import { declineProblem } from '../../src/payment/decisions';
import type { Expected, Look } from '../../src/payment/look';
import type { Observation } from '../../src/payment/observation';
import type { Facts } from '../../src/payment/verdict';
import type { Model, Step } from './explore';
import {
  canonical,
  INITIAL,
  UNSENT,
  violations,
  type Attempt,
  type Close,
  type Ending,
  type State,
} from './submission-state';

/**
 * The submission protocol (docs/technical-description.md#submission): look, claim, send, and what seals a payment that is not sent.
 *
 * Bound: one payment; up to three attempts of `submitPayment` over up to two runs (a reset, or terminated and started again); any
 * attempt stalls, dies or loses an answer at any point, and one that the engine has given up goes on as a zombie; a claim's statement
 * may take effect after its attempt is gone; one cancellation; closes that are repeated after a lost answer, also by a run that is
 * gone; an operator who declines with a provider case at any time; a clock of three ticks, each longer than the send deadline (5 s) and
 * as long as a token's life and as the margin for clocks that differ (5 min); a provider that accepts a living token's request, refuses
 * it clearly, or loses it, shows its record late, and completes or fails it. Nobody else uses the payment id.
 *
 * Death needs no step of its own: an attempt that stalls for ever is dead, and a request that never arrives is lost.
 */

export const SUBMISSION_BUGS = [
  'claim given back',
  'no seal',
  'no deadline',
  'two-step close',
  'decline on not-found',
  'decline while the token lives',
] as const;
export type SubmissionBug = (typeof SUBMISSION_BUGS)[number];

const MAX_ATTEMPTS = 3;
const MAX_RUNS = 2;
const LAST_TICK = 2;
const TICK_MS = 5 * 60_000;
const TOKEN_TICKS = 1;
/** How long after its token's end by our clock the provider may still accept, because clocks differ. */
const SKEW_TICKS = 1;

type Steps = Iterable<Step<State>>;

export function submissionModel(bug?: SubmissionBug): Model<State> {
  return {
    name: 'submission',
    bound: `${MAX_ATTEMPTS} attempts, ${MAX_RUNS} runs, 1 cancellation, 1 operator, ${LAST_TICK + 1} ticks`,
    initial: [INITIAL],
    *next(state) {
      // Once it has ended, time only takes possibilities away.
      if (state.now < LAST_TICK && state.outcome === undefined)
        yield { label: 'a tick passes', to: { ...state, now: state.now + 1 } };
      yield* engineSteps(state);
      for (const [index, attempt] of state.attempts.entries()) yield* attemptSteps(state, index, attempt, bug);
      yield* providerSteps(state);
      yield* settleSteps(state, bug);
      for (const [index, close] of state.closes.entries()) yield* closeSteps(state, index, close, bug);
    },
    violations,
    canonical,
  };
}

const without = <Part>(parts: readonly Part[], index: number): readonly Part[] => parts.filter((_, at) => at !== index);

const replaced = <Part>(parts: readonly Part[], index: number, part: Part): readonly Part[] =>
  parts.map((each, at) => (at === index ? part : each));

/** Who starts, retries, cancels, gives up and resets. */
function* engineSteps(state: State): Steps {
  const { run, attempts, attemptsMade, closes } = state;
  const isEarly = run === 'before-sending' || run === 'submitting';
  const waits = attempts.some(({ current }) => current);
  if (isEarly && !waits && attemptsMade < MAX_ATTEMPTS) {
    const attempt: Attempt = { phase: 'looking', since: 0, current: true };
    yield {
      label: `attempt ${attemptsMade + 1} begins`,
      to: { ...state, run: 'submitting', attempts: [...attempts, attempt], attemptsMade: attemptsMade + 1 },
    };
  }
  if (waits)
    yield {
      label: 'the engine takes the attempt for dead: it is, or goes on as a zombie',
      to: { ...state, attempts: zombies(attempts) },
    };
  if (isEarly)
    yield {
      label: 'the time to submit is over: close as expired',
      to: { ...closing(state, 'expired'), attempts: zombies(attempts) },
    };
  if (isEarly && !state.cancelAsked) {
    const close: Close = { ending: 'cancelled', current: true, checked: false };
    yield {
      label: 'somebody cancels',
      to: { ...state, cancelAsked: true, closes: [...closes, close] },
    };
  }
  if (state.runs < MAX_RUNS && run !== 'ended')
    yield { label: 'the run is reset', to: registered({ ...ended(state), runs: state.runs + 1 }) };
}

/** Whatever a run had under way goes on without anybody who hears of it. */
const ended = (state: State): State => ({
  ...state,
  run: 'ended',
  attempts: zombies(state.attempts),
  closes: state.closes.map((close) => ({ ...close, current: false })),
});

const zombies = (attempts: readonly Attempt[]): readonly Attempt[] =>
  attempts.map((attempt) => ({ ...attempt, current: false }));

/** What `registerPayment` tells a new run. */
function registered(state: State): State {
  if (state.outcome !== undefined) return state;
  return { ...state, run: state.claim.kind === 'free' ? 'before-sending' : 'awaiting' };
}

const closing = (state: State, ending: Ending): State => ({
  ...state,
  run: 'closing',
  closes: [...state.closes, { ending, current: true, checked: false }],
});

/** One attempt of `submitPayment`, statement by statement. */
function* attemptSteps(state: State, index: number, attempt: Attempt, bug: SubmissionBug | undefined): Steps {
  const { attempts, now } = state;
  const who = attempt.current ? 'the attempt' : 'a zombie';
  const as = (phase: Attempt['phase'], since = attempt.since): State => ({
    ...state,
    attempts: replaced(attempts, index, { ...attempt, phase, since }),
  });
  const gone: State = { ...state, attempts: without(attempts, index) };
  /** Its result, if anybody still waits for it. */
  const answers: Answers = (run, change = gone) => {
    if (!attempt.current) return change;
    return run === 'ended' ? ended(change) : { ...change, run };
  };

  switch (attempt.phase) {
    case 'looking':
      yield* lookSteps(state, who, as('claiming', now), answers);
      return;
    case 'claiming':
      if (mayClaim(state, bug))
        yield { label: `${who} gets the claim, or reads that it is its own`, to: claimed(as('sending'), attempt) };
      else yield { label: `${who} finds the claim taken`, to: answers(ranOut(state)) };
      return;
    case 'sending':
      if (now === attempt.since || bug === 'no deadline')
        yield { label: `${who} sends the payment request`, to: sent(as('sent', 0), attempt) };
      else yield { label: `${who} is too late to send`, to: unknown(state, gone, answers, bug) };
      return;
    case 'sent':
      if (state.answer === 'accepted') yield { label: `${who} hears: accepted`, to: answers('awaiting') };
      if (state.answer === 'rejected')
        yield { label: `${who} hears: refused`, to: attempt.current ? closing(gone, 'rejected') : gone };
      yield { label: `${who} gets no answer to the request`, to: unknown(state, gone, answers, bug) };
      return;
  }
}

type Answers = (run: State['run'], change?: State) => State;

function* lookSteps(state: State, who: string, claiming: State, answers: Answers): Steps {
  if (!state.visible) yield { label: `${who} looks: not found`, to: claiming };
  else if (state.claim.kind === 'free' && state.outcome === undefined)
    yield { label: `${who} looks: a record`, to: withWrong(state, 'a record that no claim of ours explains') };
  else yield { label: `${who} looks: a record`, to: answers(ranOut(state)) };
}

/** Somebody else has sent it, or has closed it. */
const ranOut = ({ outcome }: State): State['run'] => (outcome === undefined ? 'awaiting' : 'ended');

const mayClaim = ({ claim, outcome }: State, bug: SubmissionBug | undefined): boolean =>
  bug === 'no seal' ? claim.kind !== 'taken' : claim.kind === 'free' && outcome === undefined;

const claimed = (state: State, { since }: Attempt): State => ({
  ...state,
  claim: { kind: 'taken', expires: since + TOKEN_TICKS },
});

function sent(state: State, { since }: Attempt): State {
  const left = { ...state, posts: state.posts + 1, onItsWay: { expires: since + TOKEN_TICKS } };
  return state.outcome === undefined ? left : withWrong(left, `a request left after the payment was ${state.outcome}`);
}

function unknown(state: State, gone: State, answers: Answers, bug: SubmissionBug | undefined): State {
  return bug === 'claim given back' && state.outcome === undefined
    ? { ...gone, claim: { kind: 'free' } }
    : answers('awaiting');
}

const withWrong = (state: State, what: string): State => ({ ...state, wrong: [...state.wrong, what] });

/** The network and the provider. */
function* providerSteps(state: State): Steps {
  const { onItsWay, now, outcome, provider } = state;
  if (onItsWay !== undefined) {
    const { onItsWay: _arrived, ...arrived } = state;
    if (now < onItsWay.expires + SKEW_TICKS) {
      const accepted: State = { ...arrived, provider: 'accepted', answer: 'accepted' };
      yield {
        label: 'Almara Pay accepts the request',
        to: outcome === undefined ? accepted : withWrong(accepted, `accepted after the payment was ${outcome}`),
      };
      yield { label: 'Almara Pay refuses the request clearly', to: { ...arrived, answer: 'rejected' } };
    }
  }
  if (provider !== 'nothing' && !state.visible)
    yield { label: 'the look-up shows the record', to: { ...state, visible: true } };
  if (provider === 'accepted') {
    yield { label: 'Almara Pay completes it', to: { ...state, provider: 'completed' } };
    yield { label: 'Almara Pay fails it', to: { ...state, provider: 'failed' } };
  }
}

/** It may have been sent: proof or a person ends it. The verdict itself is the other model's. */
function* settleSteps(state: State, bug: SubmissionBug | undefined): Steps {
  if (state.run !== 'awaiting') return;
  if (state.outcome !== undefined) {
    yield { label: 'a look shows that it is closed', to: ended(state) };
    return;
  }
  if (state.visible && state.provider === 'completed')
    yield { label: 'a look proves it paid', to: closing(state, 'paid') };
  if (state.visible && state.provider === 'failed')
    yield { label: 'looks and a code prove it failed', to: closing(state, 'failed') };
  if (bug === 'decline on not-found' && !state.visible)
    yield { label: 'a look does not find it: declined', to: closing(state, 'not-found') };
  if (bug === 'decline while the token lives' || mayDecline(state))
    yield { label: 'an operator declines it with a provider case', to: closing(state, 'declined-by-operator') };
}

const EXPECTED: Expected = { paymentId: 'pay-00000001', accountNumber: '1', amount: 1, currency: 'KES' };
const FACTS: Facts = { sent: 'unknown', submittedAt: 0, callbacks: { count: 0, receipt: {} }, completedSeen: false };

/** The product's own rule, with the ticks as times. */
function mayDecline({ now, claim, visible, provider }: State): boolean {
  const look: Look = {
    observation: visible ? record(provider) : { kind: 'not-found', said: 'not found' },
    callbacks: FACTS.callbacks,
    completedSeen: false,
    ...(claim.kind === 'taken' && {
      claim: { at: at(claim.expires - TOKEN_TICKS), tokenExpiresAt: at(claim.expires) },
    }),
  };
  const decision = { decision: 'declined', operator: 'amina', note: 'n', providerCase: 'case 1' } as const;
  return declineProblem(EXPECTED, FACTS, look, decision, now * TICK_MS) === undefined;
}

const at = (tick: number): string => new Date(tick * TICK_MS).toISOString();

function record(provider: State['provider']): Observation {
  const state = provider === 'completed' || provider === 'failed' ? provider : 'pending';
  return { kind: 'record', state, said: state, isPayment: true, receipt: {}, ...EXPECTED };
}

/** The closing transaction. */
function* closeSteps(state: State, index: number, close: Close, bug: SubmissionBug | undefined): Steps {
  const { ending, current } = close;
  const isDone: State = { ...state, closes: without(state.closes, index) };
  const what = `the close as ${ending}${current ? '' : ', of a run that is gone,'}`;

  const mayHaveBeenSent = UNSENT.includes(ending) && state.claim.kind === 'taken' && !close.checked;
  if (state.outcome !== undefined) {
    yield { label: `${what} meets an outcome that stands`, to: current ? ended(isDone) : isDone };
  } else if (mayHaveBeenSent) {
    // A cancellation goes on beside the flow; everything else was the flow itself.
    const run = current && ending !== 'cancelled' ? 'awaiting' : state.run;
    yield { label: `${what} learns that it may have been sent`, to: { ...isDone, run } };
  } else if (bug === 'two-step close' && !close.checked) {
    const checked = replaced(state.closes, index, { ...close, checked: true });
    yield { label: `${what} finds nothing that speaks against it`, to: { ...state, closes: checked } };
  } else {
    const recorded: State = { ...isDone, outcome: ending, claim: sealed(state.claim) };
    // While the flow waits for its own close nothing else begins: only beside a cancellation does a lost answer make a difference.
    if (current && ending === 'cancelled')
      yield { label: `${what} is recorded, the answer is lost`, to: { ...recorded, closes: state.closes } };
    yield { label: `${what} is recorded`, to: current ? ended(recorded) : recorded };
  }
}

const sealed = (claim: State['claim']): State['claim'] => (claim.kind === 'free' ? { kind: 'sealed' } : claim);
