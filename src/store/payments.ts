import { setTimeout } from 'node:timers/promises';
import type { CallbackReading, Receipt } from '../payment/observation';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { CheckedRequest } from '../payment/request';
import type { CloseResult } from '../payment/steps';
import { closePayment, SEALED, type Close } from './close';
import { failedForCertain, type Database, type Queryable } from './database';
import { ClaimUncertain, ImpossibleRequest, UnknownPayment } from './errors';
import { filledReceipt, readOutcome, safeInteger, storableJson, type OutcomeColumns } from './values';

/** `payments`: what was asked, who may send it (the claim), how it ended. Each WHERE below is a guarantee; the triggers repeat them. */

export type Registered =
  /** `claimed`: an earlier run may have sent it. `reserved`: it holds money. */
  | { readonly kind: 'open'; readonly claimed: boolean; readonly reserved: boolean }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome }
  /** The id is known with other content. */
  | { readonly kind: 'conflict' };

export interface ClaimRequest {
  /** Of this attempt alone, so that it recognises its own claim. */
  readonly nonce: string;
  /** Hash of the provider's address and our client id. */
  readonly account: string;
  readonly tokenExpiresAt: Date;
}

export type Claimed =
  /** This attempt, and no other ever, may send. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome };

export interface PaymentFacts {
  /** Absent while nothing was sent, and for what closed without being sent. */
  readonly claim?: { readonly at: Date; readonly tokenExpiresAt: Date; readonly account: string };
  readonly outcome?: BillPaymentOutcome;
  /** Whether the provider ever said completed. */
  readonly completedSeen: boolean;
  /** In the order they were stored; at most 200. */
  readonly callbacks: readonly { readonly reading: CallbackReading; readonly receivedAt: Date }[];
  /** How many are kept: the number to give to `close` as considered. */
  readonly callbackCount: number;
  /** Distinct ones beyond the limit, whose content nobody has read. */
  readonly callbacksDropped: number;
  readonly disputed: boolean;
}

const RECALL_PAUSES_MS = [0, 100, 400, 1_000];

