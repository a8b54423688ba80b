import type { Guarantee } from './guarantees';
import { withGenerated } from './markdown';

/** Which tests show which guarantee, as the tests say themselves; for `docs/guarantees.md`. It links as from `docs/`. */

export const GUARANTEES = ['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8'] as const satisfies readonly Guarantee[];

export interface TestFile {
  /** From the project's folder: `test/store/claim.live.test.ts`. */
  readonly file: string;
  readonly source: string;
}

const KINDS = ['Rules', 'Store', 'Real servers', 'Simulation', 'Models', 'Chaos'] as const;
export type Kind = (typeof KINDS)[number];

/** These put their questions to every run, so their tests need not name a guarantee. */
const ASKING: readonly { readonly kind: Kind; readonly folder: string; readonly of: readonly Guarantee[] }[] = [
  { kind: 'Simulation', folder: 'test/verification/simulation/', of: GUARANTEES },
  // A model knows one payment id and has no clock that runs on for ever.
  { kind: 'Models', folder: 'test/verification/models/', of: ['G1', 'G2', 'G3', 'G5', 'G6', 'G7'] },
  { kind: 'Chaos', folder: 'test/verification/chaos/', of: GUARANTEES },
];

/** The document with the tests of each guarantee as they are now. @throws Error if it has no place for one */
export function withTests(document: string, files: readonly TestFile[]): string {
  return GUARANTEES.reduce((text, guarantee) => {
    const lists = KINDS.map((kind) => [kind, testsOf(guarantee, kind, files)] as const);
    const lines = lists.filter(([, tests]) => tests.length > 0).map(([kind, tests]) => `- ${kind}: ${linksTo(tests)}`);
    return withGenerated(text, `tests of ${guarantee}`, lines.join('\n'));
  }, document);
}

export function testsOf(guarantee: Guarantee, kind: Kind, files: readonly TestFile[]): readonly string[] {
  const asking = ASKING.find((one) => one.kind === kind);
  const shows = ({ file, source }: TestFile): boolean =>
    asking === undefined
      ? kindOf(file) === kind && isAbout(guarantee, source)
      : file.startsWith(asking.folder) && asking.of.includes(guarantee);
  return files
    .filter(shows)
    .map(({ file }) => file)
    .sort();
}

/** In a title, or in a comment that says what the file is about. */
function isAbout(guarantee: Guarantee, source: string): boolean {
  const comments = source.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  const titles = source.match(/\b(?:describe|test|it)\b[^\n]*\(\s*['"`][^\n]*/g) ?? [];
  return [...comments, ...titles].some((text) => new RegExp(`\\b${guarantee}\\b`).test(text));
}

function kindOf(file: string): Kind | undefined {
  if (ASKING.some(({ folder }) => file.startsWith(folder))) return undefined;
  if (!file.endsWith('.live.test.ts')) return 'Rules';
  return /^test\/(store|verification\/store-model)\//.test(file) ? 'Store' : 'Real servers';
}

const linksTo = (files: readonly string[]): string =>
  files.map((file) => `[${file.replace(/^test\/|(\.live)?\.test\.ts$/g, '')}](../${file})`).join(', ');
