import { ratioIn, type RatioName, type Results } from './results';
import { MEANINGS, ROW_NAMES } from './rows';
import { NODE_PARTS, PARTS, type NodePart, type Part } from './stage';
import type { Parked } from './parked';

/** The results for people. */
export function inWords({ rows, ratios, rounds, parked, settings }: Results): string {
  const lines: string[] = [];
  if (rows.length > 0) {
    const head = ['', 'per second', 'p50 ms', ...PARTS, 'total', 'events', '(bench)'];
    const body = rows.map(({ name, perSecond, p50Ms, cpuMs, events, driverCpuMs }) => [
      name,
      ...[perSecond, p50Ms, ...PARTS.map((part) => cpuMs[part]), cpuMs.total].map((value) => value.toFixed(1)),
      events === null ? '–' : String(events),
      driverCpuMs.toFixed(1),
    ]);
    lines.push(
      `${settings.rounds} rounds of ${settings.payments} of each, ${settings.atOnce} at once; p50 of ${settings.rounds * settings.alone} one at a time, without the ${settings.providerMs} ms that the provider takes.`,
      'CPU ms each, by process; (bench) starts them and waits for them, as a backend would, and is not in the total.',
      '',
      ...columns([head, ...body]),
      '',
      ...ROW_NAMES.map((name) => `${name.padEnd(9)} ${MEANINGS[name]}`),
      '',
    );
  }
  const names = Object.keys(ratios) as RatioName[];
  const spread = names.map((name) => {
    const each = rounds.map((round) => ratioIn(round, name));
    const [low, high] = [Math.min(...each), Math.max(...each)].map((value) => value.toFixed(2));
    return [name, (ratios[name] ?? NaN).toFixed(2), `from ${low} to ${high}`];
  });
  lines.push(...columns(spread));
  if (parked !== undefined) lines.push('', ...parkedInWords(parked));
  return lines.join('\n');
}

function parkedInWords({
  payments,
  bytesEach,
  heapBytesEach,
  before,
  with: full,
  woken,
  wakeMs,
}: Parked): readonly string[] {
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
  return [
    `${payments} waiting payments, and the memory that each process has written:`,
    ...columns([
      ['', 'before', 'with them', 'each', 'of it JavaScript'],
      ...PARTS.map((part) => [
        part,
        megabytes(before[part]),
        megabytes(full[part]),
        kilobytes(bytesEach[part]),
        isNodePart(part) ? kilobytes(heapBytesEach[part]) : '–',
      ]),
    ]),
    `${woken} of them woken by their callbacks: ${(wakeMs / 1000).toFixed(1)} s until the last was recorded.`,
  ];
}

const isNodePart = (part: Part): part is NodePart => NODE_PARTS.some((name) => name === part);

/** The first column to the left, numbers to the right. */
function columns(table: readonly (readonly string[])[]): readonly string[] {
  const widths = (table[0] ?? []).map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
