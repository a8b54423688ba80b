import { randomBytes } from 'node:crypto';
import type { BillPaymentOutcome, CancelledOutcome, DeclinedOutcome, PaidOutcome } from '../../src/payment/outcome';
import type { CallbackReading } from '../../src/payment/observation';
import type { CheckedRequest } from '../../src/payment/request';
import { createLog } from '../../src/log';
import { openStore, type Store } from '../../src/store';

/** Requests, outcomes and callbacks for tests of the store: valid, and only what the test changes is interesting. */

export const silentLog = createLog('test', 'silent');

export const newPaymentId = (): string => `pay-${randomBytes(6).toString('hex')}`;

export function storeAt(databaseUrl: string, maxConnections?: number): Store {
  return openStore({ databaseUrl, log: silentLog, maxConnections });
}

export function requestOf(paymentId: string, change: Partial<CheckedRequest> = {}): CheckedRequest {
  return {
    paymentId,
    serviceId: '11111111-2222-3333-4444-555555555555',
    accountNumber: '0100200300',
    amount: 220,
    currency: 'KES',
    country: 'KE',
    payer: { name: 'Amina Otieno', msisdn: '254712345678' },
    description: 'Electricity',
    saveBillerNumber: false,
    ...change,
  };
}

const closedAt = '2026-01-02T03:04:05.000Z';
const evidence = { source: 'provider', said: 'Almara Pay says completed (status 4)', at: closedAt } as const;

export const paid = (paymentId: string, change: Partial<PaidOutcome> = {}): PaidOutcome => ({
  kind: 'paid',
  paymentId,
  summary: 'Paid.',
  closedAt,
  amount: 220,
  currency: 'KES',
  receipt: { number: 'S575998' },
  providerId: '0100-abc',
  settledBy: 'poll',
  evidence,
  ...change,
});

export const declined = (paymentId: string, change: Partial<DeclinedOutcome> = {}): DeclinedOutcome => ({
  kind: 'declined',
  paymentId,
  summary: 'Declined.',
  closedAt,
  step: 'result',
  reason: 'failed',
  providerCode: '1',
  retryable: true,
  settledBy: 'poll',
  evidence,
  ...change,
});

export const cancelled = (paymentId: string): CancelledOutcome => ({
  kind: 'cancelled',
  paymentId,
  summary: 'Cancelled.',
  closedAt,
  by: 'temporal-ui',
  note: 'wrong meter',
});

export const reading = (change: Partial<CallbackReading> = {}): CallbackReading => ({
  tells: 'result',
  claims: 'failed',
  code: { value: '1', meaning: 'refusal' },
  receipt: {},
  said: 'code 1',
  ...change,
});

export const claimOf = (nonce: string = randomBytes(8).toString('hex')) => ({
  nonce,
  account: 'hash-of-the-account',
  tokenExpiresAt: new Date('2026-01-02T04:00:00Z'),
});

/** Registered and claimed: it may have been sent. */
export async function sentPayment(store: Store, change: Partial<CheckedRequest> = {}): Promise<string> {
  const paymentId = newPaymentId();
  await store.payments.register(requestOf(paymentId, change), 'fingerprint');
  await store.payments.claim(paymentId, claimOf());
  return paymentId;
}

/** A close of what was sent, decided with no callback at hand. */
export const closeSent = (store: Store, outcome: BillPaymentOutcome, callbacksConsidered = 0) =>
  store.payments.close({ paymentId: outcome.paymentId, outcome, callbacksConsidered, unsent: false });

export const closeUnsent = (store: Store, outcome: BillPaymentOutcome) =>
  store.payments.close({ paymentId: outcome.paymentId, outcome, callbacksConsidered: 0, unsent: true });
