import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { CloseResult } from '../../src/payment/steps';
import { ImpossibleRequest, UnknownPayment, type Close } from '../../src/store';
import { readOutcome, writeOutcome, type StoredOutcome } from '../../src/store/values';
import type { Receipt } from '../../src/payment/observation';
import { recordModelAction } from './actions';
import { raise } from './disputes';
import type { StoreModelOptions } from './index';
import { settle } from './reservations';
import { callbacksOf, columnsOf, type PaymentRow, type Tables } from './tables';

/** The closing transaction, statement by statement as in `src/store/close.ts`. */
export async function modelClose(tables: Tables, options: StoreModelOptions, request: Close): Promise<CloseResult> {
  const { now, bugs = {}, betweenSteps } = options;
  const { paymentId, outcome, callbacksConsidered, unsent, action } = request;
  const payment = tables.payments.get(paymentId);
  if (payment === undefined) throw new UnknownPayment(paymentId);

  const standing = readOutcome(columnsOf(payment));
  if (standing !== undefined) return stands(tables, standing, request, now());
  assertPossible(payment, request);
  if (unsent && payment.claim !== undefined) return { kind: 'may-have-been-sent' };
  const because = newsAgainst(tables, payment, request);
  if (because !== undefined) return { kind: 'reconsider', because };

  const at = new Date(now());
  if (action !== undefined) recordModelAction(tables, payment, action, at);
  const owed = outcome.kind === 'paid' ? outcome.amount : 0;
  if (bugs.twoStepClose !== true) settle(tables, paymentId, owed);

  const columns = writeOutcome(outcome);
  payment.outcome = JSON.parse(columns.outcome) as StoredOutcome;
  payment.receipt = JSON.parse(columns.receipt) as Receipt;
  payment.claim ??= { kind: 'seal', at };
  for (const callback of callbacksOf(tables, paymentId).slice(0, callbacksConsidered)) callback.namedBy ??= 'close';
  const recorded = readOutcome(columnsOf(payment)) ?? outcome;

  if (bugs.twoStepClose === true) {
    await betweenSteps?.(paymentId);
    settle(tables, paymentId, owed);
  }
  return { kind: 'recorded', outcome: recorded };
}

function stands(
  tables: Tables,
  standing: BillPaymentOutcome,
  { outcome: offered, unsent }: Close,
  now: number,
): CloseResult {
  const amountPaid = (outcome: BillPaymentOutcome): number => (outcome.kind === 'paid' ? outcome.amount : 0);
  const contradicts = !unsent && amountPaid(standing) !== amountPaid(offered);
  if (contradicts) {
    const because = `Recorded as ${inWords(standing)}; a later close says ${inWords(offered)}`;
    raise(tables, standing.paymentId, { by: 'close', because }, now);
  }
  return { kind: 'stands', outcome: standing, contradicts };
}

const inWords = (outcome: BillPaymentOutcome): string =>
  outcome.kind === 'paid' ? `paid ${outcome.currency} ${outcome.amount}` : outcome.kind;

function assertPossible(payment: PaymentRow, { paymentId, outcome, callbacksConsidered }: Close): void {
  const refuse = (problem: string) => new ImpossibleRequest(`Payment ${paymentId}: ${problem}`);
  if (outcome.paymentId !== paymentId) throw refuse('the outcome is of another payment');
  if (!Number.isSafeInteger(callbacksConsidered) || callbacksConsidered < 0)
    throw refuse('the number of callbacks considered is no number');
  if (outcome.kind !== 'paid') return;
  if (!Number.isSafeInteger(outcome.amount) || outcome.amount <= 0 || outcome.amount > payment.amount)
    throw refuse('what was paid must be a whole amount, more than nothing and no more than was asked for');
  if (outcome.currency !== payment.currency) throw refuse('it was paid in another currency than asked for');
}

function newsAgainst(
  tables: Tables,
  payment: PaymentRow,
  { paymentId, outcome, callbacksConsidered }: Close,
): string | undefined {
  if (outcome.kind !== 'declined' || outcome.settledBy === 'operator') return undefined;
  if (payment.completedSeenAt !== undefined) return 'Almara Pay once said that this payment is completed';
  if (outcome.settledBy === 'none') return undefined;
  const kept = callbacksOf(tables, paymentId).length;
  return kept === callbacksConsidered
    ? undefined
    : `${kept} callbacks have come, ${callbacksConsidered} were considered`;
}
