import type { OperatorAction, OperatorActions } from '../../src/store';
import { storableText } from '../../src/store/values';
import { callbacksOf, RefusedByDatabase, stored, type PaymentRow, type Tables } from './tables';

export function modelOperatorActions({ actions }: Tables): OperatorActions {
  return {
    async list(paymentId) {
      return actions
        .filter((action) => action.paymentId === paymentId)
        .map(({ paymentId: _itself, ...action }) => action);
    },
  };
}

/** Before anything is changed, with what it looks like before. */
export function recordModelAction(tables: Tables, payment: PaymentRow, action: OperatorAction, at: Date): void {
  const { paymentId } = payment;
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
  const { paymentId, claim, seen, attentionSince, disputedAt, outcome } = payment;
  return {
    state: outcome?.kind ?? 'open',
    claimedAt: claim.kind === 'taken' ? iso(claim.at) : null,
    answer: (claim.kind === 'taken' && claim.answer) || null,
    seen,
    attentionSince: attentionSince === undefined ? null : iso(attentionSince),
    disputedAt: disputedAt?.toISOString() ?? null,
    callbacks: callbacksOf(tables, paymentId).length,
  };
}

const iso = (at: number): string => new Date(at).toISOString();

export function stateOf({
  settled,
}: {
  readonly settled?: { readonly posted: number };
}): 'reserved' | 'posted' | 'voided' {
  if (settled === undefined) return 'reserved';
  return settled.posted > 0 ? 'posted' : 'voided';
}
