import { compareWithOutcome } from '../../src/callbacks/compare';
import type { CallbackReading } from '../../src/payment/observation';
import type { FundingAccount, Store } from '../../src/store';
import { SEALED } from '../../src/store/facts';
import type { StoredTruth } from '../guarantees';
import { modelOperatorActions } from './actions';
import { modelDisputes } from './disputes';
import { modelFunds, stateOf } from './funds';
import { modelInbox } from './inbox';
import type { StoreModelOptions } from './options';
import { modelPayments } from './payments';
import { callbacksOf, emptyTables, outcomeOf, update, type PaymentRow, type Tables } from './tables';

export type { StoreModelOptions } from './options';

/**
 * The store in memory, for the simulation. Each method acts at the moment it is called, at once and wholly, and answers what the
 * SQL store answers: the same properties hold for both, and the two are run in lockstep (`test/verification/store-model`).
 */
export interface StoreModel extends Pick<Store, 'payments' | 'funds' | 'inbox' | 'operatorActions' | 'disputes'> {
  /** Undefined: not registered. */
  snapshot(paymentId: string): StoreSnapshot | undefined;
  accounts(): readonly FundingAccount[];
  /** Only for planting a bug: what the database refuses. */
  giveBackClaim(paymentId: string): void;
}

export interface StoreSnapshot extends Omit<StoredTruth, 'knewCompleted'> {
  readonly completedSeen: boolean;
  /** Stored callbacks, and those of them that nothing has dealt with. */
  readonly callbacks: number;
  readonly callbacksUnnamed: number;
}

export function createStoreModel(options: StoreModelOptions): StoreModel {
  const tables = emptyTables();
  return {
    payments: modelPayments(tables, options),
    funds: modelFunds(tables),
    inbox: modelInbox(tables, options.now),
    operatorActions: modelOperatorActions(tables),
    disputes: modelDisputes(tables, options.now),
    snapshot(paymentId) {
      const payment = tables.payments.get(paymentId);
      return payment && snapshotOf(tables, payment);
    },
    accounts: () => [...tables.accounts.values()].map((account) => ({ ...account })),
    giveBackClaim(paymentId) {
      const payment = tables.payments.get(paymentId);
      if (payment !== undefined) update(payment, { claimed_at: null, claimed_by: null, answer: null });
    },
  };
}

const isDoubtful = ({ code }: CallbackReading): boolean =>
  code !== undefined && code.meaning !== 'refusal' && code.meaning !== 'duplicate';

function snapshotOf(tables: Tables, payment: PaymentRow): StoreSnapshot {
  const { payment_id: paymentId, account_number: accountNumber, claimed_by } = payment;
  const outcome = outcomeOf(payment);
  const reservation = tables.reservations.get(paymentId);
  const decided = tables.actions.find((each) => each.paymentId === paymentId && each.action === 'resolvePayment');
  const callbacks = callbacksOf(tables, paymentId);
  // What the end has weighed does not contradict it, whatever it claims.
  const contradictions = callbacks.filter(
    ({ handledAs, reading }) =>
      outcome !== undefined &&
      handledAs !== 'close' &&
      compareWithOutcome({ outcome, accountNumber }, reading).kind === 'contradicts',
  );
  return {
    claim: claimed_by === null ? 'none' : claimed_by === SEALED ? 'sealed' : 'taken',
    disputed: payment.disputed_at !== null,
    contradictions: contradictions.length,
    doubtfulCodes: callbacks.filter(({ handledAs, reading }) => handledAs === 'close' && isDoubtful(reading)).length,
    completedSeen: payment.seen.completedAt !== undefined,
    callbacks: callbacks.length,
    callbacksUnnamed: callbacks.filter(({ handledAs }) => handledAs === undefined).length,
    ...(outcome !== undefined && { outcome }),
    ...(decided !== undefined && { decidedBy: decided.operator }),
    ...(reservation !== undefined && {
      reservation: {
        state: stateOf(reservation),
        amount: reservation.amount,
        posted: reservation.settled?.posted ?? 0,
      },
    }),
  };
}
