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
import type { AccountReading } from '../payment/observation';
import { checked, SHAPES } from './arguments';
import type { ActivityDependencies } from './dependencies';

/** One activity for each request to the provider that only reads, and the one that saves a biller account. */
export function createProviderReads({ provider }: ActivityDependencies) {
  return {
    async validateAccount(bill: Bill): Promise<AccountReading> {
      return await provider.validateAccount(checked(SHAPES.bill, bill), cancellationSignal());
    },
    async queryBill(bill: Bill): Promise<DueBill> {
      return await provider.queryBill(checked(SHAPES.bill, bill), cancellationSignal());
    },
    /** `null` when nothing is saved: an activity cannot answer undefined. */
    async findBillNumber(bill: Bill): Promise<SavedBillNumber | null> {
      return (await provider.findBillNumber(checked(SHAPES.bill, bill), cancellationSignal())) ?? null;
    },
    async saveBillNumber(request: SaveBillNumberRequest): Promise<SavedBillNumberReceipt> {
      return await provider.saveBillNumber(checked(SHAPES.billNumber, request), cancellationSignal());
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
