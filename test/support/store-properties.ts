import fc from 'fast-check';
import { paid } from './store';
import { call, DEPOSIT, newWorld, perform, type Call, type StoreUnderTest, type World } from './store-calls';
import type { PaymentFacts } from '../../src/store';

/** Any order of calls, sensible or not, keeps the money and the outcomes right. For every store there is. */
export function storeProperties(store: () => StoreUnderTest, numRuns: number): void {
  test('G6, G7: one call after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 4, maxLength: 20 }), async (calls) => {
        const world = await newWorld(store());
        const known = new Map<string, PaymentFacts>();
        const held = new Set<string>();
        for (const one of calls) {
          await take(store(), world, one, held);
          await check(store(), world, held, known);
        }
      }),
      { numRuns },
    );
  });

  test('G6, G7: all calls at once, and then every payment closed: nothing is held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 4, maxLength: 24 }), async (calls) => {
        const world = await newWorld(store());
        const known = new Map<string, PaymentFacts>();
        const held = new Set<string>();
        await Promise.all(calls.map((one) => take(store(), world, one, held)));
        await check(store(), world, held, known);
        for (const id of world.ids) {
          const close = { paymentId: id, outcome: paid(id), callbacksConsidered: 0, unsent: false };
          await store()
            .payments.close(close)
            .catch(() => undefined); // the last one may not be registered
        }
        await check(store(), world, held, known);
        expect(await store().funds.account(world.account)).toMatchObject({ reserved: 0 });
      }),
      { numRuns },
    );
  });
}

/** What is refused changes nothing, which `check` sees. */
async function take(store: StoreUnderTest, world: World, one: Call, held: Set<string>): Promise<void> {
  if (one.kind === 'addFunds') return; // what came in stays the same here
  try {
    const answer = (await perform(store, world, one)) as { readonly kind?: string } | undefined;
    if (one.kind === 'reserve' && answer?.kind === 'reserved') held.add(world.ids[one.payment] ?? '');
  } catch (error) {
    // A claim that meets its own registration half-way does not know; who does not know sends nothing, and tries again.
    expect((error as Error).name).toMatch(
      /^(UnknownPayment|ImpossibleRequest|RefusedByDatabase|ClaimUncertain|error)$/,
    );
  }
}

/** What must hold between any two calls. `known` remembers what was seen of each payment before. */
async function check(
  store: StoreUnderTest,
  { ids, account }: World,
  held: ReadonlySet<string>,
  known: Map<string, PaymentFacts>,
): Promise<void> {
  const funds = await store.funds.account(account);
  if (funds === undefined) throw new Error('the account is gone');
  expect(funds.deposited).toBe(DEPOSIT);
  expect(funds.available + funds.reserved + funds.posted).toBe(DEPOSIT);

  let [posted, reserved] = [0, 0];
  for (const id of ids) {
    const facts = await store.payments.facts(id).catch(() => undefined);
    if (facts === undefined) {
      expect(known.has(id)).toBe(false);
      continue;
    }
    const before = known.get(id);
    if (before !== undefined) checkWhatIsFinal(before, facts);
    known.set(id, facts);
    if (!held.has(id)) continue;
    if (facts.outcome === undefined) reserved += 220;
    if (facts.outcome?.kind === 'paid') posted += facts.outcome.amount;
  }
  expect([funds.reserved, funds.posted]).toEqual([reserved, posted]);
}

function checkWhatIsFinal(before: PaymentFacts, now: PaymentFacts): void {
  if (before.outcome !== undefined) {
    // A receipt may be completed, and nothing else.
    expect({ ...now.outcome, receipt: undefined }).toEqual({ ...before.outcome, receipt: undefined });
    if (before.outcome.kind === 'paid') expect(now.outcome).toMatchObject({ receipt: before.outcome.receipt });
    expect(now.claim).toEqual(before.claim);
  }
  if (before.claim !== undefined) expect(now.claim).toEqual(before.claim);
  if (before.completedSeen) expect(now.completedSeen).toBe(true);
  if (before.disputed) expect(now.disputed).toBe(true);
  expect(now.callbacks.slice(0, before.callbackCount)).toEqual(before.callbacks);
}
