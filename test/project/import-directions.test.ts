import { spawnSync } from 'node:child_process';
import path from 'node:path';

/**
 * The arrows of the layout hold only as long as the linter refuses every other one. Each case is linted by the real
 * configuration as if it stood in the file named. The linter runs in a process of its own: its configuration is an ES module.
 */

interface Case {
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
  allowed('workflows/x.ts', value('../payment/verdict')),
  allowed('workflows/x.ts', types('../payment/request')),
  allowed('workflows/x.ts', types('../activities')),
  allowed('workflows/x.ts', value('@temporalio/workflow')),
  refused('workflows/x.ts', value('../payment/request'), 'workflows may import payment/request only as types'),
  refused('workflows/x.ts', value('../activities'), 'workflows may import activities only as types'),
  refused(
    'workflows/x.ts',
    "export { it } from '../activities/payments';\n",
    'workflows may import activities only as types',
  ),
  refused('workflows/x.ts', value('../almara'), 'workflows may not import almara'),
  refused('workflows/x.ts', types('../store'), 'workflows may not import store'),
  refused('workflows/x.ts', value('../log'), 'workflows may not import log'),
  refused('workflows/x.ts', value('zod'), 'workflows may not use the package zod'),
  refused('workflows/x.ts', value('node:crypto'), "workflows may not use Node's own modules"),
  refused('workflows/x.ts', value('fs'), "workflows may not use Node's own modules"),
  refused('workflows/x.ts', value('@temporalio/client'), 'workflows may not use the package @temporalio/client'),
  refused('workflows/x.ts', "export const it = await import('../store');\n", 'workflows may not import store'),
  refused('workflows/x.ts', "export type It = import('../store').It;\n", 'workflows may not import store'),
  refused(
    'workflows/x.ts',
    "import it = require('../store');\nexport const same = it;\n",
    'workflows may not import store',
  ),
  refused('workflows/x.ts', 'export const it = (name: string) => import(name);\n', 'only known at run time'),
  refused('workflows/x.ts', 'export const it = process.pid;\n', 'inside a workflow'),

  allowed('payment/request.ts', value('zod')),
  allowed('payment/x.ts', types('./request')),
  refused('payment/x.ts', value('./request'), 'payment may import payment/request only as types'),
  refused('payment/x.ts', value('zod'), 'payment may not use the package zod'),
  refused('payment/request.ts', value('node:crypto'), "payment may not use Node's own modules"),
  refused('payment/x.ts', types('../almara'), 'payment may not import almara'),
  refused('payment/x.ts', types('../workflows'), 'payment may not import workflows'),

  allowed(
    'activities/x.ts',
    value('../almara') + value('../store').replaceAll('it', 'that').replaceAll('same', 'other'),
  ),
  refused('activities/x.ts', value('../workflows'), 'activities may not import workflows'),
  refused('activities/x.ts', value('../client'), 'activities may not import client'),
  refused('activities/x.ts', value('undici'), 'activities may not use the package undici'),
  refused('activities/x.ts', value('pg'), 'activities may not use the package pg'),

  allowed('almara/x.ts', types('../log')),
  refused('almara/x.ts', value('../log'), 'almara may import log only as types'),
  refused('almara/x.ts', types('../store'), 'almara may not import store'),
  refused('almara/x.ts', value('../activities'), 'almara may not import activities'),
  refused('almara/x.ts', value('@temporalio/common'), 'almara may not use the package @temporalio/common'),
  refused('store/x.ts', types('../almara'), 'store may not import almara'),
  refused('store/deeper/x.ts', types('../../almara/callback'), 'store may not import almara/callback'),
  refused('store/x.ts', value('../activities'), 'store may not import activities'),

  allowed('callbacks/x.ts', value('../almara/callback')),
  refused('callbacks/x.ts', value('../almara'), 'callbacks may not import almara'),
  refused('callbacks/x.ts', value('../almara/wire'), 'callbacks may not import almara/wire'),
  refused('callbacks/x.ts', types('../activities'), 'callbacks may not import activities'),
  refused('callbacks/x.ts', value('../workflows'), 'callbacks may not import workflows'),

  allowed('client/x.ts', value('../payment/request')),
  refused('client/x.ts', types('../workflows'), 'client may not import workflows'),
  refused('client/x.ts', types('../store'), 'client may not import store'),
  refused('client/x.ts', value('@temporalio/worker'), 'client may not use the package @temporalio/worker'),
  allowed('cli/x.ts', value('../client')),
  allowed('cli/store.ts', value('../store')),
  refused('cli/x.ts', value('../store'), 'cli may not import store'),
  refused('cli/x.ts', value('../almara'), 'cli may not import almara'),
  refused('cli/x.ts', value('../workflows'), 'cli may not import workflows'),
  refused('cli/x.ts', value('@temporalio/client'), 'cli may not use the package @temporalio/client'),

  refused('sandbox/x.ts', value('../almara/wire'), 'sandbox may not import almara/wire'),
  refused('worker/x.ts', value('../workflows'), 'worker may not import workflows'),
  refused('worker/x.ts', value('../local/temporal'), 'worker may not import local/temporal'),
  refused('log.ts', value('../package.json'), 'leads out of src/'),
  refused('elsewhere/x.ts', value('../payment/outcome'), 'no room of the layout'),

  refused('callbacks/x.ts', 'export const it = process.env;\n', 'Only src/config.ts reads the environment'),
  refused('callbacks/x.ts', 'export const { env } = process;\n', 'Only src/config.ts reads the environment'),
  refused(
    'callbacks/x.ts',
    "import { env } from 'node:process';\nexport const it = env;\n",
    'Only src/config.ts reads the environment',
  ),
  allowed('config.ts', 'export const it = process.env;\n'),
];

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
    const [result] = await eslint.lintText(code, { filePath: 'src/' + file, warnIgnored: true });
    linted.push(result.messages.map((message) => message.message));
  }
  console.log(JSON.stringify(linted));
`;

function lintAll(): readonly (readonly string[])[] {
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', LINTER], {
    cwd: path.resolve(__dirname, '../..'),
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
