import { compareAfterEnd, type AfterEnd, type RecordedOutcome } from './after-end';
import { isKnownThere, isOfAnotherAccount, type Facts } from './facts';
import { askedSince, judge, type Verdict } from './judge';
import type { Observation } from './observation';
import {
  answerIn,
  isTooOld,
  merge,
  remember,
  type Answer,
  type AskedAndAnswered,
  type Expected,
  type Seen,
} from './seen';

/**
 * What one look leaves behind. Pure: the store writes it on the row that it was asked about, and only then tells it. `afterEnd`: what
 * is said about a payment that has ended.
 */
export type Looked = {
  readonly seen: Seen;
  /** Since when a person is asked: since this look, or an earlier one. */
  readonly attentionSince?: number;
  readonly afterEnd?: AfterEnd;
} & (
  | { readonly kind: 'looked'; readonly verdict: Verdict }
  /** Look again. What it has told for ever is kept all the same. */
  | { readonly kind: 'too-old' }
);

/** What the provider has told, and when. */
export interface Told {
  readonly observation: Observation;
  readonly when: AskedAndAnswered;
}

export interface Looking extends Told {
  readonly expected: Expected;
  /** What the looker has seen before and could not write down: what of it is true for ever is kept. */
  readonly unwritten?: Told | undefined;
  /** By the database's clock, read after the facts. */
  readonly now: number;
  /** Names the merchant account whose credentials asked. */
  readonly account: string;
}

export function lookOn(facts: Facts, { expected, observation, when, unwritten, now, account }: Looking): Looked {
  const { claim, closed } = facts;
  const isAnotherAccount = isOfAnotherAccount(claim, account);
  const before = unwritten && answerIn(unwritten.observation, expected, unwritten.when, isAnotherAccount);
  const known = before === undefined ? facts.seen : remember(facts.seen, before);
  const answer = answerIn(observation, expected, when, isAnotherAccount);
  const afterEnd = closed && compareAll(closed.outcome, answer, before);
  const leaves = (seen: Seen, attentionSince = facts.attentionSince) => ({
    seen,
    ...(attentionSince !== undefined && { attentionSince }),
    ...(afterEnd !== undefined && { afterEnd }),
  });
  if (answer !== undefined && isTooOld(when, now)) return { kind: 'too-old', ...leaves(remember(known, answer)) };

  // That it is not known before anybody has sent it: nobody waits for that, unless something speaks against it.
  const isUnsent = claim.kind !== 'taken' && !isKnownThere({ ...facts, seen: known });
  const isNothing = isUnsent && answer?.state === 'not-found';
  const seen = answer === undefined || isNothing ? known : merge(known, answer);
  const verdict = judge({ ...facts, seen }, now);
  return { kind: 'looked', verdict, ...leaves(seen, askedSince(facts, verdict, now)) };
}

/** However late it is written: what contradicts the end goes first. */
function compareAll(outcome: RecordedOutcome, ...answers: readonly (Answer | undefined)[]): AfterEnd | undefined {
  const compared = answers.filter((answer) => answer !== undefined).map((answer) => compareAfterEnd(outcome, answer));
  const first = (kind: AfterEnd['kind']) => compared.find((one) => one.kind === kind);
  return first('contradicts') ?? first('receipt') ?? compared[0];
}
