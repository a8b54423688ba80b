export { openStore, type Store } from './store';
export { migrate, pendingMigrations, requireMigrated } from './migrate';
export { AlwaysOvertaken, AnswerTooOld, ClaimUncertain, ImpossibleRequest, UnknownPayment } from './errors';
export type { Merchant, Reading } from './facts';
export type { Payments, Registered } from './payments';
export type { Observed } from './look';
export type { Claimed, ClaimRequest } from './claim';
export type { DisputeFacts, Disputes, Raise, Resolved, StoredDispute } from './disputes';
export type { RecordedResolution } from '../payment/dispute';
export type { AccountSum, Reconciliations } from './reconciliations';
export type { Deposit, FundingAccount, Funds } from './funds';
export {
  MAX_STORED_CALLBACKS,
  type Added,
  type IncomingCallback,
  type Inbox,
  type HandledAs,
  type PendingCallback,
  type StoredCallback,
} from './inbox';
export type { OperatorActions, RecordedAction } from './operator-actions';
