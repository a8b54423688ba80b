import type { OperatorAction } from '../payment/operator-action';
import type { Database, Queryable } from './database';
import { safeInteger, storableJson, storableText } from './values';

/**
 * `operator_actions`: who decided what, why, when, and what it looked like before. Written with what it decides. `refused_actions`: who
 * was refused what.
 */

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

    /**
     * Why this command of a person was refused before, or undefined. Once refused it stays so: a reset offers every update to the new run
     * again, also one of which a person was told that it is not taken.
     */
    async refusal(paymentId: string, { action, updateId }: OperatorAction): Promise<string | undefined> {
      if (updateId === undefined) return undefined;
      const { rows } = await database.query<{ because: string }>(
        'SELECT because FROM refused_actions WHERE payment_id = $1 AND action = $2 AND md5(update_id) = md5($3)',
        [paymentId, storableText(action), storableText(updateId)],
      );
      return rows[0]?.because;
    },

    /** Before the person is told. The first time is kept. */
    async refuse(paymentId: string, action: OperatorAction, because: string): Promise<void> {
      if (action.updateId === undefined) return;
      await database.query(
        `INSERT INTO refused_actions (payment_id, operator, action, note, update_id, because)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        [paymentId, ...[action.operator, action.action, action.note, action.updateId, because].map(storableText)],
      );
    },
  };
}

export type OperatorActions = ReturnType<typeof createOperatorActions>;
