import type { CodeMeaning } from '../payment/observation';
import { printable } from './text';

/**
 * The provider's result codes. Its page "Error Codes" exists in three editions that contradict each other; each code here
 * has the strictest reading of the three: a refusal only where no edition says retry the same id, query or
 * escalate, and where the words are those of a refusal before anything was done.
 */
const CODES: Readonly<Record<string, { readonly words: string; readonly meaning: CodeMeaning }>> = {
  '0': { words: 'success', meaning: 'success' },
  '-1': { words: 'transaction timeout', meaning: 'ambiguous' },
  '1': { words: 'insufficient funds', meaning: 'refusal' },
  '2': { words: 'transfer limit exceeded', meaning: 'refusal' },
  '3': { words: 'internal server error', meaning: 'ambiguous' },
  '4': { words: 'third-party internal server error', meaning: 'ambiguous' },
  '5': { words: 'invalid debit account', meaning: 'refusal' },
  '6': { words: 'invalid credit account', meaning: 'refusal' },
  '7': { words: 'amount below limit', meaning: 'refusal' },
  '8': { words: 'invalid transaction', meaning: 'ambiguous' },
  '9': { words: 'duplicate transaction', meaning: 'duplicate' },
  '10': { words: 'server busy', meaning: 'ambiguous' },
  '11': { words: 'transaction not found', meaning: 'ambiguous' },
  '12': { words: 'general error', meaning: 'ambiguous' },
  '13': { words: 'third-party general failure', meaning: 'ambiguous' },
  '14': { words: 'inconclusive', meaning: 'ambiguous' },
  '15': { words: 'insufficient wallet balance', meaning: 'refusal' },
  '16': { words: 'third-party system unavailable', meaning: 'ambiguous' },
  '17': { words: 'AML failure', meaning: 'refusal' },
  '18': { words: 'declined', meaning: 'refusal' },
  '19': { words: 'validation failed', meaning: 'refusal' },
  '20': { words: 'third-party integration error', meaning: 'ambiguous' },
  '21': { words: 'unmapped', meaning: 'ambiguous' },
  '22': { words: 'partner timeout', meaning: 'ambiguous' },
  '999': { words: 'system failure', meaning: 'ambiguous' },
};

export interface ResultCode {
  readonly value: string;
  readonly meaning: CodeMeaning;
  /** In words, for operators; ours, so that the provider's text need not be shown. */
  readonly words: string;
}

/**
 * A code as the provider writes it: `0`, `"0"`, `"000"` and `" 1 "` all occur. Absent (`null`, `""`) is no code;
 * anything that is there and is not listed is ambiguous.
 */
export function readResultCode(code: unknown): ResultCode | undefined {
  if (code === undefined || code === null) return undefined;
  if (typeof code !== 'string' && typeof code !== 'number') return unmapped('unreadable');
  const text = String(code).trim();
  if (text === '') return undefined;
  const value = text.replace(/^(-?)0+(?=[0-9])/, '$1');
  const known = Object.hasOwn(CODES, value) ? CODES[value] : undefined;
  return known === undefined ? unmapped(printable(value, 20) || 'unreadable') : { value, ...known };
}

function unmapped(value: string): ResultCode {
  return { value, meaning: 'ambiguous', words: 'not in the provider’s list' };
}
