import { MockActivityEnvironment } from '@temporalio/testing';
import { mayDecide } from '../../src/activities/operators';
import { createPaymentActivities } from '../../src/activities/payments';
import type { ActivityDependencies } from '../../src/activities';
import { WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import type { Cancelled, Ending } from '../../src/payment/ending';
import type { RecordResult } from '../../src/payment/steps';
import { notLookedAt } from '../../src/payment/words';
import type { Store } from '../../src/store';
import { afterRestore, onDatabase, type TestDatabase } from '../support/postgres';
import {
  BY,
  CANCELLED,
  claim,
  decided,
  end,
  fundedPayment,
  fundsOf,
  look,
  ownStore,
  PROVEN,
  recordOf,
  registeredPayment,
  sentPayment,
  UNREADABLE,
} from '../support/store';

/** G3: A person's decision where it is recorded: who may, once per update, and what it looked like before. */
let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  ({ database, store } = await ownStore());
});

/** As its own run calls it, on a worker that names these operators. */
async function record(operators: readonly string[], paymentId: string, ending: Ending): Promise<RecordResult> {
  const provider = { account: BY.account, name: BY.provider };
  const settings = { operators, failedWithoutCode: BY.failedWithoutCode };
  const dependencies = { store, provider, settings } as unknown as ActivityDependencies;
  const { recordOutcome } = createPaymentActivities(dependencies, { nameOf: () => undefined });
  const ownRun = new MockActivityEnvironment({
    workflowType: WORKFLOWS.billPayment,
    workflowExecution: { workflowId: workflowIdOf(paymentId), runId: 'its-run' },
  });
  return await ownRun.run(recordOutcome, { paymentId, ending });
}

const PAID = { decision: 'paid', note: 'confirmed by phone', receiptNumber: 'S575998' } as const;
const paidBy = (operator: string, updateId = 'click-1'): Ending => decided({ ...PAID, operator }, updateId);
const cancelledBy = (operator: string): Ending => {
  const why: Cancelled = { kind: 'cancelled', operator, note: 'wrong meter', updateId: 'click-1' };
  return { kind: 'unsent', why };
};

const factsOf = async (paymentId: string) => (await store.payments.read(paymentId, BY)).facts;
const actionsOf = (paymentId: string) => store.operatorActions.list(paymentId);

/** Sent, and a person is asked. */
async function asked(): Promise<string> {
  const paymentId = await sentPayment(store);
  await look(store, paymentId, recordOf(paymentId, 'pending'));
  return paymentId;
}

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

  const REFUSED = {
    kind: 'refused',
    because: 'brian may not decide here: BILLPAY_OPERATORS on the worker names who may. Nothing was changed.',
  };

  test('a decision of somebody else is not recorded, and the payment stays open', async () => {
    const paymentId = await asked();
    expect(await record(['amina'], paymentId, paidBy('brian'))).toEqual(REFUSED);
    expect((await factsOf(paymentId)).closed).toBeUndefined();
    expect(await actionsOf(paymentId)).toEqual([]);
  });

  test('nor is their cancellation, and the claim stays free', async () => {
    const paymentId = await registeredPayment(store);
    expect(await record(['amina'], paymentId, cancelledBy('brian'))).toEqual(REFUSED);
    const facts = await factsOf(paymentId);
    expect(facts).toMatchObject({ claim: { kind: 'free' } });
    expect(facts.closed).toBeUndefined();
    expect(await actionsOf(paymentId)).toEqual([]);
  });

  test('what was refused stays refused when it is offered again, by a reset or a retry, whatever has changed', async () => {
    const paymentId = await asked();
    expect(await record(['amina'], paymentId, paidBy('brian'))).toEqual(REFUSED);
    expect(await record(['brian'], paymentId, paidBy('brian'))).toEqual(REFUSED);
    expect((await factsOf(paymentId)).closed).toBeUndefined();
    expect(await actionsOf(paymentId)).toEqual([]);
    // Only that command: the same person may ask anew.
    expect(await record(['brian'], paymentId, paidBy('brian', 'click-2'))).toMatchObject({ outcome: { kind: 'paid' } });
  });

  test('a decline whose own look was not written down is refused, and only that', async () => {
    const paymentId = await asked();
    const lookless = (ending: Ending): Ending => ({ ...ending, lookFailed: true }) as Ending;
    const declined = decided({ decision: 'declined', operator: 'amina', note: 'no', providerCase: 'C-1' }, 'click-1');
    expect(await record([], paymentId, lookless(declined))).toEqual({ kind: 'refused', because: notLookedAt });
    expect(await record([], paymentId, declined)).toEqual({ kind: 'refused', because: notLookedAt });
    expect(await record([], paymentId, lookless(paidBy('amina', 'click-2')))).toMatchObject({
      outcome: { kind: 'paid' },
    });
  });

  test('a decision that was recorded stands when it is tried again by a worker with another list', async () => {
    const paymentId = await asked();
    const recorded = await record(['brian'], paymentId, paidBy('brian'));
    expect(recorded).toMatchObject({ kind: 'closed', outcome: { kind: 'paid', settledBy: 'operator' } });
    expect(await record(['amina'], paymentId, paidBy('brian'))).toEqual(recorded);
    expect(await actionsOf(paymentId)).toHaveLength(1);
  });

  test('and raises no dispute by saying the contrary of what stands', async () => {
    const paymentId = await asked();
    const recorded = await record([], paymentId, paidBy('amina'));
    const contrary = decided({ decision: 'declined', operator: 'brian', providerCase: 'C-1' });
    for (const operators of [['amina'], ['brian']])
      expect(await record(operators, paymentId, contrary)).toEqual(recorded);
    expect(recorded).toMatchObject({ outcome: { kind: 'paid' }, disputed: false });
    expect(await factsOf(paymentId)).toMatchObject({ closed: { disputed: false } });
    expect(await actionsOf(paymentId)).toHaveLength(1);
  });

  test('what nobody decided needs no operator', async () => {
    const paymentId = await asked();
    await look(store, paymentId, recordOf(paymentId, 'completed'));
    const recorded = await record(['amina'], paymentId, PROVEN);
    expect(recorded).toMatchObject({ kind: 'closed', outcome: { kind: 'paid', settledBy: 'poll' } });
    expect(await actionsOf(paymentId)).toEqual([]);
  });
});

