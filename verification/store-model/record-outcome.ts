import { decide } from '../../src/payment/decide';
import { isOutcomeOf, type Ending } from '../../src/payment/ending';
import type { Receipt } from '../../src/payment/observation';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { RecordResult } from '../../src/payment/steps';
import { paidWithoutMoney } from '../../src/payment/words';
import type { Merchant, OperatorAction } from '../../src/store';
import { readingOf, SEALED } from '../../src/store/facts';
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
      const asks = facts.attentionSince === undefined && verdict.kind === 'open' && verdict.ask !== undefined;
      if (asks) update(payment, { attention_since: new Date(now) });
      return { kind: 'open', look: { facts: asks ? { ...facts, attentionSince: now } : facts, verdict, at: now } };
    }
    case 'record': {
      const { outcome } = decision;
      const action = isOutcomeOf(outcome, ending) ? actionOf(ending) : undefined;
      // A store that was restored from a backup has forgotten the claim, and with it that the money is held.
      const isForgotten = action !== undefined && outcome.kind === 'paid' && facts.claim.kind === 'free';
      if (isForgotten && hold(tables, payment) !== 'held')
        return {
          kind: 'refused',
          because: paidWithoutMoney(facts),
        };
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

function actionOf(ending: Ending): OperatorAction | undefined {
  if (ending.kind === 'decided') {
    const { operator, note, ...details } = ending.resolution;
    return { operator, note, action: 'resolvePayment', details, ...updateIdOf(ending) };
  }
  if (ending.kind === 'proven' || ending.why.kind === 'gave-up') return undefined;
  const { operator, note } = ending.why;
  return { operator, note, action: 'cancelPayment', ...updateIdOf(ending.why) };
}

const updateIdOf = ({ updateId }: { readonly updateId?: string }): { readonly updateId?: string } =>
  updateId === undefined ? {} : { updateId };
