import type { CallbackReading, Observation, PaymentRecord, Receipt } from './observation';
import type { BillPaymentOutcome } from './outcome';

/** What the provider's record and callbacks must agree with. */
export interface Expected {
  readonly paymentId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
}

/** Everything one look learns: the provider's record, fetched by us, and what our own store knows. */
export interface Look {
  readonly observation: Observation;
  /** When the provider had answered, ISO 8601: a look may reach its run long after. Absent from looks of version 0.1.0. */
  readonly at?: string;
  readonly callbacks: CallbackEvidence;
  /** A completed record was ever seen, by this run or an earlier one. */
  readonly completedSeen: boolean;
  /** When an attempt took the claim, and until when its token was good. ISO 8601. */
  readonly claim?: { readonly at: string; readonly tokenExpiresAt: string };
  /** The payment was closed by an earlier run, or is closed by now. */
  readonly closed?: BillPaymentOutcome;
}

/** The authentic callbacks of a payment, taken together. The strictest code ever seen counts. */
export interface CallbackEvidence {
  readonly count: number;
  readonly code?: { readonly kind: 'refusal' | 'ambiguous'; readonly value: string };
  readonly receipt: Receipt;
}

/** Where a record differs from what was asked for, in words without personal data. Empty: it is evidence. */
export function mismatches(expected: Expected, record: PaymentRecord): string[] {
  const differs: string[] = [];
  if (!record.isPayment) differs.push('it does not say that it is a payment');
  if (record.paymentId?.toLowerCase() !== expected.paymentId) differs.push('the payment id is not ours');
  if (record.amount !== expected.amount) {
    const answer = record.amount === undefined ? 'no amount' : `${expected.currency} ${record.amount}`;
    differs.push(`answer: ${answer}, sent: ${expected.currency} ${expected.amount}`);
  }
  if (record.accountNumber?.trim() !== expected.accountNumber.trim())
    differs.push('the account is not the one we sent');
  if (record.currency?.toUpperCase() !== expected.currency) differs.push('the currency is not the one we sent');
  return differs;
}

/** Sums up the callbacks. One that speaks of another amount, account or currency proves nothing, so its code is ambiguous. */
export function weighCallbacks(expected: Expected, readings: readonly CallbackReading[]): CallbackEvidence {
  let code: CallbackEvidence['code'];
  let receipt: Receipt = {};
  for (const reading of readings) {
    if (reading.claims !== 'failed' && otherIn(expected, reading).length === 0)
      receipt = { ...reading.receipt, ...receipt };
    // A duplicate's code is about the second request, never about this payment.
    if (reading.code === undefined || reading.code.meaning === 'duplicate') continue;
    const refusal = reading.code.meaning === 'refusal' && otherIn(expected, reading).length === 0;
    if (!refusal && code?.kind !== 'ambiguous') code = { kind: 'ambiguous', value: reading.code.value };
    if (refusal && code === undefined) code = { kind: 'refusal', value: reading.code.value };
  }
  return { count: readings.length, receipt, ...(code && { code }) };
}

/** In what a callback speaks of something else, by name and without a value. What it leaves out is nothing else. */
export function otherIn(
  expected: Omit<Expected, 'paymentId'>,
  { amount, accountNumber, currency }: CallbackReading,
): readonly string[] {
  const other: string[] = [];
  if (amount !== undefined && amount !== expected.amount) other.push('amount');
  if (accountNumber !== undefined && accountNumber.trim() !== expected.accountNumber.trim()) other.push('account');
  if (currency !== undefined && currency.toUpperCase() !== expected.currency) other.push('currency');
  return other;
}

/** Whether a poll that sees this has something to report: a final answer, or the end of one, that is not known yet. */
export function isNews(known: Observation | undefined, seen: Observation): boolean {
  if (seen.kind === 'unreadable') return false;
  const before = known?.kind === 'record' ? known : undefined;
  const final = seen.kind === 'record' && seen.state !== 'pending';
  // The end of a final answer, or the first sign of a payment that the provider did not know.
  if (!final)
    return before !== undefined ? before.state !== 'pending' : known?.kind === 'not-found' && seen.kind === 'record';
  return (
    before?.state !== seen.state ||
    before.amount !== seen.amount ||
    before.accountNumber !== seen.accountNumber ||
    before.currency !== seen.currency ||
    before.paymentId !== seen.paymentId ||
    before.isPayment !== seen.isPayment
  );
}
