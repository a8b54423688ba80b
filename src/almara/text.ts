import { CALLBACK_PATH } from './callback-url';

/** Provider text on its way to people: short, printable, and nothing personal. */

const MAX_SAID = 120;
const REMOVED = '…';

/** Control, format and separator characters would let a provider's text imitate ours in a log or a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
/** Quoted values are usually what the caller sent. An apostrophe inside a word opens nothing. */
const QUOTED = /(?<!\p{L})'[^']*'(?!\p{L})|"[^"]*"|“[^”]*”/gu;
/** A slash as it is, and as JSON and addresses inside addresses write it. */
const SLASH = String.raw`(?:\\*(?:/|u002f)|%(?:25)*2f)`;
const CALLBACK_TOKEN = new RegExp(
  `(${CALLBACK_PATH.slice(1).replaceAll('/', SLASH)}${SLASH}[a-z0-9-]{1,64}${SLASH})[^\\s"'\\\\<>]+`,
  'gi',
);

/** Printable, trimmed, and cut to `max` characters. */
export function printable(text: string, max: number): string {
  // Cut first: the clean-up need not walk a text of any length.
  const clean = text
    .slice(0, max * 4)
    .replace(UNPRINTABLE, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return clean.length > max ? `${clean.slice(0, max - 1).trimEnd()}…` : clean;
}

/**
 * A provider's sentence for operators: without the values we sent, without anything quoted, without long numbers
 * (accounts, phones, tokens) and without addresses.
 * @param personal the values of this request that must not appear, such as the payer's name
 */
export function forPeople(text: string, personal: readonly string[]): string {
  let clean = stripCallbackToken(text.slice(0, MAX_SAID * 8)).replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, REMOVED);
  for (const value of personal.flatMap(valueAndWords)) clean = clean.replaceAll(value, REMOVED);
  clean = clean.replace(/\+?\d(?:[ -]?\d){3,}/g, REMOVED).replace(QUOTED, REMOVED);
  return printable(clean, MAX_SAID);
}

/** Replaces the token in any of our callback URLs inside a text, also where the text escapes its slashes. */
export function stripCallbackToken(text: string): string {
  return text.replace(CALLBACK_TOKEN, '$1[removed]');
}

/** A name may be echoed in part or in another order, so its words count too. Shorter words would eat the sentence. */
function valueAndWords(value: string): RegExp[] {
  const words = value.split(/\s+/).filter((word) => word.length >= 3);
  return [value, ...words].filter((part) => part.trim() !== '').map((part) => new RegExp(escaped(part), 'gi'));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
