import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { transformFile } from '@swc/core';
import type { Report } from '../../../verification/chaos/report';
import { workflowBundle } from '../../support/temporal';

/**
 * The chaos run itself: a tiny one does what it says and finds nothing; with a bug planted it finds that and fails. On real
 * processes, so from a build of its own: compiled file by file and without checking types, which is quick.
 */
const ROOT = path.resolve(__dirname, '../../..');
const SOURCES = ['src', 'dev', 'verification'] as const;
const NOT_NEEDED = /^verification\/(simulation|models|store-model)\//;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'billpay-chaos-test-'));
  const all = await Promise.all(SOURCES.map((folder) => readdir(path.join(ROOT, folder), { recursive: true })));
  const files = SOURCES.flatMap((folder, at) => all[at]!.map((name) => path.join(folder, name))).filter(
    (name) => name.endsWith('.ts') && !NOT_NEEDED.test(name),
  );
  for (const file of files) {
    const to = path.join(home, 'build', file.replace(/\.ts$/, '.js'));
    const { code } = await transformFile(path.join(ROOT, file), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    await mkdir(path.dirname(to), { recursive: true });
    await writeFile(to, code);
  }
  await cp(path.join(ROOT, 'src/store/migrations'), path.join(home, 'build/src/store/migrations'), { recursive: true });
  await cp(workflowBundle().codePath, path.join(home, 'build/src/workflow-bundle.js'));
  await symlink(path.join(ROOT, 'package.json'), path.join(home, 'package.json'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(home, 'node_modules'));
  await mkdir(path.join(ROOT, '.cache'), { recursive: true });
  await symlink(path.join(ROOT, '.cache'), path.join(home, '.cache'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

async function chaos(
  ...options: string[]
): Promise<{ readonly code: number; readonly said: string; readonly report: Report }> {
  const json = path.join(home, 'report.json');
  const main = path.join(home, 'build/verification/chaos/main.js');
  const { code, said } = await new Promise<{ code: number; said: string }>((resolve) => {
    execFile(process.execPath, [main, '--json', json, ...options], { maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
  const report = await readFile(json, 'utf8').catch(() => Promise.reject(new Error(`It has made no report:\n${said}`)));
  return { code, said, report: JSON.parse(report) as Report };
}

test('a short run: everything is struck, everything comes to rest, and no guarantee is violated', async () => {
  const { code, said, report } = await chaos('--payments', '30', '--seed', '11');
  expect({ code, unsettled: report.unsettled, violations: report.violations }).toEqual({
    code: 0,
    unsettled: [],
    violations: [],
  });
  expect(report.payments).toBe(30);
  expect(report.killed).toEqual({ 'worker-1': 1, 'worker-2': 1, endpoint: 1, engine: 1, store: 1 });
  expect(report.stalled).toEqual({ 'worker-1': 1, 'worker-2': 1 });
  expect(report.resets).toEqual({ running: 1, closed: 1 });
  expect(report.terminated).toEqual({ 'and started again': 1 });
  expect(report.forgotten).toEqual({ 'and started again': 1 });
  const count = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, one) => sum + one, 0);
  expect(count(report.providerFaults)).toBeGreaterThan(0);
  expect(count(report.outcomes)).toBe(30);
  expect(said).toContain('No violation of G1-G8 (seed 11)');
});

test('a payment request that is sent twice is found, named and fails the run', async () => {
  const { code, said, report } = await chaos('--payments', '10', '--seed', '12', '--plant', 'repeated-post');
  expect(code).toBe(1);
  const found = report.violations.filter(({ guarantee }) => guarantee === 'G1');
  expect(found.length).toBeGreaterThan(0);
  expect(found[0]?.what).toBe('2 payment requests reached the provider');
  // Enough to understand it: the ledger, the row, the history.
  expect(said).toContain(`=== ${found[0]?.paymentId}`);
  expect(said).toMatch(/provider: \S+ POST \d+\n/);
  expect(said).toContain('workflowExecutionStarted');
  const logs = /The logs of the processes are in (\S+)/.exec(said)?.[1] ?? '';
  await rm(logs, { recursive: true });
});
