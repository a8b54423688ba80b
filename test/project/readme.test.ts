import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { readResultCode } from '../../src/almara/result-codes';
import {
  PROVIDER_CHECK_NEEDS,
  readCallbacksConfig,
  readCliConfig,
  readLocalConfig,
  readProviderCheckConfig,
  readSandboxConfig,
  readWorkerConfig,
} from '../../src/config';
import {
  FAILURES,
  QUERIES,
  SEARCH_ATTRIBUTES,
  SIGNALS,
  TASK_QUEUE,
  UPDATES,
  WORKFLOWS,
} from '../../src/payment/contract';
import { POLICY_BOUNDS } from '../../src/payment/policy';
import { billPaymentRequestSchema } from '../../src/payment/request';
import {
  anchorsOf,
  DOCUMENTS,
  filesIn,
  read,
  ROOT,
  rowsOf,
  sectionOf,
  textsOfType,
  withoutCode,
} from '../support/documents';

/** What the documents say is held against the code, so that neither changes without the other. */

const README = read('README.md');
const CONTRACT = read('docs/wire-contract.md');
const TECHNICAL = read('docs/technical-description.md');

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

  it('there are some, and they stay inside the project', () => {
    expect(links.length).toBeGreaterThan(30);
    const outside = links.filter(([document, target]) => path.join(path.dirname(document), target).startsWith('..'));
    expect(outside).toEqual([]);
  });
});

describe('README.md', () => {
  it('is one screen', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
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

  it('leads to every other document', () => {
    // One that leads to all of its kind: the decisions, and the page of the samples beside their pages.
    const behind = DOCUMENTS.filter((document) => !/^(README\.md|docs\/adr\/\d.*|test\/fixtures\/.*)$/.test(document));
    expect(behind.filter((document) => !README.includes(`](${document}`))).toEqual([]);
  });
});

describe('docs/wire-contract.md', () => {
  it('names everything of the wire contract', () => {
    const attributes = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
    const groups = [WORKFLOWS, SIGNALS, UPDATES, QUERIES, FAILURES];
    const names = [TASK_QUEUE, ...groups.flatMap((group) => Object.values(group)), ...attributes];
    const states = textsOfType('BillPaymentState');
    expect(states.length).toBeGreaterThan(4);
    expect([...names, ...states].filter((name) => !CONTRACT.includes(`\`${name}\``))).toEqual([]);
  });

  it('has every field of a request, and no other', () => {
    const section = sectionOf(CONTRACT, '## The request');
    const documented = [...section.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)\??`/g)].map(([, field = '']) => field),
    );
    expect(documented.sort()).toEqual(Object.keys(billPaymentRequestSchema.shape).sort());
  });

  it('has every reason for a decline, and no other', () => {
    const section = sectionOf(CONTRACT, '## The outcome');
    const table = section.slice(section.indexOf('| Reason'));
    const documented = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w-]+)`/g)].map(([, reason = '']) => reason),
    );
    expect(documented.sort()).toEqual([...textsOfType('DeclineReason')].sort());
  });

  it('has the policy of the code', () => {
    const rows = [...rowsOf(sectionOf(CONTRACT, '## Policy'))].map(([field, cells]) => [field, cells.slice(0, 3)]);
    const code = Object.entries(POLICY_BOUNDS).map(([field, bound]) => [
      field,
      [bound.default ?? 'none', bound.min, bound.max],
    ]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(code));
  });
});

