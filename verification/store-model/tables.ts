import { storableJson, type OutcomeColumns, type StoredOutcome } from '../../src/store/values';
import type { PaymentDispute } from '../../src/payment/dispute';
import type { Claim, Rules } from '../../src/payment/facts';
import type { CallbackReading, Receipt } from '../../src/payment/observation';
import type { Seen } from '../../src/payment/seen';
import type { NamedBy, RecordedAction, RecordedResolution } from '../../src/store';

/** What the tables of `src/store/migrations` hold, in memory. Rows are changed in place, by one call at a time. */

export interface Tables {
  readonly payments: Map<string, PaymentRow>;
  readonly accounts: Map<string, AccountRow>;
  readonly reservations: Map<string, ReservationRow>;
  /** In the order of their ids. */
  readonly callbacks: CallbackRow[];
  /** Callbacks beyond the limit, per payment. */
  readonly overflowed: Map<string, number>;
  readonly actions: (RecordedAction & { readonly paymentId: string })[];
  readonly disputes: Map<string, DisputeRow>;
}

export interface PaymentRow {
  readonly paymentId: string;
  readonly fingerprint: string;
  readonly serviceId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
  readonly fundingAccount?: string;
  readonly rules: Rules;
  readonly registeredAt: number;
  claim: Claim;
  /** Of the attempt that holds the claim. */
  nonce?: string;
  seen: Seen;
  attentionSince?: number;
  outcome?: StoredOutcome;
  receipt: Receipt;
  disputedAt?: Date;
  /** Changes with the row, as the database's does. */
  version: number;
}

export interface AccountRow {
  readonly id: string;
  readonly currency: string;
  available: number;
  reserved: number;
  posted: number;
  deposited: number;
}

export interface ReservationRow {
  readonly fundingAccount: string;
  readonly amount: number;
  settled?: { readonly posted: number; readonly released: number };
}

export interface CallbackRow {
  readonly id: number;
  readonly paymentId: string;
  readonly digest: string;
  readonly body: string;
  readonly reading: CallbackReading;
  readonly receivedAt: Date;
  signalledAt?: Date;
  namedBy?: NamedBy;
}

export interface DisputeRow extends PaymentDispute {
  openedAt?: string;
  resolution?: RecordedResolution;
}

export const emptyTables = (): Tables => ({
  payments: new Map(),
  accounts: new Map(),
  reservations: new Map(),
  callbacks: [],
  overflowed: new Map(),
  actions: [],
  disputes: new Map(),
});

/** What comes back from a `jsonb` column: no undefined field, no text that PostgreSQL cannot keep. */
export function stored<Value>(value: Value): Value {
  return JSON.parse(storableJson(value)) as Value;
}

export const columnsOf = ({ outcome, receipt }: PaymentRow): OutcomeColumns => ({ outcome: outcome ?? null, receipt });

export const callbacksOf = ({ callbacks }: Tables, paymentId: string): readonly CallbackRow[] =>
  callbacks.filter((callback) => callback.paymentId === paymentId);

/** What a CHECK or a trigger says: looks to the store's own code like PostgreSQL's error. */
export class RefusedByDatabase extends Error {
  override readonly name = 'RefusedByDatabase';
  readonly severity = 'ERROR';
  constructor(
    readonly code: '23514' | '23505',
    problem: string,
  ) {
    super(problem);
  }
}
