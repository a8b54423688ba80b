import { cancellationSignal } from '@temporalio/activity';
import type {
  Bill,
  BillService,
  DueBill,
  SaveBillNumberRequest,
  SavedBillNumber,
  SavedBillNumberReceipt,
  TransactionRoute,
  WalletBalance,
} from '../payment/inquiry';
import type { Expected, Look } from '../payment/look';
import type { AccountReading } from '../payment/observation';
import type { ActivityDependencies } from './dependencies';
import { lookAt } from './look';

/** Below the local activity's start-to-close of 3 s: a slow provider is an answer, and not a time-out. */
const LOOK_WITHIN = 2_500;

/** One activity for each provider endpoint that only reads, and the one that saves a biller account. */
export function createAlmaraActivities(dependencies: ActivityDependencies) {
  const { provider } = dependencies;
  return {
    /** One look at once, for a callback or a person. Local: it is short, and repeats harmlessly. */
    async findPayment(expected: Expected): Promise<Look> {
      return await lookAt(
        dependencies,
        expected,
        AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN)]),
      );
    },
    async validateAccount(bill: Bill): Promise<AccountReading> {
      return await provider.validateAccount(bill, cancellationSignal());
    },
    async queryBill(bill: Bill): Promise<DueBill> {
      return await provider.queryBill(bill, cancellationSignal());
    },
    /** `null` when nothing is saved: an activity cannot answer undefined. */
    async findBillNumber(bill: Bill): Promise<SavedBillNumber | null> {
      return (await provider.findBillNumber(bill, cancellationSignal())) ?? null;
    },
    async saveBillNumber(request: SaveBillNumberRequest): Promise<SavedBillNumberReceipt> {
      return await provider.saveBillNumber(request, cancellationSignal());
    },
    async listBillServices(): Promise<readonly BillService[]> {
      return await provider.listBillServices(cancellationSignal());
    },
    async listRoutes(): Promise<readonly TransactionRoute[]> {
      return await provider.listRoutes(cancellationSignal());
    },
    async walletBalance(): Promise<WalletBalance> {
      return await provider.walletBalance(cancellationSignal());
    },
    async checkHealth(): Promise<string> {
      return await provider.health(cancellationSignal());
    },
  };
}
