import { compareAfterEnd } from '../payment/after-end';
import type { Closed, Facts } from '../payment/facts';
import { judge } from '../payment/judge';
import type { Observation } from '../payment/observation';
import { answerIn, isTooOld, merge, type Answer, type Seen } from '../payment/seen';
import type { Look } from '../payment/steps';
import type { Database } from './database';
import { raiseDispute } from './disputes';
import { AnswerTooOld } from './errors';
import { expectedOf, readingOf, readRow, type Merchant, type Reading } from './facts';
import { untilNotOvertaken } from './overtaken';
import { asStored, filledReceipt, storableJson } from './values';

/** What the provider has said, and how long ago it was asked and had answered, in ms, by this process's clocks. */
export interface Observed {
  readonly observation: Observation;
  /** By the clock that says longer. */
  readonly askedAgo: () => number;
  readonly answeredAgo: () => number;
}

/** A look writes before it speaks: what was said is merged into what is known, and what then holds is judged and given back. */
export async function look(database: Database, paymentId: string, observed: Observed, by: Merchant): Promise<Look> {
  return await untilNotOvertaken(paymentId, () => tryLook(database, paymentId, observed, by));
}

async function tryLook(
  database: Database,
  paymentId: string,
  { observation, askedAgo, answeredAgo }: Observed,
  by: Merchant,
): Promise<Look | undefined> {
  // Taken before the database tells the time, and the other after it: the answer is surely not younger, nor the question older.
  const answered = answeredAgo();
  const row = await readRow(database, paymentId);
  const reading = readingOf(row, by);
  const { facts, now } = reading;
  const when = { askedAt: Math.floor(now - askedAgo()), answeredAt: Math.ceil(now - answered) };
  const isAnotherAccount = facts.claim.kind === 'taken' && facts.claim.account !== by.account;
  const answer = asStored(answerIn(observation, expectedOf(row), when, isAnotherAccount));
  if (answer !== undefined && isTooOld(when, now)) throw new AnswerTooOld(paymentId);

  const isNews = answer !== undefined && !isNothing(facts, answer);
  const seen = isNews ? merge(facts.seen, answer) : facts.seen;
  const known =
    facts.closed === undefined
      ? await writeOpen(database, reading, isNews, seen)
      : await writeClosed(database, reading, facts.closed, isNews ? answer : undefined, seen);
  return known && { facts: known, verdict: judge(known, now), at: now, said: observation.said };
}

/** That it is not known before anybody has sent it: nobody waits for that. */
const isNothing = ({ claim, seen }: Facts, { state }: Answer): boolean =>
  claim.kind !== 'taken' && state === 'not-found' && seen.last === undefined;

/** The first look that asks for a person says since when. Undefined: the row had changed, as below. */
async function writeOpen(
  database: Database,
  { facts, now, version }: Reading,
  isNews: boolean,
  seen: Seen,
): Promise<Facts | undefined> {
  const known = { ...facts, seen };
  const asks = facts.attentionSince === undefined && isAsking(known, now);
  if (!isNews && !asks) return facts;
  const { rowCount } = await database.query(
    'UPDATE payments SET seen = $3, attention_since = coalesce(attention_since, $4) WHERE payment_id = $1 AND version = $2',
    [facts.paymentId, version, storableJson(seen), asks ? new Date(now) : null],
  );
  if (rowCount !== 1) return undefined;
  return asks ? { ...known, attentionSince: now } : known;
}

export function isAsking(facts: Facts, now: number): boolean {
  const verdict = judge(facts, now);
  return verdict.kind === 'open' && verdict.ask !== undefined;
}

/** The outcome stands. What contradicts it is a dispute, and an empty receipt is filled, together with what was seen. */
async function writeClosed(
  database: Database,
  { facts, version }: Reading,
  { outcome, disputed }: Closed,
  answer: Answer | undefined,
  seen: Seen,
): Promise<Facts | undefined> {
  if (answer === undefined) return facts;
  const { paymentId } = facts;
  const comparison = compareAfterEnd(outcome, answer);
  const receipt = comparison.kind === 'receipt' ? filledReceipt(comparison.receipt) : {};
  const isWritten = await database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'UPDATE payments SET seen = $3, receipt = $4::jsonb || receipt WHERE payment_id = $1 AND version = $2',
      [paymentId, version, storableJson(seen), storableJson(receipt)],
    );
    if (rowCount === 1 && comparison.kind === 'contradicts')
      await raiseDispute(tx, paymentId, { by: 'look', because: comparison.because });
    return rowCount === 1;
  });
  if (!isWritten) return undefined;
  const standing = outcome.kind === 'paid' ? { ...outcome, receipt: { ...receipt, ...outcome.receipt } } : outcome;
  return { ...facts, seen, closed: { outcome: standing, disputed: disputed || comparison.kind === 'contradicts' } };
}
