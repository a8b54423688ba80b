import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { NEEDED, PROOF } from '../rules';
import { PLANTED, SOUND, type Check } from './all';
import { inWords, type Exploration } from './explore';

/**
 * `npm run models`: every side of a payment's life over all interleavings within its bound, and the same with each planted bug, which
 * must be found. `npm run models -- <part of a name>` runs only these, and prints how each bug comes about.
 */

const CHECKS = [...SOUND, ...PLANTED];

if (isMainThread) void main(process.argv[2]);
else parentPort?.on('message', (index: number) => parentPort?.postMessage(CHECKS[index]?.run()));

async function main(only = ''): Promise<void> {
  const began = performance.now();
  const chosen = CHECKS.filter(({ name }) => name.includes(only));
  const results = new Map<Check, Exploration>();
  await runAll(chosen, (check, result) => {
    results.set(check, result);
    if (check.bug === undefined || only !== '') console.log(`${inLines(check, result)}\n`);
  });
  if (only === '') console.log(table(results));
  const wrong = chosen.filter((check) => isWrong(check, results.get(check)));
  for (const { name } of wrong) console.log(`NOT AS IT MUST BE: ${name}`);
  const states = [...results.values()].reduce((sum, result) => sum + result.states, 0);
  console.log(`${chosen.length} explorations, ${states} states, ${Math.round((performance.now() - began) / 1000)} s`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

/** As it is nothing may be violated; with a bug something must be. */
const isWrong = ({ bug }: Check, result: Exploration | undefined): boolean =>
  result === undefined || (bug === undefined) === (result.counterexample !== undefined);

/** One thread for each core. The largest first, so that none is left over at the end. */
async function runAll(checks: readonly Check[], onResult: (check: Check, result: Exploration) => void): Promise<void> {
  const waiting = [...checks];
  await Promise.all(
    Array.from({ length: Math.min(availableParallelism(), checks.length) }, async () => {
      const worker = new Worker(__filename, { resourceLimits: { maxOldGenerationSizeMb: 4_096 } });
      for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
        const index = CHECKS.indexOf(check);
        const result = await new Promise<Exploration>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
          worker.postMessage(index);
        });
        worker.removeAllListeners();
        onResult(check, result);
      }
      await worker.terminate();
    }),
  );
}

function inLines({ name, bound, bug }: Check, { states, transitions, ms, counterexample }: Exploration): string {
  const found = bug === undefined ? 'VIOLATED' : 'found';
  const none = bug === undefined ? 'violations: 0' : 'NOT FOUND';
  return [
    name,
    `  bound: ${bound}`,
    `  ${states} states, ${transitions} transitions, ${ms} ms`,
    counterexample === undefined ? `  ${none}` : `  ${found}: ${inWords(counterexample)}`,
  ].join('\n');
}

/** Each rule, what is planted against it, and where that is found. */
function table(results: ReadonlyMap<Check, Exploration>): string {
  const lines = ['Each rule, what is planted to break it, and what finds that:'];
  for (const { rule, planted, ...rest } of [PROOF, ...NEEDED]) {
    const { number, elsewhere } = { number: 0, elsewhere: undefined, ...rest };
    lines.push(`\n${number === 0 ? '' : `${number}. `}${rule}`);
    for (const bug of Object.keys(planted)) lines.push(`   ${bug}: ${foundBy(bug, results)}`);
    if (elsewhere !== undefined) lines.push(`   elsewhere: ${elsewhere}`);
  }
  return `${lines.join('\n')}\n`;
}

function foundBy(bug: string, results: ReadonlyMap<Check, Exploration>): string {
  for (const [check, { states, ms, counterexample }] of results)
    if (check.bug === bug && counterexample !== undefined)
      return `"${check.side}", ${counterexample.steps.length} steps, ${states} states, ${ms} ms: ${counterexample.violated[0]}`;
  return 'NOT FOUND';
}
