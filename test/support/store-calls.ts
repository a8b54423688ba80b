import fc from 'fast-check';
import {
  BY,
  CANCELLED,
  claimOf,
  decided,
  FINGERPRINT,
  look,
  newPaymentId,
  NOT_FOUND,
  PROVEN,
  reading,
  recordOf,
  requestOf,
  rulesOf,
  UNREADABLE,
} from './store';
import type { Ending } from '../../src/payment/ending';
import type { Observation, Submission } from '../../src/payment/observation';
import type { Reading, Store } from '../../src/store';

/**
 * Every call that a payment makes of the store, in any order, sensible or not: for properties that hold for the SQL store, for its
 * model, and for both side by side.
 */

export type StoreUnderTest = Pick<Store, 'payments' | 'funds' | 'inbox' | 'operatorActions' | 'disputes'>;

/** What the calls are about. The same for two stores that are compared, except for the ids that each gives. */
export interface World {
  readonly ids: readonly string[];
  readonly account: string;
  /** What an attempt had read of each payment before others went on. */
  readonly readings: Map<string, Reading>;
  looks: number;
  /** The store's ids of this world's callbacks, oldest first. */
  readonly callbackIds: number[];
  /** Callbacks of earlier worlds in the same store have no higher id. */
  readonly before: number;
}

export const PAYMENTS = 3;
/** Less than three payments need. */
export const DEPOSIT = 500;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const FAR_AHEAD = new Date('2200-01-01T00:00:00Z');

/** The last payment is not registered yet. */
export async function newWorld(
  store: StoreUnderTest,
  { ids = Array.from({ length: PAYMENTS }, newPaymentId), before = 0 } = {},
): Promise<World> {
  const account = ids[0] ?? '';
  await store.funds.add({ account, amount: DEPOSIT, currency: 'KES' });
  const world = { ids, account, readings: new Map<string, Reading>(), looks: 0, callbackIds: [], before };
  for (const id of ids.slice(0, -1)) await register(store, world, id);
  return world;
}

const payment = fc.nat(PAYMENTS - 1);
const chosen = fc.uniqueArray(fc.nat(3), { maxLength: 3 });
const text = fc.constantFrom('', 'T1', 'T2', 'half a pair \ud800', 'nul \0');
const nonce = fc.constantFrom('one', 'one', 'two', 'sealed');
const SAID = [
  ...(['completed', 'completed', 'failed', 'failed', 'pending'] as const),
  ...(['not-found', 'unreadable', 'of-another'] as const),
] as const;
const ENDINGS = [
  ...(['proven', 'proven', 'cancelled', 'expired', 'paid', 'paid-in-part', 'paid-too-much', 'declined'] as const),
  ...(['declined-with-a-case', 'declined-with-a-case'] as const),
] as const;

