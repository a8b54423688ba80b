import type { Command } from 'commander';
import { EngineUnavailable } from '../client';
import { reasonOf } from '../payment/reason';
import { EXIT, exitOfError } from './exit-codes';
import { withPayments, type Shell } from './shell';
import { failed, inquiryLines, passed, reportLines, serviceLine } from './texts';

/** Commands that pay nothing. */
export function addQuestions(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('inquire')
    .description('whether an account can be paid, and what is due')
    .requiredOption('--service <id>')
    .requiredOption('--account <number>')
    .action(async ({ service, account }: { service: string; account: string }) =>
      exit(await inquire(service, account, shell)),
    );

  program
    .command('services')
    .description('what the provider can pay')
    .action(async () => exit(await services(shell)));

  program
    .command('doctor')
    .description('whether Temporal, the worker and the provider answer')
    .action(async () => exit(await doctor(shell)));
}

const inquire = (serviceId: string, accountNumber: string, shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    const inquiry = await payments.inquire({ serviceId, accountNumber });
    shell.output.event('inquiry', inquiry, inquiryLines(inquiry));
    return inquiry.valid ? EXIT.ok : EXIT.notPaid;
  });

const services = (shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    for (const service of await payments.services()) shell.output.event('service', service, [serviceLine(service)]);
    return EXIT.ok;
  });

/** Each part by itself, from the near one to the far one: the first that fails is the one to mend. */
async function doctor(shell: Shell): Promise<number> {
  const tell = (part: string, text: string, ok: boolean): void =>
    shell.output.event('check', { part, ok, text }, [(ok ? passed : failed)(part, text)]);
  try {
    return await withPayments(shell, async (payments) => {
      const report = await payments.checkProvider();
      tell('Temporal', 'answers', true);
      tell('Worker', 'answers', true);
      shell.output.event('provider', report, reportLines(report));
      return report.ok ? EXIT.ok : EXIT.failed;
    });
  } catch (error) {
    const text = reasonOf(error);
    const unavailable = error instanceof EngineUnavailable ? error.part : undefined;
    if (unavailable === 'server') tell('Temporal', text, false);
    else {
      tell('Temporal', 'answers', true);
      tell('Worker', unavailable === 'worker' ? text : 'answers', unavailable !== 'worker');
      if (unavailable === undefined) tell('Provider', text, false);
    }
    return exitOfError(error);
  }
}
