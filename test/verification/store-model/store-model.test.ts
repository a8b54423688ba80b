import {
  ACCEPTED,
  BY,
  CANCELLED,
  claimOf,
  decided,
  FINGERPRINT,
  observed,
  PROVEN,
  reading,
  recordOf,
  requestOf,
  rulesOf,
} from '../../support/store';
import { storeProperties } from '../../support/store-properties';
import { createStoreModel, type StoreModel, type StoreModelOptions } from '../../../verification/store-model';
import type { Reading } from '../../../src/store';

/** G1, G6 and G7 as properties of any order of calls, on the model of the store. */

const ID = 'pay-00000001';

const modelOf = (options: Partial<StoreModelOptions> = {}): StoreModel =>
  createStoreModel({ now: () => Date.now(), ...options });

async function registered(options: Partial<StoreModelOptions> = {}): Promise<StoreModel> {
  const model = modelOf(options);
  await model.funds.add({ account: 'float', amount: 500, currency: 'KES' });
  await model.payments.register(requestOf(ID, { fundingAccount: 'float' }), FINGERPRINT, rulesOf(), BY);
  return model;
}

const readBy = (model: StoreModel): Promise<Reading> => model.payments.read(ID, BY);

/** Claimed and sent; the provider says this of it. */
async function sent(
  state: 'completed' | 'failed',
  options: Partial<StoreModelOptions> = {},
  agoMs = 0,
): Promise<StoreModel> {
  const model = await registered(options);
  const request = claimOf();
  await model.payments.claim(ID, await readBy(model), request, BY);
  await model.payments.answered(ID, request.nonce, ACCEPTED, BY);
  await model.payments.look(ID, observed(recordOf(ID, state), agoMs), BY);
  return model;
}

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
  expect(model.snapshot(ID)).toEqual({
    ...{ claim: 'none', disputed: false, contradictions: 0, doubtfulCodes: 0 },
    ...{ completedSeen: false, callbacks: 0, callbacksUnnamed: 0 },
  });
});

test('the snapshot of what a person has declined, with its money and a callback that came late', async () => {
  const model = await sent('failed', {}, 40_000);
  expect(model.snapshot(ID)).toMatchObject({ claim: 'taken', reservation: { state: 'reserved', posted: 0 } });
  await model.inbox.add({ paymentId: ID, digest: 'early', body: '{}', reading: reading({ code: OTHER }) });
  await model.payments.look(ID, observed(recordOf(ID, 'failed')), BY);
  const ended = await model.payments.recordOutcome(ID, decided({ decision: 'declined' }), BY);
  if (ended.kind !== 'closed') throw new Error(`it is ${JSON.stringify(ended)}`);
  await model.inbox.add({ paymentId: ID, digest: 'late', body: '{}', reading: reading({ claims: 'paid' }) });

  expect(model.snapshot(ID)).toEqual({
    claim: 'taken',
    outcome: ended.outcome,
    disputed: false,
    decidedBy: 'amina',
    contradictions: 1,
    doubtfulCodes: 1,
    completedSeen: false,
    callbacks: 2,
    callbacksUnnamed: 1,
    reservation: { state: 'voided', amount: 220, posted: 0 },
  });
  expect(model.accounts()).toMatchObject([{ id: 'float', available: 500, reserved: 0, posted: 0 }]);
});

const OTHER = { value: '99', meaning: 'ambiguous' } as const;

test('without a seal, an attempt that was slow still gets the claim of a cancelled payment', async () => {
  const claimAfterCancel = async (model: StoreModel) => {
    const before = await readBy(model);
    expect(await model.payments.recordOutcome(ID, CANCELLED, BY)).toMatchObject({ kind: 'closed' });
    return (await model.payments.claim(ID, before, claimOf(), BY)).kind;
  };
  expect(await claimAfterCancel(await registered())).toBe('not-claimed');
  expect(await claimAfterCancel(await registered({ bugs: { noSeal: true } }))).toBe('claimed');
});

test('a claim that is given back is free again', async () => {
  const model = await sent('completed');
  model.giveBackClaim(ID);
  expect(model.snapshot(ID)).toMatchObject({ claim: 'none', completedSeen: true });
});

test('an end in two steps shows the outcome while the money is still held, and may die there', async () => {
  const seen: unknown[] = [];
  const bugs = { twoStepRecord: true };
  const model = await sent('completed', {
    bugs,
    betweenSteps: async () => {
      seen.push(model.snapshot(ID));
    },
  });
  await model.payments.recordOutcome(ID, PROVEN, BY);
  expect(seen).toMatchObject([{ outcome: { kind: 'paid' }, reservation: { state: 'reserved' } }]);
  expect(model.snapshot(ID)).toMatchObject({ reservation: { state: 'posted', posted: 220 } });

  const dying = await sent('completed', { bugs, betweenSteps: () => Promise.reject(new Error('the worker died')) });
  await expect(dying.payments.recordOutcome(ID, PROVEN, BY)).rejects.toThrow('the worker died');
  expect(await dying.payments.recordOutcome(ID, PROVEN, BY)).toMatchObject({ kind: 'closed' });
  expect(dying.snapshot(ID)).toMatchObject({ outcome: { kind: 'paid' }, reservation: { state: 'reserved' } });
});
