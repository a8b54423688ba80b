import { createLog } from '../src/log';
import { writeTo } from '../src/worker/runtime';

/** What the SDK says goes through our log. */

function written(...entries: Parameters<ReturnType<typeof writeTo>>[0][]): unknown[] {
  const lines: unknown[] = [];
  const note =
    (level: string) =>
    (fields: object, text: string): void =>
      void lines.push([level, fields, text]);
  const log = Object.assign(createLog('test', 'silent'), { warn: note('warn'), info: note('info') });
  for (const entry of entries) writeTo(log)(entry);
  return lines;
}

test('with its level and its fields, an error where our log looks for one', () => {
  const error = new Error('reset');
  expect(
    written({ level: 'WARN', message: 'lost', meta: { runId: 'r', error } }, { level: 'INFO', message: 'up' }),
  ).toEqual([
    ['warn', { runId: 'r', err: error }, 'lost'],
    ['info', {}, 'up'],
  ]);
});

test('not that somebody asked and did not wait for the answer', () => {
  expect(written({ level: 'WARN', message: 'Query not found when attempting to respond to it' })).toEqual([]);
});
