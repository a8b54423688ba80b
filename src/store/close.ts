import type { BillPaymentOutcome } from '../payment/outcome';
import type { CloseResult } from '../payment/steps';
import type { Queryable } from './database';
import { raiseDispute } from './disputes';
import { ImpossibleRequest, UnknownPayment } from './errors';
import { countCallbacks, nameConsidered } from './inbox';
import { recordAction, type OperatorAction } from './operator-actions';
import { moveFunds, settleReservation } from './reservations';
import { readOutcome, safeInteger, writeOutcome, type OutcomeColumns } from './values';

/** The end of a payment: one transaction, so that outcome, funds, seal and callbacks are all recorded or none is (design §8). */

/** In `claimed_by` of a payment that closed without being sent: nobody can send it any more. */
export const SEALED = 'sealed';

export interface Close {
  readonly paymentId: string;
  readonly outcome: BillPaymentOutcome;
  /** `callbackCount` of the facts it was decided on: these it names, and by these a decline is checked. */
  readonly callbacksConsidered: number;
  /** Decided on the ground that nothing was sent. If something may have been sent after all, it does not close. */
  readonly unsent: boolean;
  readonly action?: OperatorAction;
}

interface LockedPayment extends OutcomeColumns {
  readonly amount: string;
  readonly currency: string;
  readonly claimed: boolean;
  readonly completed_seen: boolean;
}

export async function closePayment(tx: Queryable, request: Close): Promise<CloseResult> {
  const { paymentId, outcome, callbacksConsidered, unsent, action } = request;
  const payment = await lockPayment(tx, paymentId);

  const standing = readOutcome(payment);
  if (standing !== undefined) return await stands(tx, standing, request);
  assertPossible(payment, request);
  if (unsent && payment.claimed) return { kind: 'may-have-been-sent' };
  const news = await newsAgainst(tx, payment, request);
  if (news !== undefined) return { kind: 'reconsider', because: news };

  if (action !== undefined) await recordAction(tx, paymentId, action);
  const settlement = await settleReservation(tx, paymentId, outcome.kind === 'paid' ? outcome.amount : 0);
  await recordOutcome(tx, paymentId, outcome);
  await nameConsidered(tx, paymentId, callbacksConsidered);
  if (settlement !== undefined) await moveFunds(tx, settlement);

  const recorded = readOutcome(await lockPayment(tx, paymentId));
  if (recorded === undefined) throw new ImpossibleRequest(`Payment ${paymentId}: its outcome was not written`);
  return { kind: 'recorded', outcome: recorded };
}

/** Until the commit nobody else reserves for, claims or closes this payment. */
async function lockPayment(tx: Queryable, paymentId: string): Promise<LockedPayment> {
  const { rows } = await tx.query<LockedPayment>(
    `SELECT amount, currency, claimed_at IS NOT NULL AS claimed, completed_seen_at IS NOT NULL AS completed_seen, outcome, receipt
       FROM payments WHERE payment_id = $1 FOR UPDATE`,
    [paymentId],
  );
  if (rows[0] === undefined) throw new UnknownPayment(paymentId);
  return rows[0];
}

/**
 * What is recorded stays. The same close again, because its answer was lost, is no contradiction: times and words may differ. Nor is
 * a cancellation beside a decline: that the bill was not paid is what both say.
 */
async function stands(
  tx: Queryable,
  standing: BillPaymentOutcome,
  { outcome: offered, unsent }: Close,
): Promise<CloseResult> {
  const amountPaid = (outcome: BillPaymentOutcome): number => (outcome.kind === 'paid' ? outcome.amount : 0);
  // Who gave up before sending says nothing about what the provider did.
  const contradicts = !unsent && amountPaid(standing) !== amountPaid(offered);
  if (contradicts) {
    await raiseDispute(tx, standing.paymentId, {
      by: 'close',
      because: `Recorded as ${inWords(standing)}; a later close says ${inWords(offered)}`,
    });
  }
  return { kind: 'stands', outcome: standing, contradicts };
}

const inWords = (outcome: BillPaymentOutcome): string =>
  outcome.kind === 'paid' ? `paid ${outcome.currency} ${outcome.amount}` : outcome.kind;

function assertPossible(payment: LockedPayment, { paymentId, outcome, callbacksConsidered }: Close): void {
  const refuse = (problem: string) => new ImpossibleRequest(`Payment ${paymentId}: ${problem}`);
  if (outcome.paymentId !== paymentId) throw refuse('the outcome is of another payment');
  if (!Number.isSafeInteger(callbacksConsidered) || callbacksConsidered < 0)
    throw refuse('the number of callbacks considered is no number');
  if (outcome.kind !== 'paid') return;
  if (!Number.isSafeInteger(outcome.amount) || outcome.amount <= 0 || outcome.amount > safeInteger(payment.amount)) {
    throw refuse('what was paid must be a whole amount, more than nothing and no more than was asked for');
  }
  if (outcome.currency !== payment.currency) throw refuse('it was paid in another currency than asked for');
}

/**
 * What has come in since a decline was decided, in words, or undefined. A callback may hold the one code that forbids it; and after
 * a completed record only the same again, or a person, closes. A callback that arrives after this count is compared with the
 * outcome later: it stays unnamed.
 */
async function newsAgainst(
  tx: Queryable,
  payment: LockedPayment,
  { paymentId, outcome, callbacksConsidered }: Close,
): Promise<string | undefined> {
  if (outcome.kind !== 'declined' || outcome.settledBy === 'operator') return undefined;
  if (payment.completed_seen) return 'Almara Pay once said that this payment is completed';
  if (outcome.settledBy === 'none') return undefined;
  const kept = await countCallbacks(tx, paymentId);
  return kept === callbacksConsidered
    ? undefined
    : `${kept} callbacks have come, ${callbacksConsidered} were considered`;
}

async function recordOutcome(tx: Queryable, paymentId: string, outcome: BillPaymentOutcome): Promise<void> {
  const columns = writeOutcome(outcome);
  await tx.query(
    `UPDATE payments
        SET outcome = $2, receipt = $3, closed_at = now(),
            claimed_at = coalesce(claimed_at, now()), claimed_by = coalesce(claimed_by, '${SEALED}') -- the seal, if nobody claimed it
      WHERE payment_id = $1 AND outcome IS NULL`,
    [paymentId, columns.outcome, columns.receipt],
  );
}
