import type { Ending } from '../payment/ending';
import type { Closed, Rules } from '../payment/facts';
import type { Receipt, Submission } from '../payment/observation';
import type { CheckedRequest } from '../payment/request';
import type { Look, RecordResult } from '../payment/steps';
import { answered, claim, type Claimed, type ClaimRequest } from './claim';
import type { Database } from './database';
import { readingOf, readRow, ROW, type Merchant, type PaymentRow, type Reading } from './facts';
import { look, type Observed } from './look';
import { recordOutcome } from './record-outcome';
import { filledReceipt, storableJson } from './values';

/** `payments`: what was asked, who may send it (the claim), what was seen of it, how it ended. */

export type Registered =
  | { readonly kind: 'open'; readonly reading: Reading }
  | ({ readonly kind: 'closed' } & Closed)
  /** The id is known with other content. */
  | { readonly kind: 'conflict' };

export function createPayments(database: Database) {
  return {
    /** Writes a payment down, once for ever; what was agreed then stays, also when it is registered again with other rules. */
    register: (request: CheckedRequest, fingerprint: string, rules: Rules, by: Merchant): Promise<Registered> =>
      register(database, request, fingerprint, rules, by),

    /** @throws UnknownPayment */
    async read(paymentId: string, by: Merchant): Promise<Reading> {
      return readingOf(await readRow(database, paymentId), by);
    },

    /**
     * Writes down what the provider has said, and only then says what is known.
     * @throws UnknownPayment
     * @param unwritten what was seen before and could not be written down: what of it is true for ever is kept
     * @throws AnswerTooOld when it took too long: only what is true for ever is written, look again
     */
    look: (paymentId: string, observed: Observed, by: Merchant, unwritten?: Observed): Promise<Look> =>
      look(database, paymentId, observed, by, unwritten),

    /**
     * The right to send, once for ever, and with it the money.
     * @param reading what was known before: it is read again when it no longer holds
     * @throws UnknownPayment
     * @throws ClaimUncertain when the answer was lost and the claim is not there; nothing may be sent
     */
    claim: (paymentId: string, reading: Reading, request: ClaimRequest, by: Merchant): Promise<Claimed> =>
      claim(database, paymentId, reading, request, by),

    /** What the claim's holder has heard, once. Nobody else's is written. Safe to repeat. @throws UnknownPayment */
    answered: (paymentId: string, nonce: string, submission: Submission, by: Merchant): Promise<Reading> =>
      answered(database, paymentId, nonce, submission, by),

    /** The end of a payment, all of it or nothing; or how it stands. Safe to repeat. @throws UnknownPayment */
    recordOutcome: (paymentId: string, ending: Ending, by: Merchant): Promise<RecordResult> =>
      recordOutcome(database, paymentId, ending, by),

    /** A later agreeing callback may complete a receipt: empty fields of a paid payment only. False when that changed nothing. */
    async addReceipt(paymentId: string, receipt: Receipt): Promise<boolean> {
      const { rowCount } = await database.query(
        `UPDATE payments SET receipt = $2::jsonb || receipt -- what is there wins over what is new
          WHERE payment_id = $1 AND state = 'paid' AND $2::jsonb || receipt <> receipt`,
        [paymentId, storableJson(filledReceipt(receipt))],
      );
      return rowCount === 1;
    },
  };
}

export type Payments = ReturnType<typeof createPayments>;

async function register(
  database: Database,
  request: CheckedRequest,
  fingerprint: string,
  rules: Rules,
  by: Merchant,
): Promise<Registered> {
  const { paymentId, serviceId, accountNumber, amount, currency, fundingAccount } = request;
  // Of any number of callers one inserts; the others wait for it here and read below what it wrote.
  const { rows } = await database.query<PaymentRow>(
    `/* register-payment */ INSERT INTO payments AS p (payment_id, fingerprint, service_id, account_number, amount, currency, funding_account, rules)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING ${ROW}`,
    [
      ...[paymentId, fingerprint, serviceId, accountNumber, amount, currency],
      ...[fundingAccount ?? null, storableJson(rules)],
    ],
  );
  const reading = readingOf(rows[0] ?? (await readRow(database, paymentId)), by);
  if (reading.fingerprint !== fingerprint) return { kind: 'conflict' };
  const { closed } = reading.facts;
  return closed === undefined ? { kind: 'open', reading } : { kind: 'closed', ...closed };
}
