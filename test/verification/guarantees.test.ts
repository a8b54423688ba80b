import type { BillPaymentOutcome } from '../../src/payment/outcome';
import {
  isRequestOf,
  violationsAtRest,
  type Guarantee,
  type PaymentTruth,
  type ProviderTruth,
  type RunAtRest,
  type StoredTruth,
} from '../../verification/guarantees';

/** Each question of `guarantees.ts` can be answered with no: a sound payment, and one fact of it changed. */

const ID = 'pay-00000001';
const AT = '2027-01-04T08:00:00.000Z';
const MINUTE = 60_000;
const closed = { paymentId: ID, summary: 'A sentence.', closedAt: AT } as const;
const provider = { source: 'provider', said: 'status 4', at: AT } as const;
const operator = { source: 'operator', operator: 'amina', note: 'by phone', at: AT } as const;

const PAID: BillPaymentOutcome = {
  ...closed,
  kind: 'paid',
  amount: 220,
  currency: 'KES',
  receipt: {},
  settledBy: 'poll',
  evidence: provider,
};
const DECLINED = {
  ...closed,
  kind: 'declined',
  step: 'result',
  reason: 'failed',
  providerCode: '1',
  retryable: true,
  settledBy: 'poll',
  evidence: provider,
} as const satisfies BillPaymentOutcome;
const CANCELLED: BillPaymentOutcome = { ...closed, kind: 'cancelled', by: 'amina', note: 'by mistake' };
const POSTED = { state: 'posted', amount: 220, posted: 220 } as const;
const VOIDED = { state: 'voided', amount: 220, posted: 0 } as const;
const HELD = { state: 'reserved', amount: 220, posted: 0 } as const;

interface Facts {
  readonly provider?: Partial<ProviderTruth>;
  readonly stored?: Partial<StoredTruth>;
  readonly truth?: Partial<PaymentTruth>;
  readonly run?: RunAtRest;
}
type Sound = Required<Facts>;

const DONE: RunAtRest = { kind: 'completed' };
const taken: Partial<ProviderTruth> = { postsSeen: 1, postsCaptured: 1 };

const SOUND = {
  paid: {
    provider: { ...taken, status: 4, saidCompleted: true },
    stored: { claim: 'taken', outcome: PAID, reservation: POSTED },
    truth: { results: [PAID] },
    run: DONE,
  },
  'paid by a person': {
    provider: { ...taken, status: 1 },
    stored: {
      claim: 'taken',
      outcome: { ...PAID, settledBy: 'operator', evidence: operator, amount: 200 },
      reservation: { ...POSTED, posted: 200 },
      decidedBy: 'amina',
    },
    truth: {},
    run: DONE,
  },
  failed: {
    provider: { ...taken, status: 6, saidFailed: true, timesSaidFailed: 2, refusalCallbacks: 1 },
    stored: { claim: 'taken', outcome: DECLINED, reservation: VOIDED },
    truth: { results: [DECLINED] },
    run: DONE,
  },
  refused: {
    provider: { postsSeen: 1, saidRejected: true },
    stored: {
      claim: 'taken',
      outcome: { ...DECLINED, reason: 'rejected', settledBy: 'none' },
      reservation: VOIDED,
    },
    truth: {},
    run: DONE,
  },
  'not sent': {
    provider: {},
    stored: {
      claim: 'taken',
      outcome: { ...DECLINED, reason: 'not-sent', settledBy: 'none' },
      reservation: VOIDED,
    },
    truth: {},
    run: DONE,
  },
  'declined by a person': {
    provider: { ...taken, status: 1 },
    stored: {
      claim: 'taken',
      outcome: { ...DECLINED, reason: 'operator', settledBy: 'operator', evidence: operator },
      reservation: VOIDED,
      decidedBy: 'amina',
    },
    truth: {},
    run: DONE,
  },
  'never sent': {
    provider: {},
    stored: { claim: 'sealed', outcome: { ...DECLINED, reason: 'expired', settledBy: 'none' }, reservation: VOIDED },
    truth: {},
    run: DONE,
  },
  cancelled: {
    provider: {},
    stored: { claim: 'sealed', outcome: CANCELLED, reservation: VOIDED },
    truth: {},
    run: DONE,
  },
  asked: {
    provider: { ...taken, status: 1 },
    stored: { claim: 'taken', reservation: HELD },
    truth: {},
    run: { kind: 'needs-attention', hasReason: true },
  },
} satisfies Record<string, Sound>;

