import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The project's files, as the tests of documents read them. */

export const ROOT = path.resolve(__dirname, '../..');
export const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** From the project's folder. */
export const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')))
    .sort();

export const DOCUMENTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'src/sandbox/README.md',
  'test/fixtures/almara/README.md',
  ...filesIn('docs', /\.md$/),
];

/** Headings and prose without fenced blocks, where `#` and brackets mean other things. */
export const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

/** As GitHub makes them. */
export const anchorsOf = (text: string): readonly string[] =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** The part under a heading, its own parts included. Empty: there is none. */
export function sectionOf(text: string, heading: string): string {
  const [level = ''] = /^#+/.exec(heading) ?? [];
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) return '';
  const rest = text.slice(from + heading.length + 2);
  const to = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  return to < 0 ? rest : rest.slice(0, to);
}

/** The cells of each row whose first cell is one name in backticks. */
export const rowsOf = (section: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    section.split('\n').flatMap((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      const name = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1];
      return name === undefined ? [] : [[name, cells.slice(2, -1)] as const];
    }),
  );

/** The texts that a type of `src/payment` is made of, wherever it is written. */
export function textsOfType(name: string): readonly string[] {
  const written = filesIn('src/payment', /\.ts$/).flatMap((file) => {
    const found = new RegExp(`type ${name} =([\\s\\S]*?);`).exec(read(file))?.[1];
    return found === undefined ? [] : [found];
  });
  return [...written.join().matchAll(/'([\w-]+)'/g)].map(([, text = '']) => text);
}
