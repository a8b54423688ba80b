import type { Command } from 'commander';
import type { AppliedSchedule, ReconciliationSchedule } from '../client';
import { durationOf } from './arguments';
import { EXIT } from './exit-codes';
import { withPayments, type Shell } from './shell';
import type { Line } from './output';

/** What Temporal starts by itself. */
export function addSchedules(program: Command, shell: Shell, exit: (code: number) => void): void {
  const schedules = program.command('schedules').description('what runs by itself: the reconciliation');
  schedules
    .command('apply')
    .description('create the schedule of the reconciliation, or bring it up to date')
    .option('--every <duration>', 'from 1m to 1d', '1h')
    .action(async ({ every }: { every: string }) => exit(await apply(every, shell)));
  schedules
    .command('show')
    .description('whether there is one, and when it runs next')
    .action(async () => exit(await show(shell)));
}

async function apply(every: string, shell: Shell): Promise<number> {
  const everyMs = durationOf('--every', every);
  return await withPayments(shell, async (payments) => {
    const schedule = await payments.reconciliation.applySchedule(everyMs);
    shell.output.event('schedule', schedule, [
      { text: `Schedule ${schedule.id}: ${SAID[schedule.change]}`, tone: 'good' },
      ...scheduleLines(schedule),
    ]);
    return EXIT.ok;
  });
}

const SAID: Readonly<Record<AppliedSchedule['change'], string>> = {
  created: 'created.',
  updated: 'updated.',
  unchanged: 'unchanged.',
};

const show = (shell: Shell): Promise<number> =>
  withPayments(shell, async (payments) => {
    const schedule = await payments.reconciliation.schedule();
    if (schedule === undefined) {
      shell.output.event('schedule', { id: null }, [
        { text: 'No schedule: nothing is reconciled by itself. Run: billpay schedules apply', tone: 'careful' },
      ]);
      return EXIT.notFound;
    }
    shell.output.event('schedule', schedule, [
      { text: `Schedule ${schedule.id}`, tone: 'heading' },
      ...scheduleLines(schedule),
    ]);
    return EXIT.ok;
  });

function scheduleLines({ everyMs, paused, nextAt }: ReconciliationSchedule): readonly Line[] {
  return [
    { text: `  Every ${everyMs / 60_000} min${nextAt === undefined ? '' : `, next at ${nextAt}`}` },
    ...(paused
      ? [{ text: '  Paused: nothing is reconciled by itself. Resume it in the Web UI.', tone: 'careful' } as const]
      : []),
  ];
}
