import type {
  Bill,
  BillService,
  DueBill,
  SaveBillNumberRequest,
  SavedBillNumber,
  SavedBillNumberReceipt,
  TransactionRoute,
  WalletBalance,
} from './inquiry';
import type { AccountReading, CallbackReading, Observation, Submission } from './observation';

/**
 * What the flow needs of a provider, in the field's words. One room implements it for one provider (`src/almara`); the contract is
 * tested with every implementation (`test/provider/contract.ts`). Reads throw `ProviderTrouble` when nothing could be learnt and
 * `ProviderRefusal` on a clear no; the payment itself never throws.
 */
export interface Provider {
  /** As people know it: in every text they read. */
  readonly name: string;
  /** Names the merchant account without telling it: requests sent from one are unknown to another. */
  readonly account: string;
  /** Advisory: a valid account can still fail. Never carries a payment id. */
  validateAccount(bill: Bill, signal?: AbortSignal): Promise<AccountReading>;
  /** The look. An answer that nobody can read is an observation, and no error. The session is the one that the look has proven. */
  findPayment(
    paymentId: string,
    signal?: AbortSignal,
  ): Promise<{ readonly observation: Observation; readonly session: ProviderSession }>;
  /**
   * Sends the payment request: once, never repeated, never throws.
   * @param session that a look of this provider has proven; with any other nothing is sent
   * @param mayStillSend asked at most once, right before the first byte; anything but `true`: nothing is sent, and the answer is 'not-sent'
   */
  submitPayment(
    order: PaymentOrder,
    session: ProviderSession,
    mayStillSend: () => boolean,
    signal?: AbortSignal,
  ): Promise<Submission>;
  queryBill(bill: Bill, signal?: AbortSignal): Promise<DueBill>;
  listBillServices(signal?: AbortSignal): Promise<readonly BillService[]>;
  findBillNumber(bill: Bill, signal?: AbortSignal): Promise<SavedBillNumber | undefined>;
  saveBillNumber(request: SaveBillNumberRequest, signal?: AbortSignal): Promise<SavedBillNumberReceipt>;
  listRoutes(signal?: AbortSignal): Promise<readonly TransactionRoute[]>;
  walletBalance(signal?: AbortSignal): Promise<WalletBalance>;
  /** Plain words. */
  health(signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** What a look has proven we may send with. */
export interface ProviderSession {
  /** Epoch ms: a request that is still on its way then is refused by the provider. */
  readonly expiresAt: number;
}

/** A bill to be paid: the registered request, and where the provider's callback goes. */
export interface PaymentOrder extends Bill {
  readonly paymentId: string;
  /** Whole currency units. */
  readonly amount: number;
  readonly currency: string;
  readonly country: string;
  readonly payer: { readonly name: string; readonly msisdn: string };
  readonly description: string;
  readonly narration?: string | undefined;
  readonly saveBillerNumber: boolean;
  readonly callbackUrl: string;
}

/** What the callback endpoint needs of a provider: the address that only we can make, and how a body is read. */
export interface ProviderCallbacks {
  /** The path before `/<payment id>/<token>`. */
  readonly path: string;
  /** The signed address of one payment. @throws Error when it would be longer than the provider takes */
  urlOf(base: string, paymentId: string): string;
  /** Whether we made the token for this payment. Takes the same time wherever it differs. */
  isAuthentic(paymentId: string, token: string): boolean;
  read(body: unknown): ReadCallback;
  /** Text without the token of our address, which the provider repeats. */
  withoutToken(text: string): string;
}

export type ReadCallback =
  | { readonly kind: 'callback'; readonly paymentId: string; readonly reading: CallbackReading }
  | { readonly kind: 'unreadable'; readonly because: string };

/** Why nothing could be learnt from the provider. */
export type TroubleKind =
  | 'connection'
  | 'timeout'
  | 'unauthorized'
  | 'forbidden'
  | 'rate-limited'
  | 'server-error'
  | 'unreadable'
  | 'unexpected-status';

interface TroubleDetails {
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The provider could not be asked, or its answer says nothing. The message is for people; it holds no body and nothing personal. */
export class ProviderTrouble extends Error {
  override readonly name = 'ProviderTrouble';
  readonly status?: number;
  /** How long the provider asks us to wait, at most an hour. */
  readonly retryAfterMs?: number;

  constructor(
    readonly kind: TroubleKind,
    message: string,
    { status, retryAfterMs }: TroubleDetails = {},
  ) {
    super(message);
    if (status !== undefined) this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** A clear refusal of something that is not the payment: asking again would get the same answer. */
export class ProviderRefusal extends Error {
  override readonly name = 'ProviderRefusal';
  constructor(
    message: string,
    readonly reasons: readonly string[],
  ) {
    super(message);
  }
}
