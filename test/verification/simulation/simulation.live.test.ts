import { BUGS, type Bug } from '../../../verification/simulation/bugs';
import { knownSdk } from '../../../verification/simulation/sdk-internals';
import { simulate } from '../../../verification/simulation/simulate';
import type { Cell } from '../../../verification/simulation/weather';
import type { RunReport } from '../../../verification/simulation/world';

/** The simulation finds nothing in the product, finds every planted bug, and says the same of the same seed. */

const MINUTES = 60_000;

/** Seeds 1 to 150: with a bug planted, the same seeds find it below. */
const SOUND = 150;

test(
  `no guarantee is violated in ${SOUND} runs`,
  async () => {
    const report = await simulate({ runs: SOUND, seed: 1 });
    expect(report.failed.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    expect(report.runs).toBe(SOUND);
    expect([...report.ended.keys()].sort()).toEqual(expect.arrayContaining(['cancelled', 'declined', 'paid']));
    expect(report.cells.size).toBeGreaterThan(100);
  },
  15 * MINUTES,
);

test(
  'one seed replays exactly',
  async () => {
    const hashes = async () => {
      const seen: string[] = [];
      await simulate({ runs: 25, seed: 7_000, onRun: ({ hash }: RunReport) => void seen.push(hash) });
      return seen;
    };
    const first = await hashes();
    expect(new Set(first).size).toBe(25);
    expect(await hashes()).toEqual(first);
  },
  15 * MINUTES,
);

/** Some bugs show in any weather; others only when one thing happens at one step, so that is made to happen. */
const FOUND: Readonly<Record<Bug, { readonly runs: number; readonly atLeast: number; readonly only?: Cell }>> = {
  'claim-given-back': { runs: 40, atLeast: 8 },
  'two-step-close': { runs: 40, atLeast: 8 },
  'decline-on-not-found': { runs: 60, atLeast: 4 },
  'void-while-unknown': { runs: 60, atLeast: 3 },
  'no-seal': { runs: 60, atLeast: 10, only: { fault: 'cancel-requested', step: 'look' } },
  'no-deadline': { runs: 150, atLeast: 1, only: { fault: 'worker-stalled', step: 'send' } },
  'code-from-unauthenticated-callback': { runs: 100, atLeast: 3, only: { fault: 'callback-forged', step: 'poll' } },
  'decline-without-code': { runs: 100, atLeast: 2 },
  'first-failure-believed': { runs: 150, atLeast: 1 },
  'no-turns': { runs: 150, atLeast: 4 },
};

test.each(BUGS)(
  'a planted bug is found: %s',
  async (bug) => {
    const { runs, atLeast, only } = FOUND[bug];
    const spoiled = await simulate({ runs, seed: 1, bug, only, keepGoing: true });
    expect(spoiled.failed.length).toBeGreaterThanOrEqual(atLeast);
    // The same seeds without it: whatever was found, was the bug. In any weather they are the first test's.
    expect(runs).toBeLessThanOrEqual(SOUND);
    if (only === undefined) return;
    const sound = await simulate({ runs, seed: 1, only, keepGoing: true });
    expect(sound.failed.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
  },
  15 * MINUTES,
);

test('an upgrade of the SDK is noticed, and so is a part that has moved', () => {
  expect(() => knownSdk('1.25.0')).toThrow(/written for 1\.24\.0 and found 1\.25\.0/);
  const moved = () => {
    throw new Error('Cannot find module');
  };
  expect(() => knownSdk('1.24.0', moved)).toThrow(/written for 1\.24\.0 and cannot load them/);
  expect(() => knownSdk('1.24.0', () => ({}))).toThrow(/written for 1\.24\.0 and does not find them/);
  expect(() => knownSdk()).not.toThrow();
});
