import type { BillPaymentOutcome, DeclineReason } from './outcome';
import type { Resolution } from './progress';

/** How a payment is to end. No outcome is among it: that is made of what the store knows. */
export type Ending =
  /** By what the provider has said. */
  | { readonly kind: 'proven' }
  /** By a person, as theirs. */
  | {
      readonly kind: 'decided';
      readonly resolution: Resolution;
      readonly updateId?: string;
      /** The look that goes before it was not written down: nothing that rests on it is taken. */
      readonly lookFailed?: true;
    }
  /** Without having been sent. */
  | { readonly kind: 'unsent'; readonly why: GaveUp | Cancelled };

/** The flow itself has given up before anything was sent. */
export interface GaveUp {
  readonly kind: 'gave-up';
  readonly step: 'validation' | 'funds' | 'submission';
  readonly reason: Extract<
    DeclineReason,
    'account-invalid' | 'insufficient-funds' | 'unknown-funding-account' | 'rejected' | 'expired'
  >;
  /** For people. */
  readonly said: string;
}

export interface Cancelled {
  readonly kind: 'cancelled';
  readonly operator: string;
  readonly note: string;
  readonly updateId?: string;
}

/** Whether this outcome is what this ending brought about: it may be asked again after its answer was lost. */
export function isOutcomeOf(outcome: BillPaymentOutcome, ending: Ending): boolean {
  switch (ending.kind) {
    case 'proven':
      if (outcome.kind === 'cancelled') return false;
      return outcome.evidence.source === 'provider' || (outcome.kind === 'declined' && outcome.reason === 'not-sent');
    case 'unsent': {
      const { why } = ending;
      if (why.kind === 'cancelled')
        return outcome.kind === 'cancelled' && outcome.by === why.operator && outcome.note === why.note;
      return outcome.kind === 'declined' && outcome.reason === why.reason;
    }
    case 'decided':
      return isDecisionOf(outcome, ending.resolution);
  }
}

function isDecisionOf(outcome: BillPaymentOutcome, resolution: Resolution): boolean {
  const { decision, operator, note, amount, receiptNumber, token, providerCase } = resolution;
  if (outcome.kind !== decision || outcome.evidence.source !== 'operator') return false;
  const { evidence } = outcome;
  if (evidence.operator !== operator || evidence.note !== note || evidence.providerCase !== providerCase) return false;
  if (outcome.kind !== 'paid') return true;
  const { receipt } = outcome;
  const asked: readonly (readonly [asked: unknown, recorded: unknown])[] = [
    [amount, outcome.amount],
    [receiptNumber, receipt.number],
    [token, receipt.token],
  ];
  return asked.every(([value, recorded]) => value === undefined || value === recorded);
}
