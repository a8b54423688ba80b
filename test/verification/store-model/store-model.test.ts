import { cancelled, claimOf, declined, paid, reading, requestOf } from '../../support/store';
import { storeProperties } from '../../support/store-properties';
import { createStoreModel, type StoreModel, type StoreModelOptions } from '../../../verification/store-model';

/** G1, G6 and G7 as properties of any order of calls, on the model of the store. */

const ID = 'pay-00000001';

function modelOf(options: Partial<StoreModelOptions> = {}): StoreModel {
  return createStoreModel({ now: () => Date.now(), ...options });
}

async function registered(options: Partial<StoreModelOptions> = {}): Promise<StoreModel> {
  const model = modelOf(options);
  await model.reservations.addFunds({ account: 'float', amount: 500, currency: 'KES' });
  await model.payments.register(requestOf(ID), 'fingerprint');
  await model.reservations.reserve(ID, { fundingAccount: 'float', amount: 220, currency: 'KES' });
  return model;
}

const close = (model: StoreModel, outcome = paid(ID) as Parameters<StoreModel['payments']['close']>[0]['outcome']) =>
  model.payments.close({ paymentId: ID, outcome, callbacksConsidered: 0, unsent: outcome.kind === 'cancelled' });

describe('the properties of the SQL store', () => {
  let model: StoreModel;
  beforeEach(() => {
    model = modelOf();
  });
  storeProperties(() => model, 300);
});

test('the snapshot says what the guarantees ask for', async () => {
  const model = await registered();
  expect(model.snapshot('pay-00000002')).toBeUndefined();
  expect(model.snapshot(ID)).toMatchObject({ claim: 'none', disputed: false, reservation: { state: 'reserved' } });

  await model.payments.claim(ID, claimOf());
  const action = { operator: 'amina', action: 'resolvePayment', note: 'confirmed by phone' };
  const outcome = declined(ID, { settledBy: 'operator', reason: 'operator' });
  await model.payments.close({ paymentId: ID, outcome, callbacksConsidered: 0, unsent: false, action });
  await model.inbox.add({ paymentId: ID, digest: 'late', body: '{}', reading: reading({ claims: 'paid' }) });

  expect(model.snapshot(ID)).toEqual({
    claim: 'taken',
    outcome,
    disputed: false,
    decidedBy: 'amina',
    contradictions: 1,
    doubtfulCodes: 0,
    completedSeen: false,
    callbacks: 1,
    callbacksUnnamed: 1,
    reservation: { state: 'voided', amount: 220, posted: 0 },
  });
  expect(model.accounts()).toMatchObject([{ id: 'float', available: 500, reserved: 0, posted: 0 }]);
});

test('without a seal, an attempt that was slow still gets the claim of a cancelled payment', async () => {
  const claimAfterCancel = async (model: StoreModel) => {
    await close(model, cancelled(ID));
    return (await model.payments.claim(ID, claimOf())).kind;
  };
  expect(await claimAfterCancel(await registered())).toBe('closed');
  expect(await claimAfterCancel(await registered({ bugs: { noSeal: true } }))).toBe('claimed');
});

test('a close in two steps shows the outcome while the money is still held, and may die there', async () => {
  const seen: unknown[] = [];
  const bugs = { twoStepClose: true };
  const model = await registered({
    bugs,
    betweenSteps: async () => {
      seen.push(model.snapshot(ID));
    },
  });
  await close(model);
  expect(seen).toMatchObject([{ outcome: { kind: 'paid' }, reservation: { state: 'reserved' } }]);
  expect(model.snapshot(ID)).toMatchObject({ reservation: { state: 'posted', posted: 220 } });

  const dying = await registered({ bugs, betweenSteps: () => Promise.reject(new Error('the worker died')) });
  await expect(close(dying)).rejects.toThrow('the worker died');
  expect(await close(dying)).toMatchObject({ kind: 'stands' });
  expect(dying.snapshot(ID)).toMatchObject({ outcome: { kind: 'paid' }, reservation: { state: 'reserved' } });
});
