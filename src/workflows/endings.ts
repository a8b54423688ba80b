import type { PaymentRecord, Receipt } from '../payment/observation';
import type { BillPaymentOutcome, DeclinedOutcome, DeclineReason } from '../payment/outcome';
import { cancelledSummary, declinedSummary, paidSummary } from './details';
import type { Ending } from './close';
import { actionOf, iso, type Decided, type PaymentTracker } from './tracker';

/** The ways a payment can end, each as the outcome that is recorded. */

/** Before anything was sent. */
export function declinedUnsent(
  payment: PaymentTracker,
  step: 'validation' | 'funds' | 'submission',
  reason: DeclineReason,
  said: string,
): BillPaymentOutcome {
  return declined(payment, {
    step,
    reason,
    retryable: true,
    settledBy: 'none',
    evidence: { source: 'none', said },
  });
}

/** A clear refusal of the request itself: the provider took nothing. */
export function rejected(payment: PaymentTracker, reasons: readonly string[]): BillPaymentOutcome {
  return declined(payment, {
    step: 'submission',
    reason: 'rejected',
    retryable: true,
    settledBy: 'none',
    evidence: { source: 'provider', said: reasons.join('; '), at: iso(Date.now()) },
  });
}

/** Failed at the provider, confirmed. Only a refusal code makes a second try under a new id safe. */
export function failed(payment: PaymentTracker, said: string, code: string | undefined): BillPaymentOutcome {
  return declined(payment, {
    step: 'result',
    reason: 'failed',
    retryable: code !== undefined,
    settledBy: code === undefined ? 'poll' : 'callback',
    evidence: { source: 'provider', said, at: iso(Date.now()) },
    ...(code !== undefined && { providerCode: code }),
  });
}

export function paid(payment: PaymentTracker, record: PaymentRecord, receipt: Receipt): BillPaymentOutcome {
  const outcome = {
    kind: 'paid',
    paymentId: payment.paymentId,
    amount: payment.request.amount,
    currency: payment.request.currency,
    receipt,
    settledBy: payment.cause,
    evidence: { source: 'provider', said: record.said, at: iso(Date.now()) },
    closedAt: iso(Date.now()),
    ...(record.providerId !== undefined && { providerId: record.providerId }),
  } as const;
  return { ...outcome, summary: paidSummary(outcome, isFunded(payment)) };
}

/** A person's decision, recorded as theirs. */
export function decided(payment: PaymentTracker, decision: Decided): Ending {
  return {
    outcome: decidedOutcome(payment, decision),
    // Declined because nothing was sent: then nothing may be sent, by whichever attempt.
    unsent: decision.decision === 'declined' && payment.seen.sent === 'not-by-us',
    action: actionOf(payment, 'resolvePayment', decision),
  };
}

function decidedOutcome(payment: PaymentTracker, decision: Decided): BillPaymentOutcome {
  const evidence = {
    source: 'operator',
    operator: decision.operator,
    note: decision.note,
    at: iso(decision.at),
    ...(decision.providerCase !== undefined && { providerCase: decision.providerCase }),
  } as const;
  if (decision.decision === 'declined') {
    return declined(payment, { step: 'result', reason: 'operator', retryable: false, settledBy: 'operator', evidence });
  }
  const outcome = {
    kind: 'paid',
    paymentId: payment.paymentId,
    amount: decision.amount ?? payment.request.amount,
    currency: payment.request.currency,
    receipt: {
      ...payment.knownReceipt,
      ...(decision.receiptNumber !== undefined && { number: decision.receiptNumber }),
      ...(decision.token !== undefined && { token: decision.token }),
    },
    settledBy: 'operator',
    evidence,
    closedAt: iso(Date.now()),
    ...(payment.providerId !== undefined && { providerId: payment.providerId }),
  } as const;
  return { ...outcome, summary: paidSummary(outcome, isFunded(payment)) };
}

export function cancelled(payment: PaymentTracker, by: string, note: string): BillPaymentOutcome {
  return {
    kind: 'cancelled',
    paymentId: payment.paymentId,
    by,
    note,
    closedAt: iso(Date.now()),
    summary: cancelledSummary(by, note, returnedMoney(payment)),
  };
}

function declined(
  payment: PaymentTracker,
  how: Omit<DeclinedOutcome, 'kind' | 'paymentId' | 'closedAt' | 'summary'>,
): BillPaymentOutcome {
  const outcome = { kind: 'declined', paymentId: payment.paymentId, closedAt: iso(Date.now()), ...how } as const;
  const returned = how.step === 'validation' || how.step === 'funds' ? undefined : returnedMoney(payment);
  return { ...outcome, summary: declinedSummary(outcome, returned) };
}

const isFunded = (payment: PaymentTracker): boolean => payment.fundsHeld;

const returnedMoney = (payment: PaymentTracker): string | undefined =>
  isFunded(payment) ? `${payment.request.currency} ${payment.request.amount}` : undefined;
