import { sleep } from '@temporalio/workflow';
import { billPayment as released } from '../../../src/workflows';
import type { BillPaymentRequest } from '../../../src/payment/request';

/** What a careless change looks like: one timer more, before anything else. */
export async function billPayment(request: BillPaymentRequest) {
  await sleep(1);
  return await released(request);
}
