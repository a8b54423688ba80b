import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MATRIX, OUTCOMES, POSSIBLE } from '../../verification/fault-matrix';
import { withMatrix } from '../../verification/fault-matrix-document';
import { FAULT_TESTS } from '../../verification/fault-tests';
import { FAULTS, STEPS } from '../../verification/faults';

/** The fault matrix and `docs/reliability.md` are whole, and what they point to is there. */

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const DOCUMENT = read('docs/reliability.md');

describe('the fault matrix', () => {
  it('has a cell for every fault at every step, and each says something', () => {
    for (const fault of FAULTS) {
      for (const step of STEPS) {
        const cell = MATRIX[fault][step];
        const said = cell.kind === 'expected' ? OUTCOMES[cell.outcome] : cell.because;
        expect([fault, step, said]).toEqual([fault, step, expect.stringMatching(/\w{3}/)]);
      }
    }
    expect(Object.keys(MATRIX).sort()).toEqual([...FAULTS].sort());
  });

  it('lets every fault strike somewhere, and uses every outcome', () => {
    expect([...new Set(POSSIBLE.map(({ fault }) => fault))]).toEqual([...FAULTS]);
    expect([...new Set(POSSIBLE.map(({ outcome }) => outcome))].sort()).toEqual(Object.keys(OUTCOMES).sort());
  });

  it('is in the document as it is in the code: run node scripts/build.mjs --dev && node scripts/fault-matrix.mjs', () => {
    expect(withMatrix(DOCUMENT)).toBe(DOCUMENT);
  });
});

describe('each fault has its tests on real servers, as they are written there', () => {
  const rows = FAULTS.flatMap((fault) => FAULT_TESTS[fault].map(({ file, test }) => [fault, file, test] as const));

  it.each(rows)('%s: %s: %s', (_fault, file, test) => {
    const source = read(file);
    const quotes = [`'${test}'`, `"${test}"`, `\`${test}\``];
    expect(quotes.some((quoted) => source.includes(quoted))).toBe(true);
  });

  it('none without', () => {
    expect(FAULTS.filter((fault) => FAULT_TESTS[fault].length === 0)).toEqual([]);
  });
});

describe('docs/reliability.md leads from every guarantee to its tests', () => {
  const KINDS = ['Unit, property', 'Store', 'Real servers', 'Simulation', 'Exhaustive model', 'Chaos'] as const;
  /** A model has one payment and no end of time. */
  const WITHOUT: Readonly<Record<string, readonly string[]>> = { G4: ['Exhaustive model'], G8: ['Exhaustive model'] };

  const sections = DOCUMENT.split(/^### /m).slice(1);
  const linksIn = (text: string): string[] => [...text.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file);

  it('all eight, in order', () => {
    expect(sections.map((section) => section.slice(0, 2))).toEqual(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8']);
  });

  it.each(sections.map((section) => [section.slice(0, 2), section] as const))('%s: each kind', (name, section) => {
    for (const kind of KINDS) {
      const row = section.split('\n').find((line) => line.startsWith(`| ${kind} `));
      const links = linksIn(row ?? '');
      if (WITHOUT[name]?.includes(kind) === true) expect([kind, links]).toEqual([kind, []]);
      else expect([kind, links.length]).toEqual([kind, expect.any(Number)]);
      if (WITHOUT[name]?.includes(kind) !== true) expect([kind, links]).not.toEqual([kind, []]);
    }
    const [what = ''] = section.split('| Kind');
    expect(linksIn(what).filter((file) => file.startsWith('src/'))).not.toEqual([]);
  });

  const OF_ITS_OWN = ['Unit, property', 'Store', 'Real servers'] as const;
  const testFiles = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`);
  /** In a title, or in a comment that says what the file is about. */
  const isAbout = (guarantee: string, file: string): boolean => {
    const source = read(file);
    const comments = source.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
    const titles = source.match(/\b(?:describe|test|it)\b[^\n]*\(\s*['"`][^\n]*/g) ?? [];
    return [...comments, ...titles].some((text) => new RegExp(`\\b${guarantee}\\b`).test(text));
  };

  it.each(sections.map((section) => [section.slice(0, 2), section] as const))(
    '%s: the files that it names say that they are about it, and whatever says so is named',
    (name, section) => {
      const rows = section.split('\n').filter((line) => OF_ITS_OWN.some((kind) => line.startsWith(`| ${kind} `)));
      const named = new Set(linksIn(rows.join('\n')));
      expect([...named].filter((file) => !isAbout(name, file))).toEqual([]);
      const linked = new Set([...named, ...linksIn(section)]);
      expect(testFiles.filter((file) => isAbout(name, file) && !linked.has(file))).toEqual([]);
    },
  );

  it('and every file is there', () => {
    expect(linksIn(DOCUMENT).filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });
});
