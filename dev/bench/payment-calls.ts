import { randomUUID } from 'node:crypto';
import type { Almara } from '../../src/almara';
import { callbackUrl, type CallbackKeyRing } from '../../src/almara/callback';
import { fingerprint } from '../../src/payment/fingerprint';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { CheckedRequest } from '../../src/payment/request';
import { SERVICES } from '../../src/sandbox';
import type { Store } from '../../src/store';

/**
 * Every HTTP and SQL call of one paid payment, in five plain steps without a guarantee. Not one call more or less than the real
 * payment makes: this is what it is compared with. The only file of the bench that knows the store's and the provider's functions.
 */
export interface PaymentCallsOptions {
  readonly almara: Almara;
  readonly store: Pick<Store, 'payments' | 'reservations'>;
  readonly callbackBaseUrl: string;
  readonly ring: CallbackKeyRing;
}

export type PaymentCalls = ReturnType<typeof createPaymentCalls>;

export function createPaymentCalls({ almara, store, callbackBaseUrl, ring }: PaymentCallsOptions) {
  return {
    async validate(request: CheckedRequest): Promise<void> {
      await store.payments.register(request, await fingerprint(request));
      const { kind } = await almara.validateAccount(request);
      if (kind !== 'valid') throw new Error('the account is not valid');
    },

    async hold({ paymentId, amount, currency, fundingAccount = '' }: CheckedRequest): Promise<void> {
      const { kind } = await store.reservations.reserve(paymentId, { fundingAccount, amount, currency });
      if (kind !== 'reserved') throw new Error(`the funds are not held: ${kind}`);
    },

    async send(request: CheckedRequest): Promise<void> {
      const { paymentId } = request;
      const { token } = await almara.findPayment(paymentId);
      const order = { ...request, callbackUrl: callbackUrl(callbackBaseUrl, paymentId, ring) };
      const tokenExpiresAt = new Date(token.expiresAt);
      await store.payments.claim(paymentId, { nonce: randomUUID(), account: almara.accountHash, tokenExpiresAt });
      const submission = await almara.submitPayment(order, token, () => true);
      if (submission.kind !== 'accepted') throw new Error(`the payment is not accepted but ${submission.kind}`);
    },

    /** What it came to, once the provider says that it is completed. */
    async look({ paymentId, amount, currency }: CheckedRequest): Promise<BillPaymentOutcome | null> {
      const { observation } = await almara.findPayment(paymentId);
      if (observation.kind !== 'record' || observation.state !== 'completed') return null;
      await store.payments.noteCompleted(paymentId);
      await store.payments.facts(paymentId);
      const at = new Date().toISOString();
      const { said, receipt } = observation;
      const evidence = { source: 'provider', said, at } as const;
      return {
        ...{ kind: 'paid', paymentId, amount, currency, receipt, evidence },
        ...{ settledBy: 'callback', summary: 'Paid.', closedAt: at },
      };
    },

    async record(outcome: BillPaymentOutcome): Promise<void> {
      const { paymentId } = outcome;
      await store.payments.close({ paymentId, outcome, callbacksConsidered: 1, unsent: false });
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
