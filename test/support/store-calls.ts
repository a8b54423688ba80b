import fc from 'fast-check';
import { cancelled, claimOf, declined, newPaymentId, paid, reading, requestOf } from './store';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Store } from '../../src/store';

/**
 * Every call that a payment makes of the store, in any order, sensible or not: for properties that hold for the SQL store, for its
 * model, and for both side by side.
 */

export type StoreUnderTest = Pick<Store, 'payments' | 'reservations' | 'inbox' | 'operatorActions' | 'disputes'>;

/** What the calls are about. The same for two stores that are compared, except for the ids that each gives. */
export interface World {
  readonly ids: readonly string[];
  readonly account: string;
  /** The store's ids of this world's callbacks, oldest first. */
  readonly callbackIds: number[];
  /** Callbacks of earlier worlds in the same store have no higher id. */
  readonly before: number;
}

export const PAYMENTS = 3;
/** Less than three payments need. */
export const DEPOSIT = 500;
const AMOUNT = 220;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const FAR_AHEAD = new Date('2200-01-01T00:00:00Z');

/** The last payment is not registered yet. */
export async function newWorld(
  store: StoreUnderTest,
  { ids = Array.from({ length: PAYMENTS }, newPaymentId), before = 0 } = {},
): Promise<World> {
  const account = ids[0] ?? '';
  await store.funds.add({ account, amount: DEPOSIT, currency: 'KES' });
  for (const id of ids.slice(0, -1)) await store.payments.register(requestOf(id), 'fingerprint');
  return { ids, account, callbackIds: [], before };
}

const payment = fc.nat(PAYMENTS - 1);
const chosen = fc.uniqueArray(fc.nat(3), { maxLength: 3 });
const end = fc.constantFrom(
  'paid',
  'paid',
  'paid-in-part',
  'paid-by-operator',
  'declined',
  'declined-by-operator',
  'declined-as-rejected',
  'cancelled',
  'too-much',
  'other-currency',
  'other-payment',
);
const text = fc.constantFrom('', 'T1', 'T2', 'half a pair \ud800', 'nul \0');

const calls = {
  register: fc.record({ payment, content: fc.constantFrom('same', 'same', 'other', 'nothing-to-pay') }),
  reserve: fc.record({
    payment,
    account: fc.constantFrom('its', 'its', 'its', 'nobodys'),
    amount: fc.constantFrom(AMOUNT, AMOUNT, AMOUNT, 100, 0),
    currency: fc.constantFrom('KES', 'KES', 'KES', 'USD'),
  }),
  // The same nonce again is an attempt whose answer was lost.
  claim: fc.record({ payment, nonce: fc.constantFrom('one', 'one', 'two', 'sealed') }),
  callback: fc.record({
    payment,
    digest: fc.nat(4),
    claims: fc.constantFrom('paid', 'failed', 'unclear'),
    meaning: fc.constantFrom('refusal', 'ambiguous', 'duplicate', undefined),
    received: fc.constantFrom(LONG_AGO, undefined),
    text,
  }),
  pending: fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    olderThan: fc.constantFrom(LONG_AGO, FAR_AHEAD, undefined),
    after: fc.nat(3),
  }),
  markSignalled: fc.record({ chosen }),
  name: fc.record({ chosen, by: fc.constantFrom('agreed', 'dispute', 'close') }),
  noteCompleted: fc.record({ payment }),
  addReceipt: fc.record({ payment, number: text, token: text }),
  close: fc.record({
    payment,
    end,
    unsent: fc.constantFrom(false, false, true),
    considered: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1),
    action: fc.constantFrom('resolvePayment', 'resolveDispute', undefined),
    updateId: fc.constantFrom('update 1', undefined),
    text,
  }),
  raise: fc.record({ payment, by: fc.constantFrom('callback', 'close', 'reconciliation'), because: text }),
  openDisputes: fc.record({ mark: fc.boolean(), payment }),
  resolveDispute: fc.record({
    payment,
    agreed: fc.constantFrom('paid', 'not-paid'),
    note: text,
    updateId: fc.constantFrom('update 1', 'update 2'),
  }),
  addFunds: fc.record({ amount: fc.constantFrom(0, Number.MAX_SAFE_INTEGER), currency: fc.constantFrom('KES', 'USD') }),
} as const;

type Kind = keyof typeof calls;
type Arguments = { readonly [K in Kind]: (typeof calls)[K] extends fc.Arbitrary<infer A> ? A : never };
export type Call = { [K in Kind]: { readonly kind: K } & Readonly<Arguments[K]> }[Kind];

const WEIGHTS: Partial<Record<Kind, number>> = {
  reserve: 3,
  close: 5,
  callback: 4,
  claim: 2,
  markSignalled: 2,
  raise: 4,
  resolveDispute: 3,
  openDisputes: 2,
};

export const call: fc.Arbitrary<Call> = fc.oneof(
  ...(Object.keys(calls) as Kind[]).map((kind) => ({
    weight: WEIGHTS[kind] ?? 1,
    arbitrary: (calls[kind] as fc.Arbitrary<object>).map((fields) => ({ kind, ...fields }) as Call),
  })),
);

