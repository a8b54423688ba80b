import type { Command } from 'commander';
import { InvalidRequest } from '../client';
import { billPaymentRequestSchema, invalidFields } from '../payment/request';
import { amountOf } from './arguments';
import { EXIT, UsageError } from './exit-codes';
import type { Shell } from './shell';

/** The two commands that go to the database and not to Temporal: whoever deploys runs them, with DATABASE_URL. */
export function addDatabaseCommands(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('migrate')
    .description('bring the database up to this version (needs DATABASE_URL)')
    .action(async () => exit(await migrate(shell)));

  const funds = program.command('funds').description('accounts that payments are reserved on');
  funds
    .command('add')
    .description('add money to a funding account, made if it is new (needs DATABASE_URL); every call adds')
    .argument('<account>')
    .argument('<amount>', 'whole currency units')
    .option('--currency <code>', 'ISO 4217', 'KES')
    .action(async (account: string, amount: string, { currency }: { currency: string }) =>
      exit(await addFunds(account, amount, currency, shell)),
    );
}

async function migrate(shell: Shell): Promise<number> {
  const databaseUrl = databaseUrlOf(shell);
  const applied = await (await shell.loadStore()).migrate(databaseUrl);
  const lines =
    applied.length === 0
      ? [{ text: 'The database is up to date.' }]
      : applied.map((name) => ({ text: `Applied ${name}` }));
  shell.output.event('migrated', { applied }, lines);
  return EXIT.ok;
}

async function addFunds(account: string, amountText: string, currency: string, shell: Shell): Promise<number> {
  const amount = amountOf(amountText);
  // The same rules as a request's, or the account could never be named by one.
  const checked = fundsSchema.safeParse({ fundingAccount: account, currency });
  if (!checked.success) throw new InvalidRequest(invalidFields(checked.error));
  const databaseUrl = databaseUrlOf(shell);
  const store = await shell.loadStore();
  if ((await store.pendingMigrations(databaseUrl)).length > 0)
    throw new UsageError('The database is not of this version. Run first: billpay migrate');
  const { available } = await store.addFunds(databaseUrl, { account, amount, currency });
  shell.output.event('funds', { account, currency, added: amount, available }, [
    { text: `${currency} ${amount} added to ${account}. Available: ${currency} ${available}`, tone: 'good' },
  ]);
  return EXIT.ok;
}

const fundsSchema = billPaymentRequestSchema.pick({ fundingAccount: true, currency: true });

function databaseUrlOf(shell: Shell): string {
  const databaseUrl = shell.databaseUrl();
  if (databaseUrl === undefined)
    throw new UsageError(
      'DATABASE_URL is missing: this command works on the database, postgresql://user:password@host/database',
    );
  return databaseUrl;
}
