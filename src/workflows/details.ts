import type { AttentionReason, BillPaymentOutcome, DeclinedOutcome, PaidOutcome } from '../payment/outcome';
import type { PaymentTracker } from './tracker';

/**
 * Everything the Web UI says about a payment. The night operator has nothing else, so each stage says what is the case, whose
 * turn it is, and what must not be done. Markdown; times are UTC.
 */

const OPERATORS_PAGE = 'docs/operators.md';

export function progressDetails(payment: PaymentTracker): string {
  const known = payment.isRegistered ? payment.request : undefined;
  const parts = [known && `${known.currency} ${known.amount}`, payment.serviceName, 'times in UTC'];
  const head = [`Payment ${payment.paymentId}`, ...parts.filter((part) => part !== undefined)].join(' · ');
  const [heading, text] = stageText(payment);
  return `${head}\n\n### ${heading}\n\n${text}`;
}

function stageText(payment: PaymentTracker): [heading: string, text: string] {
  if (payment.storeDown !== undefined && payment.outcome === undefined) return storeText(payment.storeDown);
  if (!payment.isRegistered) {
    return ['Registering', 'Not read yet: an earlier run may have sent it. Do not pay this bill another way.'];
  }
  switch (payment.stage) {
    case 'validating':
      return [
        'Checking the account',
        `Nothing was sent, no money is held. Without an answer by ${clock(payment.expiresAt)} this ends as declined (expired); paying again is then safe. **You:** nothing. cancelPayment is possible.`,
      ];
    case 'reserving':
      return [
        'Holding the funds',
        `${money(payment)} on ${payment.request.fundingAccount ?? 'no account'}. Nothing was sent. **You:** nothing. cancelPayment is possible.`,
      ];
    case 'submitting':
      return [
        'Sending to Almara Pay',
        `${held(payment)} Gives up at ${clock(payment.expiresAt)} if nothing could be sent. If this stays: Pending Activities → submitPayment → Last failure. **Never terminate.**`,
      ];
    case 'awaiting-result':
      return awaitingText(payment);
    case 'needs-attention':
      return attentionText(payment);
    case 'recording': {
      const what =
        payment.ending === undefined
          ? 'Ending'
          : { paid: 'Paid', declined: 'Declined', cancelled: 'Cancelled' }[payment.ending.kind];
      return [`${what}. Writing it down`, 'If this stays, the store is down. Nothing is lost. **Never terminate.**'];
    }
    case 'closed':
      return payment.outcome === undefined ? ['Closed', ''] : outcomeText(payment.outcome);
  }
}

function storeText({ because, since }: NonNullable<PaymentTracker['storeDown']>): [string, string] {
  return [
    'Needs attention: `store-unavailable`',
    `Since ${clock(since)} the store does not do its part (${because}). Nothing is lost: it is tried again every few minutes, and goes on by itself. Do not pay this bill another way. **Never terminate.** ${OPERATORS_PAGE}#store-unavailable`,
  ];
}

function awaitingText(payment: PaymentTracker): [string, string] {
  const last = payment.said === undefined ? '' : ` At ${clock(payment.said.at)} Almara Pay said: ${payment.said.said}.`;
  const asked = `A person is asked at ${clock(payment.attentionAt)}.`;
  if (payment.submission?.kind === 'accepted') {
    return [
      'Sent. Waiting for the result',
      `Accepted ${clock(Date.parse(payment.submission.at), 'seconds')}, ${payment.submission.said}.${last} Latest answer: Pending Activities → pollPayment. ${asked} **You:** nothing; checkStatusNow looks at once.`,
    ];
  }
  const notSent = payment.submission?.said.startsWith('not sent: ') === true;
  if (notSent) {
    return [
      'Claimed, and not sent',
      `It was not sent (${payment.submission?.said.slice('not sent: '.length) ?? ''}) and will not be: the claim is never given back. We ask by its id all the same.${last} ${asked} **You:** nothing. Do not pay this bill another way.`,
    ];
  }
  return [
    'Sent, but the answer was lost',
    `It may have been taken (${payment.submission?.said ?? 'no answer'}). It is not sent again; we ask by its id.${last} ${asked} **You:** nothing. Do not pay this bill another way.`,
  ];
}

const KNOWN: { readonly [Reason in AttentionReason]: (because: string) => string } = {
  'provider-silent': (because) =>
    `No final answer in time (last: ${because}). Usual in an outage: many rows say the same. Wait first.`,
  'not-found': () => 'Almara Pay does not know this id long after sending. This is no proof that it was not taken.',
  'failed-without-code': (because) =>
    `Almara Pay says ${because}, no code: the callback is missing. It can still turn.`,
  'ambiguous-code': (because) => `Failed with ${because}, which can hide a payment.`,
  'evidence-mismatch': (because) => `Almara Pay's record is not what was sent: ${because}.`,
  'paid-without-token': () => 'Paid, but no token came. The customer is waiting.',
  'id-in-use': (because) =>
    `Almara Pay already had a record under this id before anything was sent (${because}). Nothing was sent.`,
  'store-unavailable': () => 'The store does not answer. Nothing is lost.',
};

