import { GUARANTEES, testsOf, withTests, type Kind } from '../../verification/guarantee-tests';
import { anchorsOf, filesIn, read, sectionOf } from '../support/documents';

/** `docs/guarantees.md` leads from every guarantee to what holds it and to the tests that show it. */

const DOCUMENT = read('docs/guarantees.md');
const TESTS = filesIn('test', /\.test\.ts$/).map((file) => ({ file, source: read(file) }));

const KINDS: readonly Kind[] = ['Rules', 'Store', 'Real servers', 'Simulation', 'Models', 'Chaos'];
/** A model has one payment and no end of time. */
const WITHOUT: Readonly<Record<string, readonly Kind[]>> = { G4: ['Models'], G8: ['Models'] };

it('has all eight guarantees, each leading to what holds it', () => {
  const rows = [...DOCUMENT.matchAll(/^\| \[(G\d)\]\(#([\w-]+)\)/gm)];
  expect(rows.map(([, name]) => name)).toEqual([...GUARANTEES]);
  const sections = anchorsOf(DOCUMENT).filter((anchor) => /^g\d-/.test(anchor));
  expect(rows.map(([, , anchor]) => anchor)).toEqual(sections);
  for (const [, name = '', anchor] of rows) expect(anchor).toMatch(new RegExp(`^${name.toLowerCase()}-`));
});

it('is as the tests are: run node scripts/build.mjs --dev && node scripts/documents.mjs', () => {
  expect(withTests(DOCUMENT, TESTS)).toBe(DOCUMENT);
});

describe.each(GUARANTEES)('%s', (guarantee) => {
  it.each(KINDS)('has tests of this kind, or a reason why not: %s', (kind) => {
    const tests = testsOf(guarantee, kind, TESTS);
    if (WITHOUT[guarantee]?.includes(kind) === true) expect(tests).toEqual([]);
    else expect(tests).not.toEqual([]);
  });

  it('says what holds it, by name', () => {
    const heading = new RegExp(`^## ${guarantee}: .+$`, 'm').exec(DOCUMENT)?.[0] ?? '';
    const [what = ''] = sectionOf(DOCUMENT, heading).split('<!-- tests of');
    expect([...what.matchAll(/\]\(\.\.\/src\/[^)]+\)/g)].length).toBeGreaterThan(0);
  });
});

describe('how a test is found', () => {
  // Not by their names: this file would say that it is about them.
  const [first, second] = GUARANTEES;
  const last = GUARANTEES[7];
  const file = (name: string, source: string) => ({ file: name, source });
  const files = [
    file('test/store/a.live.test.ts', `test('${first}: once', () => {});`),
    file('test/payment/b.test.ts', `/** Shows that once is once (${first}). */`),
    file('test/workflows/c.live.test.ts', `describe('${first}, ${second}: never', () => {});`),
    file('test/payment/d.test.ts', `const ${first} = '${first}'; // ${first}`),
    file('test/verification/chaos/e.live.test.ts', ''),
    file('test/verification/models/f.live.test.ts', ''),
  ];

  it('by a title, or by a comment that says what it is about, and by nothing else', () => {
    expect(testsOf(first, 'Store', files)).toEqual(['test/store/a.live.test.ts']);
    expect(testsOf(first, 'Rules', files)).toEqual(['test/payment/b.test.ts']);
    expect(testsOf(second, 'Real servers', files)).toEqual(['test/workflows/c.live.test.ts']);
    expect(testsOf(second, 'Store', files)).toEqual([]);
  });

  it('by its folder, where every run is asked about all of them', () => {
    expect(testsOf(last, 'Chaos', files)).toEqual(['test/verification/chaos/e.live.test.ts']);
    expect(testsOf(first, 'Models', files)).toEqual(['test/verification/models/f.live.test.ts']);
    expect(testsOf(last, 'Models', files)).toEqual([]);
  });
});
