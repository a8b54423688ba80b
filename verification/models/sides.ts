import type { WorldBug } from './bugs';
import type { Model } from './explore';
import { canonical } from './canonical';
import { quietFuture } from './quiet';
import { NOTHING_TRUE, violations } from './truth';
import { next } from './steps';
import { storeRules } from './store';
import { AMOUNT, CLOCKS_DIFFER_MS, SESSION_MS } from './moments';
import { changedRow, rowOf } from './row';
import type { Bounds, State } from './state';
import type { Setting } from './setting';

/** All at once would be too many states: each side looks closely at one part of a payment's life, and has everything else beside it. */

const NOTHING: Bounds = {
  attempts: 0,
  foreignCaller: false,
  looks: 1,
  callbacks: 0,
  kept: 9,
  foreignRecord: false,
  turns: 0,
  clockJumps: false,
  otherAccount: false,
  prepaid: false,
  failedWithoutCode: 'ask',
  differs: false,
  memory: false,
  lastTick: 3,
  slowEnds: false,
};

export const SIDES = {
  sending: { ...NOTHING, attempts: 3 },
  'a foreign caller': { ...NOTHING, attempts: 2, foreignCaller: true, lastTick: 2 },
  'a foreign record': { ...NOTHING, attempts: 2, foreignRecord: true },
  'the answer': { ...NOTHING, attempts: 1, callbacks: 1, foreignRecord: true, lastTick: 2 },
  callbacks: { ...NOTHING, callbacks: 3, kept: 2, lastTick: 2 },
  'slow ends': { ...NOTHING, callbacks: 2, slowEnds: true, lastTick: 2 },
  looks: { ...NOTHING, looks: 2, memory: true, turns: 2, failedWithoutCode: 'decline' },
  'another amount': { ...NOTHING, looks: 2, differs: true, turns: 1 },
  'clocks that jump': { ...NOTHING, looks: 2, turns: 1, clockJumps: true, failedWithoutCode: 'decline' },
  'another account': { ...NOTHING, looks: 2, otherAccount: true, turns: 1 },
  'prepaid service': { ...NOTHING, callbacks: 2, prepaid: true },
  'without callbacks': { ...NOTHING, failedWithoutCode: 'decline', turns: 2 },
} as const satisfies Record<string, Bounds>;

export type Side = keyof typeof SIDES;

export function modelOf(side: Side, bug?: WorldBug): Model<State> {
  const bounds: Bounds = SIDES[side];
  const store = storeRules(bounds);
  const setting: Setting = { bounds, store, bug };
  const problemsOfQuiet = quietFuture(store);
  return {
    name: side,
    bound: inWords(bounds),
    initial: bounds.attempts > 0 ? [REGISTERED, { ...REGISTERED, account: 'too little' }] : [SENT, ACCEPTED],
    next: (state) => next(state, setting),
    violations: (state) => [...violations(state), ...problemsOfQuiet(state)],
    canonical: (state) => canonical(state, setting),
  };
}

/** Nothing has happened to it yet. */
const REGISTERED: State = {
  tick: 0,
  row: rowOf({ claim: { kind: 'free' }, seen: {}, money: 'free' }),
  inbox: [],
  isCut: false,
  attempts: [],
  attemptsBegun: 0,
  looks: [],
  clockJumped: false,
  account: 'enough',
  provider: { state: 'none', agrees: true, isOurs: false, isShown: false, turns: 0 },
  posts: 0,
  truth: NOTHING_TRUE,
  wrong: [],
};

/** The request has left, and whoever sent it is dead. */
const SENT: State = {
  ...REGISTERED,
  row: rowOf({
    claim: { kind: 'taken', at: 0, account: 'ours', sessionExpiresAt: SESSION_MS },
    seen: {},
    money: 'held',
  }),
  posts: 1,
  onItsWay: { until: SESSION_MS + CLOCKS_DIFFER_MS },
};

/** It was taken, and whoever sent it has written that down. */
const ACCEPTED: State = (() => {
  const { onItsWay: _arrived, ...arrived } = SENT;
  const answer = { kind: 'accepted', providerId: 'p1', at: 0 } as const;
  return {
    ...arrived,
    row: changedRow(SENT.row, {
      claim: { kind: 'taken', at: 0, account: 'ours', sessionExpiresAt: SESSION_MS, answer },
    }),
    provider: { state: 'pending', agrees: true, isOurs: true, isShown: false, turns: 0 },
    reply: 'accepted',
  };
})();

function inWords({ attempts, foreignCaller, looks, callbacks, kept, turns, lastTick, ...rest }: Bounds): string {
  const parts = [
    attempts > 0
      ? `${attempts} attempts${foreignCaller ? ', one of them somebody else’s with other content' : ''}`
      : 'it was sent',
    `${looks} looks under way`,
    callbacks > 0 ? `${callbacks} callbacks${kept < callbacks ? `, of which ${kept} are kept` : ''}` : 'no callback',
    turns > 0 ? `the provider turns round ${turns} times` : '',
    rest.foreignRecord ? 'somebody else’s record at any time' : '',
    rest.clockJumps ? 'a clock that jumps while a look is under way' : '',
    rest.otherAccount ? 'looks with other credentials' : '',
    rest.prepaid ? 'a prepaid service' : '',
    rest.differs ? 'a record of another amount' : '',
    rest.failedWithoutCode === 'decline' ? 'failed without a code declines' : '',
    `${lastTick + 1} moments, of ${AMOUNT} units`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}
