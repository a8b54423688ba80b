import type { Command } from 'commander';
import type { DisputeResolution, ExampleUpdate, Resolution, Waiting } from '../client';
import { runbookPage } from '../payment/attention';
import { EXIT } from './exit-codes';
import { withPayments, type Shell } from './shell';
import type { Line } from './texts';

/** `billpay attention`: what the operators' list in the Web UI shows, with what is known and what to do. */
export function addAttention(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('attention')
    .description('what waits for a person, oldest first, and what to do about it')
    .action(async () => exit(await attention(shell)));
}

const attention = (shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    const waiting = await payments.attention();
    for (const one of waiting) shell.output.event('waiting', one, waitingLines(one));
    const silent = waiting.filter(({ known }) => known === undefined).length;
    shell.output.event('attention', { waiting: waiting.length, silent }, [summaryLine(waiting.length, silent)]);
    return waiting.length === 0 ? EXIT.ok : EXIT.open;
  });

function summaryLine(waiting: number, silent: number): Line {
  if (waiting === 0) return { text: 'Nothing waits for a person.', tone: 'good' };
  const told =
    silent === 0
      ? ''
      : ` Of ${silent} no worker told what is known: start one, or see the Web UI. Their times are those of the start.`;
  return { text: `${waiting} waiting, the oldest first.${told}`, tone: 'careful' };
}

function waitingLines({ kind, paymentId, reason, since, amount, currency, service, known, first, updates }: Waiting) {
  const money = amount === undefined ? undefined : `${currency ?? ''} ${amount}`.trim();
  const what = kind === 'payment' ? 'Payment' : 'Dispute of payment';
  const heading = [`${what} ${paymentId}`, money, service].filter((part) => part !== undefined).join(' · ');
  const lines: Line[] = [
    { text: heading, tone: 'heading' },
    { text: `  ${reason}, since ${since}`, tone: 'careful' },
    ...(known === undefined ? [] : [{ text: `  ${known}` }]),
    { text: `  First: ${first} (${runbookPage(reason)})` },
    ...(updates.length === 0 ? [] : [{ text: '  Then, with proof, one of:' }]),
    ...updates.map((update) => ({ text: `    ${pasteable(paymentId, update)}` })),
  ];
  return lines;
}

const pasteable = (paymentId: string, { argument }: ExampleUpdate): string =>
  'decision' in argument ? resolveCommand(paymentId, argument) : disputeCommand(paymentId, argument);

const disputeCommand = (paymentId: string, { agreed, operator, note }: DisputeResolution): string =>
  `billpay dispute-resolve ${paymentId} --${agreed} --operator "${operator}" --note "${note}"`;

function resolveCommand(
  paymentId: string,
  { decision, operator, note, receiptNumber, token, providerCase }: Resolution,
): string {
  const option = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${name} "${value}"`;
  return [
    `billpay resolve ${paymentId} --${decision} --operator "${operator}" --note "${note}"`,
    option('--receipt', receiptNumber),
    option('--token', token),
    option('--case', providerCase),
  ].join('');
}