function attentionText(payment: PaymentTracker): [string, string] {
  const { reason, because, since } = payment.attention ?? {
    reason: 'provider-silent',
    because: 'nothing yet',
    since: payment.startedAt,
  };
  const paid = `{"decision":"paid","operator":"YOU","note":"WHO CONFIRMED, HOW","receiptNumber":"…"${reason === 'paid-without-token' ? ',"token":"…"' : ''}}`;
  const declined = '{"decision":"declined","operator":"YOU","note":"WHO CONFIRMED, HOW","providerCase":"…"}';
  // What Almara Pay calls paid cannot be declined: the line would only be refused.
  const lines = reason === 'paid-without-token' ? [paid] : [paid, declined];
  const effect = payment.fundsHeld ? 'gives the money back' : 'ends it as not paid';
  const caution =
    reason === 'paid-without-token'
      ? 'Give the customer the token as well.'
      : `One of the two lines. "declined" ${effect}: only if Almara Pay confirms in writing that it was not and will not be paid.`;
  return [
    `Needs attention: \`${reason}\``,
    [
      `Since ${clock(since)}. ${held(payment, 'still ')} ${KNOWN[reason](because)} ${wayOut(payment, reason)}`,
      '**Decide only with proof from Almara Pay or the biller.** More Actions → Send an Update → resolvePayment:',
      `\`\`\`json\n${lines.join('\n')}\n\`\`\``,
      `${caution} About this reason: ${OPERATORS_PAGE}#${reason}`,
    ].join('\n\n'),
  ];
}

function wayOut(payment: PaymentTracker, reason: AttentionReason): string {
  if (reason === 'id-in-use')
    return 'Find out whose record it is. If it is not this bill, decline this payment and pay again under a new id.';
  if (reason === 'paid-without-token') return 'A callback with the token ends this by itself.';
  return `We keep asking every ${minutes(payment.rules.policy.pollMaxInterval)}; an answer ends this by itself.`;
}

/** The closed stages, from the outcome alone: its summary is all that a closed run shows. */
function outcomeText(outcome: BillPaymentOutcome): [string, string] {
  const [heading, ...rest] = outcome.summary.split('. ');
  return [heading ?? outcome.kind, rest.join('. ')];
}

export function paidSummary(outcome: Omit<PaidOutcome, 'summary'>, posted: boolean): string {
  const { receipt, settledBy, evidence, amount, currency } = outcome;
  const proof =
    evidence.source === 'provider'
      ? `confirmed by Almara Pay: ${evidence.said}${settledBy === 'callback' ? ', after the callback' : ''}`
      : `decided by ${operatorOf(outcome)}`;
  const number = receipt.number === undefined ? 'No receipt number' : `Receipt ${receipt.number}`;
  return `Paid. ${number}, ${clock(Date.parse(outcome.closedAt), 'seconds')}, ${proof}. ${currency} ${amount}${posted ? ' posted' : ''}.`;
}

export function declinedSummary(outcome: Omit<DeclinedOutcome, 'summary'>, returned: string | undefined): string {
  const why = {
    'account-invalid': `The biller does not know the account`,
    'insufficient-funds': 'The funding account does not hold enough',
    'unknown-funding-account': 'There is no such funding account in this currency',
    rejected: 'Almara Pay refused the request',
    expired: 'It could not be sent in time. Nothing was sent',
    failed:
      outcome.providerCode === undefined
        ? 'Failed at Almara Pay, no code came'
        : `Failed at Almara Pay with code ${outcome.providerCode}`,
    operator: `Decided by ${operatorOf(outcome)}`,
  }[outcome.reason];
  const detail = outcome.evidence.source === 'operator' ? `"${outcome.evidence.note}"` : outcome.evidence.said;
  const back = returned === undefined ? '' : ` ${returned} given back.`;
  return `Declined at ${outcome.step}. ${why} (${detail}).${back} A new payment needs a new id.`;
}

export function cancelledSummary(by: string, note: string, returned: string | undefined): string {
  return `Cancelled. By ${by}: "${note}". Nothing was sent${returned === undefined ? '' : '; funds given back'}.`;
}

const operatorOf = (outcome: Pick<PaidOutcome, 'evidence'> | Pick<DeclinedOutcome, 'evidence'>): string =>
  outcome.evidence.source === 'operator' ? outcome.evidence.operator : 'an operator';

const money = (payment: PaymentTracker): string => `${payment.request.currency} ${payment.request.amount}`;

const held = (payment: PaymentTracker, still = ''): string =>
  payment.fundsHeld ? `${money(payment)} is ${still}held.` : 'No money is held.';

const minutes = (ms: number): string =>
  ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.max(1, Math.round(ms / 1000))} s`;

/** `02:44`, or `11-21 02:44` for a reader on another day. */
export function clock(at: number, precision: 'minutes' | 'seconds' = 'minutes'): string {
  const time = new Date(at).toISOString();
  const day = time.slice(0, 10) === new Date().toISOString().slice(0, 10) ? '' : `${time.slice(5, 10)} `;
  return day + time.slice(11, precision === 'minutes' ? 16 : 19);
}