function judge(sound: Sound, change: Facts = {}): readonly string[] {
  const truth: PaymentTruth = {
    paymentId: ID,
    amount: 220,
    isFunded: true,
    failedWithoutCode: 'ask',
    results: [],
    provider: {
      postsSeen: 0,
      postsCaptured: 0,
      capturedAfterClose: false,
      capturedOther: false,
      status: null,
      saidCompleted: false,
      saidFailed: false,
      saidRejected: false,
      refusalCallbacks: 0,
      ...sound.provider,
      ...change.provider,
    },
    stored: {
      claim: 'none',
      disputed: false,
      contradictions: 0,
      knewCompleted: false,
      doubtfulCodes: 0,
      ...sound.stored,
      ...change.stored,
    },
    ...sound.truth,
    ...change.truth,
  };
  return violationsAtRest(truth, change.run ?? sound.run).map(({ guarantee, what }) => `${guarantee} ${what}`);
}

test.each(Object.keys(SOUND) as (keyof typeof SOUND)[])('nothing is wrong with a payment that is %s', (name) => {
  expect(judge(SOUND[name])).toEqual([]);
});

type Wrong = readonly [guarantee: Guarantee, what: RegExp, of: keyof typeof SOUND, change: Facts];

// prettier-ignore
const WRONG: readonly Wrong[] = [
  ['G1', /^2 payment requests/, 'paid', { provider: { postsSeen: 2 } }],
  ['G1', /the claim is none/, 'asked', { stored: { claim: 'none' } }],
  ['G1', /the claim is sealed/, 'cancelled', { provider: { postsSeen: 1 } }],
  ['G1', /another bill, amount or currency/, 'paid', { provider: { capturedOther: true } }],
  ['G2', /took the payment after it was closed as declined/, 'failed', { provider: { capturedAfterClose: true } }],
  ['G2', /took the payment after it was closed as cancelled/, 'cancelled', { provider: { capturedAfterClose: true } }],
  ['G2', /cancelled after it may have been sent/, 'cancelled', { stored: { claim: 'taken' } }],
  ['G2', /declined as never sent/, 'never sent', { provider: { postsSeen: 1 } }],
  ['G2', /never refused it clearly/, 'refused', { provider: { saidRejected: false } }],
  ['G2', /the provider has captured it/, 'refused', { provider: { postsCaptured: 1 } }],
  ['G2', /never said failed/, 'failed', { provider: { saidFailed: false } }],
  ['G2', /has said so once only/, 'failed', { provider: { timesSaidFailed: 1 } }],
  ['G2', /declined as not sent, and a payment request reached/, 'not sent', { provider: { postsSeen: 1 } }],
  ['G2', /no authentic callback/, 'failed', { provider: { refusalCallbacks: 0 } }],
  ['G2', /can hide a payment/, 'failed', { stored: { doubtfulCodes: 1 } }],
  ['G2', /without a code/, 'failed', { stored: { outcome: { ...DECLINED, providerCode: undefined } as never } }],
  ['G2', /the store knew/, 'failed', { stored: { knewCompleted: true } }],
  ['G2', /the store knew/, 'never sent', { stored: { knewCompleted: true } }],
  ['G2', /without ever having said failed/, 'failed', { provider: { status: 4, saidFailed: false } }],
  ['G2', /whose decision is not recorded/, 'declined by a person', { stored: { decidedBy: undefined } as never }],
  ['G2', /said completed before they were heard/, 'declined by a person', { provider: { saidCompletedAt: Date.parse(AT) - 2 * MINUTE } }],
  ['G3', /never showed us/, 'paid', { provider: { saidCompleted: false } }],
  ['G3', /paid 200 without a person/, 'paid', { stored: { outcome: { ...PAID, amount: 200 } } }],
  ['G3', /whose decision is not recorded/, 'paid by a person', { stored: { decidedBy: undefined } as never }],
  ['G4', /neither closed nor visibly/, 'asked', { run: { kind: 'running' } }],
  ['G4', /neither closed nor visibly/, 'asked', { run: { kind: 'none' } }],
  ['G4', /nothing says why/, 'asked', { run: { kind: 'needs-attention', hasReason: false } }],
  ['G4', /closed, and its run is running/, 'paid', { run: { kind: 'running' } }],
  ['G4', /closed, and its run is failed/, 'cancelled', { run: { kind: 'failed' } }],
  ['G5', /1 callbacks contradict/, 'paid', { stored: { contradictions: 1 } }],
  ['G5', /record says 6/, 'paid', { provider: { status: 6 } }],
  ['G6', /its money was never held/, 'asked', { stored: { reservation: undefined } as never }],
  ['G6', /its money was never held/, 'paid', { stored: { reservation: undefined } as never }],
  ['G6', /no funding account was named/, 'asked', { truth: { isFunded: false } }],
  ['G6', /200 was held/, 'asked', { stored: { reservation: { ...HELD, amount: 200 } } }],
  ['G6', /voided while the payment is open/, 'asked', { stored: { reservation: VOIDED } }],
  ['G6', /posted while the payment is open/, 'asked', { stored: { reservation: POSTED } }],
  ['G6', /its money is still held/, 'paid', { stored: { reservation: HELD } }],
  ['G6', /0 is owed and 220 was posted/, 'failed', { stored: { reservation: POSTED } }],
  ['G6', /220 is owed and 0 was posted/, 'paid', { stored: { reservation: VOIDED } }],
  ['G6', /paid 300 of 220/, 'paid by a person', { stored: { outcome: { ...PAID, settledBy: 'operator', evidence: operator, amount: 300 } } }],
  ['G7', /ended as declined and the store says paid/, 'paid', { truth: { results: [PAID, DECLINED] } }],
  ['G7', /the store says open/, 'asked', { truth: { results: [PAID] } }],
  ['G7', /ended as declined and the store says declined/, 'failed', { truth: { results: [{ ...DECLINED, retryable: false }] } }],
];

