import type { Step } from './explore';
import { isTooOld, type AskedAndAnswered } from '../../src/payment/seen';
import { attemptSteps, providerSteps, saidBy, without, type Steps } from './attempts';
import { lookKey } from './keys';
import { timeOf } from './moments';
import { rowOf, type RowParts } from './row';
import {
  changed,
  nowOf,
  withRow,
  withWrong,
  type Callback,
  type CallbackKind,
  type Look,
  type Recording,
  type State,
} from './state';
import type { Setting } from './setting';
import { checkedEnd, heard, remembered } from './truth';
import type { Observed } from './words';

/** All that can happen next: to the payment, and in the world around it. */
export function* next(state: State, setting: Setting): Steps {
  yield* callbackSteps(state, setting);
  if (state.recording !== undefined)
    yield { label: `the end is written: ${state.recording.what}`, to: ended(state, state.recording, setting) };
  if (state.tick < setting.bounds.lastTick) yield timePasses(state, setting);
  yield* attemptSteps(state, setting);
  yield* providerSteps(state, setting);
  yield* lookSteps(state, setting);
  yield* endSteps(state, setting);
  if (setting.bug === 'money given back while it is unknown' && state.row.money === 'held' && state.tick > 2)
    yield { label: 'it takes too long: the money is given back', to: changed(state, { money: 'free' }) };
}

function timePasses(state: State, { store }: Setting): Step<State> {
  const later = { ...state, tick: state.tick + 1 };
  // What is too old by now, and tells nothing new that is true for ever, never will.
  const looks = state.looks.filter(
    (look) =>
      !isTooOld(whenOf(look), nowOf(later)) || store.look(later, observedIn(look), whenOf(look)).row !== state.row,
  );
  return { label: `it is ${nowOf(later) / 1000} s after the registration`, to: { ...later, looks } };
}

const observedIn = ({ said, isAnotherAccount }: Look): Observed =>
  isAnotherAccount ? 'not-found, other account' : said;

const whenOf = ({ tick }: Look) => ({ askedAt: timeOf(tick), answeredAt: timeOf(tick) });

/** How far a clock jumps ahead while a look is under way: unnoticed, or beyond what is written. */
const JUMPS_MS = [40_000, 400_000] as const;

function* lookSteps(state: State, setting: Setting): Steps {
  const { bounds, bug } = setting;
  const { looks, tick, row } = state;
  if (looks.length < bounds.looks) {
    const look = { said: saidBy(state), tick, isAnotherAccount: false };
    if (isNews(state, setting, look))
      yield { label: `a look is answered: ${look.said}`, to: { ...state, looks: [...looks, look] } };
    if (bounds.otherAccount && row.claim.kind === 'taken')
      yield {
        label: 'a look with other credentials is answered: not-found',
        to: { ...state, looks: [...looks, { said: 'not-found', tick, isAnotherAccount: true }] },
      };
  }
  for (const [index, look] of looks.entries()) {
    const rest = { ...state, looks: without(looks, index) };
    const when = whenOf(bug === 'an answer is as old as its write' ? { ...look, tick } : look);
    yield { label: `a look is written: ${look.said}`, to: write(rest, setting, look, when) };
    if (bounds.clockJumps && !state.clockJumped) yield* jumps(rest, setting, look);
    if (bounds.memory) yield* withMemory(rest, setting, look);
  }
  if (row.closed === undefined && row.attentionSince === undefined) yield* unreadable(state, setting);
}

/** What is on its way, or was written, changes nothing a second time. */
function isNews(state: State, setting: Setting, look: Look): boolean {
  if (state.looks.some((other) => lookKey(other) === lookKey(look))) return false;
  const written = write(state, setting, look, whenOf(look));
  return written.row !== state.row || written.truth.contradicted !== state.truth.contradicted;
}

function* jumps(rest: State, setting: Setting, look: Look): Steps {
  for (const jump of JUMPS_MS) {
    const answeredAt = timeOf(look.tick);
    yield {
      label: `a look is written by a clock that jumped ${jump / 1000} s: ${look.said}`,
      // When it was asked goes by the clock that says longer, when it was answered by the other.
      to: write({ ...rest, clockJumped: true }, setting, look, { askedAt: answeredAt - jump, answeredAt }),
    };
  }
}

/** Its worker had seen something before that it could not write: that comes with it. */
function* withMemory(rest: State, { store }: Setting, look: Look): Steps {
  for (const [index, unwritten] of rest.looks.entries()) {
    const before = { observed: observedIn(unwritten), when: whenOf(unwritten) };
    const { row, verdict } = store.look(rest, observedIn(look), whenOf(look), { unwritten: before });
    const known = remembered(remembered(rest, unwritten), look);
    const told = verdict === undefined ? known : heard(known, look);
    yield {
      label: `a look is written: ${look.said}; its worker had seen before: ${unwritten.said}`,
      to: withRow({ ...told, looks: without(rest.looks, index) }, row),
    };
  }
}

