export { openStore, type Store } from './store';
export { migrate, pendingMigrations, requireMigrated } from './migrate';
export { ClaimUncertain, ImpossibleRequest, UnknownPayment } from './errors';
export type { Claimed, ClaimRequest, PaymentFacts, Payments, Registered } from './payments';
export type { Close } from './close';
export type { DisputeFacts, Disputes, Raise, Resolved, StoredDispute } from './disputes';
export type { RecordedResolution } from '../payment/dispute';
export type { AccountSum, Reconciliations } from './reconciliations';
export type { FundingAccount, Reservations, Reserve, Reserved } from './reservations';
export {
  MAX_STORED_CALLBACKS,
  type Added,
  type IncomingCallback,
  type Inbox,
  type NamedBy,
  type PendingCallback,
  type StoredCallback,
} from './inbox';
export type { OperatorAction, OperatorActions, RecordedAction } from './operator-actions';
