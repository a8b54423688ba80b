import { compareWithOutcome } from '../../src/callbacks/compare';
import type { CallbackReading } from '../../src/payment/observation';
import type { FundingAccount, Store } from '../../src/store';
import { readOutcome } from '../../src/store/values';
import type { StoredTruth } from '../guarantees';
import { modelOperatorActions, stateOf } from './actions';
import { modelDisputes } from './disputes';
import { modelInbox } from './inbox';
import { modelFunds } from './funds';
import { modelPayments } from './payments';
import type { StoreModelOptions } from './options';
import { callbacksOf, columnsOf, emptyTables, type PaymentRow, type Tables } from './tables';

export type { StoreModelOptions } from './options';

/**
 * The store in memory, for the simulation. Each method acts at the moment it is called, at once and wholly, and answers what the
 * SQL store answers: the same properties hold for both, and the two are run in lockstep (`test/verification/store-model/lockstep.live.test.ts`).
 */
export interface StoreModel extends Pick<
  Store,
  'payments' | 'funds' | 'inbox' | 'operatorActions' | 'disputes'
> {
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
      if (payment === undefined) return;
      payment.claim = { kind: 'free' };
      payment.version += 1;
    },
  };
}

const isDoubtful = ({ code }: CallbackReading): boolean =>
  code !== undefined && code.meaning !== 'refusal' && code.meaning !== 'duplicate';

function snapshotOf(tables: Tables, payment: PaymentRow): StoreSnapshot {
  const { paymentId, claim, accountNumber } = payment;
  const outcome = readOutcome(columnsOf(payment));
  const reservation = tables.reservations.get(paymentId);
  const decided = tables.actions.find((each) => each.paymentId === paymentId && each.action === 'resolvePayment');
  const callbacks = callbacksOf(tables, paymentId);
  // What the close has weighed does not contradict it, whatever it claims.
  const contradictions = callbacks.filter(
    ({ namedBy, reading }) =>
      outcome !== undefined &&
      namedBy !== 'close' &&
      compareWithOutcome({ outcome, accountNumber }, reading).kind === 'contradicts',
  );
  return {
    claim: claim.kind === 'free' ? 'none' : claim.kind,
    disputed: payment.disputedAt !== undefined,
    contradictions: contradictions.length,
    doubtfulCodes: callbacks.filter(({ namedBy, reading }) => namedBy === 'close' && isDoubtful(reading)).length,
    completedSeen: payment.seen.completedAt !== undefined,
    callbacks: callbacks.length,
    callbacksUnnamed: callbacks.filter(({ namedBy }) => namedBy === undefined).length,
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
