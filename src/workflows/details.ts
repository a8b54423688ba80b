import { GUIDES, runbookPage, type AskedFor } from '../payment/attention';
import type { BillPaymentOutcome, DeclinedOutcome, PaidOutcome } from '../payment/outcome';
import type { Stage } from '../payment/progress';
import type { PaymentTracker } from './tracker';

/**
 * Everything the Web UI says about a payment. The night operator has nothing else, so each stage says what is the case, whose
 * turn it is, and what must not be done. Markdown; times are UTC.
 */

export function progressDetails(payment: PaymentTracker): string {
  const known = payment.isRegistered ? payment.request : undefined;
  const parts = [known && `${known.currency} ${known.amount}`, payment.serviceName, 'times in UTC'];
  const head = [`Payment ${payment.paymentId}`, ...parts.filter((part) => part !== undefined)].join(' · ');
  const [heading, text] = stageText(payment);
  const refused = payment.outcome === undefined ? payment.cancellationRefused : undefined;
  const cancellation = refused === undefined ? '' : `\n\n**Request Cancellation changed nothing.** ${refused}`;
  return `${head}\n\n### ${heading}\n\n${text}${cancellation}\n\nAbout this: ${runbookPage(sectionOf(payment))}`;
}

function sectionOf({ outcome, storeDown, stage, attention }: PaymentTracker): Stage | AskedFor {
  if (storeDown !== undefined && outcome === undefined) return 'store-unavailable';
  return stage === 'needs-attention' && attention !== undefined ? attention.reason : stage;
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
  const { known, first } = GUIDES['store-unavailable'];
  return [
    'Needs attention: `store-unavailable`',
    `Since ${clock(since)}. ${known(because)} ${first} Do not pay this bill another way. **Never terminate.**`,
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

function attentionText(payment: PaymentTracker): [string, string] {
  const { reason, because, since } = payment.attention ?? {
    reason: 'provider-silent',
    because: 'nothing yet',
    since: payment.startedAt,
  };
  const { known, first, isPolled, decisions } = GUIDES[reason];
  const lines = decisions.map((decision) => JSON.stringify(decision));
  const effect = payment.fundsHeld ? 'gives the money back' : 'ends it as not paid';
  const caution = decisions.some(({ decision }) => decision === 'declined')
    ? `One of the two lines. "declined" ${effect}: only if Almara Pay confirms in writing that it was not and will not be paid.`
    : '';
  const polled = isPolled
    ? ` We keep asking every ${minutes(payment.rules.policy.pollMaxInterval)}; an answer ends this by itself.`
    : '';
  return [
    `Needs attention: \`${reason}\``,
    [
      `Since ${clock(since)}. ${held(payment, 'still ')} ${known(because)} ${first}${polled}`,
      '**Decide only with proof from Almara Pay or the biller.** More Actions → Send an Update → resolvePayment:',
      `\`\`\`json\n${lines.join('\n')}\n\`\`\``,
      ...(caution === '' ? [] : [caution]),
    ].join('\n\n'),
  ];
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
