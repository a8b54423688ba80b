import { FAULTS } from '../faults';
import type { Bug } from './bugs';
import type { SimulationReport } from './simulate';
import type { RunReport } from './world';

/** What a simulation says to people. */

export function describeFailure(
  { seed, violations, trace, scenario, hash }: RunReport,
  {
    bug,
    only,
    withTrace,
  }: { readonly bug?: Bug | undefined; readonly only?: string | undefined; readonly withTrace: boolean },
): string {
  const replay = `npm run simulate -- --runs 1 --seed ${seed}${bug === undefined ? '' : ` --bug ${bug}`}${only === undefined ? '' : ` --only ${only}`} --trace`;
  return [
    `Seed ${seed} (${scenario.behaviour}) violates:`,
    ...violations.map(({ guarantee, what }) => `  ${guarantee}: ${what}`),
    ...(withTrace ? trace : []),
    `Trace ${hash}. The same again: ${replay}`,
  ].join('\n');
}

export function describeReport({ runs, steps, seconds, ended, cells, failed }: SimulationReport): string {
  const byFault = FAULTS.map((fault) => {
    const its = [...cells].filter(([cell]) => cell.startsWith(`${fault}/`));
    const total = its.reduce((sum, [, times]) => sum + times, 0);
    const where = its.map(([cell, times]) => `${cell.slice(fault.length + 1)} ${times}`).join(', ');
    return `  ${fault.padEnd(29)}${String(total).padStart(7)}  ${where}`;
  });
  return [
    `${runs} runs, ${steps} steps, ${seconds.toFixed(1)} s: ${(runs / seconds).toFixed(0)} runs/s.`,
    `Payments: ${[...ended].map(([kind, times]) => `${times} ${kind}`).join(', ')}.`,
    'Faults injected, and at which step:',
    ...byFault,
    failed.length === 0
      ? 'No guarantee was violated.'
      : `VIOLATED in ${failed.length} runs: seeds ${failed.map(({ seed }) => seed).join(', ')}.`,
  ].join('\n');
}
