import { weighCallbacks } from '../payment/callback-evidence';
import type { Claim, Facts, Rules } from '../payment/facts';
import type { CallbackReading } from '../payment/observation';
import type { Expected, Seen } from '../payment/seen';
import type { Queryable } from './database';
import { UnknownPayment } from './errors';
import { readOutcome, safeInteger, type OutcomeColumns } from './values';

/** From a payment's row to the facts that the rules in `src/payment` judge. */

/** In `claimed_by` of a payment that has ended without being sent: nobody can send it any more. */
export const SEALED = 'sealed';

/** Who asks. */
export interface Merchant {
  /** Names the merchant account. */
  readonly account: string;
  /** The provider's name, for texts. */
  readonly provider: string;
  /** The stricter of this and of what was registered counts. */
  readonly failedWithoutCode: Rules['failedWithoutCode'];
}

/** What is known at one moment. */
export interface Reading {
  readonly facts: Facts;
  /** Epoch ms by the database's clock, read with the facts. */
  readonly now: number;
  /** Of the row: a write on the ground of this reading takes effect only if it is still the same. */
  readonly version: number;
  /** Of the content that was registered. */
  readonly fingerprint: string;
  /** What its funding account has available. Absent: it names none, or there is none of that name in its currency. */
  readonly available?: number;
}

export interface PaymentRow extends OutcomeColumns {
  readonly payment_id: string;
  readonly fingerprint: string;
  readonly account_number: string;
  readonly amount: string;
  readonly currency: string;
  readonly funding_account: string | null;
  readonly rules: Rules;
  readonly registered_at: Date;
  readonly claimed_at: Date | null;
  readonly claimed_by: string | null;
  readonly claim_account: string | null;
  readonly session_expires_at: Date | null;
  readonly answer: NonNullable<Extract<Claim, { kind: 'taken' }>['answer']> | null;
  readonly seen: Seen;
  readonly attention_since: Date | null;
  readonly disputed: boolean;
  readonly version: string;
  readonly now: Date;
  readonly available: string | null;
  readonly overflowed: string;
  readonly callbacks: readonly { readonly id: number; readonly reading: CallbackReading }[];
}

/** Of payment `p`, with its callbacks: one statement sees one moment. The inbox bounds how many there are. */
export const ROW = `
  p.payment_id, p.fingerprint, p.account_number, p.amount, p.currency, p.funding_account, p.rules, p.registered_at,
  p.claimed_at, p.claimed_by, p.claim_account, p.session_expires_at, p.answer, p.seen, p.attention_since,
  p.outcome, p.receipt, p.disputed_at IS NOT NULL AS disputed, p.version, clock_timestamp() AS now,
  (SELECT a.available FROM funding_accounts a WHERE a.id = p.funding_account AND a.currency = p.currency) AS available,
  coalesce((SELECT n.overflowed FROM callback_counts n WHERE n.payment_id = p.payment_id), 0) AS overflowed,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'reading', c.reading) ORDER BY c.id), '[]')
     FROM callback_inbox c WHERE c.payment_id = p.payment_id) AS callbacks`;

/** @throws UnknownPayment */
export async function readRow(on: Queryable, paymentId: string): Promise<PaymentRow> {
  const { rows } = await on.query<PaymentRow>(
    `/* read-payment */ SELECT ${ROW} FROM payments p WHERE p.payment_id = $1`,
    [paymentId],
  );
  if (rows[0] === undefined) throw new UnknownPayment(paymentId);
  return rows[0];
}

export function readingOf(row: PaymentRow, by: Merchant): Reading {
  return {
    facts: factsOf(row, by),
    now: row.now.getTime(),
    version: safeInteger(row.version),
    fingerprint: row.fingerprint,
    ...(row.available !== null && { available: safeInteger(row.available) }),
  };
}

export const expectedOf = ({ payment_id, account_number, amount, currency }: PaymentRow): Expected => ({
  paymentId: payment_id,
  accountNumber: account_number,
  amount: safeInteger(amount),
  currency,
});

function factsOf(row: PaymentRow, by: Merchant): Facts {
  const { paymentId, amount, currency } = expectedOf(row);
  const readings = row.callbacks.map(({ reading }) => reading);
  const outcome = readOutcome(row);
  return {
    paymentId,
    amount,
    currency,
    ...(row.funding_account !== null && { fundingAccount: row.funding_account }),
    rules: { ...row.rules, failedWithoutCode: stricter(row.rules.failedWithoutCode, by.failedWithoutCode) },
    registeredAt: row.registered_at.getTime(),
    claim: claimOf(row),
    seen: row.seen,
    callbacks: weighCallbacks(expectedOf(row), readings, safeInteger(row.overflowed) > 0),
    ...(row.attention_since !== null && { attentionSince: row.attention_since.getTime() }),
    ...(outcome !== undefined && { closed: { outcome, disputed: row.disputed } }),
  };
}

function claimOf({ claimed_at, claimed_by, claim_account, session_expires_at, answer }: PaymentRow): Claim {
  if (claimed_at === null) return { kind: 'free' };
  // The table checks that every other claim names its request.
  if (claimed_by === SEALED || claim_account === null || session_expires_at === null) return { kind: 'sealed' };
  return {
    kind: 'taken',
    at: claimed_at.getTime(),
    account: claim_account,
    sessionExpiresAt: session_expires_at.getTime(),
    ...(answer !== null && { answer }),
  };
}

const stricter = (one: Rules['failedWithoutCode'], other: Rules['failedWithoutCode']): Rules['failedWithoutCode'] =>
  one === 'decline' && other === 'decline' ? 'decline' : 'ask';
