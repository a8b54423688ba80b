import { openDatabase, type DatabaseSettings } from './database';
import { createDisputes, type Disputes } from './disputes';
import { createFunds, type Funds } from './funds';
import { createInbox, type Inbox } from './inbox';
import { createOperatorActions, type OperatorActions } from './operator-actions';
import { createPayments, type Payments } from './payments';
import { createReconciliations, type Reconciliations } from './reconciliations';

/** Everything we know about payments, in one PostgreSQL. One store per merchant account at the provider. */
export interface Store {
  readonly payments: Payments;
  readonly funds: Funds;
  readonly inbox: Inbox;
  readonly disputes: Disputes;
  readonly operatorActions: OperatorActions;
  readonly reconciliations: Reconciliations;
  /** @throws when the database does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Connects when first used. The database must be migrated: `pendingMigrations` tells. */
export function openStore(settings: DatabaseSettings): Store {
  const database = openDatabase(settings);
  return {
    payments: createPayments(database),
    funds: createFunds(database),
    inbox: createInbox(database),
    disputes: createDisputes(database),
    operatorActions: createOperatorActions(database),
    reconciliations: createReconciliations(database),
    async ping() {
      await database.query('SELECT 1');
    },
    close: () => database.close(),
  };
}
