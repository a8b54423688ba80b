import type { AttentionReason, CancelledOutcome, DeclinedOutcome, PaidOutcome } from './outcome';
import type { PaymentProgress, Resolution, Stage } from './progress';

/**
 * Every text that people read about a payment, in one place: the Web UI, `billpay` and the runbook take theirs from here. Times are
 * UTC. `provider` is the provider's name. Each sentence stands alone, because nobody reads two places at night.
 */
export type AskedFor = AttentionReason | 'disputed';

export interface Guide {
  /** What is the case. `because` is what was seen. */
  readonly known: (because: string) => string;
  /** What a person does first. */
  readonly first: string;
  /** The provider is still asked: an answer ends it by itself. */
  readonly isPolled: boolean;
  /** The decisions that are open to a person, as examples to be filled in. */
  readonly decisions: readonly Resolution[];
}

const BY = { operator: 'YOU', note: 'WHO CONFIRMED, HOW' } as const;
const PAID: Resolution = { decision: 'paid', ...BY, receiptNumber: '…' };
const PAID_WITH_TOKEN: Resolution = { ...PAID, token: '…' };
const DECLINED: Resolution = { decision: 'declined', ...BY, providerCase: '…' };
const EITHER = { isPolled: true, decisions: [PAID, DECLINED] } as const;

/** Why a person is asked, and what they do first. */
export function guideTo(reason: AskedFor, provider: string): Guide {
  switch (reason) {
    case 'provider-silent':
      return {
        known: (because) => `No final answer in time (last: ${because}). Usual in an outage: many rows say the same.`,
        first: `Wait first. If it stays when ${provider} is up again, ask them about this payment id.`,
        ...EITHER,
      };
    case 'not-found':
      return {
        known: () => `${provider} does not know this id long after sending. This is no proof that it was not taken.`,
        first: `Ask ${provider} whether a payment with this id exists, or will.`,
        ...EITHER,
      };
    case 'failed-without-code':
      return {
        known: (because) => `${provider} says ${because}, no code: the callback is missing. It can still turn.`,
        first: `Ask ${provider} for the result code, and whether it is final.`,
        ...EITHER,
      };
    case 'ambiguous-code':
      return {
        known: (because) => `Failed with ${because}, which can hide a payment.`,
        first: `Ask ${provider}, or the biller, whether the customer's account was credited.`,
        ...EITHER,
      };
    case 'evidence-mismatch':
      return {
        known: (because) => `The record of ${provider} is not what was sent: ${because}.`,
        first: `Ask ${provider} which is right. If their record is wrong, have them correct it: that ends this by itself.`,
        ...EITHER,
      };
    case 'contradictory-answers':
      return {
        known: (because) => `${provider} has said what cannot both be true: ${because}.`,
        first: `Ask ${provider} what became of the payment, and whether it is final.`,
        ...EITHER,
      };
    case 'paid-without-token':
      return {
        known: () => 'Paid, but no token came. The customer is waiting.',
        first: `Ask ${provider} to send the callback again: a token ends this by itself. Else give the customer the token.`,
        isPolled: true,
        // What the provider calls paid cannot be declined: the line would only be refused.
        decisions: [PAID_WITH_TOKEN],
      };
    case 'id-in-use':
      return {
        known: (because) => `This id is in use at ${provider} (${because}), and nothing was sent from here.`,
        first:
          'Find out whose record it is. If it is not this bill, decline this payment and pay again under a new id.',
        isPolled: true,
        decisions: [PAID, DECLINED],
      };
    case 'store-unavailable':
      return {
        known: (because) =>
          `The store does not do its part (${because}). Nothing is lost: it is tried again every few minutes, and goes on by itself.`,
        first: 'Get PostgreSQL back, or mend what the reason names. There is nothing to decide.',
        isPolled: false,
        decisions: [],
      };
    case 'disputed':
      return {
        known: (because) => `Something contradicts the record: ${because}. The record stands.`,
        first: 'Call finance. Nothing is changed by itself. Then write down what was agreed.',
        isPolled: false,
        decisions: [],
      };
  }
}

const REASONS: { readonly [Reason in AskedFor]: true } = {
  'provider-silent': true,
  'not-found': true,
  'failed-without-code': true,
  'ambiguous-code': true,
  'evidence-mismatch': true,
  'contradictory-answers': true,
  'paid-without-token': true,
  'id-in-use': true,
  'store-unavailable': true,
  disputed: true,
};
export const ATTENTION_REASONS = Object.keys(REASONS) as readonly AskedFor[];

/** Where nobody has told the provider's name. */
export const THE_PROVIDER = 'the provider';

