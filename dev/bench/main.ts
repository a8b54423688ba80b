import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { readLocalConfig } from '../../src/config';
import { measureRounds, type Amounts } from './measure';
import { measureParked } from './parked';
import { resultsOf } from './results';
import { ROW_NAMES, type RowName } from './rows';
import { setStage, type Stage, type StageOptions } from './stage';
import { inWords } from './table';

/**
 * `npm run bench [-- --json] [--parked N]`: what a payment costs, beside what its calls and its engine's steps cost alone. Every part
 * of the system is a process of its own, so that each one's CPU can be told.
 */

interface Options extends Amounts {
  readonly json?: boolean;
  readonly parked?: number;
  readonly rows: readonly RowName[];
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};
const atLeastOne = (text: string): number => {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('It must be at least 1.');
  return wholeNumber(text);
};
const rowNames = (text: string): readonly RowName[] => {
  const names = text.split(',');
  const unknown = names.find((name) => !ROW_NAMES.some((known) => known === name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no row "${unknown}": ${ROW_NAMES.join(', ')}.`);
  return ROW_NAMES.filter((name) => names.includes(name));
};

const program = new Command('bench')
  .description(
    'Measures what a payment costs, process by process. Linux only. The usual amounts take less than 5 minutes on 2 cores.',
  )
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .option('--parked <n>', 'also measure that many waiting payments, before the rounds', atLeastOne)
  .option('--rounds <n>', 'in each, every row has its turn; 0: none', wholeNumber, 5)
  .option('--payments <n>', 'of each row in a round', atLeastOne, 100)
  .option('--at-once <n>', 'how many of them are under way at a time', atLeastOne, 16)
  .option('--alone <n>', 'how many of each row in a round run one at a time, for the latency', atLeastOne, 5)
  .option('--rows <names>', 'only these, separated by commas', rowNames, ROW_NAMES);

/** From a submission to its callback: longer than a busy flow needs to begin to wait for it, as with a real provider. */
const PROVIDER_MS = 300;
/** A whole bench of the usual amounts takes a fifth of it. What takes longer than this hangs, or was asked for too much. */
const ENDS_WITHIN_MS = 25 * 60_000;
const STOP_WITHIN_MS = 30_000;

async function main(options: Options): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error("The bench reads what each process has used from Linux's /proc: it does not run on this system.");
  const began = performance.now();
  const progress = (line: string): void =>
    console.error(`[${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s] ${line}`);
  const settings = { ...options, ...readLocalConfig(), providerMs: PROVIDER_MS, progress };

  // Each on servers of its own: they grow with what they have run.
  const { parked } = options;
  const waiting =
    parked === undefined
      ? undefined
      : await onStage({ ...settings, tellsHeap: true, isAnother: false }, (stage) =>
          measureParked(stage, { ...settings, payments: parked }),
        );
  const rounds =
    options.rounds === 0
      ? []
      : await onStage({ ...settings, tellsHeap: false, isAnother: parked !== undefined }, (stage) =>
          measureRounds(stage, settings),
        );
  const results = resultsOf(rounds, settings, waiting);
  console.log(options.json === true ? JSON.stringify(results) : `\n${inWords(results)}`);
}

const interrupted = interruption();

async function onStage<Result>(options: StageOptions, work: (stage: Stage) => Promise<Result>): Promise<Result> {
  let isSet = false;
  // Interrupted while it starts, nothing is worth waiting for: every process has a guard that ends it with us.
  interrupted.catch(() => isSet || process.exit(1));
  const stage = await setStage(options);
  isSet = true;
  try {
    return await Promise.race([work(stage), stage.failed, interrupted, tooLate()]);
  } finally {
    await Promise.race([stage.stop(), sleep(STOP_WITHIN_MS)]);
  }
}

/** The first signal asks for an orderly end, the second does not wait for it. */
function interruption(): Promise<never> {
  const asked = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        reject(new Error('Interrupted.'));
        process.once(signal, () => process.exit(1));
      });
  });
  asked.catch(() => undefined);
  return asked;
}

async function tooLate(): Promise<never> {
  await sleep(ENDS_WITHIN_MS, undefined, { ref: false });
  throw new Error(`The bench has not ended within ${ENDS_WITHIN_MS / 60_000} minutes: ask for less of it.`);
}

main(program.parse().opts<Options>()).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
