import { POSSIBLE, type Outcome, type Possible } from '../../../verification/fault-matrix';
import { simulate, type SimulationReport } from '../../../verification/simulation/simulate';

/**
 * Each cell of the fault matrix that can happen is injected by the simulation, alone, with fixed seeds: no guarantee is violated at
 * any step, and the payment ends as the cell allows. And the other way round: whatever the simulation injects can happen.
 */

/** Of other payments: the account or the funds may be wanting, the provider may fail it, and a person may be asked. */
const ANY_END = ['paid', 'declined', 'needs-attention'];
/** The outcomes that a cancellation may be part of. All the others would be wrong if one had been carried out. */
const MAY_BE_CANCELLED: readonly Outcome[] = [
  'claim-decides',
  'first-stands',
  'sent-again',
  'waits-for-store',
  'retried',
];
const endsOf = (outcome: Outcome): readonly string[] =>
  MAY_BE_CANCELLED.includes(outcome) ? [...ANY_END, 'cancelled'] : ANY_END;

/**
 * Whether a run comes by the step is its seed's: an account that is not valid is never sent, and few payments have a record before
 * they are sent. So one run first, then more, until one does.
 */
const TRIES = [1, 12, 200] as const;

/** A person who is asked decides in the end: that is no fault of the weather. */
const DECIDED = 'operator-decides/decide';
const nameOf = ({ fault, step }: Pick<Possible, 'fault' | 'step'>): string => `${fault}/${step}`;
const CAN_HAPPEN = new Set(POSSIBLE.map(nameOf));

async function injected(cell: Possible, runs: number, seed: number): Promise<SimulationReport> {
  const ends: string[] = [];
  const report = await simulate({
    runs,
    seed,
    only: { fault: cell.fault, step: cell.step },
    onRun: ({ cells, ended }) => void (cells.has(nameOf(cell)) && ends.push(ended)),
  });
  expect(report.failed.map(({ seed: failed, violations }) => ({ seed: failed, violations }))).toEqual([]);
  expect([...report.cells.keys()].filter((name) => name !== nameOf(cell) && name !== DECIDED)).toEqual([]);
  expect(endsOf(cell.outcome)).toEqual(expect.arrayContaining(ends));
  return report;
}

test.each(POSSIBLE)('$fault at $step: $outcome', async (cell) => {
  let [seed, times] = [1, 0];
  for (const runs of TRIES) {
    if (times > 0) break;
    times = (await injected(cell, runs, seed)).cells.get(nameOf(cell)) ?? 0;
    seed += runs;
  }
  expect(times).toBeGreaterThan(0);
});

test('in any weather: what is injected can happen, and nothing is violated', async () => {
  const report = await simulate({ runs: 200, seed: 1_000 });
  expect(report.failed.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
  expect([...report.cells.keys()].filter((name) => !CAN_HAPPEN.has(name))).toEqual([]);
  expect(report.cells.size).toBeGreaterThan(POSSIBLE.length / 3);
});
