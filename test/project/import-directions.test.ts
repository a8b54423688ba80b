import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The arrows of the layout hold only as long as the linter refuses every other one. Each case is linted by the real
 * configuration as if it stood in the file named. The linter runs in a process of its own: its configuration is an ES module.
 */

const ROOT = path.resolve(__dirname, '../..');

interface Case {
  /** From the repository's root. */
  readonly file: string;
  readonly code: string;
  /** What the message holds; undefined: nothing is wrong. */
  readonly refused: string | undefined;
}

const refused = (file: string, code: string, message: string): Case => ({ file, code, refused: message });
const allowed = (file: string, code: string): Case => ({ file, code, refused: undefined });
const value = (specifier: string) => `import { it } from '${specifier}';\nexport const same = it;\n`;
const types = (specifier: string) => `import type { It } from '${specifier}';\nexport type Same = It;\n`;

const CASES: readonly Case[] = [
  allowed('src/workflows/x.ts', value('../payment/verdict')),
  allowed('src/workflows/x.ts', types('../payment/request')),
  allowed('src/workflows/x.ts', types('../activities')),
  allowed('src/workflows/x.ts', value('@temporalio/workflow')),
  refused(
    'src/workflows/x.ts',
    value('../payment/request'),
    'src/workflows may import src/payment/request only as types',
  ),
  refused('src/workflows/x.ts', value('../activities'), 'src/workflows may import src/activities only as types'),
  refused(
    'src/workflows/x.ts',
    "export { it } from '../activities/payments';\n",
    'src/workflows may import src/activities/payments only as types',
  ),
  refused('src/workflows/x.ts', value('../almara'), 'src/workflows may not import src/almara'),
  refused('src/workflows/x.ts', types('../store'), 'src/workflows may not import src/store'),
  refused('src/workflows/x.ts', value('../log'), 'src/workflows may not import src/log'),
  refused('src/workflows/x.ts', value('zod'), 'src/workflows may not use the package zod'),
  refused('src/workflows/x.ts', value('node:crypto'), "src/workflows may not use Node's own modules"),
  refused('src/workflows/x.ts', value('fs'), "src/workflows may not use Node's own modules"),
  refused(
    'src/workflows/x.ts',
    value('@temporalio/client'),
    'src/workflows may not use the package @temporalio/client',
  ),
  refused(
    'src/workflows/x.ts',
    "export const it = await import('../store');\n",
    'src/workflows may not import src/store',
  ),
  refused('src/workflows/x.ts', "export type It = import('../store').It;\n", 'src/workflows may not import src/store'),
  refused(
    'src/workflows/x.ts',
    "import it = require('../store');\nexport const same = it;\n",
    'src/workflows may not import src/store',
  ),
  refused('src/workflows/x.ts', 'export const it = (name: string) => import(name);\n', 'only known at run time'),
  refused('src/workflows/x.ts', 'export const it = process.pid;\n', 'inside a workflow'),

  allowed('src/payment/request.ts', value('zod')),
  allowed('src/payment/x.ts', types('./request')),
  refused('src/payment/x.ts', value('./request'), 'src/payment may import src/payment/request only as types'),
  refused('src/payment/x.ts', value('zod'), 'src/payment may not use the package zod'),
  refused('src/payment/request.ts', value('node:crypto'), "src/payment may not use Node's own modules"),
  refused('src/payment/x.ts', types('../almara'), 'src/payment may not import src/almara'),
  refused('src/payment/x.ts', types('../workflows'), 'src/payment may not import src/workflows'),

  allowed('src/activities/x.ts', value('../store')),
  refused('src/activities/x.ts', types('../almara'), 'src/activities may not import src/almara'),
  refused('src/activities/x.ts', value('../workflows'), 'src/activities may not import src/workflows'),
  refused('src/activities/x.ts', value('../client'), 'src/activities may not import src/client'),
  refused('src/activities/x.ts', value('undici'), 'src/activities may not use the package undici'),
  refused('src/activities/x.ts', value('pg'), 'src/activities may not use the package pg'),

  allowed('src/almara/x.ts', types('../log')),
  refused('src/almara/x.ts', value('../log'), 'src/almara may import src/log only as types'),
  refused('src/almara/x.ts', types('../store'), 'src/almara may not import src/store'),
  refused('src/almara/x.ts', value('../activities'), 'src/almara may not import src/activities'),
  refused('src/almara/x.ts', value('@temporalio/common'), 'src/almara may not use the package @temporalio/common'),
  refused('src/store/x.ts', types('../almara'), 'src/store may not import src/almara'),
  refused('src/store/deeper/x.ts', types('../../almara/callback'), 'src/store may not import src/almara/callback'),
  refused('src/store/x.ts', value('../activities'), 'src/store may not import src/activities'),

  allowed('src/callbacks/main.ts', value('../almara')),
  allowed('src/callbacks/x.ts', value('prom-client')),
  refused('src/callbacks/x.ts', types('../almara/callback'), 'src/callbacks may not import src/almara/callback'),
  refused('src/callbacks/start.ts', value('../almara'), 'src/callbacks may not import src/almara'),
  refused('src/callbacks/index.ts', value('../almara'), 'src/callbacks may not import src/almara'),
  refused('src/callbacks/x.ts', types('../activities'), 'src/callbacks may not import src/activities'),
  refused('src/callbacks/x.ts', value('../workflows'), 'src/callbacks may not import src/workflows'),

  allowed('src/client/x.ts', value('../payment/request')),
  refused('src/client/x.ts', types('../workflows'), 'src/client may not import src/workflows'),
  refused('src/client/x.ts', types('../store'), 'src/client may not import src/store'),
  refused('src/client/x.ts', value('@temporalio/worker'), 'src/client may not use the package @temporalio/worker'),
  allowed('src/cli/x.ts', value('../client')),
  allowed('src/cli/store.ts', value('../store')),
  refused('src/cli/x.ts', value('../store'), 'src/cli may not import src/store'),
  refused('src/cli/x.ts', value('../almara'), 'src/cli may not import src/almara'),
  refused('src/cli/x.ts', value('../workflows'), 'src/cli may not import src/workflows'),
  refused('src/cli/x.ts', value('@temporalio/client'), 'src/cli may not use the package @temporalio/client'),

  refused('src/sandbox/x.ts', value('../almara/wire'), 'src/sandbox may not import src/almara/wire'),
  ...['start', 'main', 'index'].map((file) => allowed(`src/worker/${file}.ts`, value('../almara'))),
  allowed('src/worker/x.ts', value('prom-client')),
  refused('src/worker/x.ts', types('../almara'), 'src/worker may not import src/almara'),
  refused('src/worker/x.ts', value('../workflows'), 'src/worker may not import src/workflows'),
  allowed('src/health.ts', value('prom-client')),
  refused('src/log.ts', value('../package.json'), 'src/log may not import package.json'),
  refused('src/log.ts', value('../../elsewhere/x'), 'src/log may not import ../elsewhere/x'),
  refused('src/elsewhere/x.ts', value('../payment/outcome'), 'no room of the layout'),

  refused('src/callbacks/x.ts', 'export const it = process.env;\n', 'Only src/config.ts reads the environment'),
  refused('src/callbacks/x.ts', 'export const { env } = process;\n', 'Only src/config.ts reads the environment'),
  refused(
    'src/callbacks/x.ts',
    "import { env } from 'node:process';\nexport const it = env;\n",
    'Only src/config.ts reads the environment',
  ),
  allowed('src/config.ts', 'export const it = process.env;\n'),

  // The provider's port: its errors are thrown on one side and told apart on the other, and the rest knows types.
  ...['almara', 'store', 'activities'].map((room) => allowed(`src/${room}/x.ts`, value('../payment/provider'))),
  ...['workflows', 'callbacks', 'client', 'cli', 'worker'].flatMap((room) => [
    allowed(`src/${room}/x.ts`, types('../payment/provider')),
    refused(
      `src/${room}/x.ts`,
      value('../payment/provider'),
      `src/${room} may import src/payment/provider only as types`,
    ),
  ]),
  refused('src/payment/x.ts', value('./provider'), 'src/payment may import src/payment/provider only as types'),

  // Only what proves the rules may break one.
  ...['src/payment/x.ts', 'src/store/x.ts', 'src/worker/main.ts', 'dev/x.ts'].flatMap((file) => {
    const planted = path.posix.relative(path.dirname(file), 'src/payment/planted').replace(/^(?!\.)/, './');
    const message = `${file
      .split('/')
      .slice(0, file.startsWith('src') ? 2 : 1)
      .join('/')} may not import plant of`;
    return [
      allowed(file, `import { isLeftOut } from '${planted}';\nexport const same = isLeftOut;\n`),
      refused(
        file,
        `import { isLeftOut, plant as it } from '${planted}';\nexport const same = [it, isLeftOut];\n`,
        message,
      ),
      refused(file, `import * as it from '${planted}';\nexport const same = it;\n`, message),
      refused(file, `export { plant as it } from '${planted}';\n`, message),
      refused(file, `export * from '${planted}';\n`, message),
      refused(file, `export const it = await import('${planted}');\n`, message),
    ];
  }),
  allowed('verification/x.ts', "import { plant } from '../src/payment/planted';\nexport const same = plant;\n"),
  allowed('test/payment/x.test.ts', "import { plant } from '../../src/payment/planted';\nexport const same = plant;\n"),

  // What is shipped knows of nothing beside it.
  ...['verification/faults', 'dev/ports', 'test/support/flow', 'examples/x', 'scripts/x'].map((other) =>
    refused('src/worker/x.ts', types(`../../${other}`), `src/worker may not import ${other}`),
  ),
  allowed('dev/x.ts', value('../src/worker/create-worker')),
  allowed('dev/bench/x.ts', value('@temporalio/workflow')),
  refused('dev/x.ts', value('@temporalio/workflow'), 'dev may not use the package @temporalio/workflow'),
  refused('dev/x.ts', value('../src/activities'), 'dev may not import src/activities'),
  refused('dev/x.ts', value('../src/cli/shell'), 'dev may not import src/cli/shell'),
  refused('dev/x.ts', types('../verification/faults'), 'dev may not import verification/faults'),
  refused('dev/x.ts', types('../test/support/flow'), 'dev may not import test/support/flow'),
  allowed('verification/x.ts', value('../src/workflows')),
  allowed('verification/deeper/x.ts', value('../../dev/stack')),
  refused('verification/x.ts', types('../test/support/flow'), 'verification may not import test/support/flow'),
  refused('verification/x.ts', value('fast-check'), 'verification may not use the package fast-check'),
  allowed('test/x.test.ts', value('../verification/faults')),
  allowed('test/x.test.ts', value('fast-check')),
  allowed('test/x.test.ts', 'export const it = (name: string) => import(name);\n'),
  allowed('examples/x.ts', value('almara-bill-payments')),
  allowed('examples/x.ts', value('almara-bill-payments/worker')),
  refused('examples/x.ts', value('../src/client'), 'examples may not import src/client'),
  refused('examples/x.ts', value('@temporalio/client'), 'examples may not use the package @temporalio/client'),
  refused('scripts/x.ts', value('node:fs'), 'scripts is no room of the layout'),

  // Switched on where it must be: an arrow that is there, and its way back. How one is found: no-circles.test.ts.
  ...['src/client', 'dev', 'verification'].map((folder) => {
    const [from, to] = anArrowIn(folder);
    return refused(
      `${folder}/${to}.ts`,
      types(`./${from}`),
      `circle of imports: ${folder}/${to}.ts → ${folder}/${from}.ts`,
    );
  }),
];

