import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type {
  Bill,
  BillInquiry,
  BillService,
  CheckResult,
  ProviderReport,
  SaveBillNumberRequest,
  SavedBillNumberReceipt,
} from '../payment/inquiry';
import { reads, saveBillNumber as save } from './activities';

/** Read-only requests, and saving a biller account: no payment is touched by any of them. */

/** Whether an account can be paid, what is due on it, and what the provider has saved of it. */
export async function billInquiry(bill: Bill): Promise<BillInquiry> {
  const account = await reads.validateAccount(bill);
  if (account.kind === 'invalid') return { valid: false, reason: account.reason };
  const [due, saved] = await Promise.all([orNothing(reads.queryBill(bill)), orNothing(reads.findBillNumber(bill))]);
  return {
    valid: true,
    ...(account.customerName !== undefined && { customerName: account.customerName }),
    ...due,
    ...(saved && { saved }),
  };
}

export async function billServices(): Promise<readonly BillService[]> {
  return await reads.listBillServices();
}

export async function saveBillNumber(request: SaveBillNumberRequest): Promise<SavedBillNumberReceipt> {
  return await save(request);
}

/** Health, routes and wallet in one report: what is wrong with the connection to the provider. */
export async function providerCheck(): Promise<ProviderReport> {
  const [health, routes, wallet] = await Promise.all([
    check(reads.checkHealth()),
    check(reads.listRoutes()),
    check(reads.walletBalance()),
  ]);
  return { ok: [health, routes, wallet].every((part) => part.kind === 'ok'), health, routes, wallet };
}

async function check<T>(part: Promise<T>): Promise<CheckResult<T>> {
  try {
    return { kind: 'ok', value: await part };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { kind: 'failed', because: error.cause?.message ?? error.message };
  }
}

/** Not every biller answers these: without them the inquiry is poorer, not wrong. An outage is an error all the same. */
async function orNothing<T>(part: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await part;
  } catch (error) {
    const refused =
      error instanceof ActivityFailure &&
      error.cause instanceof ApplicationFailure &&
      error.cause.nonRetryable === true;
    if (refused) return undefined;
    throw error;
  }
}
