import { compareWithOutcome } from '../../src/callbacks/compare';
import { weighCallbacks } from '../../src/payment/callback-evidence';
import { claimable, type Claimable } from '../../src/payment/claim';
import { decide } from '../../src/payment/decide';
import type { Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import type { Verdict } from '../../src/payment/judge';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { AskedAndAnswered } from '../../src/payment/seen';
import { lookOn, type Looked } from '../../src/payment/look';
import { inboxKey } from './keys';
import { AMOUNT, POLICY } from './moments';
import { changedRow, type Row } from './row';
import { nowOf, type Bounds, type CallbackKind, type State } from './state';
import { ENDINGS, EXPECTED, OBSERVATIONS, OTHER_ACCOUNT, OUR_ACCOUNT, READINGS, type Observed } from './words';

/**
 * What the store does with the payment's row: the product's rules, called as the store calls them. What they have said is kept, because
 * the same is asked in many states: a store is made anew whenever a rule is left out.
 */
export interface StoreRules {
  /** `unwritten`: what its worker had seen before, and could not write. */
  look(state: State, observed: Observed, when: AskedAndAnswered, more?: More): LookedAt;
  claimable(state: State, content: 'registered' | 'other'): Claimable['kind'];
  /** The outcome that is recorded when this end is asked for; undefined: none. */
  outcomeOf(state: State, ending: Ending, now?: number): BillPaymentOutcome | undefined;
  /** All ends that could be recorded now. */
  ends(state: State, now?: number): readonly End[];
  contradicts(state: State, kind: CallbackKind): boolean;
}

interface More {
  readonly now?: number;
  readonly unwritten?: { readonly observed: Observed; readonly when: AskedAndAnswered };
}

export interface LookedAt {
  /** As the look leaves it. */
  readonly row: Row;
  /** Absent: it came too late, and says nothing but what is true for ever. */
  readonly verdict?: Verdict;
}

export interface End {
  readonly what: string;
  readonly outcome: BillPaymentOutcome;
}

export function storeRules(bounds: Bounds): StoreRules {
  const { prepaid, failedWithoutCode } = bounds;
  const rules = { policy: POLICY, prepaid, failedWithoutCode };
  const observations = OBSERVATIONS[prepaid ? 'prepaid' : 'postpaid'];
  const looks = new Map<string, LookedAt>();
  const claims = new Map<string, Claimable['kind']>();
  const ends = new Map<string, readonly End[]>();

  function factsOf({ row, inbox, isCut }: State): Facts {
    const readings = inbox.map(({ kind }) => READINGS[kind]);
    return {
      paymentId: EXPECTED.paymentId,
      amount: AMOUNT,
      currency: EXPECTED.currency,
      fundingAccount: 'float',
      rules,
      registeredAt: 0,
      claim: row.claim,
      seen: row.seen,
      callbacks: weighCallbacks(EXPECTED, readings, isCut),
      ...(row.attentionSince !== undefined && { attentionSince: row.attentionSince }),
      ...(row.closed !== undefined && { closed: row.closed }),
    };
  }

  const store: StoreRules = {
    look(state, observed, when, { now = nowOf(state), unwritten } = {}) {
      const before = unwritten && `${unwritten.observed}${unwritten.when.askedAt}`;
      return kept(
        looks,
        `${state.row.id}|${inboxKey(state)}|${observed}|${when.askedAt}|${when.answeredAt}|${now}|${before}`,
        () => {
          const looked = lookOn(factsOf(state), {
            expected: EXPECTED,
            observation: observations[observed],
            when,
            unwritten: unwritten && { observation: observations[unwritten.observed], when: unwritten.when },
            now,
            account: observed === 'not-found, other account' ? OTHER_ACCOUNT : OUR_ACCOUNT,
          });
          const row = rowAfter(state.row, looked);
          return looked.kind === 'too-old' ? { row } : { row, verdict: looked.verdict };
        },
      );
    },

    claimable: (state, content) =>
      kept(claims, `${state.row.id}${content}`, () => claimable(factsOf(state), content === 'registered').kind),

    outcomeOf(state, ending, now = nowOf(state)) {
      const decision = decide(factsOf(state), ending, { now, provider: 'the provider' });
      return decision.kind === 'record' ? decision.outcome : undefined;
    },

    ends: (state, now = nowOf(state)) =>
      kept(ends, `${state.row.id}|${inboxKey(state)}|${now}`, () =>
        Object.entries(ENDINGS).flatMap(([what, ending]) => {
          const outcome = store.outcomeOf(state, ending, now);
          return outcome === undefined ? [] : [{ what, outcome }];
        }),
      ),

    contradicts({ row }, kind) {
      if (row.closed === undefined) return false;
      const { accountNumber } = EXPECTED;
      return compareWithOutcome({ outcome: row.closed.outcome, accountNumber }, READINGS[kind]).kind === 'contradicts';
    },
  };
  return store;
}

function rowAfter(row: Row, looked: Looked): Row {
  const { seen, attentionSince, afterEnd } = looked;
  const { closed } = row;
  const disputed = closed?.disputed === true || afterEnd?.kind === 'contradicts';
  return changedRow(row, {
    seen,
    ...(attentionSince !== undefined && { attentionSince }),
    ...(closed !== undefined && { closed: { ...closed, disputed } }),
  });
}

function kept<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}
