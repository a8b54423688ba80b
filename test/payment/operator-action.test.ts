import type { Ending } from '../../src/payment/ending';
import { actionOf } from '../../src/payment/operator-action';

/** What is recorded of a person's command: who, which, why, and the rest as it came. */

const BY = { operator: 'op-1', note: 'biller confirmed' } as const;

test.each<[what: string, ending: Ending, action: unknown]>([
  [
    'a decision',
    { kind: 'decided', resolution: { decision: 'paid', ...BY, amount: 200 }, updateId: 'u-1' },
    { ...BY, action: 'resolvePayment', details: { decision: 'paid', amount: 200 }, updateId: 'u-1' },
  ],
  [
    'a cancellation',
    { kind: 'unsent', why: { kind: 'cancelled', ...BY, updateId: 'u-2' } },
    { ...BY, action: 'cancelPayment', updateId: 'u-2' },
  ],
  [
    "the UI's Request Cancellation, which is no update",
    { kind: 'unsent', why: { kind: 'cancelled', ...BY } },
    { ...BY, action: 'cancelPayment' },
  ],
  ['a proof', { kind: 'proven' }, undefined],
  [
    'a flow that gave up',
    { kind: 'unsent', why: { kind: 'gave-up', step: 'submission', reason: 'expired', said: '' } },
    undefined,
  ],
])('%s', (_, ending, action) => {
  expect(actionOf(ending)).toEqual(action);
});