export function perform(store: StoreUnderTest, world: World, one: Call): Promise<unknown> {
  switch (one.kind) {
    case 'register':
      return store.payments.register(
        requestOf(idOf(world, one.payment), one.content === 'nothing-to-pay' ? { amount: 0 } : {}),
        one.content === 'other' ? 'another fingerprint' : 'fingerprint',
      );
    case 'reserve':
      return reserve(store, world, one);
    case 'claim':
      return store.payments.claim(idOf(world, one.payment), { ...claimOf(one.nonce), tokenExpiresAt: LONG_AGO });
    case 'callback':
      return addCallback(store, world, one);
    case 'pending':
      return store.inbox.pending(one.limit, one.olderThan, world.callbackIds[one.after - 1] ?? world.before);
    case 'markSignalled':
      return store.inbox.markSignalled(chosenIds(world, one.chosen));
    case 'name':
      return store.inbox.name(chosenIds(world, one.chosen), one.by);
    case 'noteCompleted':
      return store.payments.noteCompleted(idOf(world, one.payment));
    case 'addReceipt':
      return store.payments.addReceipt(idOf(world, one.payment), { number: one.number, token: one.token });
    case 'close':
      return close(store, world, one);
    case 'raise':
      return store.disputes.raise(idOf(world, one.payment), { by: one.by, because: one.because });
    case 'openDisputes':
      return openDisputes(store, world, one);
    case 'resolveDispute':
      return store.disputes.resolve(
        idOf(world, one.payment),
        { agreed: one.agreed, operator: 'amina', note: one.note },
        { operator: 'amina', action: 'resolveDispute', note: one.note, updateId: one.updateId },
      );
    case 'addFunds':
      return store.funds.add({ account: world.account, amount: one.amount, currency: one.currency });
  }
}

const idOf = ({ ids }: World, index: number): string => ids[index] ?? '';

const chosenIds = ({ callbackIds }: World, indexes: readonly number[]): readonly number[] =>
  indexes.flatMap((index) => callbackIds[index] ?? []);

// An `async` function, so that what is thrown at once and what is thrown later look the same.
async function reserve(store: StoreUnderTest, world: World, one: Extract<Call, { kind: 'reserve' }>) {
  return await store.reservations.reserve(idOf(world, one.payment), {
    fundingAccount: one.account === 'its' ? world.account : 'nobodys-account',
    amount: one.amount,
    currency: one.currency,
  });
}

async function addCallback(store: StoreUnderTest, world: World, one: Extract<Call, { kind: 'callback' }>) {
  const { payment: index, digest, claims, meaning, received, text: said } = one;
  const added = await store.inbox.add({
    paymentId: idOf(world, index),
    digest: String(digest),
    body: said,
    reading: {
      ...reading({ claims, said }),
      ...(meaning === undefined ? {} : { code: { value: '1', meaning } }),
    },
    ...(received !== undefined && { receivedAt: received }),
  });
  if (added.kind === 'stored') world.callbackIds.push(added.id);
  return added;
}

async function close(store: StoreUnderTest, world: World, one: Extract<Call, { kind: 'close' }>) {
  const paymentId = idOf(world, one.payment);
  return await store.payments.close({
    paymentId,
    outcome: outcomeOf(paymentId, one.end),
    unsent: one.unsent,
    callbacksConsidered: one.considered,
    ...(one.action !== undefined && {
      action: {
        operator: 'amina',
        action: one.action,
        note: one.text,
        details: { providerCase: one.text },
        ...(one.updateId !== undefined && { updateId: one.updateId }),
      },
    }),
  });
}

function outcomeOf(paymentId: string, how: Extract<Call, { kind: 'close' }>['end']): BillPaymentOutcome {
  switch (how) {
    case 'paid':
      return paid(paymentId, { receipt: { number: '', narration: 'thanks' } });
    case 'paid-in-part':
      return paid(paymentId, { amount: 100, receipt: {} });
    case 'paid-by-operator':
      return paid(paymentId, { settledBy: 'operator' });
    case 'declined':
      return declined(paymentId);
    case 'declined-by-operator':
      return declined(paymentId, { settledBy: 'operator', reason: 'operator' });
    case 'declined-as-rejected':
      return declined(paymentId, { settledBy: 'none', reason: 'rejected' });
    case 'cancelled':
      return cancelled(paymentId);
    case 'too-much':
      return paid(paymentId, { amount: AMOUNT + 1 });
    case 'other-currency':
      return paid(paymentId, { currency: 'USD' });
    case 'other-payment':
      return paid('pay-of-somebody-else');
  }
}

async function openDisputes(store: StoreUnderTest, world: World, one: Extract<Call, { kind: 'openDisputes' }>) {
  if (one.mark) await store.disputes.markOpened(idOf(world, one.payment));
  const listed = await store.disputes.toOpen(10_000);
  return listed.filter(({ paymentId }) => world.ids.includes(paymentId));
}
