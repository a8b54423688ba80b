import type { Database, Queryable } from './database';
import { safeInteger, storableJson, storableText } from './values';

/** `operator_actions`: who decided what, why, when, and what it looked like before. Written with what it decides. */

/** A person's decision. */
export interface OperatorAction {
  readonly operator: string;
  /** The command, such as `resolvePayment` or `cancelPayment`. */
  readonly action: string;
  readonly note: string;
  /** The engine's id of the update: one acts once, whatever is repeated, reset or started again. */
  readonly updateId?: string;
  /** The rest of the command's argument, kept as it came. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface RecordedAction extends OperatorAction {
  readonly id: number;
  readonly at: Date;
  /** State, claim, what was seen and how many callbacks, right before. */
  readonly before: Readonly<Record<string, unknown>>;
}

/** Before anything is changed, in the transaction that changes it. */
export async function recordAction(tx: Queryable, paymentId: string, action: OperatorAction): Promise<void> {
  await tx.query(
    `INSERT INTO operator_actions (payment_id, operator, action, note, details, update_id, before)
     SELECT p.payment_id, $2, $3, $4, $5, $6, jsonb_build_object(
              'state', p.state,
              'claimedAt', p.claimed_at,
              'answer', p.answer,
              'seen', p.seen,
              'attentionSince', p.attention_since,
              'disputedAt', p.disputed_at,
              'callbacks', (SELECT count(*) FROM callback_inbox c WHERE c.payment_id = p.payment_id))
       FROM payments p
      WHERE p.payment_id = $1`,
    [
      paymentId,
      storableText(action.operator),
      storableText(action.action),
      storableText(action.note),
      action.details === undefined ? null : storableJson(action.details),
      action.updateId === undefined ? null : storableText(action.updateId),
    ],
  );
}

interface ActionRow {
  readonly id: string;
  readonly operator: string;
  readonly action: string;
  readonly note: string;
  readonly details: Record<string, unknown> | null;
  readonly update_id: string | null;
  readonly before: Record<string, unknown>;
  readonly acted_at: Date;
}

export function createOperatorActions(database: Database) {
  return {
    /** Oldest first. */
    async list(paymentId: string): Promise<readonly RecordedAction[]> {
      const { rows } = await database.query<ActionRow>(
        `SELECT id, operator, action, note, details, update_id, before, acted_at
           FROM operator_actions WHERE payment_id = $1 ORDER BY id`,
        [paymentId],
      );
      return rows.map(({ id, operator, action, note, details, update_id, before, acted_at }) => ({
        id: safeInteger(id),
        operator,
        action,
        note,
        ...(details !== null && { details }),
        ...(update_id !== null && { updateId: update_id }),
        before,
        at: acted_at,
      }));
    },
  };
}

export type OperatorActions = ReturnType<typeof createOperatorActions>;
