import type { PaymentDispute } from '../../src/payment/dispute';
import type { CallbackReading } from '../../src/payment/observation';
import type { HandledAs, RecordedAction, RecordedResolution } from '../../src/store';
import { UnknownPayment } from '../../src/store';
import type { PaymentRow as SelectedRow } from '../../src/store/facts';
import { readOutcome, storableJson } from '../../src/store/values';

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
  /** Why a command was refused, by payment, command and update. */
  readonly refusedActions: Map<string, string>;
  readonly disputes: Map<string, DisputeRow>;
}

type Computed = 'disputed' | 'version' | 'now' | 'available' | 'overflowed' | 'callbacks';

/** The columns that a call reads, as the store's own code gets them, and those that only others read. */
export type PaymentRow = { -readonly [Column in keyof Omit<SelectedRow, Computed>]: SelectedRow[Column] } & {
  readonly service_id: string;
  disputed_at: Date | null;
  version: number;
};

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
  handledAs?: HandledAs;
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
  refusedActions: new Map(),
  disputes: new Map(),
});

/** @throws UnknownPayment */
export function paymentOf({ payments }: Tables, paymentId: string): PaymentRow {
  const row = payments.get(paymentId);
  if (row === undefined) throw new UnknownPayment(paymentId);
  return row;
}

/** What one statement selects of it, at one moment. */
export function selected(tables: Tables, payment: PaymentRow, now: number): SelectedRow {
  const { payment_id: paymentId, funding_account, currency } = payment;
  const account = funding_account === null ? undefined : tables.accounts.get(funding_account);
  return {
    ...payment,
    disputed: payment.disputed_at !== null,
    version: String(payment.version),
    now: new Date(now),
    available: account?.currency === currency ? String(account.available) : null,
    overflowed: String(tables.overflowed.get(paymentId) ?? 0),
    callbacks: callbacksOf(tables, paymentId).map(({ id, reading }) => ({ id, reading })),
  };
}

/** Every change makes another row of it: who has read the one before writes nothing. */
export function update(payment: PaymentRow, change: Partial<Omit<PaymentRow, 'version'>>): void {
  Object.assign(payment, change, { version: payment.version + 1 });
}

export const outcomeOf = (payment: PaymentRow) => readOutcome(payment);

/** What comes back from a `jsonb` column: no undefined field, no text that PostgreSQL cannot keep. */
export function stored<Value>(value: Value): Value {
  return JSON.parse(storableJson(value)) as Value;
}

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
