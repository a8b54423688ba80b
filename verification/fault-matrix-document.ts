import { FAULT_TESTS } from './fault-tests';
import { MATRIX, OUTCOMES } from './fault-matrix';
import { FAULTS, STEPS } from './faults';

/** The matrix as Markdown, for `docs/reliability.md`. It links as from `docs/`. */

const BEGIN = '<!-- fault matrix: made by scripts/fault-matrix.mjs, do not edit -->';
const END = '<!-- end of the fault matrix -->';

/** The document with the matrix as it is now. @throws Error if it has no place for it */
export function withMatrix(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The document needs two lines: ${BEGIN} and ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n\n${matrix()}\n\n${document.slice(end)}`;
}

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
    table(['Fault', ...STEPS], cells),
    ['A cell with a dash cannot happen:', ...REASONS.map((because) => `(${letterOf(because)}) ${because};`)]
      .join(' ')
      .replace(/;$/, '.'),
    table(
      ['Outcome', 'What it means'],
      Object.entries(OUTCOMES).map(([outcome, meaning]) => [`**${outcome}**`, meaning]),
    ),
    table(['Fault', 'Shown on real servers by'], tests),
  ].join('\n\n');
}

/** Each file once, with how many of its tests. */
function testsOf(fault: (typeof FAULTS)[number]): string {
  const byFile = new Map<string, number>();
  for (const { file } of FAULT_TESTS[fault]) byFile.set(file, (byFile.get(file) ?? 0) + 1);
  const name = (file: string): string => file.replace(/^test\/|(\.live)?\.test\.ts$/g, '');
  return [...byFile].map(([file, tests]) => `[${name(file)}](../${file}) ${tests}`).join(', ');
}

/** As Prettier lays it out, so that neither undoes the other. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body];
  const widths = head.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, fill)).join(' | ')} |`;
  return [line(head), line([], '-'), ...body.map((row) => line(row))].join('\n');
}
