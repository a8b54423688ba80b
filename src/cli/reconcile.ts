import type { Command } from 'commander';
import type { Difference, ReconciliationReport } from '../client';
import { parseDuration } from '../payment/duration';
import { DIFFERENCES, type DifferenceKind } from '../payment/reconciliation';
import { askedAll, differencesIn, timeOf } from '../payment/reconciliation-window';
import { EXIT, UsageError } from './exit-codes';
import { withPayments, type Shell } from './shell';
import type { Line } from './output';

/** `billpay reconcile`: does what the store says agree with the runs and with the provider? */
export function addReconcile(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('reconcile')
    .description('compare store, runs and provider; changes no payment, raises disputes')
    .option('--since <time>', 'ISO 8601 or so long ago, such as 7d; default: where the last complete report ends')
    .addHelpText(
      'after',
      '\nExit codes: 0 all agrees; 4 there are differences; 5 none was found, but some payments could not be asked about.',
    )
    .action(async ({ since }: { since?: string }) => exit(await reconcile(since, shell)));
}

const reconcile = (since: string | undefined, shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    const report = await payments.reconciliation.run(since === undefined ? {} : { since: sinceOf(since) });
    shell.output.event('reconciliation', report, reportLines(report));
    if (differencesIn(report) > 0) return EXIT.differences;
    return askedAll(report) ? EXIT.ok : EXIT.incomplete;
  });

function sinceOf(text: string): string {
  const ago = parseDuration(text);
  const time = ago.kind === 'duration' && ago.ms < Date.now() ? new Date(Date.now() - ago.ms) : timeOf(text);
  if (time === undefined) throw new UsageError('--since must be a time such as 2026-01-31T12:00:00Z, or 7d');
  return time.toISOString();
}

function reportLines(report: ReconciliationReport): readonly Line[] {
  const { since, until, payments, asked, notAsked, unanswered = [], trouble, runs, disputesRaised } = report;
  return [
    { text: `Reconciliation of ${since} to ${until}`, tone: 'heading' },
    { text: `  ${payments} payments, ${asked} of them asked about; ${runs} runs looked for in the store` },
    ...byKind(report.differences),
    ...(report.moreDifferences === 0
      ? []
      : [
          {
            text: `${report.moreDifferences} differences more: these first, then reconcile again.`,
            tone: 'bad',
          } as const,
        ]),
    ...(disputesRaised === 0
      ? []
      : [{ text: `${disputesRaised} disputes raised. See: billpay attention`, tone: 'careful' } as const]),
    ...(notAsked === 0
      ? []
      : [
          {
            text: `${notAsked} payments could not be asked about (${trouble ?? 'no reason was given'}). The next reconciliation asks again.`,
            tone: 'careful',
          } as const,
          ...unanswered.map(({ paymentId, because }) => ({ text: `    ${paymentId}  ${because}` })),
        ]),
    lastLine(report),
  ];
}

function byKind(differences: readonly Difference[]): readonly Line[] {
  const kinds = [...new Set(differences.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => [
    { text: `${kind}: ${meaningOf(kind).means}`, tone: 'bad' } as const,
    { text: `  Next: ${meaningOf(kind).next}` },
    ...differences.filter((one) => one.kind === kind).map(({ subject, what }) => ({ text: `    ${subject}  ${what}` })),
  ]);
}

/** A newer worker may know more kinds than this command. */
const meaningOf = (kind: DifferenceKind): { readonly means: string; readonly next: string } =>
  (DIFFERENCES as Partial<typeof DIFFERENCES>)[kind] ?? {
    means: 'This version of billpay does not know this kind.',
    next: 'Use the billpay of the version that the worker has.',
  };

function lastLine(report: ReconciliationReport): Line {
  if (report.differences.length > 0) return { text: 'There are differences. No payment was changed.', tone: 'bad' };
  return askedAll(report)
    ? { text: 'Everything agrees.', tone: 'good' }
    : { text: 'No difference was found, but not everything could be asked.', tone: 'careful' };
}
