import { UsageError } from './exit-codes';

/** Money on a command line is read strictly: no `1e3`, no `0x10`, no rounding. */
export function amountOf(text: string): number {
  const amount = /^[1-9]\d*$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(amount))
    throw new UsageError('the amount must be a whole number of currency units, more than zero');
  return amount;
}
