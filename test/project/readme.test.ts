import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { readResultCode } from '../../src/almara/result-codes';
import {
  readCallbacksConfig,
  readCliConfig,
  readLocalConfig,
  readSandboxConfig,
  readWorkerConfig,
} from '../../src/config';
import { QUERIES, SEARCH_ATTRIBUTES, SIGNALS, TASK_QUEUE, UPDATES, WORKFLOWS } from '../../src/payment/contract';
import { POLICY_BOUNDS } from '../../src/payment/policy';

/** What the documents say is held against the code, so that neither changes without the other. */

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const markdownIn = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(folder, file));
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'src/sandbox/README.md', ...markdownIn('docs')];

const README = read('README.md');
const TECHNICAL = read('docs/technical-description.md');

/** Headings and prose without fenced blocks, where `#` and brackets mean other things. */
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

/** As GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('links', () => {
  const links = DOCUMENTS.flatMap((document) =>
    [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']): [string, string] => [
      document,
      target,
    ]),
  ).filter(([, target]) => !/^https?:/.test(target));

  it.each(links)('%s → %s', (document, target) => {
    const [file = '', anchor] = target.split('#');
    const resolved = file === '' ? document : path.join(path.dirname(document), file);
    expect([resolved, existsSync(path.join(ROOT, resolved))]).toEqual([resolved, true]);
    if (anchor === undefined) return;
    expect(statSync(path.join(ROOT, resolved)).isFile()).toBe(true);
    expect(anchorsOf(read(resolved))).toContain(anchor);
  });

  it('there are some', () => {
    expect(links.length).toBeGreaterThan(30);
  });
});

describe('README.md', () => {
  it('has at most 150 lines', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('shows what examples/pay-a-bill.ts does, line by line', () => {
    const block = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? '';
    const shown = block
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const lines = read('examples/pay-a-bill.ts')
      .split('\n')
      .map((line) => line.trim());
    let at = -1;
    for (const line of shown) {
      at = lines.indexOf(line, at + 1);
      expect([line, at >= 0]).toEqual([line, true]);
    }
    // From the connection to the end of the switch nothing is left out but the braces of the program around it.
    const body = lines.slice(lines.indexOf(shown[1] ?? ''), at + 1).filter((line) => line !== 'try {');
    expect(shown.slice(1)).toEqual(body);
    expect(['paid', 'declined', 'cancelled', 'open'].filter((kind) => !block.includes(`case '${kind}'`))).toEqual([]);
  });

  it('names everything of the wire contract', () => {
    const attributes = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
    const names = [
      TASK_QUEUE,
      ...[WORKFLOWS, SIGNALS, UPDATES, QUERIES].flatMap((group) => Object.values(group)),
      ...attributes,
    ];
    expect(names.filter((name) => !README.includes(`\`${name}\``))).toEqual([]);
    const states = /type BillPaymentState =([\s\S]*?);/.exec(read('src/payment/contract.ts'))?.[1] ?? '';
    const missing = [...states.matchAll(/'(\w+)'/g)].filter(([, state = '']) => !README.includes(`\`${state}\``));
    expect([states === '', missing]).toEqual([false, []]);
  });

  it('has all eight guarantees, each leading to what holds it', () => {
    const rows = [...README.matchAll(/^\| \[(G\d)\]\(docs\/reliability\.md#(g\d)-/gm)];
    expect(rows.map(([, name]) => name)).toEqual(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8']);
    for (const [, name = '', anchor] of rows) expect(anchor).toBe(name.toLowerCase());
  });
});

describe('the configuration table', () => {
  const section = README.slice(README.indexOf('## Configuration'));
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const variablesOf = (row: string): string[] =>
    [...(row.split('|')[1] ?? '').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name = '']) => name);
  const documented = rows.flatMap(variablesOf);

  /** What the readers ask an environment for. */
  function variablesRead(): string[] {
    const asked = new Set<string>();
    const note = (key: string | symbol): undefined => void (typeof key === 'string' && asked.add(key));
    const environment = new Proxy(
      {},
      { get: (_target, key) => note(key), has: (_target, key) => note(key) !== undefined },
    );
    for (const reader of [readWorkerConfig, readCallbacksConfig, readSandboxConfig, readCliConfig, readLocalConfig]) {
      try {
        reader(environment);
      } catch {
        // Nothing is set, so it complains; what it asked for is noted.
      }
    }
    return [...asked];
  }

  it('has every variable that is read, and no other', () => {
    expect([...documented].sort()).toEqual(variablesRead().sort());
  });

  it('says the defaults of the code', () => {
    // One entry of a schema each, on one line or several.
    const entries = read('src/config.ts')
      .split(/^ {2}(?=[A-Z_]+: )/m)
      .slice(1);
    const defaults = entries.flatMap((entry) => {
      const fallback = /\b(?:port|default)\(\s*'?([\w.-]+)/.exec(entry.split(/^\}\);/m)[0] ?? '')?.[1];
      return fallback === undefined
        ? []
        : [[/^[A-Z_]+/.exec(entry)?.[0] ?? '', fallback.replace(/(\d)_(?=\d)/g, '$1')]];
    });
    expect(defaults.length).toBeGreaterThan(12);
    for (const [variable = '', value = ''] of defaults) {
      const row = rows.find((candidate) => variablesOf(candidate).includes(variable)) ?? '';
      expect([variable, row]).toEqual([variable, expect.stringContaining(`\`${value}\``)]);
    }
  });
});

