import { parseDuration } from '../../src/payment/duration';

test.each([
  ['0s', 0],
  ['300ms', 300],
  ['300 milliseconds', 300],
  ['1 millisecond', 1],
  ['20 seconds', 20_000],
  ['60s', 60_000],
  ['1 second', 1_000],
  ['5m', 300_000],
  ['5 minutes', 300_000],
  ['2h', 7_200_000],
  ['24 hours', 86_400_000],
  ['7d', 604_800_000],
  ['1 day', 86_400_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toEqual({ kind: 'duration', ms });
});

test.each([
  '',
  '5',
  's',
  '-5s',
  '+5s',
  '1.5h',
  '1e3s',
  '0x10s',
  '5  m',
  ' 5m',
  '5m ',
  '5M',
  '5 mins',
  '5mss',
  '5 fortnights',
  '1h30m',
  '2026-01-31',
  '1234567890s',
  '٥m',
  'constructor',
])('"%s" is none', (text) => {
  expect(parseDuration(text)).toEqual({ kind: 'problem', problem: 'must be a duration such as "20 seconds" or 5m' });
});
