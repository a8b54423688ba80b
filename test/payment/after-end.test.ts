import { compareAfterEnd, type AfterEnd } from '../../src/payment/after-end';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Answer } from '../../src/payment/seen';
import { answer, cancelled, declined, EXPECTED, paid } from './support';

/** What an answer says about a payment that ended at 50 s. */

const { paymentId } = EXPECTED;
const byOperator = { settledBy: 'operator' } as const;
const OUTCOMES = {
  paid: paid(paymentId),
  'paid, says a person': paid(paymentId, byOperator),
  'paid less, says a person': paid(paymentId, { ...byOperator, amount: 200 }),
  'paid, no receipt': paid(paymentId, { receipt: {} }),
  'paid, receipt and token': paid(paymentId, { receipt: { number: 'S575998', token: '1234' } }),
  failed: declined(paymentId),
  'declined, says a person': declined(paymentId, { reason: 'operator', ...byOperator }),
  'declined unsent, says a person': declined(paymentId, { step: 'submission', reason: 'operator', ...byOperator }),
  expired: declined(paymentId, { step: 'submission', reason: 'expired', settledBy: 'none' }),
  cancelled: cancelled(paymentId),
} as const satisfies Readonly<Record<string, BillPaymentOutcome>>;
type OutcomeName = keyof typeof OUTCOMES;
const ALL = Object.keys(OUTCOMES) as readonly OutcomeName[];
const PAID = ALL.filter((name) => OUTCOMES[name].kind === 'paid');
const BY_PERSON: readonly OutcomeName[] = ['paid, says a person', 'paid less, says a person'];
const PAID_ALL = PAID.filter((name) => name !== 'paid less, says a person');
const NOT_PAID = ALL.filter((name) => OUTCOMES[name].kind !== 'paid');

const ofAnother = { differs: ['the payment id is not ours'] };
const other = { number: 'OTHER' };
interface Row {
  readonly told: string;
  readonly answer: Answer;
  readonly of: readonly OutcomeName[];
  readonly is: AfterEnd['kind'];
}

// prettier-ignore
const ROWS: readonly Row[] = [
  { told: 'not found', answer: answer('not found', 60), of: ALL, is: 'agrees' },
  { told: 'pending', answer: answer('pending', 60), of: ALL, is: 'agrees' },
  { told: 'failed', answer: answer('failed', 60), of: NOT_PAID, is: 'agrees' },
  { told: 'failed', answer: answer('failed', 60), of: PAID, is: 'contradicts' },
  { told: 'failed, asked before the end', answer: answer('failed', 49), of: ALL, is: 'agrees' },
  { told: 'completed', answer: answer('completed without receipt', 60), of: NOT_PAID, is: 'contradicts' },
  { told: 'completed, asked before the end', answer: answer('completed without receipt', 49), of: NOT_PAID, is: 'contradicts' },
  { told: 'completed', answer: answer('completed without receipt', 60), of: PAID_ALL, is: 'agrees' },
  { told: 'completed, all of it', answer: answer('completed without receipt', 60), of: ['paid less, says a person'], is: 'contradicts' },
  // A person who declined what was not sent had somebody else's record before their eyes; who declined what was sent had not.
  { told: 'completed, other amount', answer: answer('completed, other amount', 60), of: ['declined unsent, says a person'], is: 'agrees' },
  { told: 'completed, other amount', answer: answer('completed, other amount', 60), of: NOT_PAID.filter((name) => name !== 'declined unsent, says a person'), is: 'contradicts' },
  { told: 'completed, other amount', answer: answer('completed, other amount', 60), of: BY_PERSON, is: 'agrees' },
  { told: 'completed, other amount', answer: answer('completed, other amount', 60), of: PAID.filter((name) => !BY_PERSON.includes(name)), is: 'contradicts' },
  // A record that is not about it contradicts nothing; completed and not paid is always for people to settle.
  { told: 'failed, of another', answer: answer('failed', 60, ofAnother), of: ALL, is: 'agrees' },
  { told: 'completed, of another', answer: answer('completed', 60, ofAnother), of: PAID, is: 'agrees' },
  { told: 'completed, of another', answer: answer('completed', 60, ofAnother), of: ['failed', 'expired', 'cancelled'], is: 'contradicts' },
  { told: 'the same receipt', answer: answer('completed', 60), of: ['paid', 'paid, says a person', 'paid, receipt and token'], is: 'agrees' },
  { told: 'a receipt', answer: answer('completed', 60), of: ['paid, no receipt'], is: 'receipt' },
  { told: 'the token as well', answer: answer('completed with token', 60), of: ['paid', 'paid, no receipt', 'paid, says a person'], is: 'receipt' },
  { told: 'another receipt number', answer: answer('completed', 60, { receipt: other }), of: ['paid', 'paid, says a person', 'paid, receipt and token'], is: 'contradicts' },
  { told: 'another token', answer: answer('completed', 60, { receipt: { token: '4321' } }), of: ['paid, receipt and token'], is: 'contradicts' },
  { told: 'a new token with another number', answer: answer('completed', 60, { receipt: { ...other, token: '1' } }), of: ['paid'], is: 'contradicts' },
  { told: 'only a narration', answer: answer('completed', 60, { receipt: { narration: 'thanks' } }), of: PAID_ALL, is: 'agrees' },
];

test.each(ROWS.flatMap(({ of, ...row }) => of.map((name) => ({ name, ...row }))))(
  'recorded: $name; told: $told: $is',
  ({ name, answer: told, is }) => {
    expect(compareAfterEnd(OUTCOMES[name], told).kind).toBe(is);
  },
);

test('what contradicts is said, with how it differs', () => {
  const because = (name: OutcomeName, told: Answer) => {
    const comparison = compareAfterEnd(OUTCOMES[name], told);
    return comparison.kind === 'contradicts' ? comparison.because : undefined;
  };
  expect(because('paid', answer('failed', 60))).toBe('Recorded as paid KES 220; the provider says failed');
  expect(because('cancelled', answer('completed', 60))).toBe('Recorded as cancelled; the provider says completed');
  expect(because('failed', answer('completed, other amount', 60))).toBe(
    'Recorded as declined; the provider says completed; answer: KES 200, sent: KES 220',
  );
  expect(because('paid less, says a person', answer('completed', 60))).toBe(
    'Recorded as paid KES 200; the provider says completed, of KES 220',
  );
  expect(because('paid, receipt and token', answer('completed', 60, { receipt: { ...other, token: '1' } }))).toBe(
    'Recorded as paid KES 220; the provider says another receipt number and token',
  );
});

test('the receipt that fills is what was told', () => {
  expect(compareAfterEnd(OUTCOMES.paid, answer('completed with token', 60))).toEqual({
    kind: 'receipt',
    receipt: { number: 'S575998', token: '1234' },
  });
  // A row may hold none at all.
  const { receipt: _, ...withoutReceipt } = OUTCOMES.paid;
  expect(compareAfterEnd(withoutReceipt, answer('completed', 60)).kind).toBe('receipt');
});
