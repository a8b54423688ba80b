import type { CallbackReading, Receipt } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';

export type Comparison =
  /** With the receipt it brings, if it brings one. */
  { readonly kind: 'agrees'; readonly receipt?: Receipt } | { readonly kind: 'contradicts' };

/**
 * What a callback says about a payment that is closed (G5). Only a clear claim contradicts: an unclear one says nothing, and a
 * refused duplicate is about another request under the same id, never about the payment (code 9).
 */
export function compareWithOutcome(outcome: BillPaymentOutcome, reading: CallbackReading): Comparison {
  if (reading.code?.meaning === 'duplicate') return { kind: 'agrees' };
  const isPaid = outcome.kind === 'paid';
  if (reading.claims === (isPaid ? 'failed' : 'paid')) return { kind: 'contradicts' };
  return isPaid && bringsReceipt(reading) ? { kind: 'agrees', receipt: reading.receipt } : { kind: 'agrees' };
}

/**
 * From a callback that claims paid, or from the older flat shape, which can claim nothing and whose receipt may be the only one
 * there is. A narration alone is no receipt: it may as well say why something failed.
 */
function bringsReceipt({ claims, shape, receipt }: CallbackReading): boolean {
  return (claims === 'paid' || shape === 'flat') && (receipt.number !== undefined || receipt.token !== undefined);
}
