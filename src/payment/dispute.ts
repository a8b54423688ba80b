import { SEARCH_ATTRIBUTES, disputeWorkflowIdOf, type BillPaymentState, type InvalidField } from './contract';
import type { BillPaymentOutcome } from './outcome';

/**
 * A recorded outcome that something authentic contradicts. The outcome stands; people agree on what was true and
 * say so, and what follows (a refund, a correction with the provider) is theirs.
 */

/** What found the contradiction: a late callback, or a look at the provider's record, reconciliation's among them. */
export type RaisedBy = 'callback' | 'look';

/** Argument of the `paymentDispute` workflow. */
export interface PaymentDispute {
  readonly paymentId: string;
  readonly raisedBy: RaisedBy;
  /** What contradicts the outcome, for people, without personal data. */
  readonly because: string;
  /** ISO 8601, UTC. */
  readonly raisedAt: string;
}

/** Argument of `resolveDispute`. */
export interface DisputeResolution {
  /** What was agreed about the bill, whatever was recorded. */
  readonly agreed: 'paid' | 'not-paid';
  readonly operator: string;
  readonly note: string;
  /** The provider's case that confirms it. */
  readonly providerCase?: string;
}

export type RecordedResolution = DisputeResolution & { readonly at: string };

/** Answer of the `disputeProgress` query and of `resolveDispute`. Times are ISO 8601, UTC. */
export interface DisputeProgress {
  readonly paymentId: string;
  readonly raisedBy: RaisedBy;
  readonly because: string;
  readonly raisedAt: string;
  /** What is recorded, and stays. Absent until the store has answered. */
  readonly recorded?: BillPaymentOutcome;
  readonly resolution?: RecordedResolution;
}

/** Result of the `paymentDispute` workflow. */
export interface PaymentDisputeOutcome {
  readonly paymentId: string;
  readonly agreed: DisputeResolution['agreed'];
  readonly operator: string;
  readonly note: string;
  readonly resolvedAt: string;
  /** One sentence for people: a closed run is read by its result alone. */
  readonly summary: string;
}

/** What the store knows of a dispute. */
export type DisputeReading =
  | {
      readonly kind: 'raised';
      readonly dispute: PaymentDispute;
      readonly recorded: BillPaymentOutcome;
      /** Whole units: what was asked for. */
      readonly amount: number;
      readonly currency: string;
      readonly serviceName?: string;
      /** What became of the money that was held. */
      readonly hold: 'posted' | 'voided' | 'none';
      readonly resolution?: RecordedResolution;
    }
  /** Nothing was raised for this payment. */
  | { readonly kind: 'none' };

export interface ResolveDisputeRequest {
  readonly paymentId: string;
  readonly resolution: DisputeResolution;
  /** Of the update that brought it. */
  readonly updateId?: string;
}

export type ResolveDisputeResult =
  | { readonly kind: 'recorded'; readonly resolution: RecordedResolution }
  /** Resolved before, by another run or by this one before a lost answer: that stays. */
  | { readonly kind: 'stands'; readonly resolution: RecordedResolution }
  /** `BILLPAY_OPERATORS` does not name them. Nothing was changed. */
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'none' };

/** The engine keeps up to 200 bytes. */
const SUMMARY_CHARACTERS = 150;

/**
 * How the `paymentDispute` workflow is started, whoever starts it, and what its row in the Web UI says. A run of this id that is open
 * or was completed is the dispute's. One that failed or was terminated before it was known to be opened is not: whoever has started
 * it with a wrong input, or ended it by hand, must not make the dispute invisible.
 */
export function disputeStart(dispute: PaymentDispute) {
  const state: BillPaymentState = 'Disputed';
  return {
    workflowId: disputeWorkflowIdOf(dispute.paymentId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
    args: [dispute] as [PaymentDispute],
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.state, value: state },
      { key: SEARCH_ATTRIBUTES.reason, value: 'disputed' },
    ],
    staticSummary: `Disputed · ${dispute.because}`.slice(0, SUMMARY_CHARACTERS),
  };
}

const RAISED_BY: readonly unknown[] = ['callback', 'look'] satisfies readonly RaisedBy[];

/** What is wrong with a dispute's input. It may come from the UI's Start button, so nothing about its shape is taken for granted. */
export function disputeProblems(input: unknown, workflowId: string): readonly InvalidField[] {
  if (typeof input !== 'object' || input === null)
    return [{ field: 'input', problem: 'must be one JSON object with paymentId, raisedBy, because and raisedAt' }];
  const { paymentId, raisedBy, because, raisedAt } = input as Readonly<Record<string, unknown>>;
  const isOwn = typeof paymentId === 'string' && workflowId === disputeWorkflowIdOf(paymentId);
  const isTime = typeof raisedAt === 'string' && !Number.isNaN(Date.parse(raisedAt));
  return [
    ...wrongIf(!isOwn, 'paymentId', `must match the workflow id: ${disputeWorkflowIdOf('<payment id>')}`),
    ...wrongIf(!RAISED_BY.includes(raisedBy), 'raisedBy', `must be one of ${RAISED_BY.join(', ')}`),
    ...wrongIf(
      typeof because !== 'string' || because.trim() === '',
      'because',
      'must say what contradicts the outcome',
    ),
    ...wrongIf(!isTime, 'raisedAt', 'must be a time, such as 2026-05-01T10:00:00Z'),
  ];
}

const wrongIf = (isWrong: boolean, field: string, problem: string): readonly InvalidField[] =>
  isWrong ? [{ field, problem }] : [];

/** Whether what is recorded is this very resolution: it may be asked again after its answer was lost. */
export const isResolutionOf = (recorded: DisputeResolution, asked: DisputeResolution): boolean =>
  recorded.agreed === asked.agreed &&
  recorded.operator === asked.operator &&
  recorded.note === asked.note &&
  recorded.providerCase === asked.providerCase;
