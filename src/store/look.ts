import type { Facts } from '../payment/facts';
import { judge } from '../payment/judge';
import { learn, type Learnt, type Told } from '../payment/learn';
import type { Observation } from '../payment/observation';
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
export async function look(
  database: Database,
  paymentId: string,
  observed: Observed,
  by: Merchant,
  unwritten: Observed | undefined,
): Promise<Look> {
  return await untilNotOvertaken(paymentId, () => tryLook(database, paymentId, observed, by, unwritten));
}

async function tryLook(
  database: Database,
  paymentId: string,
  observed: Observed,
  by: Merchant,
  unwritten: Observed | undefined,
): Promise<Look | undefined> {
  // Taken before the database tells the time, and when it was asked after it: the answer is surely not younger, nor the question older.
  const [answeredAgo, before] = [observed.answeredAgo(), unwritten?.answeredAgo()];
  const row = await readRow(database, paymentId);
  const reading = readingOf(row, by);
  const { now } = reading;
  const toldBy = ({ observation, askedAgo }: Observed, answered: number): Told => ({
    observation: asStored(observation),
    when: { askedAt: Math.floor(now - askedAgo()), answeredAt: Math.ceil(now - answered) },
  });
  const learnt = learn(
    reading.facts,
    expectedOf(row),
    toldBy(observed, answeredAgo),
    unwritten && toldBy(unwritten, before ?? 0),
    { now, account: by.account },
  );
  const known = learnt.isNews ? await write(database, reading, learnt) : learnt.facts;
  if (known === undefined) return undefined;
  if (learnt.isTooOld) throw new AnswerTooOld(paymentId);
  return { facts: known, verdict: judge(known, now), at: now, said: observed.observation.said };
}

export function isAsking(facts: Facts, now: number): boolean {
  const verdict = judge(facts, now);
  return verdict.kind === 'open' && verdict.ask !== undefined;
}

/**
 * What was seen, and since when a person is asked. An outcome stands: what contradicts it is a dispute, and an empty receipt is filled,
 * both in the same transaction. Undefined: the row had changed, and nothing was written.
 */
async function write(database: Database, { version }: Reading, { facts, afterEnd }: Learnt): Promise<Facts | undefined> {
  const { paymentId, seen, attentionSince, closed } = facts;
  const receipt = afterEnd.kind === 'receipt' ? filledReceipt(afterEnd.receipt) : {};
  const sql = `UPDATE payments SET seen = $3, attention_since = coalesce(attention_since, $4), receipt = $5::jsonb || receipt
                WHERE payment_id = $1 AND version = $2`;
  const values = [
    ...[paymentId, version, storableJson(seen)],
    ...[attentionSince === undefined ? null : new Date(attentionSince), storableJson(receipt)],
  ];
  if (afterEnd.kind !== 'contradicts') {
    if ((await database.query(sql, values)).rowCount !== 1) return undefined;
  } else {
    const isWritten = await database.transaction(async (tx) => {
      if ((await tx.query(sql, values)).rowCount !== 1) return false;
      await raiseDispute(tx, paymentId, { by: 'look', because: afterEnd.because });
      return true;
    });
    if (!isWritten) return undefined;
  }
  if (closed === undefined) return facts;
  const { outcome, disputed } = closed;
  const standing = outcome.kind === 'paid' ? { ...outcome, receipt: { ...receipt, ...outcome.receipt } } : outcome;
  return { ...facts, closed: { outcome: standing, disputed: disputed || afterEnd.kind === 'contradicts' } };
}
