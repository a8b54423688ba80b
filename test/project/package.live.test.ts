import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/**
 * The package as its users get it: built and packed from a copy of the sources, installed into an empty project, loaded by a
 * Node.js that knows nothing of this repository.
 */

const ROOT = path.resolve(__dirname, '../..');
const BUILT_FROM = ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', '.npmrc'];
const STAYS_AT_HOME = ['dev', 'verification', 'test'];
const BESIDES = ['README.md', 'LICENSE', 'CHANGELOG.md'];
/** The build is a whole compilation, and the registry may be far. */
const MINUTES = 60_000;

const run = promisify(execFile);
let home: string;
let project: string;
let packed: readonly string[];

/** What npm tells the scripts it runs would make another npm work on this repository. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_package_|npm_lifecycle_|npm_config_local_prefix$|INIT_CWD$)/.test(name),
  ),
);
const npm = (cwd: string, ...args: string[]) => run('npm', args, { cwd, env: environment });
const node = async (...args: string[]): Promise<string> =>
  (await run(process.execPath, args, { cwd: project, env: environment })).stdout.trim();

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'billpay-package-'));
  const copy = path.join(home, 'copy');
  for (const name of [...BUILT_FROM, ...BESIDES])
    await cp(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  for (const folder of STAYS_AT_HOME) {
    await mkdir(path.join(copy, folder));
    await writeFile(path.join(copy, folder, 'a.test.ts'), 'export {};');
  }
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  await run(process.execPath, ['scripts/build.mjs', '--clean'], { cwd: copy, env: environment });
  const [{ filename, files }] = JSON.parse((await npm(copy, 'pack', '--json', '--pack-destination', home)).stdout) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  packed = files.map((file) => file.path);

  project = path.join(home, 'project');
  await mkdir(project);
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ name: 'a-backend', private: true }));
  await npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund', path.join(home, filename));
}, 8 * MINUTES);

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

test('holds what it needs to run, and neither tests, nor what proves it, nor what runs everything on one machine', () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      'package.json',
      ...BESIDES,
      'dist/client/index.js',
      'dist/client/index.d.ts',
      'dist/cli/main.js',
      'dist/worker/main.js',
      'dist/callbacks/main.js',
      'dist/sandbox/main.js',
      'dist/workflow-bundle.js',
      'dist/store/migrations/0001-schema.sql',
    ]),
  );
  const mayBe = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts|js\.map|sql))$/;
  expect(packed.filter((file) => !mayBe.test(file))).toEqual([]);
  const rooms = readdirSync(path.join(ROOT, 'src')).map((name) => name.replace(/\.ts$/, ''));
  const roomOf = (file: string): string => /^dist\/([^/.]+)/.exec(file)?.[1] ?? '';
  const shipped = new Set(packed.filter((file) => file.startsWith('dist/')).map(roomOf));
  expect([...shipped].sort()).toEqual([...rooms, 'workflow-bundle'].sort());
});

const NAMES = ['BillPayments', 'InvalidRequest', 'PaymentConflict', 'PaymentNotFound', 'TooLate', 'EngineUnavailable'];
/** Packages that a caller's process must not load: the worker with its native code, servers, the database. */
const NOT_FOR_CALLERS = [
  '@temporalio/worker',
  '@temporalio/core-bridge',
  '@temporalio/workflow',
  'fastify',
  'pg',
  'undici',
];

