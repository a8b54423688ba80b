import { randomUUID } from 'node:crypto';
import { fingerprint } from '../../src/payment/fingerprint';
import { resolvePolicy } from '../../src/payment/policy';
import type { Provider } from '../../src/payment/provider';
import type { CheckedRequest } from '../../src/payment/request';
import type { RecordResult } from '../../src/payment/steps';
import { SERVICES } from '../../src/sandbox';
import type { Merchant, Reading, Store } from '../../src/store';

/**
 * Every HTTP and SQL call of one paid payment, in five plain steps without a guarantee. Not one call more or less than the real
 * payment makes: this is what it is compared with. The only file of the bench that knows the store's and the provider's functions.
 */
export interface PaymentCallsOptions {
  readonly provider: Provider;
  readonly store: Pick<Store, 'payments'>;
  readonly callbackUrl: (paymentId: string) => string;
}

export type PaymentCalls = ReturnType<typeof createPaymentCalls>;

export function createPaymentCalls({ provider, store, callbackUrl }: PaymentCallsOptions) {
  const by: Merchant = { account: provider.account, provider: provider.name, failedWithoutCode: 'ask' };
  const rules = { policy: resolvePolicy(undefined), prepaid: false, failedWithoutCode: 'ask' } as const;
  return {
    async validate(request: CheckedRequest): Promise<void> {
      await store.payments.register(request, await fingerprint(request), rules, by);
      const { serviceId, accountNumber } = request;
      const { kind } = await provider.validateAccount({ serviceId, accountNumber });
      if (kind !== 'valid') throw new Error('the account is not valid');
    },

    /** Whether there is money for it: the claim takes it. */
    async hold({ paymentId, amount }: CheckedRequest): Promise<Reading> {
      const reading = await store.payments.read(paymentId, by);
      if ((reading.available ?? 0) < amount) throw new Error('the funds are not there');
      return reading;
    },

    async send(request: CheckedRequest, reading: Reading): Promise<void> {
      const { paymentId } = request;
      const { session } = await provider.findPayment(paymentId);
      const nonce = randomUUID();
      const sessionExpiresAt = new Date(session.expiresAt);
      const ofContent = { nonce, fingerprint: reading.fingerprint, sessionExpiresAt };
      const { kind } = await store.payments.claim(paymentId, reading, ofContent, by);
      if (kind !== 'claimed') throw new Error(`the payment is not claimed: ${kind}`);
      const order = { ...request, callbackUrl: callbackUrl(paymentId) };
      const submission = await provider.submitPayment(order, session, () => true);
      if (submission.kind !== 'accepted') throw new Error(`the payment is not accepted but ${submission.kind}`);
      await store.payments.answered(paymentId, nonce, submission, by);
    },

    /** Whether the provider says that it is completed. */
    async look({ paymentId }: CheckedRequest): Promise<boolean> {
      const { observation } = await provider.findPayment(paymentId);
      const ago = () => 0;
      const { verdict } = await store.payments.look(paymentId, { observation, askedAgo: ago, answeredAgo: ago }, by);
      return verdict.kind === 'paid';
    },

    async record({ paymentId }: CheckedRequest): Promise<RecordResult> {
      return await store.payments.recordOutcome(paymentId, { kind: 'proven' }, by);
    },
  };
}

/** A payment of the bench: paid by every rule of the sandbox, with money held for it. */
export function requestFor(paymentId: string): CheckedRequest {
  return {
    paymentId,
    serviceId: SERVICES[0]?.serviceId ?? '',
    serviceName: 'KPLC POSTPAID',
    accountNumber: '700001',
    amount: 1,
    currency: 'KES',
    country: 'KE',
    payer: { name: 'Bench Payer', msisdn: '254712345678' },
    description: 'Bench',
    saveBillerNumber: false,
    fundingAccount: FUNDS.account,
  };
}

export const FUNDS = { account: 'bench', amount: 1_000_000_000, currency: 'KES' } as const;
