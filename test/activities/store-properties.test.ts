import fc from 'fast-check';
import { Client } from 'pg';
import { testDatabase, type TestDatabase } from '../support/postgres';
import { cancelled, claimOf, declined, newPaymentId, paid, reading, requestOf, storeAt } from '../support/store';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Store } from '../../src/store';

/** Any order of calls, sensible or not, keeps the money and the outcomes right. */

let database: TestDatabase;
let store: Store;
/** To look at the rows themselves. */
let rows: Client;
beforeAll(async () => {
  database = await testDatabase();
  rows = new Client({ connectionString: database.url });
  await rows.connect();
  store = storeAt(database.url);
});
afterAll(async () => {
  await store.close();
  await rows.end();
  await database.drop();
});

const PAYMENTS = 3;
const DEPOSIT = 500; // less than three payments need

type End = 'paid' | 'paid-in-part' | 'declined' | 'cancelled';
type Step =
  | { readonly kind: 'reserve' | 'claim' | 'callback' | 'note-completed' | 'add-receipt'; readonly payment: number }
  | {
      readonly kind: 'close';
      readonly payment: number;
      readonly end: End;
      readonly unsent: boolean;
      readonly considered: number;
    };

const payment = fc.nat(PAYMENTS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reserve' as const), payment }) },
  fc.record({
    kind: fc.constantFrom('claim' as const, 'callback' as const, 'note-completed' as const, 'add-receipt' as const),
    payment,
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      payment,
      end: fc.constantFrom<End>('paid', 'paid-in-part', 'declined', 'cancelled'),
      unsent: fc.boolean(),
      considered: fc.nat(2),
    }),
  },
);

const outcomeOf = (paymentId: string, end: End): BillPaymentOutcome => {
  if (end === 'declined') return declined(paymentId);
  return end === 'cancelled'
    ? cancelled(paymentId)
    : paid(paymentId, { amount: end === 'paid' ? 220 : 100, receipt: {} });
};

async function take(one: Step, ids: readonly string[], account: string, number: number): Promise<void> {
  const paymentId = ids[one.payment] ?? '';
  switch (one.kind) {
    case 'reserve':
      return void (await store.reservations.reserve(paymentId, {
        fundingAccount: account,
        amount: 220,
        currency: 'KES',
      }));
    case 'claim':
      return void (await store.payments.claim(paymentId, claimOf()));
    case 'callback':
      return void (await store.inbox.add({ paymentId, digest: String(number), body: '{}', reading: reading() }));
    case 'note-completed':
      return await store.payments.noteCompleted(paymentId);
    case 'add-receipt':
      return void (await store.payments.addReceipt(paymentId, { token: String(number) }));
    case 'close': {
      const { end, unsent, considered } = one;
      return void (await store.payments.close({
        paymentId,
        outcome: outcomeOf(paymentId, end),
        callbacksConsidered: considered,
        unsent,
      }));
    }
  }
}

/** What an outcome says apart from a receipt that was added. */
const ending = (outcome: BillPaymentOutcome) => JSON.stringify({ ...outcome, receipt: undefined });

async function prepare(): Promise<{ readonly ids: readonly string[]; readonly account: string }> {
  const ids = Array.from({ length: PAYMENTS }, newPaymentId);
  const account = ids[0] ?? '';
  await store.reservations.addFunds({ account, amount: DEPOSIT, currency: 'KES' });
  for (const id of ids) await store.payments.register(requestOf(id), 'fingerprint');
  return { ids, account };
}

/** What must hold between any two steps. `ended` remembers every outcome that was ever seen. */
async function check(ids: readonly string[], account: string, ended: Map<string, string>): Promise<void> {
  const funds = await store.reservations.account(account);
  if (funds === undefined) throw new Error('the account is gone');
  expect(funds.deposited).toBe(DEPOSIT);
  expect(funds.available + funds.reserved + funds.posted).toBe(DEPOSIT);

  const { rows: reservations } = await rows.query<{ payment_id: string }>(
    'SELECT payment_id FROM reservations WHERE payment_id = ANY ($1)',
    [ids],
  );
  const withFunds = new Set(reservations.map(({ payment_id }) => payment_id));
  let posted = 0;
  let held = 0;
  for (const id of ids) {
    const { outcome } = await store.payments.facts(id);
    if (outcome === undefined) {
      expect(ended.has(id)).toBe(false);
      held += withFunds.has(id) ? 220 : 0;
    } else {
      expect(ending(outcome)).toBe(ended.get(id) ?? ending(outcome));
      ended.set(id, ending(outcome));
      posted += outcome.kind === 'paid' && withFunds.has(id) ? outcome.amount : 0;
    }
  }
  expect([funds.reserved, funds.posted]).toEqual([held, posted]);
}

test('G6, G7: one call after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const { ids, account } = await prepare();
      const ended = new Map<string, string>();
      for (const [number, one] of steps.entries()) {
        await take(one, ids, account, number);
        await check(ids, account, ended);
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);

test('G6, G7: all calls at once, and then every payment closed: nothing is held', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      const { ids, account } = await prepare();
      const ended = new Map<string, string>();
      await Promise.all(steps.map((one, number) => take(one, ids, account, number)));
      await check(ids, account, ended);
      await Promise.all(
        ids.map((paymentId) =>
          store.payments.close({ paymentId, outcome: paid(paymentId), callbacksConsidered: 0, unsent: false }),
        ),
      );
      await check(ids, account, ended);
      expect(await store.reservations.account(account)).toMatchObject({ reserved: 0 });
    }),
    { numRuns: 25 },
  );
}, 120_000);