export function createPayments(database: Database) {
  return {
    register: (request: CheckedRequest, fingerprint: string): Promise<Registered> =>
      register(database, request, fingerprint),

    /**
     * The right to send, once for ever (design §6.2).
     * @throws UnknownPayment
     * @throws ClaimUncertain when the answer was lost and the claim is not there; nothing may be sent
     */
    claim: (paymentId: string, request: ClaimRequest): Promise<Claimed> => claim(database, paymentId, request),

    /** Remembers for ever that the provider's record said completed; the first time is kept. */
    async noteCompleted(paymentId: string): Promise<void> {
      await database.query(
        'UPDATE payments SET completed_seen_at = now() WHERE payment_id = $1 AND completed_seen_at IS NULL',
        [paymentId],
      );
    },

    /** @throws UnknownPayment */
    facts: (paymentId: string): Promise<PaymentFacts> => facts(database, paymentId),

    /** The end of a payment, all of it or nothing (design §8). @throws UnknownPayment | ImpossibleRequest */
    close: (request: Close): Promise<CloseResult> => database.transaction((tx) => closePayment(tx, request)),

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

interface KnownRow extends OutcomeColumns {
  readonly same: boolean;
  readonly claimed: boolean;
  readonly reserved: boolean;
}

async function register(database: Database, request: CheckedRequest, fingerprint: string): Promise<Registered> {
  const { paymentId, serviceId, accountNumber, amount, currency } = request;
  // Of any number of callers one inserts; the others wait for it here and read below what it wrote.
  const inserted = await database.query(
    `INSERT INTO payments (payment_id, fingerprint, service_id, account_number, amount, currency)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [paymentId, fingerprint, serviceId, accountNumber, amount, currency],
  );
  if (inserted.rowCount === 1) return { kind: 'open', claimed: false, reserved: false };

  const { rows } = await database.query<KnownRow>(
    `SELECT payment_id = $1 AND fingerprint = $2 AS same, claimed_at IS NOT NULL AS claimed, outcome, receipt,
            EXISTS (SELECT FROM reservations r WHERE r.payment_id = p.payment_id) AS reserved
       FROM payments p WHERE lower(payment_id) = lower($1)`,
    [paymentId, fingerprint],
  );
  const known = rows[0];
  if (known === undefined) throw new UnknownPayment(paymentId);
  if (!known.same) return { kind: 'conflict' };
  const outcome = readOutcome(known);
  if (outcome !== undefined) return { kind: 'closed', outcome };
  return { kind: 'open', claimed: known.claimed, reserved: known.reserved };
}

async function claim(database: Database, paymentId: string, request: ClaimRequest): Promise<Claimed> {
  const { nonce, account, tokenExpiresAt } = request;
  if (nonce === SEALED || nonce === '') throw new ImpossibleRequest('a nonce must be of this attempt alone');
  let lost: unknown;
  try {
    const { rowCount } = await database.query(
      `UPDATE payments SET claimed_at = now(), claimed_by = $2, claim_account = $3, token_expires_at = $4
        WHERE payment_id = $1
          AND claimed_at IS NULL -- at most one attempt, of all runs and workers, is ever told 'claimed'
          AND outcome IS NULL    -- and none once the payment has ended (a CHECK makes every closed payment claimed, too)`,
      [paymentId, nonce, account, tokenExpiresAt],
    );
    if (rowCount === 1) return { kind: 'claimed' };
  } catch (error) {
    if (failedForCertain(error)) throw error;
    lost = error;
  }
  // Not ours, or the answer was lost (the pool has thrown that connection away): the row says whose it is.
  const found =
    lost === undefined ? await readClaim(database, paymentId, nonce) : await recallClaim(database, paymentId, nonce);
  if (found === undefined) throw new ClaimUncertain(paymentId, lost);
  return found;
}

/** A restarted server breaks the pool's other connections too: a few reads, well within the 5 s in which a claim may be used. */
async function recallClaim(database: Database, paymentId: string, nonce: string): Promise<Claimed | undefined> {
  for (const pauseMs of RECALL_PAUSES_MS) {
    await setTimeout(pauseMs);
    try {
      return await readClaim(database, paymentId, nonce);
    } catch (error) {
      if (error instanceof UnknownPayment) throw error;
    }
  }
  return undefined;
}

/** Who has the claim; undefined: nobody. */
async function readClaim(database: Queryable, paymentId: string, nonce: string): Promise<Claimed | undefined> {
  // The lock waits for a claim that the server is still committing: without it, its own claim could look free for a moment more.
  const { rows } = await database.query<OutcomeColumns & { readonly claimed_by: string | null }>(
    'SELECT claimed_by, outcome, receipt FROM payments WHERE payment_id = $1 FOR SHARE',
    [paymentId],
  );
  const row = rows[0];
  if (row === undefined) throw new UnknownPayment(paymentId);
  const outcome = readOutcome(row);
  if (outcome !== undefined) return { kind: 'closed', outcome };
  if (row.claimed_by === nonce) return { kind: 'claimed' };
  return row.claimed_by === null ? undefined : { kind: 'taken' };
}

interface FactsRow extends OutcomeColumns {
  readonly claimed_at: Date | null;
  readonly claim_account: string | null;
  readonly token_expires_at: Date | null;
  readonly completed_seen: boolean;
  readonly disputed: boolean;
  readonly dropped: string;
  readonly callbacks: readonly { readonly reading: CallbackReading; readonly receivedAt: string }[];
}

async function facts(database: Database, paymentId: string): Promise<PaymentFacts> {
  // One statement sees one moment: outcome, claim and callbacks belong together. Bounded by the inbox's limit of rows.
  const { rows } = await database.query<FactsRow>(
    `SELECT p.claimed_at, p.claim_account, p.token_expires_at, p.outcome, p.receipt,
            p.completed_seen_at IS NOT NULL AS completed_seen, p.disputed_at IS NOT NULL AS disputed,
            coalesce((SELECT n.overflowed FROM callback_counts n WHERE n.payment_id = p.payment_id), 0) AS dropped,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('reading', c.reading, 'receivedAt', c.received_at) ORDER BY c.id), '[]')
               FROM callback_inbox c WHERE c.payment_id = p.payment_id) AS callbacks
       FROM payments p WHERE p.payment_id = $1`,
    [paymentId],
  );
  const row = rows[0];
  if (row === undefined) throw new UnknownPayment(paymentId);
  const { claimed_at, claim_account, token_expires_at } = row;
  const outcome = readOutcome(row);
  return {
    ...(claimed_at !== null &&
      claim_account !== null &&
      token_expires_at !== null && {
        claim: { at: claimed_at, tokenExpiresAt: token_expires_at, account: claim_account },
      }),
    ...(outcome !== undefined && { outcome }),
    completedSeen: row.completed_seen,
    callbacks: row.callbacks.map(({ reading, receivedAt }) => ({ reading, receivedAt: new Date(receivedAt) })),
    callbackCount: row.callbacks.length,
    callbacksDropped: safeInteger(row.dropped),
    disputed: row.disputed,
  };
}
