import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/** A Node.js of its own, without Jest's module system, that transforms the sources as it loads them. */
const LOAD = `
  const swc = require('@swc/core');
  require.extensions['.ts'] = (module, file) =>
    module._compile(swc.transformFileSync(file, { module: { type: 'commonjs' }, jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }).code, file);
  const before = new Set(Object.keys(require.cache));
  require(process.argv[1]);
  console.log(JSON.stringify(Object.keys(require.cache).filter((file) => !before.has(file))));
`;

function loadedBy(entry: string): string[] {
  const out = execFileSync(process.execPath, ['-e', LOAD, path.join(ROOT, entry)], { cwd: ROOT, encoding: 'utf8' });
  return (JSON.parse(out) as string[]).map((file) => path.relative(ROOT, file).split(path.sep).join('/'));
}

const packagesOf = (files: readonly string[]): Set<string> =>
  new Set(files.flatMap((file) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));

const NOT_FOR_CALLERS = [
  '@temporalio/worker',
  '@temporalio/core-bridge',
  '@temporalio/workflow',
  '@temporalio/activity',
  'pg',
  'fastify',
  'undici',
  'umzug',
  'pino',
  'commander',
];

test('importing the client loads no worker, no workflow code, no database and no server', () => {
  const files = loadedBy('src/client/index.ts');
  const rooms = new Set(files.filter((file) => file.startsWith('src/')).map((file) => file.split('/')[1]));
  expect([...rooms].sort()).toEqual(['client', 'payment']);
  expect([...packagesOf(files)].filter((name) => NOT_FOR_CALLERS.includes(name))).toEqual([]);
  expect(packagesOf(files)).toContain('@temporalio/client');
});

test('the command line loads no database before a command asks for it', () => {
  const packages = packagesOf(loadedBy('src/cli/program.ts'));
  expect([...packages].filter((name) => NOT_FOR_CALLERS.includes(name))).toEqual(['commander']);
});
