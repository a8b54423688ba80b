import { Command, CommanderError } from 'commander';
import { addAttention } from './attention';
import { addDatabaseCommands } from './database';
import { addDisputeCommands } from './dispute';
import { EXIT, exitOfError } from './exit-codes';
import { createOutput } from './output';
import { addPay } from './pay';
import { addPaymentCommands } from './payment';
import { addQuestions } from './questions';
import { addReconcile } from './reconcile';
import { addSchedules } from './schedules';
import type { CliDependencies, Shell } from './shell';

const EXIT_CODES = `
Exit codes: 0 paid or done; 1 failed; 2 declined, cancelled or not payable; 3 still open (also while it needs attention);
4 a reconciliation found differences; 5 it could not ask about every payment;
64 bad usage; 65 the payment id is known with other content; 66 no such payment; 69 Temporal or the worker does not answer.
Temporal's address comes from TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ... or temporal.toml.`;

/** The `billpay` command. Returns the exit code and ends nothing: that is for `main`. */
export function createProgram(dependencies: CliDependencies): (args: readonly string[]) => Promise<number> {
  return async (args) => {
    let code: number = EXIT.ok;
    const exit = (to: number): void => void (code = to);
    const program = new Command('billpay');
    const output = createOutput({ ...dependencies, json: () => program.opts<{ json?: true }>().json === true });
    const shell: Shell = { ...dependencies, output };
    program
      .description('Pay bills durably, and look after them.')
      .version(dependencies.version)
      .option('--json', 'one JSON object per line, for scripts; errors on the error stream')
      .addHelpText('after', EXIT_CODES)
      .configureOutput({
        writeOut: (text) => dependencies.out(text.trimEnd()),
        writeErr: (text) => dependencies.err(text.trimEnd()),
      })
      .exitOverride();
    addPay(program, shell, exit);
    addPaymentCommands(program, shell, exit);
    addDisputeCommands(program, shell, exit);
    addAttention(program, shell, exit);
    addQuestions(program, shell, exit);
    addReconcile(program, shell, exit);
    addSchedules(program, shell, exit);
    addDatabaseCommands(program, shell, exit);
    try {
      await program.parseAsync(args, { from: 'user' });
      return code;
    } catch (error) {
      // Commander has said what it had to say: help and version, or what is wrong with the command line.
      if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      output.error(error);
      return exitOfError(error);
    }
  };
}