const calls = {
  register: fc.record({ payment, content: fc.constantFrom('same', 'same', 'other', 'nothing-to-pay') }),
  look: fc.record({
    payment,
    said: fc.constantFrom(...SAID),
    ago: fc.constantFrom(0, 0, 8_000, 42_000, 70_000),
    isOurAccount: fc.constantFrom(true, true, true, false),
    text,
  }),
  claim: fc.record({
    payment,
    nonce,
    content: fc.constantFrom('same', 'same', 'same', 'other'),
    reading: fc.constantFrom('fresh', 'old'),
  }),
  answered: fc.record({
    payment,
    nonce,
    answer: fc.constantFrom('accepted', 'accepted', 'rejected', 'not-sent', 'unknown'),
    text,
  }),
  recordOutcome: fc.record({
    payment,
    end: fc.constantFrom(...ENDINGS),
    updateId: fc.constantFrom('update 1', undefined),
    text,
  }),
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
  addReceipt: fc.record({ payment, number: text, token: text }),
  raise: fc.record({ payment, by: fc.constantFrom('callback', 'look'), because: text }),
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
type CallOf<K extends Kind> = Extract<Call, { kind: K }>;

const WEIGHTS: Partial<Record<Kind, number>> = {
  look: 10,
  recordOutcome: 7,
  claim: 5,
  answered: 5,
  callback: 4,
  raise: 2,
  resolveDispute: 2,
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
      return register(store, world, idOf(world, one.payment), one.content);
    case 'look':
      return lookAt(store, world, one);
    case 'claim':
      return claim(store, world, one);
    case 'answered':
      return store.payments.answered(idOf(world, one.payment), one.nonce, submissionOf(one), BY);
    case 'recordOutcome':
      return store.payments.recordOutcome(idOf(world, one.payment), endingOf(one), BY);
    case 'callback':
      return addCallback(store, world, one);
    case 'pending':
      return store.inbox.pending(one.limit, one.olderThan, world.callbackIds[one.after - 1] ?? world.before);
    case 'markSignalled':
      return store.inbox.markSignalled(chosenIds(world, one.chosen));
    case 'name':
      return store.inbox.markHandled(chosenIds(world, one.chosen), one.by);
    case 'addReceipt':
      return store.payments.addReceipt(idOf(world, one.payment), { number: one.number, token: one.token });
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

/** Two are paid from the account. */
async function register(store: StoreUnderTest, world: World, id: string, content = 'same') {
  const isFunded = id !== world.ids[1];
  const request = requestOf(id, {
    ...(isFunded && { fundingAccount: world.account }),
    ...(content === 'nothing-to-pay' && { amount: 0 }),
  });
  const answer = await store.payments.register(
    request,
    content === 'other' ? 'another' : FINGERPRINT,
    rulesOf(CONFIRMED_AFTER),
    BY,
  );
  if (answer.kind === 'open' && !world.readings.has(id)) world.readings.set(id, answer.reading);
  return answer;
}

/**
 * Each answer is younger than the one before it of the same `ago`, and far enough from it, and from what the rules count, for a slow
 * machine to change nothing: between 2 s and 14 s a failure is not confirmed, from 28 s on it is.
 */
const CONFIRMED_AFTER = { failureConfirmation: 20_000 };
const sooner = (world: World): number => Math.max(0, 6_000 - 500 * world.looks++);

async function lookAt(store: StoreUnderTest, world: World, one: CallOf<'look'>) {
  const id = idOf(world, one.payment);
  const by = one.isOurAccount ? BY : { ...BY, account: 'another account' };
  return await look(store, id, observationOf(id, one), one.ago + sooner(world), by);
}

function observationOf(id: string, { said, text: token }: CallOf<'look'>): Observation {
  switch (said) {
    case 'not-found':
      return NOT_FOUND;
    case 'unreadable':
      return UNREADABLE;
    case 'of-another':
      return recordOf(id, 'completed', { amount: 7 });
    case 'completed':
      return recordOf(id, said, { receipt: { narration: 'thanks', token } });
    case 'failed':
    case 'pending':
      return recordOf(id, said, { said: `${said} ${token}` });
  }
}

/** On the ground of what is known now, or was when it was registered. */
async function claim(store: StoreUnderTest, world: World, one: CallOf<'claim'>) {
  const id = idOf(world, one.payment);
  const old = one.reading === 'old' ? world.readings.get(id) : undefined;
  const known = old ?? (await store.payments.read(id, BY));
  const fingerprint = one.content === 'same' ? FINGERPRINT : 'another';
  return await store.payments.claim(id, known, claimOf({ nonce: one.nonce, fingerprint }), BY);
}

function submissionOf({ answer, text: because }: CallOf<'answered'>): Submission {
  switch (answer) {
    case 'accepted':
      return { kind: answer, providerId: because };
    case 'rejected':
      return { kind: answer, reasons: [because] };
    case 'not-sent':
    case 'unknown':
      return { kind: answer, because };
  }
}

function endingOf({ end, updateId, text: note }: CallOf<'recordOutcome'>): Ending {
  switch (end) {
    case 'proven':
      return PROVEN;
    case 'cancelled':
      return CANCELLED;
    case 'expired':
      return { kind: 'unsent', why: { kind: 'gave-up', step: 'submission', reason: 'expired', said: note } };
    case 'paid':
      return decided({ note, receiptNumber: note }, updateId);
    case 'paid-in-part':
      return decided({ note, amount: 100 }, updateId);
    case 'paid-too-much':
      return decided({ note, amount: 221 }, updateId);
    case 'declined':
      return decided({ decision: 'declined', note }, updateId);
    case 'declined-with-a-case':
      return decided({ decision: 'declined', note, providerCase: 'C-1' }, updateId);
  }
}

async function addCallback(store: StoreUnderTest, world: World, one: CallOf<'callback'>) {
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

async function openDisputes(store: StoreUnderTest, world: World, one: CallOf<'openDisputes'>) {
  if (one.mark) await store.disputes.markOpened(idOf(world, one.payment));
  const listed = await store.disputes.toOpen(10_000);
  return listed.filter(({ paymentId }) => world.ids.includes(paymentId));
}
