import type { Step } from './explore';
import { CLOCKS_DIFFER_MS, SESSION_MS } from './moments';
import { SUBMISSIONS } from './words';
import { changed, nowOf, withWrong, type Attempt, type Said, type State } from './state';
import type { Setting } from './setting';

/** `submitPayment`, step by step, any number of them at once; and the provider that gets the request. */

export type Steps = Iterable<Step<State>>;

export const without = <Part>(parts: readonly Part[], index: number): readonly Part[] =>
  parts.filter((_, at) => at !== index);

export const saidBy = ({ provider: { state, agrees, isShown } }: State): Said =>
  state === 'none' || !isShown ? 'not-found' : `${state}${agrees ? '' : ', other'}`;

export function* attemptSteps(state: State, setting: Setting): Steps {
  yield* begin(state, setting);
  for (const [index, attempt] of state.attempts.entries()) yield* attemptStep(state, index, attempt, setting);
}

/** It reads the row, looks, and goes on if nobody knows of anything. */
function* begin(state: State, { bounds, store, bug }: Setting): Steps {
  const { row, attempts, attemptsBegun } = state;
  const isUntouched = row.claim.kind === 'free' && row.closed === undefined && row.seen.recordAt === undefined;
  if (attemptsBegun >= bounds.attempts || !isUntouched) return;
  const isForeign = bounds.foreignCaller && attemptsBegun === bounds.attempts - 1;
  const content = isForeign ? 'other' : 'registered';
  const begun: State = { ...state, attemptsBegun: attemptsBegun + 1 };
  const said = saidBy(state);
  const who = isForeign ? 'somebody else’s attempt' : 'an attempt';
  if (said !== 'not-found') {
    const look = { said, tick: state.tick, isAnotherAccount: false };
    const to: State =
      bug === 'a look speaks before it writes'
        ? { ...begun, truth: { ...begun.truth, recordTold: true } }
        : { ...begun, looks: [...begun.looks, look] };
    yield { label: `${who} looks before sending: ${said}`, to };
    return;
  }
  const read = store.claimable(state, content);
  const attempt: Attempt = { phase: 'claiming', content, read, session: nowOf(state) + SESSION_MS };
  yield { label: `${who} reads the row and looks: ${said}`, to: { ...begun, attempts: [...attempts, attempt] } };
}

function* attemptStep(state: State, index: number, attempt: Attempt, setting: Setting): Steps {
  const { attempts, tick, reply } = state;
  const gone: State = { ...state, attempts: without(attempts, index) };
  const as = (next: Attempt, from = gone): State => ({ ...from, attempts: [...from.attempts, next] });
  switch (attempt.phase) {
    case 'claiming':
      yield* claim(gone, attempt, setting);
      if (setting.bug === 'anybody writes the answer to the request')
        yield { label: 'an attempt without the claim writes down: not-sent', to: answered(gone, 'not-sent') };
      return;
    case 'sending':
      if (tick === attempt.since || setting.bug === 'no deadline for the first byte')
        yield { label: 'it sends the payment request', to: as({ phase: 'sent' }, sent(gone, attempt)) };
      yield { label: 'it is too late to send', to: as({ phase: 'answering', what: 'not-sent' }) };
      return;
    case 'sent':
      if (reply !== undefined) yield { label: `it hears: ${reply}`, to: as({ phase: 'answering', what: reply }) };
      if (setting.bug === 'the claim is given back' && state.row.closed === undefined)
        yield {
          label: 'it hears nothing and gives the claim back',
          to: changed(gone, { claim: { kind: 'free' }, money: 'free' }),
        };
      yield { label: 'it hears nothing', to: as({ phase: 'answering', what: 'unknown' }) };
      return;
    case 'answering':
      yield { label: `it writes down: ${attempt.what}`, to: answered(gone, attempt.what) };
  }
}

type Claiming = Extract<Attempt, { phase: 'claiming' }>;

