import { Option, type Command } from 'commander';
import type { DisputeProgress, DisputeResolution } from '../client';
import { EXIT, UsageError } from './exit-codes';
import { withPayments, type Shell } from './shell';
import { disputeLines } from './texts';

interface ResolveOptions {
  readonly paid?: true;
  readonly notPaid?: true;
  readonly operator: string;
  readonly note: string;
  readonly case?: string;
}

/** Commands about a closed payment that something contradicts. */
export function addDisputeCommands(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('dispute')
    .description('what contradicts the outcome of a payment, and what was agreed')
    .argument('<payment id>')
    .action(async (id: string) =>
      exit(await withPayments(shell, async (payments) => show(await payments.dispute(id).progress(), shell))),
    );

  program
    .command('dispute-resolve')
    .description('record what was agreed about a disputed payment; its outcome stays, and no money moves')
    .argument('<payment id>')
    .addOption(new Option('--paid', 'the bill was paid').conflicts('notPaid'))
    .addOption(new Option('--not-paid', 'the bill was not paid'))
    .requiredOption('--operator <who>')
    .requiredOption('--note <text>', 'who agreed, and what follows')
    .option('--case <id>', "the provider's case that confirms it")
    .action(async (id: string, options: ResolveOptions) => {
      const resolution = resolutionOf(options);
      exit(
        await withPayments(shell, async (payments) => {
          show(await payments.dispute(id).resolve(resolution), shell);
          return EXIT.ok;
        }),
      );
    });
}

/** Open as long as nobody has resolved it. */
function show(dispute: DisputeProgress, { output }: Shell): number {
  output.event('dispute', dispute, disputeLines(dispute));
  return dispute.resolution === undefined ? EXIT.open : EXIT.ok;
}

function resolutionOf({ paid, notPaid, operator, note, case: providerCase }: ResolveOptions): DisputeResolution {
  if (paid === undefined && notPaid === undefined) throw new UsageError('dispute-resolve needs --paid or --not-paid');
  return {
    agreed: paid ? 'paid' : 'not-paid',
    operator,
    note,
    ...(providerCase === undefined ? {} : { providerCase }),
  };
}
