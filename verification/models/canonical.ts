import { inboxKey, lookKey } from './keys';
import type { Attempt, State } from './state';
import type { Setting } from './setting';

/** Names of states: short, because hundreds of thousands are kept, and the same for what need not be told apart. */
export function canonical(state: State, setting: Setting): string {
  const { row, provider, recording, truth } = state;
  const attempts = state.attempts
    .filter((attempt) => matters(attempt, state, setting))
    .map((attempt) => attemptKey(attempt, setting.bug !== undefined));
  const isAwaited = state.attempts.some(({ phase }) => phase === 'sent');
  const world = [
    ...[state.tick, attempts.sort().join(), row.claim.kind === 'free' ? state.attemptsBegun : '', state.posts],
    ...[state.looks.map(lookKey).sort().join(), inboxKey(state), state.wrong.length],
    `${provider.state[0]}${provider.agrees ? '' : '≠'}${provider.isOurs ? 'o' : ''}${provider.isShown ? 's' : ''}`,
    ...[provider.turns, state.onItsWay?.until, isAwaited ? state.reply?.[0] : '', state.clockJumped ? 'j' : ''],
    ...[state.account === 'enough' ? '' : 'x', row.id],
  ].join('|');
  // Once it has ended, only whether something contradicts the end is asked of what was said.
  if (row.closed !== undefined)
    return `${world}|${truth.contradicted ? 'c' : ''}${truth.disputable ? 'd' : ''}${truth.completed ? 'k' : ''}`;
  const end = recording && `${recording.what}${recording.read}${recording.outcome.closedAt}`;
  return `${world}|${truthKey(state)}|${end ?? ''}`;
}

/** Whether it can still change anything: a claim that cannot be had now never can, and after the end nobody hears an answer. */
function matters(attempt: Attempt, state: State, { store, bug }: Setting): boolean {
  if (bug !== undefined) return true;
  if (attempt.phase === 'claiming') return store.claimable(state, attempt.content) === 'claimable';
  return attempt.phase === 'sending' || state.row.closed === undefined;
}

function attemptKey(attempt: Attempt, withReading: boolean): string {
  switch (attempt.phase) {
    case 'claiming':
      return `c${attempt.content[0]}${attempt.session}${withReading ? attempt.read : ''}`;
    case 'sending':
      return `s${attempt.content[0]}${attempt.since}-${attempt.session}`;
    case 'sent':
      return 't';
    case 'answering':
      return `a${attempt.what[0]}`;
  }
}

const truthKey = ({ truth: { last, failedFirst, failedLast, otherLast, completed, recordTold } }: State): string =>
  [last?.tick, last?.said.join('/'), failedFirst, failedLast, otherLast, completed, recordTold].join();
