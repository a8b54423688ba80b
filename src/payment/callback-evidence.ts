import type { CallbackReading, Receipt } from './observation';
import { holds, isLeftOut } from './planted';
import type { Expected } from './seen';

/** The authentic callbacks of a payment, taken together. The strictest code ever seen counts. */
export interface CallbackEvidence {
  readonly count: number;
  readonly code?: { readonly kind: 'refusal' | 'ambiguous'; readonly value: string };
  /** One of them claims that it is paid. */
  readonly claimsPaid: boolean;
  readonly receipt: Receipt;
}

/**
 * Sums up the callbacks. One that speaks of another amount, account or currency proves nothing, so its code is ambiguous.
 * @param isCut there were more than are kept: one of those may hold the code that forbids a decline
 */
export function weighCallbacks(
  expected: Expected,
  readings: readonly CallbackReading[],
  isCut: boolean,
): CallbackEvidence {
  let code: CallbackEvidence['code'];
  let receipt: Receipt = {};
  for (const reading of readings) {
    if (reading.claims !== 'failed' && otherIn(expected, reading).length === 0)
      receipt = { ...reading.receipt, ...receipt };
    // A duplicate's code is about the second request, never about this payment.
    if (reading.code === undefined || reading.code.meaning === 'duplicate') continue;
    const isOurs = holds('a code must speak of this payment', otherIn(expected, reading).length === 0);
    const refusal = reading.code.meaning === 'refusal' && isOurs;
    if (!refusal && code?.kind !== 'ambiguous' && !isLeftOut('a code that can hide a payment asks'))
      code = { kind: 'ambiguous', value: reading.code.value };
    if (refusal && code === undefined) code = { kind: 'refusal', value: reading.code.value };
  }
  if (isCut && !isLeftOut('a callback that was not kept asks'))
    code = { kind: 'ambiguous', value: 'of a callback that was not kept' };
  const claimsPaid = readings.some(({ claims }) => claims === 'paid');
  return { count: readings.length, claimsPaid, receipt, ...(code && { code }) };
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
