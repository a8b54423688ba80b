import { setTimeout } from 'node:timers/promises';
import { claimable } from '../payment/claim';
import type { Submission } from '../payment/observation';
import { failedForCertain, type Database, type Queryable } from './database';
import { ClaimUncertain, ImpossibleRequest, UnknownPayment } from './errors';
import { readingOf, readRow, ROW, SEALED, type Merchant, type PaymentRow, type Reading } from './facts';
import { HOLD } from './funds';
import { untilNotOvertaken } from './overtaken';
import { storableJson } from './values';

/** The right to send a payment, and what came of sending it. */

export interface ClaimRequest {
  /** Of this attempt alone, so that it recognises its own claim. */
  readonly nonce: string;
  /** Of the content that is about to be sent. */
  readonly fingerprint: string;
  /** Until then the provider may accept the request. */
  readonly sessionExpiresAt: Date;
}

export type Claimed =
  /** This attempt, and no other ever, may send; its money is held. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'not-claimed'; readonly because: 'closed' | 'taken' | 'record-seen' }
  /** What is about to be sent is not what was registered. */
  | { readonly kind: 'other-content' }
  | { readonly kind: 'no-funds'; readonly reason: 'insufficient-funds' | 'unknown-funding-account' };

export async function claim(
  database: Database,
  paymentId: string,
  reading: Reading,
  request: ClaimRequest,
  by: Merchant,
): Promise<Claimed> {
  const { nonce, fingerprint } = request;
  if (nonce === SEALED || nonce === '') throw new ImpossibleRequest('a nonce must be of this attempt alone');
  let known: Reading | undefined = reading;
  return await untilNotOvertaken(paymentId, async () => {
    const { facts, version, fingerprint: registered } = known ?? readingOf(await readRow(database, paymentId), by);
    known = undefined;
    const may = claimable(facts, fingerprint === registered);
    if (may.kind === 'other-content') return may;
    if (may.kind !== 'claimable') return { kind: 'not-claimed', because: may.kind };
    try {
      return await take(database, paymentId, version, request, by);
    } catch (error) {
      if (failedForCertain(error)) throw error;
      return await recallClaim(database, paymentId, nonce, error);
    }
  });
}

/**
 * One statement takes the claim with its money, or neither: it holds no lock for a round trip. Undefined: the row had changed. Locked
 * in this order, everywhere: the payment, its reservation, the funding account.
 */
async function take(
  database: Database,
  paymentId: string,
  version: number,
  { nonce, fingerprint, sessionExpiresAt }: ClaimRequest,
  { account }: Merchant,
): Promise<Claimed | undefined> {
  const { rows } = await database.query<{ free: boolean; claimed: boolean; known: boolean }>(
    `/* take-claim */ WITH payment AS (
       SELECT payment_id, funding_account, amount, currency FROM payments
        WHERE payment_id = $1 AND version = $2
          AND claimed_at IS NULL AND outcome IS NULL -- at most one attempt, of all runs and workers, is ever told 'claimed'
          AND fingerprint = $3                       -- and it sends what was registered
          FOR UPDATE),
     ${HOLD},
     claimed AS (
       UPDATE payments p SET claimed_at = clock_timestamp(), claimed_by = $4, claim_account = $5, session_expires_at = $6
         FROM payment
        WHERE p.payment_id = payment.payment_id AND (payment.funding_account IS NULL OR EXISTS (SELECT FROM held))
       RETURNING p.payment_id)
     SELECT EXISTS (SELECT FROM payment) AS free, EXISTS (SELECT FROM claimed) AS claimed,
            EXISTS (SELECT FROM funding_accounts a JOIN payment p ON a.id = p.funding_account AND a.currency = p.currency) AS known`,
    [paymentId, version, fingerprint, nonce, account, sessionExpiresAt],
  );
  if (rows[0]?.free !== true) return undefined;
  if (rows[0].claimed) return { kind: 'claimed' };
  return { kind: 'no-funds', reason: rows[0].known ? 'insufficient-funds' : 'unknown-funding-account' };
}

const RECALL_PAUSES_MS = [0, 100, 400, 1_000];

/**
 * The answer was lost, and the pool has thrown that connection away: the row says whose claim it is. A restarted server breaks the
 * pool's other connections too: a few reads, well within the 5 s in which a claim may be used.
 */
async function recallClaim(database: Database, paymentId: string, nonce: string, lost: unknown): Promise<Claimed> {
  for (const pauseMs of RECALL_PAUSES_MS) {
    await setTimeout(pauseMs);
    const found = await readClaim(database, paymentId, nonce).catch((error: unknown) => {
      if (error instanceof UnknownPayment) throw error;
      return undefined;
    });
    if (found === 'free') break;
    if (found !== undefined) return found;
  }
  throw new ClaimUncertain(paymentId, lost);
}

async function readClaim(on: Queryable, paymentId: string, nonce: string): Promise<Claimed | 'free'> {
  // The lock waits for a claim that the server is still committing: without it, its own claim could look free for a moment more.
  const { rows } = await on.query<{ claimed_by: string | null; closed: boolean }>(
    'SELECT claimed_by, outcome IS NOT NULL AS closed FROM payments WHERE payment_id = $1 FOR SHARE',
    [paymentId],
  );
  const row = rows[0];
  if (row === undefined) throw new UnknownPayment(paymentId);
  if (row.closed) return { kind: 'not-claimed', because: 'closed' };
  if (row.claimed_by === nonce) return { kind: 'claimed' };
  return row.claimed_by === null ? 'free' : { kind: 'not-claimed', because: 'taken' };
}

export async function answered(
  database: Database,
  paymentId: string,
  nonce: string,
  submission: Submission,
  by: Merchant,
): Promise<Reading> {
  const { rows } = await database.query<PaymentRow>(
    `/* write-answer */ UPDATE payments p
        SET answer = $3::jsonb || jsonb_build_object('at', floor(extract(epoch FROM clock_timestamp()) * 1000))
      WHERE payment_id = $1
        AND claimed_by = $2 -- the holder alone knows what it was told
        AND answer IS NULL
     RETURNING ${ROW}`,
    [paymentId, nonce, storableJson(submission)],
  );
  return readingOf(rows[0] ?? (await readRow(database, paymentId)), by);
}
