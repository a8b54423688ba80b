import { pino, type Logger } from 'pino';

export type Log = Logger;

/**
 * One JSON line per event. Callers name the fields they log; tokens, callback URLs, names, phones and account numbers are
 * never among them. The redaction below is the second lock, for objects that slip in whole.
 */
export function createLog(name: string, level: string): Log {
  return pino({
    name,
    level,
    redact: {
      paths: [
        'accountNumber',
        'payer',
        'msisdn',
        'token',
        'callbackUrl',
        'callBackUrl',
        'authorization',
        'url',
      ].flatMap((key) => [key, `*.${key}`]),
      censor: '[removed]',
    },
  });
}
