import { reasonOf } from '../../src/payment/reason';

test.each([
  ['an error', new Error('no more'), 'no more'],
  ['one without words', new TypeError(), 'TypeError'],
  ['a string', 'thrown by hand', 'thrown by hand'],
  ['nothing', undefined, 'undefined'],
  [
    'one for every address',
    new AggregateError([new Error('refused ::1'), new AggregateError([new Error('refused 127.0.0.1')])]),
    'refused ::1; refused 127.0.0.1',
  ],
  ['several with words of their own', new AggregateError([new Error('one')], 'all failed'), 'all failed'],
])('%s', (_name, error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});
