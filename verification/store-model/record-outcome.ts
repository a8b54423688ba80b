import { decide } from '../../src/payment/decide';
import { isOutcomeOf, type Ending } from '../../src/payment/ending';
import { mustHoldFirst } from '../../src/payment/facts';
import { askedSince } from '../../src/payment/judge';
import type { Receipt } from '../../src/payment/observation';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { RecordResult } from '../../src/payment/steps';
import { paidWithoutMoney } from '../../src/payment/words';
import type { Merchant } from '../../src/store';
import { readingOf, SEALED } from '../../src/store/facts';
import { actionOf } from '../../src/payment/operator-action';
import { writeOutcome, type StoredOutcome } from '../../src/store/values';
import { recordModelAction } from './actions';
import { hold, settle } from './funds';
import type { StoreModelOptions } from './options';
import { callbacksOf, outcomeOf, paymentOf, selected, update, type PaymentRow, type Tables } from './tables';

/** The end of a payment: read, decided by the product's rule, and written, at once. */
export async function recordModelOutcome(
  tables: Tables,
  options: StoreModelOptions,
  paymentId: string,
  ending: Ending,
  by: Merchant,
): Promise<RecordResult> {
  const payment = paymentOf(tables, paymentId);
  const { facts, now } = readingOf(selected(tables, payment, options.now()), by);
  const decision = decide(facts, ending, { now, provider: by.provider });
  switch (decision.kind) {
    case 'closed':
    case 'refused':
      return decision;
    case 'open': {
      const { verdict } = decision;
      const attentionSince = askedSince(facts, verdict, now);
      if (attentionSince === facts.attentionSince || attentionSince === undefined)
        return { kind: 'open', look: { facts, verdict, at: now } };
      update(payment, { attention_since: new Date(attentionSince) });
      return { kind: 'open', look: { facts: { ...facts, attentionSince }, verdict, at: now } };
    }
    case 'record': {
      const { outcome } = decision;
      const action = isOutcomeOf(outcome, ending) ? actionOf(ending) : undefined;
      const takesMoney = action !== undefined && mustHoldFirst(facts, outcome);
      if (takesMoney && hold(tables, payment) !== 'held') return { kind: 'refused', because: paidWithoutMoney(facts) };
      if (action !== undefined) recordModelAction(tables, payment, action, new Date(now));
      return await end(tables, options, payment, outcome);
    }
  }
}

async function end(
  tables: Tables,
  { bugs = {}, betweenSteps }: StoreModelOptions,
  payment: PaymentRow,
  outcome: BillPaymentOutcome,
): Promise<RecordResult> {
  const { payment_id: paymentId } = payment;
  const columns = writeOutcome(outcome);
  const closedAt = new Date(outcome.closedAt);
  const written = {
    outcome: JSON.parse(columns.outcome) as StoredOutcome,
    receipt: JSON.parse(columns.receipt) as Receipt,
  };
  // With the bug, an attempt that has read the row before still finds it free and unchanged.
  if (bugs.noSeal === true) Object.assign(payment, written);
  else
    update(payment, {
      ...written,
      claimed_at: payment.claimed_at ?? closedAt,
      claimed_by: payment.claimed_by ?? SEALED,
    });
  for (const callback of callbacksOf(tables, paymentId)) callback.handledAs ??= 'close';
  if (bugs.twoStepRecord === true) await betweenSteps?.(paymentId);
  settle(tables, paymentId, outcome.kind === 'paid' ? outcome.amount : 0);
  return { kind: 'closed', outcome: outcomeOf(payment) ?? outcome, disputed: false };
}
