/** What the read-only workflows answer. */

/** What a bill is found by at the provider. */
export interface Bill {
  readonly serviceId: string;
  readonly accountNumber: string;
}

export interface BillInquiry {
  readonly valid: boolean;
  /** Why not, in the provider's words, when it is not valid. */
  readonly reason?: string;
  readonly customerName?: string;
  /** The biller may answer decimals. Absent when the biller does not say. */
  readonly dueAmount?: number;
  /** As the provider writes it: it names no zone (provider.md §4.3.6), so it is for display only. */
  readonly dueDate?: string;
  readonly currency?: string;
  readonly saved?: SavedBillNumber;
}

export interface SavedBillNumber {
  readonly serviceId: string;
  readonly accountNumber: string;
  readonly customerName?: string;
  readonly phoneNumber?: string;
  readonly lastKnownBalance?: number;
  readonly dueDate?: string;
  readonly verified: boolean;
  readonly serviceName?: string;
  readonly category?: string;
}

export interface BillService {
  readonly serviceId: string;
  readonly name: string;
  readonly category?: string;
}

export interface SaveBillNumberRequest {
  readonly serviceId: string;
  readonly accountNumber: string;
  readonly phoneNumber?: string;
  readonly description?: string;
}

export interface SavedBillNumberReceipt {
  readonly customerName?: string;
  readonly lastKnownBalance?: number;
  readonly dueDate?: string;
  readonly verified: boolean;
}

export interface TransactionRoute {
  readonly id: string;
  readonly category: string;
  readonly description?: string;
  readonly active: boolean;
}

export interface WalletBalance {
  readonly balances: readonly { readonly type?: string; readonly balance: number }[];
}

/** One report over health, routes and wallet; each part answers or says why it could not. */
export interface ProviderReport {
  readonly ok: boolean;
  readonly health: CheckResult<string>;
  readonly routes: CheckResult<readonly TransactionRoute[]>;
  readonly wallet: CheckResult<WalletBalance>;
}

export type CheckResult<T> =
  { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'failed'; readonly because: string };

/** What the biller says is due. Each part only if it says so. */
export interface DueBill {
  readonly customerName?: string;
  readonly dueAmount?: number;
  readonly dueDate?: string;
  readonly currency?: string;
}