describe('docs/configuration.md', () => {
  const rows = sectionOf(read('docs/configuration.md'), '## Variables')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const variablesOf = (row: string): string[] =>
    [...(row.split('|')[1] ?? '').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name = '']) => name);
  const documented = rows.flatMap(variablesOf);

  /** What the readers ask an environment for. */
  function variablesRead(): string[] {
    const asked = new Set<string>();
    const note = (key: string | symbol): undefined => void (typeof key === 'string' && asked.add(key));
    // The provider's check asks for nothing more where none of its credentials is set.
    const valueOf = (key: string | symbol) => note(key) ?? (key === PROVIDER_CHECK_NEEDS[0] ? 'nowhere' : undefined);
    const environment = new Proxy(
      {},
      { get: (_target, key) => valueOf(key), has: (_target, key) => note(key) !== undefined },
    );
    const readers = [readWorkerConfig, readCallbacksConfig, readSandboxConfig, readCliConfig, readLocalConfig];
    for (const reader of [...readers, readProviderCheckConfig]) {
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

describe('docs/almara-pay.md', () => {
  it('has every result code as the adapter reads it', () => {
    const section = sectionOf(read('docs/almara-pay.md'), '## Result codes');
    const documented = [...section.matchAll(/^\| (-?\d+) +\|(.*)\|$/gm)].map(([, code = '', rest = '']) => {
      const cells = rest.split('|').map((cell) => cell.trim());
      return [code, cells[0], cells.at(-1)];
    });
    const unlisted = readResultCode(777)?.words;
    const listed = Array.from({ length: 1_100 }, (_, index) => readResultCode(index - 50))
      .filter((code) => code !== undefined && code.words !== unlisted)
      .map((code) => [code?.value, code?.words, code?.meaning]);
    expect(listed.length).toBeGreaterThan(20);
    const byCode = (one: readonly unknown[], other: readonly unknown[]): number => Number(one[0]) - Number(other[0]);
    expect(documented.sort(byCode)).toEqual(listed.sort(byCode));
  });
});

describe('docs/technical-description.md', () => {
  it('has all 22 rules of the core', () => {
    const rules = [...TECHNICAL.matchAll(/\*\*R(\d+)\*\*/g)].map(([, number = '']) => Number(number));
    expect([...new Set(rules)].sort((one, other) => one - other)).toEqual(
      Array.from({ length: 22 }, (_, index) => index + 1),
    );
  });

  it('draws each path once', () => {
    const drawn = [...TECHNICAL.matchAll(/^### (.+)\n+```mermaid\nsequenceDiagram\n([\s\S]*?)```/gm)];
    expect(drawn.map(([, title]) => title)).toEqual([
      'Paid by callback',
      'Paid by poll',
      'Unknown, then paid',
      'Declined, and the money given back',
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

/** Pages that were never part of the project, and how they were named. */
const ELSEWHERE =
  /\b(design|provider|core|engineering|style|operator-texts)\.md\b|\bdesign §|\boperator-texts\b|\bseeds\//;

describe('every document', () => {
  it.each(DOCUMENTS)('%s has no gap that is still to be filled', (document) => {
    expect(read(document)).not.toMatch(/TO MEASURE|TODO|<!-- (?!(end of )?(fault matrix|tests of G\d))/);
  });

  it.each(DOCUMENTS)('%s names no path of a machine, no private host, and no page from elsewhere', (document) => {
    expect(read(document)).not.toMatch(/(^|[\s"'(`])\/(work|tmp|root|home)\//m);
    expect(read(document)).not.toMatch(/registry|artifactory|\.internal\b/i);
    expect(read(document)).not.toMatch(ELSEWHERE);
  });

  const adrs = filesIn('docs/adr', /\.md$/);
  it.each(adrs)('decision %s has its parts within 60 lines', (file) => {
    const text = read(file);
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
    if (!file.endsWith('README.md')) expect(anchorsOf(text).slice(1)).toEqual(['context', 'decision', 'consequences']);
  });

  it('a decision is in the list of decisions', () => {
    const list = read('docs/adr/README.md');
    expect(adrs.filter((file) => /\/\d/.test(file) && !list.includes(`](${path.basename(file)})`))).toEqual([]);
  });
});

describe('what the code says of documents', () => {
  const FOLDERS = ['src', 'verification', 'dev', 'test', 'examples', 'eslint', 'scripts'];
  const code = FOLDERS.flatMap((folder) => filesIn(folder, /\.(ts|mjs|cjs|sql)$/)).filter(
    (file) => path.join(ROOT, file) !== __filename,
  );

  it('names no page from elsewhere', () => {
    expect(code.filter((file) => ELSEWHERE.test(read(file)))).toEqual([]);
  });

  it('every page that it names is there, with the part that it names', () => {
    const named = code.flatMap((file) =>
      [...read(file).matchAll(/\bdocs\/[\w/-]+\.md(?:#([\w-]+))?/g)].map(([target, anchor]) => ({
        file,
        target,
        anchor,
      })),
    );
    expect(named.length).toBeGreaterThan(5);
    const missing = named.filter(({ target, anchor }) => {
      const [page = ''] = target.split('#');
      if (!existsSync(path.join(ROOT, page))) return true;
      return anchor !== undefined && !anchorsOf(read(page)).includes(anchor);
    });
    expect(missing).toEqual([]);
  });
});