/** In one statement with the money, on the row that the rule was asked about: when that has changed, it is asked again. */
function* claim(gone: State, { content, read, session }: Claiming, { store, bug }: Setting): Steps {
  const may =
    bug === 'a claim without the version it was asked about' ? staleClaim(gone, read) : store.claimable(gone, content);
  const isFree = bug === 'an end that leaves the claim free' ? gone.row.claim.kind !== 'taken' : may === 'claimable';
  if (!isFree) {
    yield { label: `it gets no claim: ${may}`, to: gone };
    return;
  }
  const isShort = gone.account === 'too little';
  if (isShort && bug !== 'a claim without the money') {
    yield { label: 'there is too little money for the claim', to: gone };
    return;
  }
  const at = nowOf(gone);
  const isLater = bug === 'the money in a transaction after the claim';
  const claimed: State = {
    ...changed(gone, {
      claim: { kind: 'taken', at, account: 'ours', sessionExpiresAt: session },
      money: isShort || isLater ? 'free' : 'held',
    }),
    attempts: [...gone.attempts, { phase: 'sending', content, since: gone.tick, session }],
  };
  yield {
    label: 'it gets the claim, and the money is held',
    to: withWrong(
      claimed,
      ...(gone.row.closed === undefined ? [] : ['G1: a claim after the end']),
      ...(gone.truth.recordTold ? ['G1: a claim, and a look had told of a record'] : []),
    ),
  };
}

/** Only `claimed_at IS NULL` is asked of the row. */
const staleClaim = ({ row }: State, read: Claiming['read']): Claiming['read'] =>
  row.claim.kind === 'free' ? read : 'taken';

function sent(state: State, { content, session }: Extract<Attempt, { phase: 'sending' }>): State {
  const { row } = state;
  const problems: string[] = [];
  if (row.closed !== undefined)
    problems.push(`G2: a request has left after the payment was ${row.closed.outcome.kind}`);
  if (content === 'other') problems.push('G1: other content than was registered has left');
  const left: State = { ...state, posts: state.posts + 1, onItsWay: { until: session + CLOCKS_DIFFER_MS } };
  return withWrong(left, ...problems);
}

/** By the holder of the claim alone, once. What has ended stays as it is. */
export function answered(state: State, what: Extract<Attempt, { phase: 'answering' }>['what']): State {
  const { claim: taken, closed } = state.row;
  if (taken.kind !== 'taken' || taken.answer !== undefined || closed !== undefined) return state;
  return changed(state, { claim: { ...taken, answer: { ...SUBMISSIONS[what], at: nowOf(state) } } });
}

/** The provider gets the request, does with it what it likes, and shows it when it likes. */
export function* providerSteps(state: State, { bounds }: Setting): Steps {
  const { onItsWay, provider, row } = state;
  if (onItsWay !== undefined && nowOf(state) < onItsWay.until) {
    const { onItsWay: _arrived, ...arrived } = state;
    if (provider.state === 'none') {
      const accepted: State = {
        ...arrived,
        reply: 'accepted',
        provider: { ...provider, state: 'pending', agrees: true, isOurs: true },
      };
      const isLate = row.closed !== undefined && row.closed.outcome.kind !== 'paid';
      yield {
        label: 'the provider takes the request',
        to: isLate ? withWrong(accepted, `G2: taken after the payment was ${row.closed?.outcome.kind}`) : accepted,
      };
    }
    yield { label: 'the provider refuses the request', to: { ...arrived, reply: 'rejected' } };
  }
  if (provider.state === 'none') {
    if (bounds.foreignRecord)
      for (const agrees of [true, false])
        yield shows(state, `somebody else pays under the id${agrees ? ', the same' : ''}`, {
          state: 'pending',
          agrees,
        });
    return;
  }
  if (!provider.isShown) yield shows(state, 'the look-up shows the record', { isShown: true });
  if (provider.state === 'pending') {
    yield shows(state, 'the provider completes it', { state: 'completed' });
    yield shows(state, 'the provider fails it', { state: 'failed' });
    if (bounds.differs && provider.agrees)
      yield shows(state, 'the provider completes it with another amount', { state: 'completed', agrees: false });
  }
  yield* turnSteps(state, bounds.turns);
}

/** What was final is not, or is not shown any more. */
function* turnSteps(state: State, most: number): Steps {
  const { provider } = state;
  if (provider.turns >= most) return;
  const turns = provider.turns + 1;
  if (provider.isShown) yield shows(state, 'the look-up shows the record no more', { isShown: false, turns });
  if (provider.state === 'completed') yield shows(state, 'what was completed fails', { state: 'failed', turns });
  if (provider.state === 'failed') {
    yield shows(state, 'what has failed is pending again', { state: 'pending', turns });
    yield shows(state, 'what has failed is completed', { state: 'completed', turns });
  }
}

const shows = (state: State, label: string, provider: Partial<State['provider']>): Step<State> => ({
  label,
  to: { ...state, provider: { ...state.provider, ...provider } },
});
