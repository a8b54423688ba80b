import { isDeepStrictEqual } from 'node:util';
import type { BillPaymentOutcome, Evidence } from '../src/payment/outcome';
import type { BillPaymentRequest } from '../src/payment/request';

/**
 * G1-G8 (docs/guarantees.md) as questions to the facts, asked by the simulation after every step and by the chaos run at its end. What is
 * compared comes from four independent sources: the provider's own ledger, the store, the engine, and what operators did.
 */

export type Guarantee = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8';

export interface Violation {
  readonly guarantee: Guarantee;
  readonly paymentId: string;
  readonly what: string;
}

/** One payment, as each source tells it. */
export interface PaymentTruth {
  readonly paymentId: string;
  readonly amount: number;
  /** Its caller named a funding account: before it may be sent, its money is held. */
  readonly isFunded: boolean;
  /** `FAILED_WITHOUT_CODE`: what the deployment does about a failure for which no callback has brought a code. */
  readonly failedWithoutCode: 'ask' | 'decline';
  readonly provider: ProviderTruth;
  /** Undefined: not registered (yet, or because the request was refused). */
  readonly stored?: StoredTruth;
  /** Results of completed runs of this id, oldest first. */
  readonly results: readonly BillPaymentOutcome[];
}

export interface ProviderTruth {
  /** Payment requests that reached the provider, whatever became of them. */
  readonly postsSeen: number;
  readonly postsCaptured: number;
  /** It was taken after the store had recorded the outcome. */
  readonly capturedAfterClose: boolean;
  /** What was taken is another bill, amount or currency than its caller asked for. */
  readonly capturedOther: boolean;
  /** 4 completed, 6 failed, other numbers pending; null: no record. The truth, whether or not anybody was told. */
  readonly status: number | null;
  /** A look-up was answered with a completed record that agrees with the request in every field. */
  readonly saidCompleted: boolean;
  /** Epoch ms: when such a record was told first. Only where people decide against the record, so only in the simulation. */
  readonly saidCompletedAt?: number | undefined;
  /** A look-up was answered with status 6. */
  readonly saidFailed: boolean;
  /** In answer to how many look-ups; only the simulation's provider counts them. */
  readonly timesSaidFailed?: number | undefined;
  /** The payment request was answered with a clear refusal (docs/almara-pay.md#reading-rules). */
  readonly saidRejected: boolean;
  /** Callbacks with our token that carried a refusal code and may have been stored. What the store holds is no proof of it. */
  readonly refusalCallbacks: number;
}

export interface StoredTruth {
  /** `sealed`: taken by the close of a payment that was never sent. */
  readonly claim: 'none' | 'taken' | 'sealed';
  readonly outcome?: BillPaymentOutcome;
  /** That the provider had said completed was known when the outcome was recorded. */
  readonly knewCompleted: boolean;
  /** Of the callbacks that the close has weighed: how many carried a code that is no refusal, those about a duplicate aside. */
  readonly doubtfulCodes: number;
  readonly disputed: boolean;
  readonly reservation?: {
    readonly state: 'reserved' | 'posted' | 'voided';
    readonly amount: number;
    readonly posted: number;
  };
  /** An operator's recorded `resolvePayment`. */
  readonly decidedBy?: string;
  /** Stored callbacks that contradict the outcome. */
  readonly contradictions: number;
}

/** Whether what the provider took, or shows, is what its caller asked for. */
export function isRequestOf(
  { serviceId, accountNumber, amount, currency = 'KES' }: BillPaymentRequest,
  taken: Pick<BillPaymentRequest, 'serviceId' | 'accountNumber' | 'amount'> & { readonly currency: string },
): boolean {
  return (
    taken.serviceId === serviceId &&
    taken.accountNumber === accountNumber &&
    taken.amount === amount &&
    taken.currency === currency
  );
}