/** It says nothing, and is judged all the same: that a person is asked needs no answer. */
function* unreadable(state: State, { store }: Setting): Steps {
  const now = nowOf(state);
  const looked = store.look(state, 'unreadable', { askedAt: now, answeredAt: now });
  if (looked.row !== state.row)
    yield { label: 'a look brings nothing readable, and a person is asked', to: withRow(state, looked.row) };
}

function write(state: State, { store, bug }: Setting, look: Look, when: AskedAndAnswered): State {
  const { row, verdict } = store.look(state, observedIn(look), when);
  const known = verdict === undefined ? remembered(state, look) : heard(remembered(state, look), look);
  const written = row === state.row ? known : withRow(known, row);
  const asksNoMore = verdict?.kind === 'open' && verdict.ask?.reason === 'provider-silent';
  if (bug !== 'the question is forgotten' || state.row.attentionSince === undefined || !asksNoMore)
    return stillAsked(state, written);
  const { attentionSince: _forgotten, id: _other, ...parts } = row;
  return stillAsked(state, withRow(written, rowOf(parts)));
}

/** Who was asked stays asked until it has ended. */
const stillAsked = ({ row }: State, after: State): State =>
  row.attentionSince !== undefined && after.row.attentionSince === undefined
    ? withWrong(after, 'G4: a person was asked, and is not any more')
    : after;

/** `recordOutcome`, asked for by whoever wishes it, whenever. */
function* endSteps(state: State, setting: Setting): Steps {
  yield* endsSeeing(state, state, setting);
  if (setting.bug === 'the end rests on callbacks that were read before the row' && state.inbox.length > 0)
    yield* endsSeeing(state, { ...state, inbox: state.inbox.slice(0, -1) }, setting);
}

const CLOCK_AHEAD_MS = 600_000;

function* endsSeeing(state: State, seen: State, setting: Setting): Steps {
  const { bounds, store, bug } = setting;
  if (state.recording !== undefined) return;
  const now = nowOf(state) + (bug === 'judged by a clock that is ahead' ? CLOCK_AHEAD_MS : 0);
  for (const { what, outcome } of store.ends(seen, now)) {
    const recording = { what, outcome, read: seen.inbox.length };
    const checked = checkedEnd(state, bounds, outcome);
    yield bounds.slowEnds
      ? { label: `the row is read, and it is to end: ${what}`, to: { ...checked, recording } }
      : { label: `it ends: ${what}`, to: ended(checked, recording, setting) };
  }
}

/** All of it or nothing: the outcome, the seal, the money, and the names of the callbacks that were read. */
function ended(state: State, { outcome, read }: Recording, { store, bug }: Setting): State {
  const { row, inbox } = state;
  const named = inbox.map((callback, at): Callback =>
    at < read || bug === 'the end names callbacks that it has not read' ? { ...callback, named: 'close' } : callback,
  );
  const isSealed = row.claim.kind === 'free' && bug !== 'an end that leaves the claim free';
  // What somebody else's record has paid is taken from the account with the end.
  const isOwed = outcome.kind === 'paid' && (row.money === 'held' || row.claim.kind === 'free');
  const money = isOwed ? outcome.amount : row.money === 'held' ? 0 : row.money;
  const after: Partial<RowParts> = {
    closed: { outcome, disputed: row.closed?.disputed ?? false },
    ...(isSealed && { claim: { kind: 'sealed' } }),
    ...(bug !== 'the money in a transaction after the end' && { money }),
  };
  const closed = changed({ ...state, inbox: named }, after);
  const isHidden = named.some(
    ({ kind, named: by }, at) => at >= read && by === 'close' && store.contradicts(closed, kind),
  );
  return isHidden ? withWrong(closed, 'G5: a callback contradicts the outcome, and nobody has read it') : closed;
}

const CALLBACKS: readonly CallbackKind[] = ['refusal', 'other amount, refusal', 'ambiguous', 'paid'];

/** With our token, whatever the record says; and, once it has ended, what the delivery makes of them. */
function* callbackSteps(state: State, { bounds, store }: Setting): Steps {
  const { inbox, isCut, posts, row } = state;
  if (posts > 0 && inbox.length + (isCut ? 1 : 0) < bounds.callbacks) {
    if (inbox.length >= bounds.kept)
      yield { label: 'a callback comes that is not kept', to: { ...state, isCut: true } };
    else
      for (const kind of CALLBACKS)
        yield { label: `a callback comes: ${kind}`, to: { ...state, inbox: [...inbox, { kind }] } };
  }
  const at = inbox.findIndex(({ named }) => named === undefined);
  const callback = inbox[at];
  if (row.closed === undefined || callback === undefined) return;
  const isContradiction = store.contradicts(state, callback.kind);
  const named: Callback = { ...callback, named: isContradiction ? 'dispute' : 'agreed' };
  const closed = { ...row.closed, disputed: row.closed.disputed || isContradiction };
  yield {
    label: `a callback is compared with the outcome: ${callback.kind}`,
    to: changed({ ...state, inbox: inbox.with(at, named) }, { closed }),
  };
}
