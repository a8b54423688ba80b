import { compareAfterEnd, type AfterEnd } from './after-end';
import type { Facts } from './facts';
import { judge, type Verdict } from './judge';
import type { Observation } from './observation';
import { answerIn, isTooOld, merge, remember, type Answer, type AskedAndAnswered, type Expected } from './seen';

/** What the provider has told, and when: epoch ms by the database's clock. */
export interface Told {
  readonly observation: Observation;
  readonly when: AskedAndAnswered;
}

/** What a look leaves behind. */
export interface Learnt {
  /** As they are once it is written. */
  readonly facts: Facts;
  readonly verdict: Verdict;
  /** Whether there is anything to write. */
  readonly isNews: boolean;
  /** It was asked too long ago to say how things stand: look again. What is true for ever is written all the same. */
  readonly isTooOld: boolean;
  /** What it says about a payment that has ended. */
  readonly afterEnd: AfterEnd;
}

/**
 * A look, as a pure function: what is known with what was told.
 * @param unwritten what the looker has seen before and could not write down
 */
export function learn(
  facts: Facts,
  expected: Expected,
  told: Told,
  unwritten: Told | undefined,
  { now, account }: { readonly now: number; readonly account: string },
): Learnt {
  const isAnotherAccount = facts.claim.kind === 'taken' && facts.claim.account !== account;
  const answerOf = ({ observation, when }: Told): Answer | undefined =>
    answerIn(observation, expected, when, isAnotherAccount);
  const before = unwritten && answerOf(unwritten);
  const answer = answerOf(told);
  const isLate = answer !== undefined && isTooOld(told.when, now);

  const remembered = before === undefined ? facts.seen : remember(facts.seen, before);
  const seen =
    answer === undefined || isNothing(facts, answer)
      ? remembered
      : isLate
        ? remember(remembered, answer)
        : merge(remembered, answer);
  const verdict = judge({ ...facts, seen }, now);
  const isAsked = facts.closed === undefined && verdict.kind === 'open' && verdict.ask !== undefined;
  const attentionSince = facts.attentionSince ?? (isAsked ? now : undefined);
  const known = { ...facts, seen, ...(attentionSince !== undefined && { attentionSince }) };
  return {
    facts: known,
    verdict: judge(known, now),
    isNews: seen !== facts.seen || attentionSince !== facts.attentionSince,
    isTooOld: isLate,
    afterEnd:
      facts.closed === undefined || answer === undefined || isLate
        ? { kind: 'agrees' }
        : compareAfterEnd(facts.closed.outcome, answer),
  };
}

/** That it is not known before anybody has sent it: nobody waits for that. */
const isNothing = ({ claim, seen }: Facts, { state }: Answer): boolean =>
  claim.kind !== 'taken' && state === 'not-found' && seen.last === undefined;
