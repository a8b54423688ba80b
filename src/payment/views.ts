import type { BillPaymentState } from './contract';
import { isHeld, type Facts } from './facts';
import { attentionAt } from './judge';
import type { BillPaymentOutcome } from './outcome';
import { resolvePolicy } from './policy';
import type { PaymentProgress, Stage } from './progress';
import { askOf, stageOf, type PaymentState, type RegisteredBill, type Step } from './state';
import type { Look } from './steps';
import { clock, durationInWords, guideTo, runbookPage, type AskedFor } from './words';

/** What people see of a payment: answers of the query, the details in the Web UI, the search attributes. Pure views of its state. */

export function progressOf(state: PaymentState): PaymentProgress {
  const { paymentId, startedAt, step } = state;
  const bill = billOf(step);
  const look = lookOf(step);
  const stage = stageOf(state);
  const asked = stage === 'closed' ? undefined : askedFor(state);
  const submission = look && submissionOf(look.facts);
  const since = state.storeAway?.since ?? look?.facts.attentionSince;
  return {
    ...{ paymentId, stage },
    serviceId: bill?.request.serviceId ?? '',
    amount: bill?.request.amount ?? 0,
    currency: bill?.request.currency ?? '',
    startedAt: iso(startedAt),
    callbacks: look?.facts.callbacks.count ?? 0,
    attentionAt: iso(
      look === undefined ? startedAt + resolvePolicy(undefined).attentionAfter : attentionAt(look.facts),
    ),
    ...(asked && { reason: asked.reason, because: asked.because }),
    ...(bill?.serviceName !== undefined && { serviceName: bill.serviceName }),
    ...(bill?.request.fundingAccount !== undefined && { fundingAccount: bill.request.fundingAccount }),
    ...(submission && { submission }),
    ...(bill && { provider: { name: bill.provider, ...saidIn(look) } }),
    ...(since !== undefined && { attentionSince: iso(since) }),
    ...(step.kind === 'closed' && { outcome: step.outcome }),
  };
}

/** Whether the payment is written down, as far as this run knows. */
export const isRegistered = ({ step }: PaymentState): boolean => step.kind !== 'registering';

/** Search attributes. Undefined: there is nothing to tell yet. */
export interface Attributes {
  readonly state: BillPaymentState;
  readonly reason?: AskedFor;
  readonly service?: string;
}

const CLOSED: { readonly [Kind in BillPaymentOutcome['kind']]: BillPaymentState } = {
  paid: 'Paid',
  declined: 'Declined',
  cancelled: 'Cancelled',
};

export function attributesOf(state: PaymentState): Attributes | undefined {
  const { step } = state;
  const serviceName = billOf(step)?.serviceName;
  const service = serviceName === undefined ? {} : { service: serviceName };
  if (step.kind === 'closed')
    return step.disputed
      ? { state: 'Disputed', reason: 'disputed', ...service }
      : { state: CLOSED[step.outcome.kind], ...service };
  const asked = askedFor(state);
  if (asked !== undefined) return { state: 'NeedsAttention', reason: asked.reason, ...service };
  return step.kind === 'registering' ? undefined : { state: 'InProgress', ...service };
}

/** A store that is away comes first: nothing can be decided while it is. */
function askedFor(state: PaymentState) {
  return state.storeAway === undefined
    ? askOf(state)
    : ({ reason: 'store-unavailable', because: state.storeAway.because } as const);
}

/**
 * Everything the Web UI says about a payment. The night operator has nothing else, so each stage says what is the case, whose turn
 * it is, and what must not be done. Markdown; times are UTC.
 */
export function detailsOf(state: PaymentState, now: number): string {
  const bill = billOf(state.step);
  const parts = [bill && moneyOf(bill), bill?.serviceName, 'times in UTC'];
  const head = [`Payment ${state.paymentId}`, ...parts.filter((part) => part !== undefined)].join(' · ');
  const [heading, text] = stageText(state, now);
  const refused = state.cancellationRefused;
  const cancellation = refused === undefined ? '' : `\n\n**Request Cancellation changed nothing.** ${refused}`;
  return `${head}\n\n### ${heading}\n\n${text}${cancellation}\n\nAbout this: ${runbookPage(sectionOf(state))}`;
}

function sectionOf(state: PaymentState): Stage | AskedFor {
  const stage = stageOf(state);
  return stage === 'closed' ? stage : (askedFor(state)?.reason ?? stage);
}

type Text = readonly [heading: string, text: string];

function stageText(state: PaymentState, now: number): Text {
  const { step, storeAway } = state;
  if (step.kind === 'closed') return closedText(step.outcome);
  if (storeAway !== undefined) return storeText(storeAway, now);
  if (state.recording !== undefined) return recordingText(state.recording);
  switch (step.kind) {
    case 'registering':
      return [
        'Registering',
        'Nothing is known yet: an earlier run may have sent it. Do not pay this bill another way.',
      ];
    case 'validating':
      return [
        'Checking the account',
        `Nothing was sent, no money is held. Without an answer by ${clock(step.bill.expiresAt, now)} this ends as declined (expired); paying again is then safe. **You:** nothing. cancelPayment is possible.`,
      ];
    case 'submitting':
      return [
        `Sending to ${step.bill.provider}`,
        `${moneyText(step.bill)} Gives up at ${clock(step.bill.expiresAt, now)} if nothing could be sent. If this stays: Pending Activities → submitPayment → Last failure. cancelPayment is possible until it is claimed. **Never terminate.**`,
      ];
    case 'awaiting':
      return askOf(state) === undefined ? awaitingText(step, now) : attentionText(step, now);
  }
}

type Awaiting = Extract<Step, { kind: 'awaiting' }>;