describe('what is kept', () => {
  test('who, what, why, when, by which update, and what it looked like before', async () => {
    const paymentId = await asked();
    const { seen } = await factsOf(paymentId);
    await record([], paymentId, paidBy('amina'));
    expect(await actionsOf(paymentId)).toEqual([
      expect.objectContaining({
        operator: 'amina',
        action: 'resolvePayment',
        note: 'confirmed by phone',
        updateId: 'click-1',
        details: { decision: 'paid', receiptNumber: 'S575998' },
        before: expect.objectContaining({
          state: 'open',
          callbacks: 0,
          attentionSince: expect.any(String) as string,
          seen,
        }) as object,
        at: expect.any(Date) as Date,
      }),
    ]);
    expect(seen).toMatchObject({ last: { state: 'pending' } });
  });

  test('the same decision again, because its answer was lost, adds nothing', async () => {
    const paymentId = await asked();
    const recorded = await record([], paymentId, paidBy('amina'));
    expect(recorded).toMatchObject({ kind: 'closed', disputed: false });
    for (let retry = 1; retry <= 3; retry += 1) expect(await record([], paymentId, paidBy('amina'))).toEqual(recorded);
    expect(await actionsOf(paymentId)).toHaveLength(1);
  });

  test('an id as long as the engine allows', async () => {
    const paymentId = await asked();
    const updateId = [...Array(1_000).keys()].map((at) => String.fromCodePoint(0x4e00 + at)).join('');
    expect(await record([], paymentId, paidBy('amina', updateId))).toMatchObject({ kind: 'closed' });
    expect(await actionsOf(paymentId)).toEqual([expect.objectContaining({ updateId })]);
  });

  test('a decision without an update id, from the Web UI', async () => {
    const paymentId = await registeredPayment(store);
    await record([], paymentId, CANCELLED);
    const [kept] = await actionsOf(paymentId);
    expect(kept).toMatchObject({ operator: 'temporal-ui', action: 'cancelPayment', note: 'wrong meter' });
    expect(kept).not.toHaveProperty('updateId');
  });
});

/** Past all code: a bug must not act twice either. */
const act = (paymentId: string, action: string, updateId: string | null) =>
  onDatabase(database.url, (client) =>
    client.query(
      "INSERT INTO operator_actions (payment_id, operator, action, note, before, update_id) VALUES ($1, 'amina', $2, 'why', '{}', $3)",
      [paymentId, action, updateId],
    ),
  );

test('one update id acts once: the database refuses a second action of the same payment and command', async () => {
  const [paymentId, other] = [await sentPayment(store), await sentPayment(store)];
  await act(paymentId, 'resolvePayment', 'one');
  await expect(act(paymentId, 'resolvePayment', 'one')).rejects.toThrow(/operator_actions_act_once/);
  await act(paymentId, 'resolvePayment', 'two');
  await act(other, 'resolvePayment', 'one');
  // The dispute is another workflow, with update ids of its own.
  await act(paymentId, 'resolveDispute', 'one');
  for (const action of ['resolvePayment', 'cancelPayment']) await act(paymentId, action, null);
  await act(paymentId, 'resolvePayment', null);
});

test('G1: what the runbook has written by hand after a restore takes every free claim, and only these', async () => {
  const open = await fundedPayment(store, { sent: false });
  const sent = await fundedPayment(store, { sent: true });
  const cancelled = await fundedPayment(store, { sent: false });
  await end(store, cancelled, CANCELLED);
  const [asItWas, sealed] = [await factsOf(sent), await factsOf(cancelled)];
  await onDatabase(database.url, (client) => client.query(afterRestore()));
  expect(await claim(store, open)).toEqual({ kind: 'not-claimed', because: 'taken' });
  expect(await end(store, open, CANCELLED)).toMatchObject({ kind: 'open' });
  // It may have been sent, so its money is held; and whatever is not known, no machine ends it.
  expect(await fundsOf(store, open)).toEqual([780, 220, 0]);
  await look(store, open, UNREADABLE);
  expect(await end(store, open, PROVEN)).toMatchObject({ kind: 'open' });
  expect(await factsOf(sent)).toEqual(asItWas);
  expect(await factsOf(cancelled)).toEqual(sealed);
  expect(await fundsOf(store, cancelled)).toEqual([1000, 0, 0]);
});
