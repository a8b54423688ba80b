import { createPaymentActivities } from '../../src/activities/payments';
import { mayDecide } from '../../src/activities/operators';
import type { ActivityDependencies } from '../../src/activities';
import type { CloseRequest } from '../../src/payment/steps';
import type { Store } from '../../src/store';
import { afterRestore, onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import { cancelled, declined, newPaymentId, paid, requestOf, sentPayment, storeAt } from '../support/store';

/** G3: A person's decision where it is recorded: who may, once per update, and what it looked like before. */
let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await testDatabase();
  store = storeAt(database.url);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

function activitiesFor(operators: readonly string[]) {
  const dependencies = { store, settings: { operators } } as unknown as ActivityDependencies;
  return createPaymentActivities(dependencies, { nameOf: () => undefined });
}

const decisionOn = (paymentId: string, operator: string, updateId = 'click-1'): CloseRequest => ({
  paymentId,
  outcome: paid(paymentId, { settledBy: 'operator' }),
  unsent: false,
  callbacksConsidered: 0,
  action: {
    action: 'resolvePayment',
    operator,
    note: 'confirmed by phone',
    updateId,
    argument: { decision: 'paid', receiptNumber: 'S575998' },
    before: { stage: 'needs-attention', reason: 'provider-silent', said: 'pending (status 1)' },
  },
});

describe('who may decide', () => {
  // prettier-ignore
  const CASES = [
    { operators: undefined, operator: 'anybody', may: true },
    { operators: [], operator: 'anybody', may: true },
    { operators: ['amina', 'Wanjiru'], operator: 'Amina ', may: true },
    { operators: ['amina', 'Wanjiru'], operator: 'wanjiru', may: true },
    { operators: ['amina'], operator: 'amin', may: false },
    { operators: ['amina'], operator: 'amina otieno', may: false },
    { operators: ['amina'], operator: 'temporal-ui', may: false },
    { operators: ['amina', 'temporal-ui'], operator: 'temporal-ui', may: true },
    { operators: ['amina'], operator: '', may: false },
  ];
  test.each(CASES)('$operator of $operators: $may', ({ operators, operator, may }) => {
    expect(mayDecide({ ...(operators && { operators }) }, operator)).toBe(may);
  });

  test('a decision of somebody else is not recorded, and the payment stays open', async () => {
    const paymentId = await sentPayment(store);
    const refused = await activitiesFor(['amina']).closePayment(decisionOn(paymentId, 'brian'));
    expect(refused).toEqual({ kind: 'not-an-operator' });
    expect((await store.payments.facts(paymentId)).outcome).toBeUndefined();
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });

  test('a decision that was recorded stands when it is tried again by a worker with another list', async () => {
    const paymentId = await sentPayment(store);
    const recorded = await activitiesFor(['brian']).closePayment(decisionOn(paymentId, 'brian'));
    expect(recorded).toMatchObject({ kind: 'recorded' });
    const again = await activitiesFor(['amina']).closePayment(decisionOn(paymentId, 'brian'));
    expect(again).toMatchObject({ kind: 'stands', contradicts: false, outcome: { kind: 'paid' } });
    expect(await store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('and raises no dispute by saying the contrary of what stands', async () => {
    const paymentId = await sentPayment(store);
    await activitiesFor([]).closePayment(decisionOn(paymentId, 'amina'));
    const other = { ...decisionOn(paymentId, 'brian'), outcome: declined(paymentId, { settledBy: 'operator' }) };
    const answer = await activitiesFor(['amina']).closePayment(other);
    expect(answer).toMatchObject({ kind: 'stands', contradicts: false, outcome: { kind: 'paid' } });
    expect(await store.payments.facts(paymentId)).toMatchObject({ disputed: false });
  });

  test('what nobody decided needs no operator', async () => {
    const paymentId = await sentPayment(store);
    const { action: _action, ...close } = decisionOn(paymentId, 'nobody');
    expect(await activitiesFor(['amina']).closePayment(close)).toMatchObject({ kind: 'recorded' });
  });
});

describe('what is kept', () => {
  test('who, what, why, when, by which update, and what it looked like before', async () => {
    const paymentId = await sentPayment(store);
    await activitiesFor([]).closePayment(decisionOn(paymentId, 'amina'));
    expect(await store.operatorActions.list(paymentId)).toEqual([
      expect.objectContaining({
        operator: 'amina',
        action: 'resolvePayment',
        note: 'confirmed by phone',
        updateId: 'click-1',
        details: {
          decision: 'paid',
          receiptNumber: 'S575998',
          before: { stage: 'needs-attention', reason: 'provider-silent', said: 'pending (status 1)' },
        },
        before: expect.objectContaining({ state: 'open', callbacks: 0, reservation: null }) as object,
        at: expect.any(Date) as Date,
      }),
    ]);
  });

  test('the same close again, because its answer was lost, adds nothing', async () => {
    const paymentId = await sentPayment(store);
    const { closePayment } = activitiesFor([]);
    await closePayment(decisionOn(paymentId, 'amina'));
    for (let retry = 1; retry <= 3; retry += 1) {
      expect(await closePayment(decisionOn(paymentId, 'amina'))).toMatchObject({ kind: 'stands', contradicts: false });
    }
    expect(await store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('an id as long as the engine allows', async () => {
    const paymentId = await sentPayment(store);
    const updateId = [...Array(1_000).keys()].map((at) => String.fromCodePoint(0x4e00 + at)).join('');
    expect(await activitiesFor([]).closePayment(decisionOn(paymentId, 'amina', updateId))).toMatchObject({
      kind: 'recorded',
    });
    expect(await store.operatorActions.list(paymentId)).toEqual([expect.objectContaining({ updateId })]);
  });

  test('a decision without an update id, from the Web UI or from before there were any', async () => {
    const paymentId = newPaymentId();
    await store.payments.register(requestOf(paymentId), 'fingerprint');
    const action = { operator: 'temporal-ui', action: 'cancelPayment', note: 'Request Cancellation' };
    await store.payments.close({
      paymentId,
      outcome: cancelled(paymentId),
      callbacksConsidered: 0,
      unsent: true,
      action,
    });
    const [kept] = await store.operatorActions.list(paymentId);
    expect(kept).toMatchObject(action);
    expect(kept).not.toHaveProperty('updateId');
  });
});

/** Past all code: a bug must not act twice either. */
const record = (paymentId: string, action: string, updateId: string | null) =>
  onDatabase(database.url, (client) =>
    client.query(
      "INSERT INTO operator_actions (payment_id, operator, action, note, before, update_id) VALUES ($1, 'amina', $2, 'why', '{}', $3)",
      [paymentId, action, updateId],
    ),
  );

test('one update id acts once: the database refuses a second action of the same payment and command', async () => {
  const [paymentId, other] = [await sentPayment(store), await sentPayment(store)];
  await record(paymentId, 'resolvePayment', 'one');
  await expect(record(paymentId, 'resolvePayment', 'one')).rejects.toThrow(/operator_actions_act_once/);
  await record(paymentId, 'resolvePayment', 'two');
  await record(other, 'resolvePayment', 'one');
  // The dispute is another workflow, with update ids of its own.
  await record(paymentId, 'resolveDispute', 'one');
  for (const action of ['resolvePayment', 'cancelPayment']) await record(paymentId, action, null);
  await record(paymentId, 'resolvePayment', null);
});

test('G1: what the runbook has written by hand after a restore takes every free claim, and only these', async () => {
  const open = newPaymentId();
  await store.payments.register(requestOf(open), 'fingerprint');
  const sent = await sentPayment(store);
  const { claim } = await store.payments.facts(sent);
  await onDatabase(database.url, (client) => client.query(afterRestore()));
  const nonce = { nonce: 'later', account: 'hash', tokenExpiresAt: new Date() };
  expect(await store.payments.claim(open, nonce)).toEqual({ kind: 'taken' });
  const unsent = { paymentId: open, outcome: cancelled(open), callbacksConsidered: 0, unsent: true };
  expect(await store.payments.close(unsent)).toEqual({ kind: 'may-have-been-sent' });
  expect((await store.payments.facts(sent)).claim).toEqual(claim);
});