const moneyText = (bill: RegisteredBill): string =>
  bill.request.fundingAccount === undefined
    ? 'No money is held for it.'
    : `${moneyOf(bill)} on ${bill.request.fundingAccount} is held with the claim, right before it is sent.`;

function storeText({ because, since }: NonNullable<PaymentState['storeAway']>, now: number): Text {
  const { known, first } = guideTo('store-unavailable', '');
  return [
    'Needs attention: `store-unavailable`',
    `Since ${clock(since, now)}. ${known(because)} ${first} Do not pay this bill another way. **Never terminate.**`,
  ];
}

function recordingText(as: BillPaymentOutcome['kind']): Text {
  const what = { paid: 'Paid', declined: 'Declined', cancelled: 'Cancelled' }[as];
  return [`${what}. Writing it down`, 'If this stays, the store is down. Nothing is lost. **Never terminate.**'];
}

function awaitingText({ bill, look }: Awaiting, now: number): Text {
  const { facts } = look;
  const { said, at } = saidIn(look);
  const last =
    said === undefined || at === undefined ? '' : ` At ${clock(Date.parse(at), now)} ${bill.provider} said: ${said}.`;
  const asked = `A person is asked at ${clock(attentionAt(facts), now)}.`;
  const answer = facts.claim.kind === 'taken' ? facts.claim.answer : undefined;
  switch (answer?.kind) {
    case 'accepted':
      return [
        'Sent. Waiting for the result',
        `Accepted ${clock(answer.at, now, 'seconds')}, ${bill.provider} id ${answer.providerId}.${last} Latest answer: Pending Activities → pollPayment. ${asked} **You:** nothing; checkStatusNow looks at once.`,
      ];
    case 'not-sent':
      return [
        'Claimed, and not sent',
        `It was not sent (${answer.because}) and will not be: the claim is never given back.${last} ${asked} **You:** nothing. Do not pay this bill another way.`,
      ];
    case 'rejected':
      return [
        'Sent and refused',
        `${bill.provider} refused it (${answer.reasons.join('; ')}). It ends as declined, unless something says that it was taken.${last} ${asked} **You:** nothing. Do not pay this bill another way.`,
      ];
    case 'unknown':
    case undefined:
      return [
        'Sent, but the answer was lost',
        `It may have been taken (${inWords(answer)}). It is not sent again; we ask by its id.${last} ${asked} **You:** nothing. Do not pay this bill another way.`,
      ];
  }
}

function attentionText({ bill, look }: Awaiting, now: number): Text {
  const { facts, verdict } = look;
  const { reason, because } = (verdict.kind === 'open' && verdict.ask) || {
    reason: 'provider-silent' as const,
    because: 'nothing yet',
  };
  const { known, first, isPolled, decisions } = guideTo(reason, bill.provider);
  const lines = decisions.map((decision) => JSON.stringify(decision));
  const effect = isHeld(facts) ? 'gives the money back' : 'ends it as not paid';
  const caution = decisions.some(({ decision }) => decision === 'declined')
    ? `One of the two lines. "declined" ${effect}: only if ${bill.provider} confirms in writing that it was not and will not be paid.`
    : '';
  const polled = isPolled
    ? ` We keep asking every ${durationInWords(facts.rules.policy.pollMaxInterval)}; an answer ends this by itself.`
    : '';
  const held = isHeld(facts) ? `${moneyOf(bill)} is still held.` : 'No money is held.';
  return [
    `Needs attention: \`${reason}\``,
    [
      `Since ${clock(facts.attentionSince ?? look.at, now)}. ${held} ${known(because)} ${first}${polled}`,
      `**Decide only with proof from ${bill.provider} or the biller.** More Actions → Send an Update → resolvePayment:`,
      `\`\`\`json\n${lines.join('\n')}\n\`\`\``,
      ...(caution === '' ? [] : [caution]),
    ].join('\n\n'),
  ];
}

/** From the outcome alone: its summary is all that a closed run shows. */
function closedText(outcome: BillPaymentOutcome): Text {
  const [heading, ...rest] = outcome.summary.split('. ');
  return [heading ?? outcome.kind, rest.join('. ')];
}

function submissionOf({ claim }: Facts): PaymentProgress['submission'] {
  if (claim.kind !== 'taken') return undefined;
  const { answer } = claim;
  if (answer === undefined) return { kind: 'unknown', at: iso(claim.at), said: inWords(answer) };
  return { kind: answer.kind, at: iso(answer.at), said: inWords(answer) };
}

type PostAnswer = Extract<Facts['claim'], { kind: 'taken' }>['answer'];

/** What is known of the request itself. */
function inWords(answer: PostAnswer): string {
  switch (answer?.kind) {
    case 'accepted':
      return `id ${answer.providerId}`;
    case 'rejected':
      return `refused: ${answer.reasons.join('; ')}`;
    case 'not-sent':
    case 'unknown':
      return answer.because;
    case undefined:
      return 'no answer yet, or whoever sent it has died';
  }
}

/** What the provider said last: to this look, or before. */
function saidIn(look: Look | undefined): { readonly said?: string; readonly at?: string } {
  const last = look?.facts.seen.last;
  if (look?.said !== undefined) return { said: look.said, at: iso(look.at) };
  return last === undefined ? {} : { said: last.said, at: iso(last.answeredAt) };
}

const billOf = (step: Step): RegisteredBill | undefined => (step.kind === 'registering' ? undefined : step.bill);
const lookOf = (step: Step): Look | undefined => (step.kind === 'registering' ? undefined : step.look);
const moneyOf = ({ request }: RegisteredBill): string => `${request.currency} ${request.amount}`;
const iso = (at: number): string => new Date(at).toISOString();
