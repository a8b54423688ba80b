import type { Facts } from '../../src/payment/facts';
import { judge } from '../../src/payment/judge';
import type { CheckedRequest } from '../../src/payment/request';
import type { RegisteredBill } from '../../src/payment/state';
import type { Look } from '../../src/payment/steps';
import { at, EXPECTED } from './support';

/** What a run shows is made of a bill and looks: both as activities give them. */

export function billOf(change: Partial<CheckedRequest> = {}): RegisteredBill {
  const { paymentId, accountNumber, amount, currency } = EXPECTED;
  const request: CheckedRequest = {
    ...{ paymentId, accountNumber, amount, currency, country: 'KE', serviceId: 'service-1' },
    payer: { name: 'A Payer', msisdn: '254712345678' },
    description: 'Electricity',
    saveBillerNumber: false,
    ...change,
  };
  return { request, serviceName: 'KPLC POSTPAID', provider: 'Acme Pay', expiresAt: at(840) };
}

/** Judged at that second, as the store does. */
export const lookAt = (second: number, facts: Facts, said?: string): Look => ({
  facts,
  verdict: judge(facts, at(second)),
  at: at(second),
  ...(said !== undefined && { said }),
});
