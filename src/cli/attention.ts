import type { Command } from 'commander';
import {
  MOST_ASKED,
  type AttentionItem,
  type DisputeResolution,
  type ExampleUpdate,
  type LastReconciliation,
  type Resolution,
} from '../client';
import { runbookPage } from '../payment/words';
import { askedAll, differencesIn } from '../payment/reconciliation-window';
import { EXIT } from './exit-codes';
import { withPayments, type Shell } from './shell';
import type { Line } from './output';

/** `billpay attention`: what the operators' list in the Web UI shows, with what is known and what to do. */
export function addAttention(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('attention')
    .description('what needs attention, oldest first, what to do about it, and what the last reconciliation found')
    .action(async () => exit(await attention(shell)));
}

const attention = (shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    const items = await payments.attention();
    for (const item of items) shell.output.event('needs-attention', item, itemLines(item));
    const unknown = items.filter(({ known }) => known === undefined).length;
    const last = await payments.reconciliation.last();
    const news = last === undefined ? [] : reconciliationLines(last);
    if (last !== undefined && news.length > 0) shell.output.event('reconciliation', last, news);
    const differences = last?.kind === 'reported' ? differencesIn(last) : 0;
    const summary = summaryLine(items.length, unknown, differences);
    shell.output.event('attention', { count: items.length, unknown }, [summary]);
    return items.length + differences === 0 ? EXIT.ok : EXIT.open;
  });

function summaryLine(count: number, unknown: number, differences: number): Line {
  if (count === 0 && differences === 0) return { text: 'Nothing needs attention.', tone: 'good' };
  if (count === 0) return { text: 'No payment and no dispute needs attention.', tone: 'careful' };
  const told =
    unknown === 0
      ? ''
      : ` Of ${unknown} no worker told what is known: only the oldest ${MOST_ASKED} are asked about. If none is told, start a worker, or see the Web UI. Their times are those of the start.`;
  return { text: `${count} need attention, the oldest first.${told}`, tone: 'careful' };
}

/** None: there is nothing to say. */
function reconciliationLines(last: LastReconciliation): readonly Line[] {
  const next: Line = { text: '  Next: billpay reconcile (docs/runbook.md#reconciliation)' };
  if (last.kind === 'failed') return [{ text: last.message, tone: 'bad' }, next];
  const { until, differences, moreDifferences, notAsked } = last;
  if (differencesIn(last) === 0 && askedAll(last)) return [];
  const kinds = [...new Set(differences.map(({ kind }) => kind))];
  return [
    { text: `The last reconciliation, until ${until}: ${differencesIn(last)} differences`, tone: 'heading' },
    ...kinds.map((of) => ({ text: `  ${of}: ${differences.filter(({ kind }) => kind === of).length}` })),
    ...(moreDifferences === 0 ? [] : [{ text: `  and ${moreDifferences} that it has not listed` }]),
    ...(askedAll(last) ? [] : [{ text: `  ${notAsked} payments could not be asked about: incomplete` }]),
    next,
  ];
}

function itemLines({
  kind,
  paymentId,
  reason,
  since,
  amount,
  currency,
  service,
  known,
  first,
  updates,
}: AttentionItem) {
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