/** Where a payment stands, in one sentence of its own. */
export function stageInWords({
  stage,
  submission,
  reason = 'provider-silent',
  because,
  provider,
}: PaymentProgress): string {
  switch (stage) {
    case 'registering':
      return 'Nothing is known yet: an earlier run may have sent it. Do not pay this bill another way.';
    case 'validating':
      return 'Checking the account. Nothing was sent.';
    case 'submitting':
      return `Sending to ${provider?.name ?? THE_PROVIDER}.`;
    case 'awaiting-result':
      return submission?.kind === 'accepted'
        ? 'Sent. Waiting for the result.'
        : 'Sent, but the answer was lost: it may have been taken. Do not pay this bill another way.';
    case 'needs-attention':
      return `Needs attention: ${guideTo(reason, provider?.name ?? THE_PROVIDER).known(because ?? provider?.said ?? 'nothing yet')}`;
    case 'recording':
      return 'Writing the outcome down.';
    case 'closed':
      return 'Closed.';
  }
}

/** Where a payment stands, in a sentence that begins "the payment is". */
export const STAGE_IN_WORDS: { readonly [S in Stage]: string } = {
  registering: 'being registered',
  validating: 'being checked',
  submitting: 'being sent',
  'awaiting-result': 'waiting for its result',
  'needs-attention': 'waiting for a decision',
  recording: 'being written down',
  closed: 'closed',
};

/** Where it is explained: the page has a section for each. */
export const runbookPage = (section: Stage | AskedFor): string => `docs/runbook.md#${section}`;

export interface Telling {
  readonly now: number;
  readonly provider: string;
}

export function paidSummary(
  { receipt, evidence, settledBy, amount, currency, closedAt }: Omit<PaidOutcome, 'summary'>,
  { now, provider, isPosted }: Telling & { readonly isPosted: boolean },
): string {
  const proof =
    evidence.source === 'provider'
      ? `confirmed by ${provider}: ${evidence.said}${settledBy === 'callback' ? ', after the callback' : ''}`
      : `decided by ${evidence.source === 'operator' ? evidence.operator : 'an operator'}`;
  const number = receipt.number === undefined ? 'No receipt number' : `Receipt ${receipt.number}`;
  return `Paid. ${number}, ${clock(Date.parse(closedAt), now, 'seconds')}, ${proof}. ${currency} ${amount}${isPosted ? ' posted' : ''}.`;
}

export function declinedSummary(
  { step, reason, evidence, providerCode }: Omit<DeclinedOutcome, 'summary'>,
  { provider, returned }: Telling & { readonly returned: string | undefined },
): string {
  const why: { readonly [Reason in DeclinedOutcome['reason']]: string } = {
    'account-invalid': 'The biller does not know the account',
    'insufficient-funds': 'The funding account does not hold enough. Nothing was sent',
    'unknown-funding-account': 'There is no such funding account in this currency. Nothing was sent',
    rejected: `${provider} refused the request`,
    expired: 'It could not be sent in time. Nothing was sent',
    'not-sent': 'The request could not leave. Nothing was sent',
    failed:
      providerCode === undefined
        ? `Failed at ${provider}, no code came`
        : `Failed at ${provider} with code ${providerCode}`,
    operator: `Decided by ${evidence.source === 'operator' ? evidence.operator : 'an operator'}`,
  };
  const detail = evidence.source === 'operator' ? `"${evidence.note}"` : evidence.said;
  const back = returned === undefined ? '' : ` ${returned} given back.`;
  return `Declined at ${step}. ${why[reason]} (${detail}).${back} A new payment needs a new id.`;
}

export const cancelledSummary = (by: string, note: string): string =>
  `Cancelled. By ${by}: "${note}". Nothing was sent.`;

/** For somebody whose decision came too late: who, or what, has ended it. */
export function endedBy(outcome: PaidOutcome | DeclinedOutcome | CancelledOutcome): string {
  const isDecided = outcome.kind !== 'cancelled' && outcome.evidence.source === 'operator';
  const by = isDecided ? `${outcome.evidence.operator} has decided, ` : '';
  return `${by}it is closed already as ${outcome.kind}. ${outcome.summary}`;
}

/** Of a payment that is to end as paid, whose money is not held and cannot be. */
export const paidWithoutMoney = (of: {
  readonly fundingAccount?: string | null | undefined;
  readonly currency: string;
  readonly amount: number;
}): string => `${of.fundingAccount} does not hold the ${of.currency} ${of.amount} that were paid: add the money first.`;

/** For a decline whose own look could not be written down. */
export const notLookedAt =
  'What the provider says could not be written down just now, and a decline rests on that. Nothing was changed: try again in a moment.';

/** For somebody whom `BILLPAY_OPERATORS` does not name. */
export const mayNotDecide = (operator: string): string =>
  `${operator} may not decide here: BILLPAY_OPERATORS on the worker names who may. Nothing was changed.`;

/** `20 s`, `5 min`, `2 h`. */
export function durationInWords(ms: number): string {
  if (ms < 100_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/** `2026-05-01 02:44`. */
export const timeInWords = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

/** `02:44`, or `11-21 02:44` for a reader on another day. */
export function clock(at: number, now: number, precision: 'minutes' | 'seconds' = 'minutes'): string {
  const time = new Date(at).toISOString();
  const day = time.slice(0, 10) === new Date(now).toISOString().slice(0, 10) ? '' : `${time.slice(5, 10)} `;
  return day + time.slice(11, precision === 'minutes' ? 16 : 19);
}
