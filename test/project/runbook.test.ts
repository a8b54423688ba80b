import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EngineUnavailable } from '../../src/client';
import { GUIDES, runbookPage } from '../../src/payment/attention';
import { UPDATES } from '../../src/payment/contract';
import {
  cancellationProblem,
  disputeResolutionProblem,
  resolutionProblem,
  statusCheckProblem,
} from '../../src/payment/decisions';
import { DIFFERENCES } from '../../src/payment/reconciliation';
import { runBillpay } from '../support/billpay';

/** The runbook is held against the code: what the Web UI points to is there, and what is shown to be pasted is understood. */

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const RUNBOOK = read('docs/runbook.md');
const namesIn = (file: string, type: string): string[] =>
  [...(new RegExp(`type ${type} =([\\s\\S]*?);`).exec(read(file))?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
    ([, name = '']) => name,
  );
const STAGES = namesIn('src/payment/progress.ts', 'Stage');
const REASONS = [...namesIn('src/payment/outcome.ts', 'AttentionReason'), 'disputed'];

const sections = new Map(
  RUNBOOK.split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.split(/^#{1,2} /m)[0] ?? '']),
);

const problemOf: Record<string, (argument: unknown) => string | undefined> = {
  checkStatusNow: statusCheckProblem,
  cancelPayment: cancellationProblem,
  resolvePayment: (given) => resolutionProblem(given, 220),
  resolveDispute: disputeResolutionProblem,
};

describe('sections', () => {
  it('knows all stages and reasons', () => {
    expect(STAGES.length).toBeGreaterThan(5);
    expect(REASONS.length).toBeGreaterThan(7);
    const technical = read('docs/technical-description.md');
    expect(STAGES.filter((stage) => !new RegExp(`^\\| \`${stage}\``, 'm').test(technical))).toEqual([]);
    expect(Object.keys(GUIDES).sort()).toEqual([...REASONS].sort());
  });

  it.each([...STAGES, ...REASONS])('%s: what it means, what to look at, what to do, what never', (name) => {
    const section = sections.get(name);
    for (const part of ['Means', 'Look at', 'Do', 'Never']) expect(section).toContain(`**${part}**`);
    expect(runbookPage(name as keyof typeof GUIDES)).toBe(`docs/runbook.md#${name}`);
  });

  it('says of the Web UI where it points to, and nothing else points to a page of ours', () => {
    const details = ['details', 'dispute-details'].map((file) => read(`src/workflows/${file}.ts`)).join('');
    expect(details).toContain('runbookPage(');
    const pages = [...details.matchAll(/docs\/[\w-]+\.md(?:#([\w-]+))?/g)];
    for (const [page, anchor = ''] of pages)
      expect([page, [...STAGES, ...REASONS].includes(anchor)]).toEqual([page, true]);
  });

  it('has every kind of difference, as reconciliation says it', () => {
    for (const [kind, { means }] of Object.entries(DIFFERENCES))
      expect(RUNBOOK.replace(/ +/g, ' ')).toContain(`| \`${kind}\` | ${means} |`);
  });
});

describe('what is shown to be pasted', () => {
  const updates = [...RUNBOOK.matchAll(/^ +(\w+) {3}(\{.*\})$/gm)].map(([, name = '', json = '']) => ({ name, json }));

  it.each(updates)('$name $json would be accepted', ({ name, json }) => {
    expect(problemOf[name]?.(JSON.parse(json))).toBeUndefined();
    expect(Object.keys(problemOf)).toContain(name);
  });

  it('has each update, and what the Web UI and billpay attention show would be accepted too', () => {
    expect(new Set(updates.map(({ name }) => name))).toEqual(new Set(Object.values(UPDATES)));
    for (const { decisions } of Object.values(GUIDES))
      for (const decision of decisions) expect(resolutionProblem(decision, 220)).toBeUndefined();
  });

  const commands = [RUNBOOK, read('docker-compose.yml').replace(/\\\n#/g, '')].flatMap((text) =>
    [...text.matchAll(/^(?: +|# +npx )billpay (.*)$/gm)].map(([, line = '']) => line),
  );

  it.each(commands)('billpay has: %s', async (line) => {
    const words = [...line.matchAll(/"([^"]*)"|<time>|<[^>]*>|\S+/g)].map(
      ([whole, quoted]) =>
        quoted ?? (whole === '<time>' ? '2026-01-31T12:00:00Z' : whole.startsWith('<') ? 'id-1234567' : whole),
    );
    // Understood, and stopped only by the server that is not there.
    const { code, out, err } = await runBillpay(words, {
      connect: () => Promise.reject(new EngineUnavailable('away', 'nowhere', 'server')),
      newPaymentId: () => 'id-1234567',
    });
    expect([code, [...out, ...err].join()]).toEqual([69, expect.stringContaining('away')]);
  });

  it('shows the main commands', () => {
    const shown = new Set(commands.map((line) => line.split(' ')[0]));
    for (const command of [
      'attention',
      'check',
      'cancel',
      'resolve',
      'dispute',
      'dispute-resolve',
      'reconcile',
      'doctor',
    ])
      expect(shown).toContain(command);
  });
});
