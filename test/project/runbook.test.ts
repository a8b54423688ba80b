import { EngineUnavailable } from '../../src/client';
import { UPDATES } from '../../src/payment/contract';
import { DIFFERENCES } from '../../src/payment/reconciliation';
import {
  cancellationProblem,
  disputeResolutionProblem,
  resolutionProblem,
  statusCheckProblem,
} from '../../src/payment/update-forms';
import { ATTENTION_REASONS, guideTo, runbookPage, type AskedFor } from '../../src/payment/words';
import { runBillpay } from '../support/billpay';
import { anchorsOf, filesIn, read, sectionOf, textsOfType } from '../support/documents';

/** The runbook is held against the code: what the Web UI points to is there, and what is shown to be pasted is understood. */

const RUNBOOK = read('docs/runbook.md');
const STAGES = textsOfType('Stage');
const REASONS = [...textsOfType('AttentionReason'), 'disputed'];

const problemOf: Record<string, (argument: unknown) => string | undefined> = {
  checkStatusNow: statusCheckProblem,
  cancelPayment: cancellationProblem,
  resolvePayment: resolutionProblem,
  resolveDispute: disputeResolutionProblem,
};

describe('sections', () => {
  it('knows all stages and reasons, and no other', () => {
    expect(STAGES.length).toBeGreaterThan(5);
    expect(REASONS.length).toBeGreaterThan(7);
    const namesIn = (part: string): string[] =>
      [...sectionOf(RUNBOOK, part).matchAll(/^### (.+)$/gm)].map(([, name = '']) => name);
    expect(namesIn('# The stages').sort()).toEqual([...STAGES].sort());
    expect(namesIn('# The reasons').sort()).toEqual([...REASONS].sort());
    const technical = read('docs/technical-description.md');
    expect(STAGES.filter((stage) => !new RegExp(`^\\| \`${stage}\``, 'm').test(technical))).toEqual([]);
    expect([...ATTENTION_REASONS].sort()).toEqual([...REASONS].sort());
  });

  it.each([...STAGES, ...REASONS])('%s: what it means, what to look at, what to do, what never', (name) => {
    const section = sectionOf(RUNBOOK, `### ${name}`);
    for (const part of ['Means', 'Look at', 'Do', 'Never']) expect(section).toContain(`**${part}**`);
    expect(runbookPage(name as AskedFor)).toBe(`docs/runbook.md#${name}`);
  });

  it('is where every text for people points to', () => {
    const sources = filesIn('src', /\.ts$/).map((file) => [file, read(file)] as const);
    const pointing = sources.filter(
      ([file, text]) => /^src\/(workflows|payment)\//.test(file) && /[^t] runbookPage\(|\{runbookPage\(/.test(text),
    );
    expect(pointing).not.toEqual([]);
    const parts = sources.flatMap(([, text]) =>
      [...text.matchAll(/docs\/runbook\.md#([\w-]+)/g)].map(([, part = '']) => part),
    );
    expect(parts.filter((part) => !anchorsOf(RUNBOOK).includes(part))).toEqual([]);
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
    for (const reason of ATTENTION_REASONS)
      for (const decision of guideTo(reason, 'Almara Pay').decisions)
        expect(resolutionProblem(decision)).toBeUndefined();
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