describe('docs/technical-description.md', () => {
  it('has the policy of the code', () => {
    const rows = [...TECHNICAL.matchAll(/^\| `(\w+)` +\| (\d+ \w+) +\| (\d+ \w+) +\| (\d+ \w+) +\|/gm)].map(
      ([, field = '', ...bounds]) => [field, bounds],
    );
    const code = Object.entries(POLICY_BOUNDS).map(([field, bound]) => [field, [bound.default, bound.min, bound.max]]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(code));
  });

  it('has the result codes as the adapter reads them', () => {
    const codesIn = (text = ''): number[] =>
      [...text.matchAll(/(-?\d+)(?: to (\d+))?/g)].flatMap(([, from, to]) =>
        Array.from({ length: Number(to ?? from) - Number(from) + 1 }, (_, index) => Number(from) + index),
      );
    const refusals = codesIn(/Refusal codes: ([^.]*)\./.exec(TECHNICAL)?.[1]);
    const ambiguous = codesIn(/Codes that can hide a payment: ([^.]*)\./.exec(TECHNICAL)?.[1]);
    const listed = [...Array.from({ length: 24 }, (_, index) => index - 1), 999];
    const meaning = (wanted: string) => listed.filter((code) => readResultCode(code)?.meaning === wanted);
    expect(refusals).toEqual(meaning('refusal'));
    expect(ambiguous).toEqual(
      meaning('ambiguous').filter((code) => readResultCode(code)?.words !== readResultCode(777)?.words),
    );
  });

  it('draws each path once', () => {
    const drawn = [...TECHNICAL.matchAll(/^### (.+)\n+```mermaid\nsequenceDiagram\n([\s\S]*?)```/gm)];
    expect(drawn.map(([, title]) => title)).toEqual([
      'Paid by callback',
      'Paid by poll',
      'Unknown, then paid',
      'Declined and voided',
      'Needs attention',
    ]);
    for (const [, title, diagram = ''] of drawn) {
      const known = new Set([...diagram.matchAll(/participant (\w+)/g)].map(([, name]) => name));
      const used = [...diagram.matchAll(/^\s*(\w+)--?>>(\w+):|^\s*Note over (\w+)(?:,(\w+))?:/gm)].flatMap(
        ([, ...names]) => names.filter((name) => name !== undefined),
      );
      expect([title, used.filter((name) => !known.has(name))]).toEqual([title, []]);
      // A semicolon ends a statement there.
      expect([title, diagram.includes(';')]).toEqual([title, false]);
    }
  });
});

describe('every document', () => {
  it.each(DOCUMENTS)('%s has no gap that is still to be filled', (document) => {
    expect(read(document)).not.toMatch(/TO MEASURE|TODO|<!-- (?!(end of the )?fault matrix)/);
  });

  it.each(DOCUMENTS)('%s names no path of a machine and no private host', (document) => {
    expect(read(document)).not.toMatch(/(^|[\s"'(`])\/(work|tmp|root|home)\//m);
    expect(read(document)).not.toMatch(/registry|artifactory|\.internal\b/i);
  });

  it.each(readdirSync(path.join(ROOT, 'docs/adr')))('decision %s has its parts within 60 lines', (file) => {
    const text = read(path.join('docs/adr', file));
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
    if (file !== 'README.md') expect(anchorsOf(text).slice(1)).toEqual(['context', 'decision', 'consequences']);
  });
});
