import { otherIn } from '../payment/callback-evidence';
import type { CallbackReading, Receipt } from '../payment/observation';
import type { PendingCallback } from '../store';

export type Comparison =
  /** With the receipt it brings, if it brings one. */
  | { readonly kind: 'agrees'; readonly receipt?: Receipt }
  /** With the names of what it claims paid otherwise than recorded; none: it claims the opposite. */
  | { readonly kind: 'contradicts'; readonly otherIn: readonly string[] };

/** A closed payment, as far as a callback can speak of it. */
export type ClosedPayment = NonNullable<PendingCallback['closed']>;

/**
 * What a callback says about a payment that is closed (G5). Only a clear claim contradicts: an unclear one says nothing, and a
 * refused duplicate is about another request under the same id, never about the payment (code 9).
 */
export function compareWithOutcome({ outcome, accountNumber }: ClosedPayment, reading: CallbackReading): Comparison {
  if (reading.code?.meaning === 'duplicate') return { kind: 'agrees' };
  if (outcome.kind !== 'paid')
    return reading.claims === 'paid' ? { kind: 'contradicts', otherIn: [] } : { kind: 'agrees' };
  if (reading.claims === 'failed') return { kind: 'contradicts', otherIn: [] };
  // The amount recorded, not the one asked for: a person may have recorded less, and that much is what was posted.
  const other = reading.claims === 'paid' ? otherIn({ ...outcome, accountNumber }, reading) : [];
  if (other.length > 0) return { kind: 'contradicts', otherIn: other };
  return bringsReceipt(reading) ? { kind: 'agrees', receipt: reading.receipt } : { kind: 'agrees' };
}

/**
 * From a callback that claims paid, or from one that tells no result: it can claim nothing, and its receipt may be the only one
 * there is. A narration alone is no receipt: it may as well say why something failed.
 */
function bringsReceipt({ claims, tells, receipt }: CallbackReading): boolean {
  return (claims === 'paid' || tells === 'receipt') && (receipt.number !== undefined || receipt.token !== undefined);
}
