import fc from 'fast-check';
import { ACCEPTED, BY, CANCELLED, decided, look, recordOf } from './store';
import { call, DEPOSIT, newWorld, perform, type Call, type StoreUnderTest, type World } from './store-calls';
import type { Facts } from '../../src/payment/facts';
import type { Seen } from '../../src/payment/seen';

/** Any order of calls, sensible or not, keeps the money and the outcomes right. For every store there is. */
export function storeProperties(store: () => StoreUnderTest, numRuns: number): void {
  test('G2, G6, G7: one call after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 6, maxLength: 30 }), async (calls) => {
        const world = await newWorld(store());
        const known = new Map<string, Facts>();
        for (const one of calls) {
          await take(store(), world, one);
          await check(store(), world, known, { inOrder: true });
        }
      }),
      { numRuns },
    );
  });

  test('G6, G7: all calls at once, and then every payment ended: nothing is held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 6, maxLength: 30 }), async (calls) => {
        const world = await newWorld(store());
        const known = new Map<string, Facts>();
        await Promise.all(calls.map((one) => take(store(), world, one)));
        await check(store(), world, known);
        // What a restored store has forgotten may need money once more.
        await store().funds.add({ account: world.account, amount: DEPOSIT, currency: 'KES' });
        for (const id of known.keys()) await endSomehow(store(), id);
        await check(store(), world, known, { deposited: 2 * DEPOSIT });
        for (const { closed } of known.values()) expect(closed).toBeDefined();
        expect(await store().funds.account(world.account)).toMatchObject({ reserved: 0 });
      }),
      { numRuns },
    );
  });
}

/** What is refused changes nothing, which `check` sees. */
async function take(store: StoreUnderTest, world: World, one: Call): Promise<void> {
  if (one.kind === 'addFunds') return; // what came in stays the same here
  try {
    await perform(store, world, one);
  } catch (error) {
    // A claim that meets its own registration half-way does not know; who does not know sends nothing, and tries again.
    expect((error as Error).name).toMatch(
      /^(UnknownPayment|ImpossibleRequest|RefusedByDatabase|ClaimUncertain|AnswerTooOld|AlwaysOvertaken|error)$/,
    );
  }
}

/** Cancelled, or decided by a person once they are asked. */
async function endSomehow(store: StoreUnderTest, id: string): Promise<void> {
  for (const nonce of ['one', 'two']) await store.payments.answered(id, nonce, ACCEPTED, BY);
  await store.payments.recordOutcome(id, CANCELLED, BY);
  // What is neither of both and due asks.
  await look(store, id, recordOf(id, 'pending'));
  const result = await store.payments.recordOutcome(id, decided(), BY);
  expect(result.kind).toBe('closed');
}

/** What must hold between any two calls. `known` remembers what was known of each payment before. */
async function check(
  store: StoreUnderTest,
  { ids, account }: World,
  known: Map<string, Facts>,
  { inOrder = false, deposited = DEPOSIT } = {},
): Promise<void> {
  const funds = await store.funds.account(account);
  if (funds === undefined) throw new Error('the account is gone');
  expect(funds.deposited).toBe(deposited);
  expect(funds.available + funds.reserved + funds.posted).toBe(deposited);

  let [posted, reserved] = [0, 0];
  for (const id of ids) {
    const facts = await store.payments.read(id, BY).then(
      (reading) => reading.facts,
      () => undefined,
    );
    const before = known.get(id);
    if (facts === undefined) {
      expect(before).toBeUndefined();
      continue;
    }
    if (before !== undefined) checkWhatIsFinal(before, facts);
    if (inOrder && facts.closed !== undefined && before?.closed === undefined) checkEnd(before, facts);
    known.set(id, facts);
    if (facts.fundingAccount === undefined) continue;
    const outcome = facts.closed?.outcome;
    if (outcome === undefined && facts.claim.kind === 'taken') reserved += facts.amount;
    if (outcome?.kind === 'paid') posted += outcome.amount;
  }
  expect([funds.reserved, funds.posted]).toEqual([reserved, posted]);
}

/** G2: no machine declines what was ever completed, or calls paid what is not said to be completed now. */
function checkEnd(before: Facts | undefined, { closed, seen, claim }: Facts): void {
  const outcome = closed?.outcome;
  expect(seen).toEqual(before?.seen ?? {});
  if (outcome?.kind === 'paid' && outcome.settledBy !== 'operator')
    expect(seen.last).toMatchObject({ state: 'completed', differs: [] });
  if (outcome?.kind === 'declined' && outcome.settledBy !== 'operator') expect(seen.completedAt).toBeUndefined();
  if (outcome?.kind === 'cancelled') expect([claim.kind, seen.recordAt]).toEqual(['sealed', undefined]);
}

function checkWhatIsFinal(before: Facts, now: Facts): void {
  if (before.closed !== undefined) {
    // A receipt may be completed, and nothing else.
    const { outcome } = before.closed;
    expect({ ...now.closed?.outcome, receipt: undefined }).toEqual({ ...outcome, receipt: undefined });
    if (outcome.kind === 'paid') expect(now.closed?.outcome).toMatchObject({ receipt: outcome.receipt });
    if (before.closed.disputed) expect(now.closed?.disputed).toBe(true);
    expect(now.claim.kind).toBe(before.claim.kind);
  }
  if (before.claim.kind !== 'free') expect(now.claim).toMatchObject(before.claim);
  if (before.attentionSince !== undefined) expect(now.attentionSince).toBe(before.attentionSince);
  expect(now.callbacks.count).toBeGreaterThanOrEqual(before.callbacks.count);
  expect(hasOnlyGrown(before.seen, now.seen)).toBe(true);
}

function hasOnlyGrown(before: Seen, now: Seen): boolean {
  const first = ['completedAt', 'recordAt', 'paidSince', 'failedFirstAskedAt', 'failedFirstAnsweredAt'] as const;
  const last = ['failedLastAskedAt', 'otherLastAskedAt'] as const;
  return (
    first.every((key) => before[key] === undefined || (now[key] ?? Infinity) <= before[key]) &&
    last.every((key) => before[key] === undefined || (now[key] ?? -Infinity) >= before[key]) &&
    (before.last === undefined || (now.last?.askedAt ?? -Infinity) >= before.last.askedAt)
  );
}
