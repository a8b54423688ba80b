import type { BillPayments } from '../client';
import type { Output } from './output';

/** What of the store two commands need. */
export interface CliStore {
  migrate(databaseUrl: string): Promise<readonly string[]>;
  pendingMigrations(databaseUrl: string): Promise<readonly string[]>;
  addFunds(
    databaseUrl: string,
    funds: { account: string; amount: number; currency: string },
  ): Promise<{ readonly available: number }>;
}

/** The world around the command, so that tests run it whole inside their own process. */
export interface CliDependencies {
  readonly version: string;
  readonly connect: () => Promise<BillPayments>;
  /** Loaded by the commands that need it only: the others run where there is no database. */
  readonly loadStore: () => Promise<CliStore>;
  /** Undefined when not set. @throws when it cannot be used */
  readonly databaseUrl: () => string | undefined;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** A file, or standard input for `-`. */
  readonly readInput: (file: string) => Promise<string>;
  readonly newPaymentId: () => string;
  /** Calls back on the first interrupt instead of ending the process. Returns how to undo it. */
  readonly onInterrupt: (callback: () => void) => () => void;
  readonly colour: boolean;
}

/** What a command gets. It returns its exit code. */
export interface Shell extends CliDependencies {
  readonly output: Output;
}

export async function withPayments(shell: Shell, work: (payments: BillPayments) => Promise<number>): Promise<number> {
  const payments = await shell.connect();
  try {
    return await work(payments);
  } finally {
    await payments.close();
  }
}
