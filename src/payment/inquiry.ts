/** What the read-only workflows answer. */

/** What a bill is found by at the provider. */
export interface Bill {
  readonly serviceId: string;
  readonly accountNumber: string;
}

/** What the biller says is due. Each part only if it says so. */
export interface DueBill {
  readonly customerName?: string;
  /** The biller may answer decimals. */
  readonly dueAmount?: number;
  /** As the provider writes it: it names no zone, so it is for display only. */
  readonly dueDate?: string;
  readonly currency?: string;
}

export interface BillInquiry extends DueBill {
  readonly valid: boolean;
  /** Why not, in the provider's words, when it is not valid. */
  readonly reason?: string;
  readonly saved?: SavedBillNumber;
}

/** What the provider knows of a bill number that it keeps. */
export interface SavedBillNumberReceipt {
  readonly customerName?: string;
  readonly lastKnownBalance?: number;
  readonly dueDate?: string;
  readonly verified: boolean;
}

export interface SavedBillNumber extends Bill, SavedBillNumberReceipt {
  readonly phoneNumber?: string;
  readonly serviceName?: string;
  readonly category?: string;
}

export interface SaveBillNumberRequest extends Bill {
  readonly phoneNumber?: string;
  readonly description?: string;
}

export interface BillService {
  readonly serviceId: string;
  readonly name: string;
  readonly category?: string;
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
