import { condition, proxyActivities, setHandler } from '@temporalio/workflow';
import type { CheckedRequest } from '../../../src/payment/request';
import type { RecordResult } from '../../../src/payment/steps';
import type { PaymentCalls } from '../payment-calls';
import { providerCallback } from './signal';

/**
 * A payment as the engine's own samples would write it: every step a regular activity, retried by default, a signal with a timer
 * beside it. It makes the same calls as the real one and guarantees nothing: a retry sends it again.
 */
const { validate, hold, send, look, record } = proxyActivities<PaymentCalls>({ startToCloseTimeout: '1 minute' });

export async function samples(request: CheckedRequest): Promise<RecordResult> {
  let called = false;
  setHandler(providerCallback, () => {
    called = true;
  });
  await validate(request);
  await send(request, await hold(request));
  for (;;) {
    await condition(() => called, '20 seconds');
    called = false;
    if (await look(request)) return await record(request);
  }
}
