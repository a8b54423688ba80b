import { decide } from '../payment/decide';
import { isOutcomeOf, type Ending } from '../payment/ending';
import { askedSince, type Verdict } from '../payment/judge';
import { mustHoldFirst } from '../payment/facts';
import type { BillPaymentOutcome } from '../payment/outcome';
import { actionOf, type OperatorAction } from '../payment/operator-action';
import type { RecordResult } from '../payment/steps';
import { paidWithoutMoney } from '../payment/words';
import type { Database, Queryable } from './database';
import { readingOf, readRow, SEALED, type Merchant, type PaymentRow, type Reading } from './facts';
import { HOLD, SETTLE } from './funds';
import { recordAction } from './operator-actions';
import { untilNotOvertaken } from './overtaken';
import { readOutcome, writeOutcome, type OutcomeColumns } from './values';

/**
 * The end of a payment. Nobody brings an outcome: it is made of what the row and the inbox say, and written on that row alone, so that
 * outcome, funds, seal, callbacks and a person's decision are all recorded or none is.
 */
export async function recordOutcome(
  database: Database,
  paymentId: string,
  ending: Ending,
  by: Merchant,
): Promise<RecordResult> {
  return await untilNotOvertaken(paymentId, async () => {
    const row = await readRow(database, paymentId);
    const reading = readingOf(row, by);
    const decision = decide(reading.facts, ending, { now: reading.now, provider: by.provider });
    switch (decision.kind) {
      case 'closed':
      case 'refused':
        return decision;
      case 'open':
        return await stayOpen(database, reading, decision.verdict);
      case 'record': {
        const { outcome } = decision;
        const action = isOutcomeOf(outcome, ending) ? actionOf(ending) : undefined;
        return action === undefined
          ? await end(database, row, outcome)
          : await database.transaction((tx) => decided(tx, reading, row, outcome, action));
      }
    }
  });
}

/** It does not end so. If a person is to be asked, it is written down since when. Undefined: the row had changed, as below. */
async function stayOpen(
  database: Database,
  { facts, now, version }: Reading,
  verdict: Verdict,
): Promise<RecordResult | undefined> {
  const attentionSince = askedSince(facts, verdict, now);
  if (attentionSince === undefined || attentionSince === facts.attentionSince)
    return { kind: 'open', look: { facts, verdict, at: now } };
  const { rowCount } = await database.query(
    'UPDATE payments SET attention_since = $3 WHERE payment_id = $1 AND version = $2',
    [facts.paymentId, version, new Date(attentionSince)],
  );
  return rowCount === 1 ? { kind: 'open', look: { facts: { ...facts, attentionSince }, verdict, at: now } } : undefined;
}

/**
 * One statement. The callbacks that were read are handled by it: a later one comes back from `pending`, and is compared with the
 * outcome.
 */
async function end(on: Queryable, row: PaymentRow, outcome: BillPaymentOutcome): Promise<RecordResult | undefined> {
  const columns = writeOutcome(outcome);
  const { rows } = await on.query<OutcomeColumns>(
    `/* end-payment */ WITH ended AS (
       UPDATE payments
          SET outcome = $3, receipt = $4, closed_at = $5,
              claimed_at = coalesce(claimed_at, $5), claimed_by = coalesce(claimed_by, '${SEALED}') -- the seal, if nobody claimed it
        WHERE payment_id = $1 AND version = $2 AND outcome IS NULL
       RETURNING payment_id, outcome, receipt, $6::bigint AS paid),
     ${SETTLE},
     handled AS (
       UPDATE callback_inbox SET handled_as = 'close', handled_at = now()
        WHERE handled_as IS NULL
          AND id IN (SELECT id FROM callback_inbox JOIN ended USING (payment_id) WHERE id = ANY ($7::bigint[]) ORDER BY id FOR UPDATE))
     SELECT outcome, receipt FROM ended`,
    [
      ...[row.payment_id, row.version, columns.outcome, columns.receipt, outcome.closedAt],
      ...[outcome.kind === 'paid' ? outcome.amount : 0, row.callbacks.map(({ id }) => id)],
    ],
  );
  const recorded = rows[0] && readOutcome(rows[0]);
  return recorded && { kind: 'closed', outcome: recorded, disputed: false };
}

/** With who decided it. A decision that proof went before is none: it leaves no row. */
async function decided(
  tx: Queryable,
  { facts }: Reading,
  row: PaymentRow,
  outcome: BillPaymentOutcome,
  action: OperatorAction,
): Promise<RecordResult | undefined> {
  const takesMoney = mustHoldFirst(facts, outcome);
  const { rows } = await tx.query<{ same: boolean; held: boolean }>(
    `WITH payment AS (
       SELECT payment_id, funding_account, amount, currency FROM payments
        WHERE payment_id = $1 AND version = $2 FOR UPDATE)${takesMoney ? `, ${HOLD}` : ', held AS (SELECT FROM payment)'}
     SELECT EXISTS (SELECT FROM payment) AS same, EXISTS (SELECT FROM held) AS held`,
    [facts.paymentId, row.version],
  );
  if (rows[0]?.same !== true) return undefined;
  if (!rows[0].held) return { kind: 'refused', because: paidWithoutMoney(facts) };
  await recordAction(tx, facts.paymentId, action);
  return await end(tx, row, outcome);
}
