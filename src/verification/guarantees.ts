import type { BillPaymentOutcome } from '../payment/outcome';

/**
 * G1-G8 (README) as questions to the facts, asked by the simulation after every step and by the chaos run at its end. What is
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
  /** 4 completed, 6 failed, other numbers pending; null: no record. The truth, whether or not anybody was told. */
  readonly status: number | null;
  /** A look-up was answered with a completed record that agrees with the request in every field. */
  readonly saidCompleted: boolean;
  /** A look-up was answered with status 6. */
  readonly saidFailed: boolean;
  /** The payment request was answered with a clear refusal (design §6). */
  readonly saidRejected: boolean;
  /** Callbacks with our token that carried a refusal code and were stored. */
  readonly refusalCallbacks: number;
}

export interface StoredTruth {
  /** `sealed`: taken by the close of a payment that was never sent. */
  readonly claim: 'none' | 'taken' | 'sealed';
  readonly outcome?: BillPaymentOutcome;
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

  if (outcome?.kind === 'declined') checkDeclined(outcome, truth, report);
  if (outcome?.kind === 'cancelled' && stored?.claim !== 'sealed')
    report('G2', 'cancelled after it may have been sent');
  if (outcome?.kind === 'paid') checkPaid(outcome, truth, report);
  if (stored !== undefined) checkFunds(stored, report);
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
  if (stored !== undefined && outcome === undefined && run.kind !== 'needs-attention')
    report('G4', `registered and neither closed nor visibly in needs-attention: its run is ${run.kind}`);
  if (outcome !== undefined && run.kind !== 'completed') report('G4', `closed, and its run is ${run.kind}`);
  if (stored !== undefined && outcome !== undefined && stored.contradictions > 0 && !stored.disputed)
    report('G5', `${stored.contradictions} callbacks contradict the outcome and it is not disputed`);
  // A decline by a machine rests on a provider that said failed. When it turned round later, somebody must have been told, or it is
  // still to be asked (reconciliation).
  if (outcome?.kind === 'declined' && outcome.settledBy !== 'operator' && provider.status === 4 && !provider.saidFailed)
    report('G2', 'declined, and the provider completed it without ever having said failed');
  return found;
}

export interface RunAtRest {
  readonly kind: 'none' | 'running' | 'needs-attention' | 'completed' | 'failed';
}

type Report = (guarantee: Guarantee, what: string) => void;

function checkDeclined(
  outcome: Extract<BillPaymentOutcome, { kind: 'declined' }>,
  { provider, stored }: PaymentTruth,
  report: Report,
): void {
  if (stored?.claim === 'sealed') {
    if (provider.postsSeen > 0) report('G2', 'declined as never sent, and a payment request reached the provider');
    return;
  }
  switch (outcome.settledBy) {
    case 'operator':
      if (stored?.decidedBy === undefined) report('G2', 'declined by an operator whose decision is not recorded');
      return;
    case 'none':
      if (!provider.saidRejected) report('G2', 'declined as rejected, and the provider never refused it clearly');
      if (provider.postsCaptured > 0) report('G2', 'declined as rejected, and the provider has captured it');
      return;
    case 'callback':
    case 'poll':
      if (!provider.saidFailed) report('G2', 'declined as failed, and the provider never said failed');
      if (outcome.providerCode !== undefined && provider.refusalCallbacks === 0)
        report('G2', `declined with code ${outcome.providerCode}, and no authentic callback carried a refusal code`);
  }
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

function checkFunds({ reservation, outcome }: StoredTruth, report: Report): void {
  if (reservation === undefined) return;
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
  const final = (outcome: BillPaymentOutcome): string =>
    JSON.stringify(
      outcome.kind === 'paid'
        ? [outcome.kind, outcome.amount, outcome.settledBy, outcome.closedAt]
        : [outcome.kind, outcome.closedAt],
    );
  return final(one) === final(other);
}
