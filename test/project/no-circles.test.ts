import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A circle of imports is found in whatever way it is written, and shown; what only looks like one is not. */

interface Circle {
  readonly name: string;
  /** Text by file. The first is linted. */
  readonly files: Readonly<Record<string, string>>;
  /** The ways round, as they are shown. */
  readonly shown: readonly string[];
}

const value = (specifier: string) => `import { it } from '${specifier}';\nexport const same = it;\n`;
const types = (specifier: string) => `import type { It } from '${specifier}';\nexport type Same = It;\n`;
const one = types('./two');
const circle = (name: string, files: Record<string, string>, ...shown: string[]): Circle => ({ name, files, shown });
const back = (name: string, two: string): Circle =>
  circle(name, { 'one.ts': one, 'two.ts': two }, 'one.ts → two.ts → one.ts');

const CIRCLES: readonly Circle[] = [
  back('a value', value('./one')),
  back('a type', types('./one')),
  back('a name that is a type', "import { type It } from './one';\nexport type Same = It;\n"),
  back('an effect', "import './one';\n"),
  back('handed on', "export { it } from './one';\n"),
  back('all of it handed on', "export * from './one';\n"),
  back('loaded later', "export const it = () => import('./one');\n"),
  back('named as it is built', "export const it = () => import('./one.js');\n"),
  back('a type in place', "export type It = import('./one').It;\n"),
  back('required', "import it = require('./one');\nexport const same = it;\n"),
  circle('itself', { 'one.ts': types('./one') }, 'one.ts → one.ts'),
  circle(
    'by an index and another folder',
    { 'one.ts': types('./room'), 'room/index.ts': types('./part'), 'room/part.ts': types('../one') },
    'one.ts → room/index.ts → room/part.ts → one.ts',
  ),
  circle(
    'two ways: the shortest of each',
    {
      'one.ts': one + types('./three').replaceAll('It', 'That').replaceAll('Same', 'Other'),
      'two.ts': types('./three'),
      'three.ts': types('./one'),
    },
    'one.ts → two.ts → three.ts → one.ts',
    'one.ts → three.ts → one.ts',
  ),
  circle('somebody else’s', { 'one.ts': one, 'two.ts': types('./three'), 'three.ts': types('./two') }),
  circle('the same file by two ways is none', {
    'one.ts': one + types('./three').replaceAll('It', 'That').replaceAll('Same', 'Other'),
    'two.ts': types('./four'),
    'three.ts': types('./four'),
    'four.ts': types('node:fs'),
  }),
  circle('only spoken of is none', {
    'one.ts': one,
    'two.ts': "// import { it } from './one';\nexport const it = './one';\n",
  }),
];

const LINTER = `
  import { Linter } from 'eslint';
  import tseslint from 'typescript-eslint';
  import { text } from 'node:stream/consumers';
  import { noCircles } from './eslint/no-circles.mjs';
  const config = {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    plugins: { layout: { rules: { 'no-circles': noCircles } } },
    rules: { 'layout/no-circles': 'error' },
  };
  const linted = JSON.parse(await text(process.stdin)).map(({ folder, file, code }) =>
    new Linter({ cwd: folder }).verify(code, config, folder + '/' + file).map(({ message }) => message),
  );
  console.log(JSON.stringify(linted));
`;

/** The circles are real files. The linter runs in a process of its own: the rule is an ES module. */
function lintAll(): readonly (readonly string[])[] {
  const home = mkdtempSync(path.join(tmpdir(), 'billpay-circles-'));
  try {
    const input = CIRCLES.map(({ files }, index) => {
      const folder = path.join(home, String(index));
      for (const [file, code] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), code);
      }
      const [file, code] = Object.entries(files)[0] ?? [];
      return { folder, file, code };
    });
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', LINTER], {
      cwd: path.resolve(__dirname, '../..'),
      input: JSON.stringify(input),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(`the linter did not run: ${run.stderr}`);
    return JSON.parse(run.stdout) as string[][];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

describe('circles of imports', () => {
  const linted = lintAll();
  it.each(CIRCLES.map(({ name, shown }, index) => [name, shown, index] as const))('%s', (_name, shown, index) => {
    expect(linted[index]).toEqual(shown.map((way) => `Closes a circle of imports: ${way}.`));
  });
});
