import { Option, type Command } from 'commander';
import {
  EngineUnavailable,
  type BillPaymentHandle,
  type BillPayments,
  type PaymentProgress,
  type Resolution,
} from '../client';
import { amountOf } from './arguments';
import { EXIT, exitOfOutcome, UsageError } from './exit-codes';
import { withPayments, type Shell } from './shell';
import { disputeLines, outcomeLines, progressLines } from './texts';

interface By {
  readonly operator: string;
  readonly note: string;
}
interface ResolveOptions extends By {
  readonly paid?: true;
  readonly declined?: true;
  readonly receipt?: string;
  readonly token?: string;
  readonly amount?: string;
  readonly case?: string;
}

/** Commands about one payment that is there already. */
export function addPaymentCommands(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('status')
    .description('where a payment stands, or how it ended')
    .argument('<payment id>')
    .action(async (id: string) => exit(await withPayments(shell, (payments) => status(payments, id, shell))));

  program
    .command('check')
    .description('have the provider asked about a payment now')
    .argument('<payment id>')
    .requiredOption('--operator <who>')
    .action(async (id: string, by: { operator: string }) =>
      exit(await withPayment(id, shell, async (payment) => show(await payment.checkNow(by), shell))),
    );

  program
    .command('cancel')
    .description('cancel a payment, as long as it was not sent')
    .argument('<payment id>')
    .requiredOption('--operator <who>')
    .requiredOption('--note <why>')
    .action(async (id: string, { operator, note }: By) =>
      exit(await withPayment(id, shell, async (payment) => done(await payment.cancel({ operator, note }), shell))),
    );

  program
    .command('resolve')
    .description('decide a payment that needs attention, with proof from the provider or the biller')
    .argument('<payment id>')
    .addOption(new Option('--paid', 'it was paid').conflicts('declined'))
    .addOption(new Option('--declined', 'it was not paid, and the provider says in writing that it will not be'))
    .requiredOption('--operator <who>')
    .requiredOption('--note <text>', 'who confirmed it, and how')
    .option('--receipt <number>')
    .option('--token <token>', 'the prepaid token, when it came another way')
    .option('--amount <units>', 'with --paid: less than asked for was paid; the rest is released')
    .option('--case <id>', "the provider's case that confirms it")
    .action(async (id: string, options: ResolveOptions) => {
      const resolution = resolutionOf(options);
      const { operator, note } = options;
      exit(
        await withPayment(id, shell, async (payment) =>
          done(await payment.resolve({ ...resolution, operator, note }), shell),
        ),
      );
    });
}

const withPayment = (
  id: string,
  shell: Shell,
  work: (payment: BillPaymentHandle) => Promise<number>,
): Promise<number> => withPayments(shell, (payments) => work(payments.payment(id)));

async function status(payments: BillPayments, id: string, shell: Shell): Promise<number> {
  const payment = payments.payment(id);
  try {
    const progress = await payment.progress();
    const code = show(progress, shell);
    if (progress.outcome !== undefined) await showDispute(payments, id, shell);
    return code;
  } catch (error) {
    if (!(error instanceof EngineUnavailable) || error.part !== 'worker') throw error;
    // Only a worker can tell where it stands, but how it ended the server knows by itself.
    const outcome = await payment.outcome({ waitMs: 0 });
    if (outcome.kind === 'open') throw error;
    shell.output.event('outcome', outcome, outcomeLines(outcome));
    return exitOfOutcome(outcome);
  }
}

/** A closed run does not learn of what contradicts it. Where the payment stands was told already, so no trouble here hides that. */
async function showDispute(payments: BillPayments, id: string, { output }: Shell): Promise<void> {
  const dispute = await payments
    .dispute(id)
    .progress()
    .catch(() => undefined);
  if (dispute !== undefined) output.event('dispute', dispute, disputeLines(dispute));
}

function show(progress: PaymentProgress, { output }: Shell): number {
  output.event('progress', progress, progressLines(progress));
  return exitOfOutcome(progress.outcome);
}

/** A decision that was taken is done, whatever it decided. */
function done(progress: PaymentProgress, shell: Shell): number {
  show(progress, shell);
  return EXIT.ok;
}

function resolutionOf({
  paid,
  declined,
  operator,
  note,
  receipt,
  token,
  amount,
  case: providerCase,
}: ResolveOptions): Resolution {
  if (paid === undefined && declined === undefined) throw new UsageError('resolve needs --paid or --declined');
  return {
    decision: paid ? 'paid' : 'declined',
    operator,
    note,
    ...(receipt === undefined ? {} : { receiptNumber: receipt }),
    ...(token === undefined ? {} : { token }),
    ...(amount === undefined ? {} : { amount: amountOf(amount) }),
    ...(providerCase === undefined ? {} : { providerCase }),
  };
}
