import fc from 'fast-check';
import { ImpossibleRequest } from '../../src/store/errors';
import {
  filledReceipt,
  readOutcome,
  safeInteger,
  storableJson,
  storableText,
  writeOutcome,
  type StoredOutcome,
} from '../../src/store/values';
import { cancelled, declined, paid } from '../support/store';

test.each(['9007199254740992', '-9007199254740993', '1.5', 'nothing'])(
  '%s from a bigint column is refused, not rounded',
  (text) => {
    expect(() => safeInteger(text)).toThrow(ImpossibleRequest);
  },
);

test('text without what PostgreSQL cannot keep is unchanged, and any text becomes such', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const stored = storableText(text);
      expect(stored).not.toMatch(/[\0\p{Cs}]/u);
      expect(storableText(stored)).toBe(stored);
      if (!/[\0\p{Cs}]/u.test(text)) expect(stored).toBe(text);
    }),
  );
});

test('JSON is cleaned at every depth', () => {
  expect(storableJson({ a: [{ b: 'x\0' }], c: 1 })).toBe('{"a":[{"b":"x\ufffd"}],"c":1}');
});

test('a receipt keeps only what says something', () => {
  expect(filledReceipt({ number: '', token: '1' })).toEqual({ token: '1' });
});

test.each([paid('pay-0001'), declined('pay-0001'), cancelled('pay-0001')])(
  'an outcome comes back as it went in: $kind',
  (outcome) => {
    const columns = writeOutcome(outcome);
    const row = {
      outcome: JSON.parse(columns.outcome) as StoredOutcome,
      receipt: JSON.parse(columns.receipt) as object,
    };
    expect(readOutcome(row)).toEqual(outcome);
  },
);
