import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bill, SaveBillNumberRequest } from '../../src/payment/inquiry';
import type { Observation, PaymentRecord } from '../../src/payment/observation';
import { ProviderRefusal, ProviderTrouble, type PaymentOrder, type Provider } from '../../src/payment/provider';
import type { CallbackSamples, CallbacksUnderTest } from './callbacks-contract';

/** What the contract is given of an implementation, and what it asks with. */

export interface ProviderUnderTest extends CallbacksUnderTest {
  readonly provider: Provider;
  /** The same where nobody answers. */
  readonly unreachable: Provider;
  /** The same with credentials that are not ours. */
  readonly stranger: Provider;
  /** What must be in no text and no log: credentials above all. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

export type Pay = Bill & { readonly amount: number };

export interface ProviderSamples extends CallbackSamples {
  readonly validBill?: Bill | undefined;
  readonly invalidBill?: Bill | undefined;
  /** Is refused clearly, in the answer to the request. */
  readonly refused?: Pay | undefined;
  /** Is paid. */
  readonly paid?: Pay | undefined;
  /** Captured or not: the answer to the request does not say. */
  readonly unclear?: readonly (Pay & { readonly name: string })[];
  /** Whether an id may be sent twice without harm. */
  readonly maySendTwice?: boolean;
  readonly saved?: SaveBillNumberRequest;
  /** Whether wrong credentials may be tried: some providers lock who does. */
  readonly mayTryCredentials?: boolean;
}

const PAYER = { name: 'Wanjiru Contract', msisdn: '254712345678' } as const;
/** How long a payment may take until it can be looked up. */
const LOOKS = { times: 30, everyMs: 1_000 } as const;

export const newId = (): string => `contract-${randomUUID()}`;
/** Of nobody: for questions whose answer does not matter. */
export const NO_BILL: Bill = { serviceId: 'contract', accountNumber: '0' };

export function orderOf({ callbacks }: ProviderUnderTest, { serviceId, accountNumber, amount }: Pay): PaymentOrder {
  const paymentId = newId();
  return {
    paymentId,
    serviceId,
    accountNumber,
    amount,
    currency: 'KES',
    country: 'KE',
    payer: PAYER,
    description: 'Provider contract',
    saveBillerNumber: false,
    callbackUrl: callbacks.urlOf('https://callbacks.example.com', paymentId),
  };
}

/** With a session as the flow has one: proven by a look. */
export async function proven({ provider }: ProviderUnderTest) {
  const { session } = await provider.findPayment(newId());
  return { provider, session };
}

export const seen = async (provider: Provider, paymentId: string): Promise<Observation> =>
  (await provider.findPayment(paymentId)).observation;

export async function recordOf(provider: Provider, paymentId: string): Promise<PaymentRecord> {
  for (let look = 1; ; look += 1) {
    const observation = await seen(provider, paymentId);
    if (observation.kind === 'record') return observation;
    if (look === LOOKS.times) throw new Error(`no record after ${look} looks: ${observation.said}`);
    await sleep(LOOKS.everyMs);
  }
}

export function refusalOrTrouble(error: unknown): ProviderRefusal | ProviderTrouble {
  if (error instanceof ProviderRefusal || error instanceof ProviderTrouble) return error;
  throw error;
}

export function expectNothingPersonal(text: string, { payer, accountNumber, callbackUrl }: PaymentOrder): void {
  for (const value of [payer.name, payer.msisdn, callbackUrl]) expect(text).not.toContain(value);
  // A shorter number may stand in a text for something else.
  if (accountNumber.length > 3) expect(text).not.toContain(accountNumber);
}

export function fail(): never {
  throw new Error('nobody knows');
}
