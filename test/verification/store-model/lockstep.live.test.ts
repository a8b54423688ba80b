import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '../../support/postgres';
import { BY, newPaymentId, reading, storeAt } from '../../support/store';
import {
  call,
  newWorld,
  PAYMENTS,
  perform,
  type Call,
  type StoreUnderTest,
  type World,
} from '../../support/store-calls';
import { MAX_STORED_CALLBACKS, type Store } from '../../../src/store';
import { createStoreModel } from '../../../verification/store-model';

/**
 * The model of the store that the simulation runs against is worth what this shows: the same calls in the same order get the same
 * answers from it and from PostgreSQL, and leave the same facts behind, after every call.
 */

let database: TestDatabase;
let sql: Store;
/** The highest id of a callback so far. */
let lastCallback = 0;
beforeAll(async () => {
  database = await testDatabase();
  sql = storeAt(database.url);
});
afterAll(async () => {
  await sql.close();
  await database.drop();
});

interface Side {
  readonly store: StoreUnderTest;
  readonly world: World;
}

async function sides(): Promise<readonly [Side, Side]> {
  const ids = Array.from({ length: PAYMENTS }, newPaymentId);
  const model = createStoreModel({ now: () => Date.now() });
  return [
    { store: sql, world: await newWorld(sql, { ids, before: lastCallback }) },
    { store: model, world: await newWorld(model, { ids }) },
  ];
}

/** What a call gave, with its error as a value. */
async function answerOf({ store, world }: Side, one: Call): Promise<unknown> {
  try {
    return inCommon(world, await perform(store, world, one));
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    // A CHECK's refusal is PostgreSQL's own; what the store refuses is said in its words.
    return code === undefined ? { threw: name, message } : { threw: code };
  }
}

async function factsOf({ store, world }: Side): Promise<unknown> {
  const { ids, account } = world;
  const payments = await Promise.all(
    ids.map(async (id) => ({
      reading: await store.payments.read(id, BY).catch((error: Error) => error.name),
      signals: await store.inbox.signalsSent(id),
      callbacks: await store.inbox.forPayment(id),
      actions: (await store.operatorActions.list(id)).map((action) => ({ ...action, id: 'as given' })),
      dispute: await store.disputes.find(id),
      disputed: await store.disputes.facts(id),
    })),
  );
  const pending = await store.inbox.pending(100, undefined, world.before);
  const listed = {
    toOpen: await store.disputes.toOpen(10_000),
    unresolved: await store.disputes.unresolved('', 10_000),
  };
  const own = ({ paymentId }: { readonly paymentId: string }) => ids.includes(paymentId);
  const disputes = { toOpen: listed.toOpen.filter(own), unresolved: listed.unresolved.filter(own) };
  return inCommon(world, { payments, pending, disputes, account: await store.funds.account(account) });
}

const BEGAN = Date.now() - 3 * 60_000;
const isNow = (at: number): boolean => at >= BEGAN && at <= Date.now() + 60_000;
const isOfThisRun = (at: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:/.test(at) && isNow(Date.parse(at));

/** As summaries tell it, in UTC. */
const CLOCK = /\b\d\d:\d\d:\d\d\b/g;
const clockOfThisRun = (clock: string): string =>
  isNow(Date.parse(`${new Date().toISOString().slice(0, 10)}T${clock}Z`)) ? 'now' : clock;

/** Times of the run and the ids that a store gives are each store's own. */
function inCommon(world: World, value: unknown): unknown {
  const text = JSON.stringify(value ?? null, (key, part: unknown) => {
    if (key === 'id' && typeof part === 'number') return world.callbackIds.indexOf(part);
    if (key === 'lookAgainIn' && typeof part === 'number') return Math.round(part / 10_000);
    if (typeof part === 'number' && isNow(part)) return 'now';
    return typeof part === 'string' ? (isOfThisRun(part) ? 'now' : part.replace(CLOCK, clockOfThisRun)) : part;
  });
  return JSON.parse(text);
}

async function inLockstep(calls: readonly Call[]): Promise<void> {
  const [one, other] = await sides();
  const taken: Call[] = [];
  try {
    for (const step of calls) {
      taken.push(step);
      const answers = [await answerOf(one, step), await answerOf(other, step)];
      expect({ taken, answer: answers[1] }).toEqual({ taken, answer: answers[0] });
      expect(await factsOf(other)).toEqual(await factsOf(one));
    }
  } finally {
    // What comes next does not see this one's, also when a failure is made smaller.
    lastCallback = Math.max(lastCallback, ...one.world.callbackIds);
  }
}

test('the same calls get the same answers and leave the same facts', async () => {
  await fc.assert(fc.asyncProperty(fc.array(call, { minLength: 12, maxLength: 40 }), inLockstep), { numRuns: 50 });
});

test('callbacks beyond the limit are counted by both, and kept by neither', async () => {
  const [one, other] = await sides();
  for (const side of [one, other]) {
    const paymentId = side.world.ids[0] ?? '';
    const add = (number: number) =>
      side.store.inbox.add({ paymentId, digest: `of ${number}`, body: '{}', reading: reading() });
    for (let number = 0; number < MAX_STORED_CALLBACKS; number += 1) {
      const added = await add(number);
      if (added.kind === 'stored') side.world.callbackIds.push(added.id);
    }
    expect(await add(MAX_STORED_CALLBACKS + 1)).toEqual({ kind: 'overflow' });
    expect(await add(MAX_STORED_CALLBACKS + 1)).toEqual({ kind: 'overflow' });
    expect(await add(7)).toMatchObject({ kind: 'duplicate' });
    const { facts } = await side.store.payments.read(paymentId, BY);
    expect(facts.callbacks).toMatchObject({ count: 200, code: { kind: 'ambiguous' } });
  }
  expect(await factsOf(other)).toEqual(await factsOf(one));
  lastCallback = Math.max(lastCallback, ...one.world.callbackIds);
});