/** What must hold at every moment. */
export function violations(truth: PaymentTruth): Violation[] {
  const found: Violation[] = [];
  const report = (guarantee: Guarantee, what: string): void =>
    void found.push({ guarantee, paymentId: truth.paymentId, what });
  const { provider, stored } = truth;
  const outcome = stored?.outcome;

  if (provider.postsSeen > 1) report('G1', `${provider.postsSeen} payment requests reached the provider`);
  if (provider.postsSeen > 0 && stored?.claim !== 'taken')
    report('G1', `a payment request reached the provider and the claim is ${stored?.claim ?? 'not even registered'}`);
  if (provider.capturedOther) report('G1', 'the provider took another bill, amount or currency than was asked for');
  if (provider.capturedAfterClose && outcome !== undefined && outcome.kind !== 'paid')
    report('G2', `the provider took the payment after it was closed as ${outcome.kind}`);

  if (outcome?.kind === 'declined') checkDeclined(outcome, truth, report);
  if (outcome?.kind === 'cancelled' && stored?.claim !== 'sealed')
    report('G2', 'cancelled after it may have been sent');
  if (outcome?.kind === 'paid') checkPaid(outcome, truth, report);
  if (stored !== undefined) checkFunds(stored, truth, report);
  for (const result of truth.results)
    if (outcome === undefined || !sameOutcome(result, outcome))
      report('G7', `a run ended as ${result.kind} and the store says ${outcome?.kind ?? 'open'}`);
  return found;
}

/** What must hold besides once everything has come to rest: nothing under way, all callbacks dealt with. */
export function violationsAtRest(truth: PaymentTruth, run: RunAtRest): Violation[] {
  const found = violations(truth);
  const report = (guarantee: Guarantee, what: string): void =>
    void found.push({ guarantee, paymentId: truth.paymentId, what });
  const { stored, provider } = truth;
  const outcome = stored?.outcome;
  if (run.kind === 'needs-attention' && !run.hasReason) report('G4', 'it needs attention, and nothing says why');
  if (stored !== undefined && outcome === undefined && run.kind !== 'needs-attention')
    report('G4', `registered and neither closed nor visibly in needs-attention: its run is ${run.kind}`);
  if (outcome !== undefined && run.kind !== 'completed') report('G4', `closed, and its run is ${run.kind}`);
  if (stored !== undefined && outcome !== undefined && stored.contradictions > 0 && !stored.disputed)
    report('G5', `${stored.contradictions} callbacks contradict the outcome and it is not disputed`);
  // Whatever the callbacks did: what a machine calls paid is what the record says in the end.
  if (outcome?.kind === 'paid' && outcome.settledBy !== 'operator' && provider.status !== 4)
    report('G5', `paid without a person, and the provider's record says ${provider.status ?? 'nothing'}`);
  // A decline by a machine rests on a provider that said failed. When it turned round later, somebody must have been told, or it is
  // still to be asked (reconciliation).
  if (outcome?.kind === 'declined' && outcome.settledBy !== 'operator' && provider.status === 4 && !provider.saidFailed)
    report('G2', 'declined, and the provider completed it without ever having said failed');
  return found;
}

export type RunAtRest =
  | { readonly kind: 'none' | 'running' | 'completed' | 'failed' }
  /** People see why: a search attribute. */
  | { readonly kind: 'needs-attention'; readonly hasReason: boolean };

type Report = (guarantee: Guarantee, what: string) => void;

function checkDeclined(
  outcome: Extract<BillPaymentOutcome, { kind: 'declined' }>,
  truth: PaymentTruth,
  report: Report,
): void {
  const { provider, stored } = truth;
  // An operator's decline may stand beside a seal: of somebody else's record, for which nothing was sent.
  if (outcome.settledBy !== 'operator' && stored?.knewCompleted === true)
    report('G2', 'declined without a person, although the store knew that the provider had said completed');
  if (stored?.claim === 'sealed' && provider.postsSeen > 0)
    report('G2', 'declined as never sent, and a payment request reached the provider');
  if (stored?.claim === 'sealed' && outcome.settledBy !== 'operator') return;
  switch (outcome.settledBy) {
    case 'operator':
      if (stored?.decidedBy === undefined) report('G2', 'declined by an operator whose decision is not recorded');
      if (provider.saidCompletedAt !== undefined && wasKnown(provider.saidCompletedAt, outcome.evidence))
        report('G2', 'declined by an operator, although the provider had said completed before they were heard');
      return;
    case 'none':
      if (outcome.reason === 'not-sent') {
        if (provider.postsSeen > 0) report('G2', 'declined as not sent, and a payment request reached the provider');
        return;
      }
      if (!provider.saidRejected) report('G2', 'declined as rejected, and the provider never refused it clearly');
      if (provider.postsCaptured > 0) report('G2', 'declined as rejected, and the provider has captured it');
      return;
    case 'callback':
    case 'poll':
      checkFailed(outcome, truth, report);
  }
}

