import type { Receipt } from '../payment/observation';
import type { BillPaymentOutcome, OutcomeWithoutReceipt } from '../payment/outcome';
import { ImpossibleRequest } from './errors';

/** Between PostgreSQL's values and ours. */

/** `bigint` arrives as text. The columns are checked to be within the safe integers; a value outside is a bug, not a rounding. */
export function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ImpossibleRequest(`${text} from the database is no safe integer`);
  return value;
}

export function assertAmount(amount: number, what: string): void {
  if (!Number.isSafeInteger(amount) || amount <= 0)
    throw new ImpossibleRequest(`${what} must be a positive whole number of currency units`);
}

/** PostgreSQL keeps neither NUL nor half a surrogate pair. A provider's text may hold them, and must not stop a close for ever. */
export function storableText(text: string): string {
  return text.replace(/[\0\p{Cs}]/gu, '\uFFFD');
}

export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storableText(part) : part));
}

/** What comes back of what is written as JSON. */
export function asStored<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(storableJson(value)) as Value);
}

/** Only the fields that say something: what is empty may be filled in later. */
export function filledReceipt({ number, narration, token }: Receipt): Receipt {
  return { ...(number && { number }), ...(narration && { narration }), ...(token && { token }) };
}

/** The two columns an outcome is kept in. */
export interface OutcomeColumns {
  readonly outcome: StoredOutcome | null;
  readonly receipt: Receipt;
}

/** Written once, from a `BillPaymentOutcome`; the database lets nobody change it. */
export type StoredOutcome = OutcomeWithoutReceipt;

export function readOutcome({ outcome, receipt }: OutcomeColumns): BillPaymentOutcome | undefined {
  if (outcome === null) return undefined;
  return outcome.kind === 'paid' ? { ...outcome, receipt } : outcome;
}

export function writeOutcome(outcome: BillPaymentOutcome): { readonly outcome: string; readonly receipt: string } {
  if (outcome.kind !== 'paid') return { outcome: storableJson(outcome), receipt: '{}' };
  const { receipt, ...rest } = outcome;
  return { outcome: storableJson(rest), receipt: storableJson(filledReceipt(receipt)) };
}
