import { MATRIX, OUTCOMES, POSSIBLE } from '../../verification/fault-matrix';
import { withMatrix } from '../../verification/fault-matrix-document';
import { FAULT_TESTS } from '../../verification/fault-tests';
import { FAULTS, STEPS } from '../../verification/faults';
import { read } from '../support/documents';

/** The fault matrix is whole, `docs/fault-matrix.md` shows it, and the tests that it names are there. */

const DOCUMENT = read('docs/fault-matrix.md');

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

  it('is in the document as it is in the code: run node scripts/build.mjs --dev && node scripts/documents.mjs', () => {
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