/** Failed by what the provider says: twice, and with a code that hides no payment. */
function checkFailed(
  { providerCode }: Extract<BillPaymentOutcome, { kind: 'declined' }>,
  { provider, stored, failedWithoutCode }: PaymentTruth,
  report: Report,
): void {
  if (!provider.saidFailed) report('G2', 'declined as failed, and the provider never said failed');
  if (provider.timesSaidFailed === 1) report('G2', 'declined as failed, and the provider has said so once only');
  if (providerCode === undefined && failedWithoutCode === 'ask')
    report('G2', 'declined without a code, where a person is to be asked');
  if (providerCode !== undefined && provider.refusalCallbacks === 0)
    report('G2', `declined with code ${providerCode}, and no authentic callback carried a refusal code`);
  if (stored !== undefined && stored.doubtfulCodes > 0)
    report('G2', `declined against ${stored.doubtfulCodes} callbacks whose code can hide a payment`);
}

function checkPaid(
  outcome: Extract<BillPaymentOutcome, { kind: 'paid' }>,
  { provider, stored, amount }: PaymentTruth,
  report: Report,
): void {
  if (outcome.settledBy === 'operator') {
    if (stored?.decidedBy === undefined) report('G3', 'paid by an operator whose decision is not recorded');
    if (outcome.amount > amount) report('G6', `paid ${outcome.amount} of ${amount}`);
    return;
  }
  if (!provider.saidCompleted) report('G3', 'paid, and the provider never showed us a completed record that agrees');
  if (outcome.amount !== amount) report('G3', `paid ${outcome.amount} without a person, and ${amount} was asked for`);
}

function checkFunds(
  { reservation, outcome, claim }: StoredTruth,
  { isFunded, amount }: PaymentTruth,
  report: Report,
): void {
  if (reservation === undefined) {
    const isOwed = claim === 'taken' || outcome?.kind === 'paid';
    if (isFunded && isOwed) report('G6', 'it may have been sent, and its money was never held');
    return;
  }
  if (!isFunded) report('G6', 'money is held, and no funding account was named');
  if (reservation.amount !== amount) report('G6', `${reservation.amount} was held for a payment of ${amount}`);
  if (outcome === undefined) {
    if (reservation.state !== 'reserved') report('G6', `${reservation.state} while the payment is open`);
    return;
  }
  const owed = outcome.kind === 'paid' ? outcome.amount : 0;
  if (reservation.state === 'reserved') report('G6', `closed as ${outcome.kind}, and its money is still held`);
  else if (reservation.posted !== owed)
    report('G6', `closed as ${outcome.kind}: ${owed} is owed and ${reservation.posted} was posted`);
}

/** The receipt may be completed later; everything else is final. */
function sameOutcome(one: BillPaymentOutcome, other: BillPaymentOutcome): boolean {
  return isDeepStrictEqual({ ...one, receipt: undefined }, { ...other, receipt: undefined });
}

/** Told before an operator was heard, and not only while their decision was under way. */
const wasKnown = (at: number, evidence: Evidence): boolean =>
  evidence.source === 'operator' && at < Date.parse(evidence.at) - LOOK_AND_DECIDE_MS;

/** Longer than a look and the task that waits for it may take: between what the provider said and a decision that knows it. */
const LOOK_AND_DECIDE_MS = 60_000;
