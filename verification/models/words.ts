import { otherIn } from '../../src/payment/callback-evidence';
import type { Ending } from '../../src/payment/ending';
import type { CallbackReading, Observation, Submission } from '../../src/payment/observation';
import type { Expected } from '../../src/payment/seen';
import { AMOUNT } from './moments';
import type { Attempt, CallbackKind, Said } from './state';

/** What the models say in a word, as the product's own values. */

export const EXPECTED: Expected = { paymentId: 'pay-00000001', accountNumber: '1', amount: AMOUNT, currency: 'KES' };
export const OUR_ACCOUNT = 'ours';
export const OTHER_ACCOUNT = 'another';

const reading = (
  claims: CallbackReading['claims'],
  code: NonNullable<CallbackReading['code']>,
  amount: number = AMOUNT,
): CallbackReading => ({
  ...{ tells: 'result', claims, amount, said: claims, code },
  receipt: claims === 'paid' ? { token: '1234' } : {},
});

export const READINGS: { readonly [Kind in CallbackKind]: CallbackReading } = {
  refusal: reading('failed', { value: '1', meaning: 'refusal' }),
  'other amount, refusal': reading('failed', { value: '1', meaning: 'refusal' }, AMOUNT - 1),
  ambiguous: reading('unclear', { value: '3', meaning: 'ambiguous' }),
  paid: reading('paid', { value: '0', meaning: 'success' }),
};

/** A code that speaks of this payment, and of a failure that is final. */
export const isRefusal = (kind: CallbackKind): boolean =>
  READINGS[kind].code?.meaning === 'refusal' && otherIn(EXPECTED, READINGS[kind]).length === 0;

/** What a look brings. */
export type Observed = Said | 'not-found, other account' | 'unreadable';

type Observations = { readonly [Each in Observed]: Observation };

function observationsWith(receipt: { readonly number?: string }): Observations {
  const record = (state: 'pending' | 'completed' | 'failed', said: Said, amount: number = AMOUNT): Observation => ({
    ...{ kind: 'record', state, said, isPayment: true, receipt, ...EXPECTED },
    amount,
  });
  return {
    'not-found': { kind: 'not-found', said: 'not-found' },
    'not-found, other account': { kind: 'not-found', said: 'not-found' },
    unreadable: { kind: 'unreadable', said: 'noise' },
    pending: record('pending', 'pending'),
    completed: record('completed', 'completed'),
    failed: record('failed', 'failed'),
    'pending, other': record('pending', 'pending, other', AMOUNT - 1),
    'completed, other': record('completed', 'completed, other', AMOUNT - 1),
    'failed, other': record('failed', 'failed, other', AMOUNT - 1),
  };
}

/** The token of a prepaid service comes with a callback, or not at all. */
export const OBSERVATIONS = { prepaid: observationsWith({}), postpaid: observationsWith({ number: 'S1' }) };

export const SUBMISSIONS: { readonly [What in Extract<Attempt, { phase: 'answering' }>['what']]: Submission } = {
  accepted: { kind: 'accepted', providerId: 'p1' },
  rejected: { kind: 'rejected', reasons: ['no'] },
  'not-sent': { kind: 'not-sent', because: 'too late' },
  unknown: { kind: 'unknown', because: 'no answer' },
};

const PERSON = { operator: 'amina', note: 'n' } as const;
const decided = (decision: 'paid' | 'declined', more: { amount?: number; providerCase?: string } = {}): Ending => ({
  kind: 'decided',
  resolution: { decision, ...PERSON, ...more },
});

/** Every end that can be asked for; a cancellation stands for all that were not sent. */
export const ENDINGS = {
  'by proof': { kind: 'proven' },
  unsent: { kind: 'unsent', why: { kind: 'cancelled', ...PERSON } },
  'paid, by a person': decided('paid'),
  'paid in part, by a person': decided('paid', { amount: 1 }),
  'declined, by a person': decided('declined'),
  'declined, by a person with a case': decided('declined', { providerCase: 'c' }),
} as const satisfies Record<string, Ending>;
