import { parseDuration } from '../payment/duration';
import { UsageError } from './exit-codes';

/** What a command line says, read strictly. */

/** Money: no `1e3`, no `0x10`, no rounding. */
export function amountOf(text: string): number {
  const amount = /^[1-9]\d*$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(amount))
    throw new UsageError('the amount must be a whole number of currency units, more than zero');
  return amount;
}

/** Milliseconds. */
export function durationOf(option: string, text: string): number {
  const duration = parseDuration(text);
  if (duration.kind === 'problem') throw new UsageError(`${option} ${duration.problem}`);
  return duration.ms;
}