test('the client loads by require, with no code of the worker', async () => {
  const out = await node(
    '-e',
    `const client = require('almara-bill-payments');
     const loaded = Object.keys(require.cache).filter((file) => /[.](js|cjs|json|node)$/.test(file));
     console.log(JSON.stringify({ names: Object.keys(client), loaded }));`,
  );
  const { names, loaded } = JSON.parse(out) as { readonly names: string[]; readonly loaded: string[] };
  expect(names).toEqual(expect.arrayContaining(NAMES));
  const parts = (file: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1] ?? file;
  const packages = new Set(loaded.map((file) => parts(file.split(path.sep).join('/'))));
  expect(packages).toContain('@temporalio/client');
  expect([...packages].filter((name) => NOT_FOR_CALLERS.includes(name))).toEqual([]);
  const rooms = loaded.flatMap((file) => /almara-bill-payments\/dist\/(\w+)/.exec(file)?.[1] ?? []);
  expect([...new Set(rooms)].sort()).toEqual(['client', 'payment']);
});

test('the client loads by import', async () => {
  const source = `import { ${NAMES.join(', ')} } from 'almara-bill-payments'; console.log(typeof BillPayments.connect, ${NAMES.join(', ')});`;
  expect(await node('--input-type=module', '-e', source)).toMatch(/^function .*class BillPayments/);
});

test('its types hold under the strictest settings, as CommonJS and as a module', async () => {
  const program = `
    import { BillPayments, PaymentConflict, type BillPaymentOutcome, type BillPaymentRequest } from 'almara-bill-payments';
    import { createWorker } from 'almara-bill-payments/worker';
    import { startCallbacks } from 'almara-bill-payments/callbacks';
    export const parts = [createWorker, startCallbacks] as const;
    export async function pay(request: BillPaymentRequest): Promise<string> {
      const payments = await BillPayments.connect();
      const result = await payments.pay(request, { waitMs: 1_000 });
      switch (result.kind) {
        case 'paid': return result.receipt.number ?? result.currency;
        case 'declined': return result.reason;
        case 'cancelled': return result.by;
        case 'open': return result.paymentId;
      }
    }
    export const isConflict = (error: unknown): error is PaymentConflict => error instanceof PaymentConflict;
    // @ts-expect-error: there is no such outcome
    export const kind: BillPaymentOutcome['kind'] = 'maybe';
  `;
  const wrong = `
    import type { BillPaymentRequest } from 'almara-bill-payments';
    export const amount: BillPaymentRequest['amount'] = '220';
  `;
  const compilerOptions = {
    module: 'node16',
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    types: ['node'],
  };
  const programs = { 'pay.cts': program, 'pay.mts': program, 'wrong.mts': wrong };
  const settings = { compilerOptions, files: Object.keys(programs) };
  await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify(settings));
  for (const [file, text] of Object.entries(programs)) await writeFile(path.join(project, file), text);
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const said = await node(tsc, '-p', project).catch((error: { stdout: string }) => error.stdout);
  // Without skipLibCheck, so that our declarations are read too. What the SDK's own lack under these settings is not ours.
  const ours = said.split('\n').filter((line) => /^(pay\.|wrong\.|node_modules\/almara-bill-payments\/)/.test(line));
  expect(ours).toEqual([expect.stringMatching(/^wrong\.mts\(.*TS2322/)]);
});

test('billpay runs from node_modules/.bin', async () => {
  const { version } = JSON.parse(await node('-p', `JSON.stringify(require('almara-bill-payments/package.json'))`)) as {
    readonly version: string;
  };
  const billpay = path.join(project, 'node_modules/.bin/billpay');
  expect((await run(billpay, ['--version'], { env: environment })).stdout).toBe(`${version}\n`);
  expect((await run(billpay, ['help', 'pay'], { env: environment })).stdout).toContain('--funding-account <id>');
});

test('the parts of the worker and of the callback endpoint load, and find what was packed with them', async () => {
  const out = await node(
    '-e',
    `const { createWorker, openStore, migrate } = require('almara-bill-payments/worker');
     const { startCallbacks } = require('almara-bill-payments/callbacks');
     console.log([createWorker, openStore, migrate, startCallbacks].map((part) => typeof part).join());`,
  );
  expect(out).toBe('function,function,function,function');
  await expect(node('-e', "require('almara-bill-payments/dist/store')")).rejects.toThrow(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  );
});
