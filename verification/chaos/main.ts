import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Violation } from '../guarantees';
import { planRun } from './plan';
import { explain, inWords, makeReport } from './report';
import { run } from './run';
import { setStage, type Stage } from './stage';
import { findViolations } from './truth';

/**
 * `npm run chaos -- --payments N --seed S`: real processes, real payments, and everything that can go wrong going wrong; at the end
 * four independent sources are compared with G1-G8. Exit code 1 on any violation, and when something has not come to rest in time.
 */

interface Options {
  readonly payments: number;
  readonly seed: number;
  readonly open?: number;
  readonly strikes: number;
  readonly within?: number;
  readonly json?: string;
  readonly plant?: 'repeated-post';
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

const share = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
  return value;
};

const program = new Command('chaos')
  .description('Pays bills while everything goes wrong, and compares what came of it with the guarantees G1-G8.')
  .option('--payments <n>', 'how many', wholeNumber, 300)
  .option('--seed <s>', 'the same seed, the same plan', wholeNumber, 1)
  .option('--open <n>', 'how many may be open at once; by default an eighth of them, from 10 to 150', wholeNumber)
  .option(
    '--strikes <share>',
    'of the usual kills, stops, cuts and resets: fewer, and more payments a minute',
    share,
    1,
  )
  .option(
    '--within <minutes>',
    'how long it may take in all; by default 10 minutes and one for every 300 payments',
    wholeNumber,
  )
  .option('--json <file>', 'write the report there too')
  .addOption(new Option('--plant <bug>', 'put a bug in, to see it found').choices(['repeated-post']));

/** Few enough that the strikes of a short run meet payments in every stage. */
const openAtOnce = (payments: number): number => Math.min(150, Math.max(10, Math.ceil(payments / 8)));

/** Between two comparisons: what differs only because it was read in the middle of a change does not differ twice. */
const COMPARE_AGAIN_MS = 2_000;
/** After its time is up a run still compares and reports; what takes longer than this hangs. */
const REPORT_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;

async function main(options: Options): Promise<number> {
  const began = performance.now();
  const { seed, payments } = options;
  const progress = (line: string): void =>
    console.log(`[${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s] ${line}`);
  const minutes = options.within ?? 10 + Math.ceil(payments / 300);
  progress(`${payments} payments, seed ${seed}; everything must be over within ${minutes} minutes`);
  const deadline = new AbortController();
  setTimeout(() => deadline.abort(), minutes * 60_000).unref();
  setTimeout(
    () => {
      console.error(`The run hangs: it ends ${REPORT_WITHIN_MS / 1000} s after its time was up.`);
      process.exit(1);
    },
    minutes * 60_000 + REPORT_WITHIN_MS,
  ).unref();

  const stage = await setStage({ seed, plant: options.plant, progress });
  let keepLogs = true;
  try {
    const ran = await run(stage, {
      plan: planRun(seed, payments, options.strikes),
      open: options.open ?? openAtOnce(payments),
      deadline: deadline.signal,
      progress,
    });
    progress('Comparing the provider, the store, the funds and the runs');
    const found = await findTwice(() => findViolations(stage, ran));
    const report = await makeReport(stage, ran, found, { seed, began });
    console.log(inWords(report));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    if (report.violations.length > 0) console.log(await explain(stage, report.violations, found.cases));
    keepLogs = report.violations.length + report.unsettled.length > 0 || report.payments < payments;
    return keepLogs ? 1 : 0;
  } finally {
    await tidyUp(stage, keepLogs);
  }
}

/** Only what both comparisons find. */
async function findTwice<Found extends { readonly violations: Violation[] }>(
  find: () => Promise<Found>,
): Promise<Found> {
  const once = await find();
  if (once.violations.length === 0) return once;
  await sleep(COMPARE_AGAIN_MS);
  const again = await find();
  const key = ({ guarantee, paymentId }: Violation): string => `${guarantee} ${paymentId}`;
  const before = new Set(once.violations.map(key));
  return { ...again, violations: again.violations.filter((one) => before.has(key(one))) };
}

async function tidyUp(stage: Stage, keepLogs: boolean): Promise<void> {
  await Promise.race([stage.stop(), sleep(STOP_WITHIN_MS)]);
  if (keepLogs) console.log(`The logs of the processes are in ${stage.folder}`);
  else rmSync(stage.folder, { recursive: true, force: true });
}

// The first signal ends it: every child has a guard that ends it with us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main(program.parse().opts<Options>()).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  },
);
