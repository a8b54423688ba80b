import type { DisputeReading, PaymentDispute, RecordedResolution } from '../payment/dispute';
import type { BillPaymentOutcome } from '../payment/outcome';
import { clock, runbookPage } from '../payment/words';

/** What the Web UI says about a dispute. Markdown; times are UTC. */

/** What a dispute's details are written from. */
export interface DisputeView {
  readonly input: PaymentDispute;
  readonly known: Extract<DisputeReading, { kind: 'raised' }> | undefined;
  readonly storeAway: { readonly because: string; readonly since: number } | undefined;
  readonly cancelAsked: boolean;
}

const RESOLUTIONS = [
  '{"agreed":"paid","operator":"YOU","note":"WHO AGREED, WHAT FOLLOWS","providerCase":"…"}',
  '{"agreed":"not-paid","operator":"YOU","note":"WHO AGREED, WHAT FOLLOWS"}',
];

export function disputeDetails({ input, known, storeAway, cancelAsked }: DisputeView): string {
  const { because, raisedAt } = known?.dispute ?? input;
  const parts = [known && `${known.currency} ${known.amount}`, known?.serviceName, 'times in UTC'];
  const head = [`Payment ${input.paymentId}`, ...parts.filter((part) => part !== undefined)].join(' · ');
  const resolution = known?.resolution;
  if (known !== undefined && resolution !== undefined)
    return `${head}\n\n### Resolved as ${resolution.agreed}\n\n${resolvedSummary(known.recorded, resolution)}`;
  const trouble =
    storeAway &&
    `**The store does not answer** (${storeAway.because}), since ${clock(storeAway.since, Date.now())}. Nothing is lost.`;
  const cancel = cancelAsked ? 'A cancellation was asked for: a dispute is not cancelled, it is resolved.' : undefined;
  const paragraphs = [
    head,
    `### Disputed: ${because.charAt(0).toLowerCase()}${because.slice(1)}`,
    `Since ${clock(Date.parse(raisedAt), Date.now())}. ${known === undefined ? 'The record is being read.' : recordText(known)} Nothing is changed by itself. **Call finance.** Then More Actions → Send an Update → resolveDispute with what was agreed:`,
    `\`\`\`json\n${RESOLUTIONS.join('\n')}\n\`\`\``,
    `One of the two lines. It records what was true of the bill and ends this run; the payment stays as recorded, and no money moves. **Never terminate.** About disputes: ${runbookPage('disputed')}`,
    trouble,
    cancel,
  ];
  return paragraphs.filter((paragraph) => paragraph !== undefined).join('\n\n');
}

function recordText({ recorded, hold }: NonNullable<DisputeView['known']>): string {
  const money = { posted: 'the hold was posted', voided: 'the hold was given back', none: 'no money was held' }[hold];
  return `Recorded as ${recorded.kind} at ${clock(Date.parse(recorded.closedAt), Date.now())}; ${money}.`;
}

export function resolvedSummary(recorded: BillPaymentOutcome, resolution: RecordedResolution): string {
  const { agreed, operator, note, providerCase } = resolution;
  const confirmed = providerCase === undefined ? '' : ` Case ${providerCase}.`;
  return `Resolved as ${agreed}. By ${operator}: "${note}".${confirmed} Recorded as ${recorded.kind}, which stays.`;
}
