import type { AfterEnd } from '../payment/after-end';
import type { Closed, Facts } from '../payment/facts';
import { lookOn, type Looked, type Told } from '../payment/look';
import type { Observation, Receipt } from '../payment/observation';
import type { Look } from '../payment/steps';
import type { Database, Queryable } from './database';
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
  /** By the clock that says shorter. */
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
  return await untilNotOvertaken(paymentId, async () => {
    // Taken before the database tells the time, and the other after it: the answer is surely not younger, nor the question older.
    const answeredAgo = observed.answeredAgo();
    const earlierAgo = unwritten?.answeredAgo() ?? 0;
    const row = await readRow(database, paymentId);
    const reading = readingOf(row, by);
    const { facts, now } = reading;
    const toldBy = ({ observation, askedAgo }: Observed, answered: number): Told => ({
      observation: asStored(observation),
      when: { askedAt: Math.floor(now - askedAgo()), answeredAt: Math.ceil(now - answered) },
    });
    const looked = lookOn(facts, {
      ...toldBy(observed, answeredAgo),
      unwritten: unwritten && toldBy(unwritten, earlierAgo),
      expected: expectedOf(row),
      now,
      account: by.account,
    });
    const known = await write(database, reading, looked);
    if (known === undefined) return undefined;
    if (looked.kind === 'too-old') throw new AnswerTooOld(paymentId);
    return { facts: known, verdict: looked.verdict, at: now, said: observed.observation.said };
  });
}

/** With a dispute or a receipt that comes of it, at once. Undefined: the row had changed, and nothing is written. */
async function write(database: Database, { facts, version }: Reading, looked: Looked): Promise<Facts | undefined> {
  const { seen, attentionSince, afterEnd } = looked;
  if (seen === facts.seen && attentionSince === facts.attentionSince) return facts;
  const receipt = afterEnd?.kind === 'receipt' ? filledReceipt(afterEnd.receipt) : {};
  const update = async (on: Queryable): Promise<boolean> => {
    const { rowCount } = await on.query(
      `/* write-look */ UPDATE payments SET seen = $3, attention_since = coalesce(attention_since, $4), receipt = $5::jsonb || receipt
        WHERE payment_id = $1 AND version = $2`,
      [
        ...[facts.paymentId, version, storableJson(seen)],
        ...[attentionSince === undefined ? null : new Date(attentionSince), storableJson(receipt)],
      ],
    );
    return rowCount === 1;
  };
  const isWritten = await (afterEnd?.kind !== 'contradicts'
    ? update(database)
    : database.transaction(async (tx) => {
        if (!(await update(tx))) return false;
        await raiseDispute(tx, facts.paymentId, { by: 'look', because: afterEnd.because });
        return true;
      }));
  if (!isWritten) return undefined;
  const { closed } = facts;
  return {
    ...facts,
    seen,
    ...(attentionSince !== undefined && { attentionSince }),
    ...(closed !== undefined && { closed: closedAfter(closed, afterEnd, receipt) }),
  };
}

function closedAfter({ outcome, disputed }: Closed, afterEnd: AfterEnd | undefined, receipt: Receipt): Closed {
  return {
    outcome: outcome.kind === 'paid' ? { ...outcome, receipt: { ...receipt, ...outcome.receipt } } : outcome,
    disputed: disputed || afterEnd?.kind === 'contradicts',
  };
}
