import { PLANTED, SOUND } from '../../../verification/models/all';
import { explore, inWords, type Model } from '../../../verification/models/explore';
import type { Side } from '../../../verification/models/sides';

/**
 * The protocols of submission, verdict and close over all interleavings up to the bound that each model states. The sides with more
 * than a hundred thousand states are explored by `npm run models` alone, which CI runs beside the tests; their planted bugs are found here.
 */

const LARGE: readonly Side[] = ['a foreign record', 'the answer', 'looks', 'clocks that jump', 'another account'];

describe('as the product is, nothing is violated', () => {
  const small = SOUND.filter(({ side }) => !LARGE.includes(side));
  test.each(small.map((check) => [check.name, check] as const))('G1-G3, G5-G7, %s', (_name, check) => {
    const { counterexample, states } = check.run();
    expect(counterexample && inWords(counterexample)).toBeUndefined();
    // A model that has shrunk to a few states proves nothing.
    expect(states).toBeGreaterThan(5_000);
  });
});

describe('a planted bug is found', () => {
  test.each(PLANTED.map((check) => [check.name, check] as const))('%s', (_name, check) => {
    const { counterexample } = check.run();
    expect(counterexample?.violated.length).toBeGreaterThan(0);
  });
});

describe('the checker itself', () => {
  const counter = (limit: number, forbidden: number): Model<number> => ({
    name: 'counter',
    bound: `up to ${limit}`,
    initial: [0],
    *next(state) {
      if (state < limit) yield { label: 'one more', to: state + 1 };
      if (state + 2 <= limit) yield { label: 'two more', to: state + 2 };
    },
    violations: (state) => (state === forbidden ? [`${state} is forbidden`] : []),
    canonical: String,
  });

  test('visits every state once and counts every transition', () => {
    expect(explore(counter(4, -1))).toMatchObject({ states: 5, transitions: 7 });
  });

  test('gives the shortest way to a violation', () => {
    const { counterexample } = explore(counter(9, 5));
    expect(counterexample).toMatchObject({ violated: ['5 is forbidden'] });
    expect(counterexample?.steps).toHaveLength(3);
    expect(counterexample && inWords(counterexample)).toMatch(/^5 is forbidden\n {3}1\. /);
  });

  test('a model beyond its bound proves nothing and says so', () => {
    expect(() => explore(counter(100, -1), 50)).toThrow('counter has more than 50 states');
  });
});