test.each(WRONG)('%s %s, of a payment that is %s', (guarantee, what, of, change) => {
  const found = judge(SOUND[of], change);
  expect(found.filter((line) => line.startsWith(guarantee) && what.test(line.slice(3)))).toHaveLength(1);
});

test('what may differ does not count', () => {
  // A receipt may come later; a contradiction that is disputed is dealt with; what somebody asks for only just now, nobody knew.
  const later = { ...PAID, receipt: { number: 'R1' } };
  expect(judge(SOUND.paid, { stored: { outcome: later } })).toEqual([]);
  expect(judge(SOUND.paid, { stored: { contradictions: 2, disputed: true } })).toEqual([]);
  expect(judge(SOUND['declined by a person'], { provider: { saidCompletedAt: Date.parse(AT) } })).toEqual([]);
  expect(judge(SOUND['paid by a person'], { provider: { status: 6, capturedAfterClose: true } })).toEqual([]);
});

test('what the provider took is compared with the request, field by field', () => {
  const request = {
    paymentId: ID,
    serviceId: 'service',
    accountNumber: '100001',
    amount: 220,
    payer: { name: 'A Payer', msisdn: '254712345678' },
    description: 'a bill',
  };
  const same = { serviceId: 'service', accountNumber: '100001', amount: 220, currency: 'KES' };
  expect(isRequestOf(request, same)).toBe(true);
  for (const other of [{ serviceId: 'other' }, { accountNumber: '1' }, { amount: 1 }, { currency: 'UGX' }])
    expect(isRequestOf(request, { ...same, ...other })).toBe(false);
});
