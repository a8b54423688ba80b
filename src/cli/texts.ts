import type {
  BillInquiry,
  BillPaymentOutcome,
  BillService,
  CheckResult,
  DisputeProgress,
  PaymentProgress,
  ProviderReport,
} from '../client';
import { stageInWords } from '../payment/words';
import type { Line } from './output';

/** What people read. Pure. */

export function stageLine(progress: PaymentProgress): Line {
  return { text: `  ${stageInWords(progress)}`, tone: progress.stage === 'needs-attention' ? 'careful' : 'quiet' };
}

export function progressLines(progress: PaymentProgress): readonly Line[] {
  const { paymentId, amount, currency, serviceName, serviceId, fundingAccount, provider, submission, outcome } =
    progress;
  const heading = `Payment ${paymentId} · ${currency} ${amount} · ${serviceName ?? serviceId}`;
  if (outcome !== undefined) return [{ text: heading, tone: 'heading' }, ...outcomeLines(outcome)];
  return [
    { text: heading, tone: 'heading' },
    stageLine(progress),
    ...field('Funds from', fundingAccount),
    ...field('Sent', submission && `${submission.at}, ${submission.said}`),
    ...field(`${provider?.name ?? 'The provider'} said`, provider?.said && `${provider.said} (${provider.at ?? ''})`),
    ...field('Needs attention since', progress.attentionSince),
    ...(progress.attentionSince === undefined ? field('Will need attention at', progress.attentionAt) : []),
  ];
}

export function outcomeLines(outcome: BillPaymentOutcome): readonly Line[] {
  if (outcome.kind !== 'paid')
    return [{ text: outcome.summary, tone: outcome.kind === 'declined' ? 'bad' : 'careful' }];
  const { number, token, narration } = outcome.receipt;
  return [
    { text: outcome.summary, tone: 'good' },
    ...field('Receipt', number),
    ...field('Token', token),
    ...field('Provider says', narration),
  ];
}

export function disputeLines(dispute: DisputeProgress): readonly Line[] {
  const { paymentId, because, raisedAt, recorded, resolution } = dispute;
  return [
    { text: `Dispute of payment ${paymentId} · since ${raisedAt}`, tone: 'heading' },
    { text: because, tone: 'careful' },
    ...field('Recorded, and stays', recorded?.summary),
    ...(resolution === undefined
      ? [{ text: `  Call finance. Then: billpay dispute-resolve ${paymentId} --paid|--not-paid` }]
      : [
          { text: `Resolved as ${resolution.agreed} at ${resolution.at}.`, tone: 'good' } as const,
          ...field('By', resolution.operator),
          ...field('Note', resolution.note),
          ...field('Case', resolution.providerCase),
        ]),
  ];
}

export function openLines(paymentId: string, progress: PaymentProgress | undefined): readonly Line[] {
  return [
    { text: 'Still open: this is no failure, the payment goes on.', tone: 'careful' },
    ...(progress === undefined ? [] : [stageLine(progress)]),
    followLine(paymentId),
  ];
}

export function interruptedLines(paymentId: string): readonly Line[] {
  return [{ text: 'Not waiting any longer. The payment goes on.', tone: 'careful' }, followLine(paymentId)];
}

const followLine = (paymentId: string): Line => ({ text: `  Ask again with: billpay status ${paymentId}` });

export function inquiryLines(inquiry: BillInquiry): readonly Line[] {
  const { valid, reason, customerName, dueAmount, dueDate, currency, saved } = inquiry;
  const due =
    dueAmount === undefined ? undefined : [currency, dueAmount].filter((part) => part !== undefined).join(' ');
  return [
    valid ? { text: 'The account can be paid.', tone: 'good' } : { text: 'The account cannot be paid.', tone: 'bad' },
    ...field('Reason', reason),
    ...field('Customer', customerName),
    ...field('Due', due),
    ...field('Due date', dueDate),
    ...field('Saved bill number', saved && (saved.verified ? 'yes, verified' : 'yes, not verified')),
  ];
}

export function serviceLine({ serviceId, name, category }: BillService): Line {
  return { text: [serviceId, name, category].filter((part) => part !== undefined).join('  ') };
}

export function reportLines({ health, routes, wallet }: ProviderReport): readonly Line[] {
  const active = (
    list: readonly { readonly id: string; readonly category: string; readonly active: boolean }[],
  ): string =>
    list.map(({ id, category, active }) => `${category} ${id}${active ? '' : ' (inactive)'}`).join(', ') ||
    'none assigned';
  return [
    checkLine('Provider health', health, (said) => said),
    checkLine('Routes', routes, active),
    checkLine(
      'Wallet',
      wallet,
      ({ balances }) => balances.map(({ type, balance }) => `${type ?? 'balance'} ${balance}`).join(', ') || 'empty',
    ),
  ];
}

function checkLine<Value>(name: string, result: CheckResult<Value>, text: (value: Value) => string): Line {
  return result.kind === 'ok' ? passed(name, text(result.value)) : failed(name, result.because);
}

export const passed = (name: string, text: string): Line => ({ text: `✓ ${name}: ${text}`, tone: 'good' });
export const failed = (name: string, text: string): Line => ({ text: `✗ ${name}: ${text}`, tone: 'bad' });

const field = (name: string, value: string | undefined): readonly Line[] =>
  value === undefined ? [] : [{ text: `  ${name}: ${value}` }];
