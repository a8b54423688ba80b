/** `almara-bill-payments`: pay bills from any Node.js service that has a Temporal address. Loads no worker code. */
export { BillPayments } from './bill-payments';
export { MOST_ASKED, type AttentionItem, type ExampleUpdate } from './attention';
export type { AppliedSchedule, LastReconciliation, Reconciliation, ReconciliationSchedule } from './reconciliation';
export type { ConnectOptions } from './connection';
export type { BillDisputeHandle, BillPaymentHandle, Decision, StillOpen, WaitOptions } from './types';
export {
  BillPaymentError,
  DisputeNotFound,
  EngineUnavailable,
  InvalidRequest,
  PaymentConflict,
  PaymentNotFound,
  ProviderFailed,
  ReconciliationFailed,
  Refused,
  RunEnded,
  TooLate,
  type BillPaymentErrorCode,
} from './errors';
export type { BillPaymentRequest } from '../payment/request';
export type {
  AttentionReason,
  BillPaymentOutcome,
  CancelledOutcome,
  DeclinedOutcome,
  DeclineReason,
  Evidence,
  PaidOutcome,
  SettledBy,
} from '../payment/outcome';
export type { DisputeProgress, DisputeResolution, RaisedBy } from '../payment/dispute';
export type { Receipt } from '../payment/observation';
export type { PaymentProgress, Resolution, Stage } from '../payment/progress';
export type {
  BillInquiry,
  BillService,
  CheckResult,
  ProviderReport,
  SaveBillNumberRequest,
  SavedBillNumber,
  SavedBillNumberReceipt,
  TransactionRoute,
  WalletBalance,
} from '../payment/inquiry';
export type { Difference, DifferenceKind } from '../payment/reconciliation';
export type { ReconcileRequest, ReconciliationReport } from '../payment/reconciliation-window';
export { POLICY_BOUNDS, type PolicyField } from '../payment/policy';
export {
  FAILURES,
  QUERIES,
  SEARCH_ATTRIBUTES,
  SIGNALS,
  TASK_QUEUE,
  UPDATES,
  WORKFLOWS,
  disputeWorkflowIdOf,
  workflowIdOf,
  type BillPaymentState,
  type InvalidField,
} from '../payment/contract';
