import type { CheckedRequest } from '../payment/request';

const SHOWN_DIGITS = 4;

/**
 * The payment's line in the Web UI, as `KES 220 · KPLC POSTPAID · …1832`. At most the last four of the account, and never
 * more than half of it. The bounds of a request's fields keep it within the engine's 200 bytes.
 */
export function summaryOf({ currency, amount, serviceName, accountNumber }: CheckedRequest): string {
  const shown = Math.min(SHOWN_DIGITS, Math.floor(accountNumber.length / 2));
  const account = `…${accountNumber.slice(accountNumber.length - shown)}`;
  return [`${currency} ${amount}`, serviceName, account].filter((part) => part !== undefined).join(' · ');
}
