import { z } from 'zod';
import { printable } from './text';

/**
 * Single values as the provider writes them: numbers come as strings and strings as numbers, and "absent" is `null`, `""`
 * or no key at all. Each schema gives the value or undefined and never fails: an unreadable value is one we do not have.
 */

const MAX_ID = 100;
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,10})?$/;

/** Exactly as sent: it will be compared. Too long to be one of ours is as good as absent. */
export const idText = z.unknown().transform((value): string | undefined => {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' && text.length <= MAX_ID ? text : undefined;
});

/** For showing only: printable and cut. */
export const shownText = (max: number) =>
  z.unknown().transform((value): string | undefined => {
    const text = typeof value === 'string' ? printable(value, max) : Number.isSafeInteger(value) ? String(value) : '';
    return text === '' ? undefined : text;
  });

/** Proof for a customer, such as a receipt number or a token: whole or not at all, half of one is a wrong one. */
export const proofText = z.unknown().transform(proofOf);

export function proofOf(value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text !== '' && text === printable(text, 200) ? text : undefined;
}

/** `220.00`, `"220.00"` and `220` are one amount. */
export const decimal = z.unknown().transform((value): number | undefined => {
  const number = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
});

/** A number of a list, such as `status`. */
export const listNumber = z.unknown().transform((value): number | undefined => {
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value.trim()) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
});

/** `-1` is the provider's way to say that there is none. */
export const dueAmount = decimal.transform((amount) => (amount === undefined || amount < 0 ? undefined : amount));
export const dueDate = shownText(40).transform((date) => (date === '-1' ? undefined : date));

export const flag = z.unknown().transform((value) => value === true || value === 'true');

/** What a parsed record has, without the fields that are undefined: absent values are left out everywhere. */
export function present<Value extends object>(value: Value): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof Value]?: Exclude<Value[Key], undefined>;
  };
}
