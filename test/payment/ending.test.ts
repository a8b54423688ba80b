import { isOutcomeOf, type Cancelled, type Ending, type GaveUp } from '../../src/payment/ending';
import type { BillPaymentOutcome, DeclinedOutcome, Evidence } from '../../src/payment/outcome';
import type { Resolution } from '../../src/payment/progress';
import { cancelled, declined, EXPECTED, iso, paid } from './support';

/** Whether an outcome is what an ending brought about: it may be asked for again after its answer was lost. */

const { paymentId } = EXPECTED;
const BY = { operator: 'op-1', note: 'biller confirmed' } as const;
const said = (change: Partial<Extract<Evidence, { source: 'operator' }>> = {}) =>
  ({ settledBy: 'operator', evidence: { source: 'operator', ...BY, at: iso(50), ...change } }) as const;
const nothingSent = { settledBy: 'none', evidence: { source: 'none', said: 'nothing was sent' } } as const;

const OUTCOMES = {
  'paid by proof': paid(paymentId),
  'declined by proof': declined(paymentId),
  refused: declined(paymentId, { step: 'submission', reason: 'rejected', settledBy: 'none' }),
  'not sent': declined(paymentId, { step: 'submission', reason: 'not-sent', ...nothingSent }),
  expired: declined(paymentId, { step: 'submission', reason: 'expired', ...nothingSent }),
  'paid by op-1': paid(paymentId, { ...said(), amount: 200, receipt: { number: 'R-1', token: '1234' } }),
  'declined by op-1': declined(paymentId, { reason: 'operator', ...said() }),
  'declined by op-1, case C-1': declined(paymentId, { reason: 'operator', ...said({ providerCase: 'C-1' }) }),
  cancelled: cancelled(paymentId),
} as const satisfies Readonly<Record<string, BillPaymentOutcome>>;

const decided = (change: Partial<Resolution>): Ending => ({
  kind: 'decided',
  resolution: { decision: 'declined', ...BY, ...change },
});
const cancel = (change: Partial<Cancelled> = {}): Ending => ({
  kind: 'unsent',
  why: { kind: 'cancelled', operator: 'op-1', note: 'wrong meter', ...change },
});
const gaveUp = (reason: GaveUp['reason']): Ending => ({
  kind: 'unsent',
  why: { kind: 'gave-up', step: 'submission', reason, said: 'other words' },
});
const isPaid = { decision: 'paid' } as const;

// prettier-ignore
test.each<[what: string, ending: Ending, its: readonly (keyof typeof OUTCOMES)[]]>([
  ['proven', { kind: 'proven' }, ['paid by proof', 'declined by proof', 'refused', 'not sent']],
  ['expired', gaveUp('expired'), ['expired']],
  ['no such account', gaveUp('account-invalid'), []],
  ['cancelled', cancel(), ['cancelled']],
  ['cancelled by another', cancel({ operator: 'op-2' }), []],
  ['cancelled for another reason', cancel({ note: 'changed my mind' }), []],
  ['paid', decided(isPaid), ['paid by op-1']],
  ['paid, that much, with that receipt', decided({ ...isPaid, amount: 200, receiptNumber: 'R-1', token: '1234' }), ['paid by op-1']],
  ['paid, another amount', decided({ ...isPaid, amount: 220 }), []],
  ['paid, another receipt', decided({ ...isPaid, receiptNumber: 'R-2' }), []],
  ['paid, another token', decided({ ...isPaid, token: '4321' }), []],
  ['paid, with a case', decided({ ...isPaid, providerCase: 'C-1' }), []],
  ['declined', decided({}), ['declined by op-1']],
  ['declined with a case', decided({ providerCase: 'C-1' }), ['declined by op-1, case C-1']],
  ['declined by another', decided({ operator: 'op-2' }), []],
  ['declined for another reason', decided({ note: 'by phone' }), []],
])('%s', (_what, ending, its) => {
  const names = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
  expect(names.filter((name) => isOutcomeOf(OUTCOMES[name], ending))).toEqual(its);
});

test('every reason to decline without having sent is of its own ending', () => {
  const REASONS = {
    'account-invalid': true,
    'insufficient-funds': true,
    'unknown-funding-account': true,
    rejected: true,
    expired: true,
    'not-sent': false,
    failed: false,
    operator: false,
  } as const satisfies Record<DeclinedOutcome['reason'], boolean>;
  for (const [reason, isUnsent] of Object.entries(REASONS)) {
    const outcome = declined(paymentId, { reason: reason as DeclinedOutcome['reason'], ...nothingSent });
    if (isUnsent) expect(isOutcomeOf(outcome, gaveUp(reason as GaveUp['reason']))).toBe(true);
    expect(isOutcomeOf(outcome, gaveUp('expired'))).toBe(reason === 'expired');
  }
});
