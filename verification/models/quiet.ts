import { saidBy } from './attempts';
import { inboxKey } from './keys';
import { TICKS } from './moments';
import { withRow, type State } from './state';
import type { StoreRules } from './store';
import { ENDINGS, type Observed } from './words';

/**
 * Nothing stands still: if from here on the world keeps quiet (nobody sends, nothing comes, the provider stays as it is and answers
 * every look, or none at all), a few looks an hour apart end the payment or ask a person; and who is asked can end it.
 */
export function quietFuture(store: StoreRules): (state: State) => readonly string[] {
  /** Many states differ only in what is under way, which never goes on here. */
  const known = new Map<string, readonly string[]>();
  return (state) => {
    if (state.row.closed !== undefined || state.recording !== undefined) return NONE;
    const said = saidBy(state);
    const key = `${state.row.id}|${inboxKey(state)}|${said}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = [
      ...problemsIf('the provider stays as it is', said),
      ...problemsIf('no answer can be read', 'unreadable'),
    ];
    known.set(key, found);
    return found;

    function problemsIf(how: string, observed: Observed): string[] {
      return standsStill(store, state, observed).map((problem) => `G4: ${problem}, if ${how}`);
    }
  };
}

const NONE: readonly string[] = [];
const LAST = TICKS[TICKS.length - 1] ?? 0;
const HOUR = 3_600_000;
const LOOKS = 3;

function standsStill(store: StoreRules, state: State, observed: Observed): string[] {
  let later = state;
  for (let look = 1; look <= LOOKS; look += 1) {
    const now = LAST + look * HOUR;
    const looked = store.look(later, observed, { askedAt: now, answeredAt: now }, { now });
    const { row, verdict } = looked;
    if (verdict === undefined) return ['its own look is too old'];
    later = withRow(later, row);
    if (verdict.kind !== 'open') return [];
    if (verdict.ask !== undefined) return undecidable(store, later, observed, now);
    // The flow itself gives up what it could not send in time.
    if (store.outcomeOf(later, ENDINGS.unsent, now) !== undefined) return [];
  }
  return ['it neither ends nor asks a person'];
}

/** A person who is asked can say that it is paid; and that it is not, when the provider answers and does not call it completed. */
function undecidable(store: StoreRules, state: State, observed: Observed, now: number): string[] {
  const found: string[] = [];
  if (store.outcomeOf(state, ENDINGS['paid, by a person'], now) === undefined)
    found.push('a person is asked, and cannot say that it is paid');
  const isLost = observed === 'not-found' && state.row.seen.completedAt !== undefined;
  const mayDecline = observed !== 'unreadable' && !observed.startsWith('completed') && !isLost;
  if (mayDecline && store.outcomeOf(state, ENDINGS['declined, by a person with a case'], now) === undefined)
    found.push('a person is asked, and cannot say that it is not paid');
  return found;
}
