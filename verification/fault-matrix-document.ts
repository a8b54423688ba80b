import { FAULT_TESTS } from './fault-tests';
import { MATRIX, OUTCOMES } from './fault-matrix';
import { FAULTS, STEPS } from './faults';
import { table, withGenerated } from './markdown';

/** The matrix as Markdown, for `docs/fault-matrix.md`. It links as from `docs/`. */

/** The document with the matrix as it is now. @throws Error if it has no place for it */
export const withMatrix = (document: string): string => withGenerated(document, 'fault matrix', matrix());

/** Why a cell cannot happen, by a letter below the table. */
const REASONS = [
  ...new Set(
    FAULTS.flatMap((fault) =>
      STEPS.flatMap((step) => {
        const cell = MATRIX[fault][step];
        return cell.kind === 'cannot-happen' ? [cell.because] : [];
      }),
    ),
  ),
];
const letterOf = (because: string): string => String.fromCharCode('a'.charCodeAt(0) + REASONS.indexOf(because));

function matrix(): string {
  const cells = FAULTS.map((fault) => [
    fault,
    ...STEPS.map((step) => {
      const cell = MATRIX[fault][step];
      return cell.kind === 'expected' ? `**${cell.outcome}**` : `– (${letterOf(cell.because)})`;
    }),
  ]);
  const tests = FAULTS.map((fault) => [fault, testsOf(fault)]);
  return [
    '## What becomes of a payment',
    table(['Fault', ...STEPS], cells),
    ['A cell with a dash cannot happen:', ...REASONS.map((because) => `(${letterOf(because)}) ${because};`)]
      .join(' ')
      .replace(/;$/, '.'),
    '## What each outcome means',
    table(
      ['Outcome', 'What it means'],
      Object.entries(OUTCOMES).map(([outcome, meaning]) => [`**${outcome}**`, meaning]),
    ),
    '## Which tests show it',
    table(['Fault', 'Shown on real servers by'], tests),
  ].join('\n\n');
}

/** Each file once, with how many of its tests. */
function testsOf(fault: (typeof FAULTS)[number]): string {
  const byFile = new Map<string, number>();
  for (const { file } of FAULT_TESTS[fault]) byFile.set(file, (byFile.get(file) ?? 0) + 1);
  const name = (file: string): string => file.replace(/^.*\/|(\.live)?\.test\.ts$/g, '');
  return [...byFile].map(([file, tests]) => `[${name(file)}](../${file}) ${tests}`).join(', ');
}
