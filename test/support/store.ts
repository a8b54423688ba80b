import { randomBytes } from 'node:crypto';
import type { Ending } from '../../src/payment/ending';
import type { Rules } from '../../src/payment/facts';
import type { CallbackReading, Observation, PaymentRecord, Submission } from '../../src/payment/observation';
import type { BillPaymentOutcome, CancelledOutcome, DeclinedOutcome, PaidOutcome } from '../../src/payment/outcome';
import type { Policy } from '../../src/payment/policy';
import type { Resolution } from '../../src/payment/progress';
import type { CheckedRequest } from '../../src/payment/request';
import { createLog } from '../../src/log';
import { openStore, type ClaimRequest, type Merchant, type Observed, type Store } from '../../src/store';
import { atEndOfFile } from './at-end';
import { testDatabase, type TestDatabase } from './postgres';
import { startTcpProxy, type TcpProxy } from './tcp-proxy';

/** Requests, answers, outcomes and callbacks for tests of the store: valid, and only what the test changes is interesting. */

export const silentLog = createLog('test', 'silent');

export const newPaymentId = (): string => `pay-${randomBytes(6).toString('hex')}`;

export function storeAt(databaseUrl: string, maxConnections?: number): Store {
  return openStore({ databaseUrl, log: silentLog, maxConnections });
}

/** A database of its own for a test file, and a store on it. Both are gone when the file is done. */
export async function ownStore(maxConnections?: number): Promise<{ database: TestDatabase; store: Store }> {
  const database = await testDatabase();
  const store = storeAt(database.url, maxConnections);
  atEndOfFile(async () => {
    await store.close();
    await database.drop();
  });
  return { database, store };
}

/** The same store for a test file through a proxy that can cut the connection or hold what goes through it. */
export async function storeThroughProxy(databaseUrl: string, query = ''): Promise<{ proxy: TcpProxy; store: Store }> {
  const proxy = await startTcpProxy(databaseUrl);
  const store = storeAt(`${proxy.url}${query}`);
  atEndOfFile(async () => {
    await store.close();
    await proxy.close();
  });
  return { proxy, store };
}

export const BY: Merchant = { account: 'hash-of-the-account', provider: 'Almara Pay', failedWithoutCode: 'decline' };
export const FINGERPRINT = 'fingerprint';

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

const HOUR = 3_600_000;
/** A person is asked as soon as it is sent and nothing is proven; what failed is believed after half a minute. */
export const rulesOf = (policy: Partial<Policy> = {}, change: Partial<Rules> = {}): Rules => ({
  policy: {
    submitWithin: 0,
    fundsWithin: 0,
    callbackGrace: 1_000,
    pollInterval: 1_000,
    pollMaxInterval: 1_000,
    notFoundGrace: HOUR,
    failureConfirmation: 30_000,
    attentionAfter: 0,
    receiptGrace: HOUR,
    ...policy,
  },
  prepaid: false,
  failedWithoutCode: 'decline',
  ...change,
});

export const NOT_FOUND: Observation = { kind: 'not-found', said: 'not found' };
export const UNREADABLE: Observation = { kind: 'unreadable', said: 'nothing in time' };

/** The provider's record of `requestOf(paymentId)`. */
export const recordOf = (
  paymentId: string,
  state: PaymentRecord['state'],
  change: Partial<PaymentRecord> = {},
): PaymentRecord => ({
  kind: 'record',
  state,
  said: state,
  isPayment: true,
  paymentId,
  amount: 220,
  accountNumber: '0100200300',
  currency: 'KES',
  providerId: '0100-abc',
  receipt: state === 'completed' ? { number: 'S575998' } : {},
  ...change,
});

/** What was answered at once, so long before now. */
export function observed(observation: Observation, agoMs = 0): Observed {
  const began = performance.now();
  const passed = () => agoMs + performance.now() - began;
  return { observation, askedAgo: passed, answeredAgo: passed };
}

export const look = (store: Pick<Store, 'payments'>, paymentId: string, observation: Observation, agoMs = 0, by = BY) =>
  store.payments.look(paymentId, observed(observation, agoMs), by);

