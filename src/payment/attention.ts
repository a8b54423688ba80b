import type { AttentionReason } from './outcome';
import type { Resolution, Stage } from './progress';

/**
 * Why a person is asked, and what they do first: the one table behind the Web UI, `billpay attention` and the runbook. Pure; each
 * sentence stands alone, because nobody reads two places at night.
 */
export type AskedFor = AttentionReason | 'disputed';

/** So many are queried, the oldest: a query may have a busy worker replay the run, and nobody reads beyond them at once. */
export const MOST_ASKED = 300;

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

export const GUIDES: { readonly [Reason in AskedFor]: Guide } = {
  'provider-silent': {
    known: (because) => `No final answer in time (last: ${because}). Usual in an outage: many rows say the same.`,
    first: 'Wait first. If it stays when Almara Pay is up again, ask them about this payment id.',
    ...EITHER,
  },
  'not-found': {
    known: () => 'Almara Pay does not know this id long after sending. This is no proof that it was not taken.',
    first: 'Ask Almara Pay whether a payment with this id exists, or will.',
    ...EITHER,
  },
  'failed-without-code': {
    known: (because) => `Almara Pay says ${because}, no code: the callback is missing. It can still turn.`,
    first: 'Ask Almara Pay for the result code, and whether it is final.',
    ...EITHER,
  },
  'ambiguous-code': {
    known: (because) => `Failed with ${because}, which can hide a payment.`,
    first: "Ask Almara Pay, or the biller, whether the customer's account was credited.",
    ...EITHER,
  },
  'evidence-mismatch': {
    known: (because) => `Almara Pay's record is not what was sent: ${because}.`,
    first: 'Ask Almara Pay which is right. If their record is wrong, have them correct it: that ends this by itself.',
    ...EITHER,
  },
  'paid-without-token': {
    known: () => 'Paid, but no token came. The customer is waiting.',
    first: 'Ask Almara Pay to send the callback again: a token ends this by itself. Else give the customer the token.',
    // What Almara Pay calls paid cannot be declined: the line would only be refused.
    isPolled: true,
    decisions: [PAID_WITH_TOKEN],
  },
  'id-in-use': {
    known: (because) =>
      `Almara Pay already had a record under this id before anything was sent (${because}). Nothing was sent.`,
    first: 'Find out whose record it is. If it is not this bill, decline this payment and pay again under a new id.',
    isPolled: false,
    decisions: [PAID, DECLINED],
  },
  'store-unavailable': {
    known: (because) =>
      `The store does not do its part (${because}). Nothing is lost: it is tried again every few minutes, and goes on by itself.`,
    first: 'Get PostgreSQL back, or mend what the reason names. There is nothing to decide.',
    isPolled: false,
    decisions: [],
  },
  disputed: {
    known: (because) => `Something contradicts the record: ${because}. The record stands.`,
    first: 'Call finance. Nothing is changed by itself. Then write down what was agreed.',
    isPolled: false,
    decisions: [],
  },
};

/** Where it is explained: the page has a section for each. */
export const runbookPage = (section: Stage | AskedFor): string => `docs/runbook.md#${section}`;
