import type { OperatorAction } from '../../src/payment/operator-action';
import type { OperatorActions } from '../../src/store';
import { storableText } from '../../src/store/values';
import { callbacksOf, outcomeOf, paymentOf, RefusedByDatabase, stored, type PaymentRow, type Tables } from './tables';

export function modelOperatorActions(tables: Tables): OperatorActions {
  const { actions, refusedActions } = tables;
  return {
    async list(paymentId) {
      return actions
        .filter((action) => action.paymentId === paymentId)
        .map(({ paymentId: _itself, ...action }) => action);
    },
    async refusal(paymentId, action) {
      return refusedActions.get(keyOf(paymentId, action));
    },
    async refuse(paymentId, action, because) {
      paymentOf(tables, paymentId);
      const key = keyOf(paymentId, action);
      if (action.updateId !== undefined && !refusedActions.has(key)) refusedActions.set(key, storableText(because));
    },
  };
}

const keyOf = (paymentId: string, { action, updateId = '' }: OperatorAction): string =>
  JSON.stringify([paymentId, ...[action, updateId].map(storableText)]);

/** Before anything is changed, with what it looks like before. */
export function recordModelAction(tables: Tables, payment: PaymentRow, action: OperatorAction, at: Date): void {
  const paymentId = payment.payment_id;
  const updateId = action.updateId === undefined ? undefined : storableText(action.updateId);
  const actedBefore = (other: Tables['actions'][number]): boolean =>
    other.paymentId === paymentId && other.action === storableText(action.action) && other.updateId === updateId;
  if (updateId !== undefined && tables.actions.some(actedBefore))
    throw new RefusedByDatabase('23505', 'operator_actions_act_once');
  tables.actions.push({
    id: tables.actions.length + 1,
    paymentId,
    operator: storableText(action.operator),
    action: storableText(action.action),
    note: storableText(action.note),
    ...(action.details !== undefined && { details: stored(action.details) }),
    ...(updateId !== undefined && { updateId }),
    before: before(tables, payment),
    at,
  });
}

function before(tables: Tables, payment: PaymentRow): Readonly<Record<string, unknown>> {
  return stored({
    state: outcomeOf(payment)?.kind ?? 'open',
    claimedAt: payment.claimed_at,
    answer: payment.answer,
    seen: payment.seen,
    attentionSince: payment.attention_since,
    disputedAt: payment.disputed_at,
    callbacks: callbacksOf(tables, payment.payment_id).length,
  });
}
