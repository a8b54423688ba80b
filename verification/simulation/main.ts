import { Command, Option } from 'commander';
import { FAULTS, STEPS } from '../faults';
import { BUGS, type Bug } from './bugs';
import { describeFailure, describeReport } from './report';
import { simulate } from './simulate';
import type { Cell } from './weather';

/** `npm run simulate -- --runs N --seed S` */
interface Options {
  readonly runs: string;
  readonly seed: string;
  readonly minutes?: string;
  readonly bug?: Bug;
  readonly only?: string;
  readonly trace?: true;
  readonly keepGoing?: true;
}

async function main(): Promise<void> {
  const program = new Command('simulate')
    .description('Runs payments in a simulated world, and checks the guarantees after every step.')
    .option('--runs <number>', 'how many runs', '1000')
    .option('--minutes <number>', 'as many runs as fit into so many minutes')
    .option('--seed <number>', 'of the first run; the next has the next', '1')
    .addOption(new Option('--bug <name>', 'plants a bug, to see it found').choices(BUGS))
    .option('--only <fault/step>', 'injects one cell of the fault matrix in each run, and nothing else')
    .option('--trace', 'prints what happens, step by step')
    .option('--keep-going', 'goes on behind a violation');
  const { runs, seed, minutes, bug, only, trace, keepGoing } = program.parse().opts<Options>();
  const report = await simulate({
    runs: minutes === undefined ? numberOf('--runs', runs) : { minutes: numberOf('--minutes', minutes) },
    seed: numberOf('--seed', seed),
    bug,
    keepGoing,
    only: only === undefined ? undefined : cellOf(only),
    onRun: (run) => {
      if (trace === true) console.log([...run.trace, `hash ${run.hash}`].join('\n'));
      if (run.violations.length > 0)
        console.log(describeFailure(run, { bug, only, withTrace: trace !== true && keepGoing !== true }));
    },
  });
  console.log(describeReport(report));
  if (report.failed.length > 0) process.exitCode = 1;
}

function cellOf(text: string): Cell {
  const [fault, step] = text.split('/');
  const cell = { fault: FAULTS.find((known) => known === fault), step: STEPS.find((known) => known === step) };
  if (cell.fault === undefined || cell.step === undefined)
    throw new Error('--only wants a fault and a step, such as worker-stalled/send');
  return { fault: cell.fault, step: cell.step };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number`);
  return value;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