/** Two files of a folder, of which the first imports the other. */
function anArrowIn(folder: string): readonly [from: string, to: string] {
  for (const file of readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.ts'))) {
    const to = /from '\.\/([\w-]+)'/.exec(readFileSync(path.join(ROOT, folder, file), 'utf8'))?.[1];
    if (to !== undefined) return [file.replace(/\.ts$/, ''), to];
  }
  throw new Error(`no file of ${folder} imports another`);
}

/** Rules that need types are off: the files do not exist. */
const LINTER = `
  import { ESLint } from 'eslint';
  import tseslint from 'typescript-eslint';
  import { text } from 'node:stream/consumers';
  const untyped = {
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false, project: null } },
  };
  const eslint = new ESLint({ overrideConfig: [untyped] });
  const linted = [];
  for (const { file, code } of JSON.parse(await text(process.stdin))) {
    const [result] = await eslint.lintText(code, { filePath: file, warnIgnored: true });
    linted.push(result.messages.map((message) => message.message));
  }
  console.log(JSON.stringify(linted));
`;

function lintAll(): readonly (readonly string[])[] {
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', LINTER], {
    cwd: ROOT,
    input: JSON.stringify(CASES),
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`the linter did not run: ${run.stderr}`);
  return JSON.parse(run.stdout) as string[][];
}

describe('import directions', () => {
  const linted = lintAll();
  it.each(
    CASES.map((each, index) => [each.file, each.code.split('\n')[0] ?? '', each.refused ?? 'allowed', index] as const),
  )('%s: %s → %s', (_file, _code, _refused, index) => {
    const expected = CASES[index]?.refused;
    expect(linted[index]).toEqual(
      expected === undefined ? [] : expect.arrayContaining([expect.stringContaining(expected)]),
    );
  });
});
