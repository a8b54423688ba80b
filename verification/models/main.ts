import { PLANTED, SOUND, type Check } from './all';
import { inWords, type Exploration } from './explore';

/** `npm run models`: the protocols over all interleavings within a bound, and the same with each planted bug, which must be found. */

function run(check: Check): Exploration {
  const result = check.run();
  const { states, transitions, ms } = result;
  console.log(`${check.name}\n  bound: ${check.bound}\n  ${states} states, ${transitions} transitions, ${ms} ms`);
  return result;
}

let problems = 0;
for (const check of SOUND) {
  const { counterexample } = run(check);
  console.log(counterexample === undefined ? '  violations: 0\n' : `  VIOLATED: ${inWords(counterexample)}\n`);
  if (counterexample !== undefined) problems += 1;
}
for (const check of PLANTED) {
  const { counterexample } = run(check);
  if (counterexample === undefined) problems += 1;
  console.log(counterexample === undefined ? '  NOT FOUND\n' : `  found: ${inWords(counterexample)}\n`);
}
process.exitCode = problems === 0 ? 0 : 1;
