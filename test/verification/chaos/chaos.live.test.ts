import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Report } from '../../../verification/chaos/report';
import { quickBuild, type Build } from '../../support/build';

/**
 * The chaos run itself: a tiny one does what it says and finds nothing; with a bug planted it finds that and fails. On real
 * processes, so from a build of its own.
 */
let build: Build;

beforeAll(async () => {
  build = await quickBuild('chaos', /^verification\/(simulation|models|store-model)\//);
});

afterAll(() => build.remove());

async function chaos(
  ...options: string[]
): Promise<{ readonly code: number; readonly said: string; readonly report: Report }> {
  const json = path.join(build.folder, 'report.json');
  const main = path.join(build.folder, 'verification/chaos/main.js');
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
  // One that never came up would be started again twice a second, and the other would do all the work.
  expect(Math.max(...Object.values(report.endedByThemselves))).toBeLessThan(20);
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