export const reading = (change: Partial<CallbackReading> = {}): CallbackReading => ({
  tells: 'result',
  claims: 'failed',
  code: { value: '1', meaning: 'refusal' },
  receipt: {},
  said: 'code 1',
  ...change,
});

export const claimOf = (change: Partial<ClaimRequest> = {}): ClaimRequest => ({
  nonce: randomBytes(8).toString('hex'),
  fingerprint: FINGERPRINT,
  sessionExpiresAt: new Date('2026-01-02T04:00:00Z'),
  ...change,
});

export async function registeredPayment(
  store: Store,
  change: Partial<CheckedRequest> = {},
  rules: Rules = rulesOf(),
): Promise<string> {
  const paymentId = newPaymentId();
  await store.payments.register(requestOf(paymentId, change), FINGERPRINT, rules, BY);
  return paymentId;
}

/** Reads, then claims, as a submission does. */
export const claim = async (store: Store, paymentId: string, change: Partial<ClaimRequest> = {}) =>
  await store.payments.claim(paymentId, await store.payments.read(paymentId, BY), claimOf(change), BY);

export const ACCEPTED: Submission = { kind: 'accepted', providerId: '0100-abc' };

/** Registered, claimed and sent; its token is dead. */
export async function sentPayment(
  store: Store,
  change: Partial<CheckedRequest> = {},
  { rules = rulesOf(), answer = ACCEPTED }: { readonly rules?: Rules; readonly answer?: Submission } = {},
): Promise<string> {
  const paymentId = await registeredPayment(store, change, rules);
  const { nonce } = claimOf();
  await claim(store, paymentId, { nonce });
  await store.payments.answered(paymentId, nonce, answer, BY);
  return paymentId;
}

/** On an account of its own, named as the payment, with 1000. */
export async function fundedPayment(store: Store, { sent }: { readonly sent: boolean }): Promise<string> {
  const account = newPaymentId();
  await store.funds.add({ account, amount: 1000, currency: 'KES' });
  return await (sent ? sentPayment : registeredPayment)(store, { fundingAccount: account });
}

/** Of its payment's account: available, reserved, posted. */
export async function fundsOf(store: Store, paymentId: string): Promise<readonly number[]> {
  const { fundingAccount } = (await store.payments.read(paymentId, BY)).facts;
  const account = await store.funds.account(fundingAccount ?? '');
  return account === undefined ? [] : [account.available, account.reserved, account.posted];
}

export const PROVEN: Ending = { kind: 'proven' };
export const CANCELLED: Ending = {
  kind: 'unsent',
  why: { kind: 'cancelled', operator: 'temporal-ui', note: 'wrong meter' },
};
export const decided = (change: Partial<Resolution> = {}, updateId?: string): Ending => ({
  kind: 'decided',
  resolution: { decision: 'paid', operator: 'amina', note: 'biller confirmed by phone', ...change },
  ...(updateId !== undefined && { updateId }),
});

export const end = (store: Store, paymentId: string, ending: Ending) =>
  store.payments.recordOutcome(paymentId, ending, BY);

/** A sent payment, ended by what the provider says now. */
export async function endAs(
  store: Store,
  paymentId: string,
  state: 'completed' | 'failed',
): Promise<BillPaymentOutcome> {
  if (state === 'failed') await look(store, paymentId, recordOf(paymentId, state), 40_000);
  await look(store, paymentId, recordOf(paymentId, state));
  return outcomeOf(await end(store, paymentId, PROVEN));
}

/** Asked, as any look that gets no answer does once it is sent, and decided. */
export async function endByPerson(store: Store, paymentId: string, change: Partial<Resolution>) {
  await look(store, paymentId, UNREADABLE);
  return await end(store, paymentId, decided(change));
}

export function outcomeOf(result: Awaited<ReturnType<Store['payments']['recordOutcome']>>): BillPaymentOutcome {
  if (result.kind !== 'closed') throw new Error(`it is ${JSON.stringify(result)}`);
  return result.outcome;
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
