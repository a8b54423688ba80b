import {
  ACCEPTED,
  BY,
  CANCELLED,
  claim,
  end,
  endAs,
  FINGERPRINT,
  look,
  newPaymentId,
  outcomeOf,
  ownStore,
  reading,
  recordOf,
  registeredPayment,
  requestOf,
  rulesOf,
  sentPayment,
} from '../support/store';
import { MAX_STORED_CALLBACKS, UnknownPayment, type Store } from '../../src/store';

let store: Store;
beforeAll(async () => {
  ({ store } = await ownStore());
});

const register = (paymentId: string, fingerprint = FINGERPRINT, rules = rulesOf()) =>
  store.payments.register(requestOf(paymentId), fingerprint, rules, BY);

describe('G8: the same id with the same content is the same payment', () => {
  test('again, and at once from many callers', async () => {
    const paymentId = newPaymentId();
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(paymentId)));
    const { facts, version } = await store.payments.read(paymentId, BY);
    expect(version).toBe(1);
    for (const answer of answers) expect(answer).toMatchObject({ kind: 'open', reading: { facts, version } });
  });

  test('other content is a conflict, open or closed', async () => {
    const paymentId = await registeredPayment(store);
    expect(await register(paymentId, 'other')).toEqual({ kind: 'conflict' });
    await end(store, paymentId, CANCELLED);
    expect(await register(paymentId, 'other')).toEqual({ kind: 'conflict' });
  });

  test('of two callers with other content at once, one is the payment', async () => {
    const paymentId = newPaymentId();
    const answers = await Promise.all(['a', 'b'].map((fingerprint) => register(paymentId, fingerprint)));
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['conflict', 'open']);
  });

  test('registered again it is as it stands: sent, and closed with its outcome', async () => {
    const paymentId = await sentPayment(store);
    expect(await register(paymentId)).toMatchObject({ kind: 'open', reading: { facts: { claim: { kind: 'taken' } } } });
    const outcome = await endAs(store, paymentId, 'completed');
    expect(await register(paymentId)).toEqual({ kind: 'closed', outcome, disputed: false });
  });
});

describe('what was agreed at the registration', () => {
  test('stays, whatever a later run brings', async () => {
    const paymentId = newPaymentId();
    await register(paymentId, FINGERPRINT, rulesOf({ attentionAfter: 1_000 }, { prepaid: true }));
    await register(paymentId, FINGERPRINT, rulesOf({ attentionAfter: 9_000 }));
    const { facts } = await store.payments.read(paymentId, BY);
    expect(facts.rules).toEqual(rulesOf({ attentionAfter: 1_000 }, { prepaid: true }));
  });

  test.each([
    ['decline', 'decline', 'decline'],
    ['decline', 'ask', 'ask'],
    ['ask', 'decline', 'ask'],
  ] as const)('a failure without a code: registered %s, the worker says %s: %s', async (row, worker, read) => {
    const paymentId = await registeredPayment(store, {}, rulesOf({}, { failedWithoutCode: row }));
    const { facts } = await store.payments.read(paymentId, { ...BY, failedWithoutCode: worker });
    expect(facts.rules.failedWithoutCode).toBe(read);
  });
});

describe('what is known of a payment', () => {
  test('nothing has happened to it', async () => {
    const paymentId = await registeredPayment(store);
    const known = await store.payments.read(paymentId, BY);
    expect(known).toEqual({
      facts: {
        paymentId,
        amount: 220,
        currency: 'KES',
        rules: rulesOf(),
        registeredAt: expect.any(Number),
        claim: { kind: 'free' },
        seen: {},
        callbacks: { count: 0, claimsPaid: false, receipt: {} },
      },
      now: expect.any(Number),
      version: 1,
      fingerprint: FINGERPRINT,
    });
    expect(known.now - known.facts.registeredAt).toBeLessThan(10_000);
  });

  test('everything has happened to it', async () => {
    const account = newPaymentId();
    await store.funds.add({ account, amount: 1000, currency: 'KES' });
    const paymentId = await sentPayment(store, { fundingAccount: account });
    await store.inbox.add({ paymentId, digest: 'one', body: '{}', reading: reading() });
    await look(store, paymentId, recordOf(paymentId, 'pending'), 5_000);
    const outcome = await endAs(store, paymentId, 'completed');
    await store.disputes.raise(paymentId, { by: 'callback', because: 'a callback says failed' });
    const { facts, available } = await store.payments.read(paymentId, BY);
    const at = expect.any(Number) as number;
    expect(available).toBe(780);
    expect(facts).toEqual({
      paymentId,
      amount: 220,
      currency: 'KES',
      fundingAccount: account,
      rules: rulesOf(),
      registeredAt: at,
      claim: {
        kind: 'taken',
        at,
        account: BY.account,
        sessionExpiresAt: Date.parse('2026-01-02T04:00:00Z'),
        answer: { ...ACCEPTED, at },
      },
      seen: {
        completedAt: at,
        recordAt: at,
        paidSince: at,
        otherLastAskedAt: at,
        last: {
          askedAt: at,
          answeredAt: at,
          state: 'completed',
          said: 'completed',
          differs: [],
          amount: 220,
          providerId: '0100-abc',
          receipt: { number: 'S575998' },
        },
      },
      callbacks: { count: 1, claimsPaid: false, receipt: {}, code: { kind: 'refusal', value: '1' } },
      attentionSince: at,
      closed: { outcome, disputed: true },
    });
  });

  test('a sealed payment was not sent: no claim', async () => {
    const paymentId = await registeredPayment(store);
    await end(store, paymentId, CANCELLED);
    expect((await store.payments.read(paymentId, BY)).facts.claim).toEqual({ kind: 'sealed' });
  });

  test.each([
    ['is not there', 'nobody', undefined],
    ['is in another currency', 'dollars', undefined],
    ['is there', 'shillings', 7],
  ])('a funding account that %s', async (_what, name, available) => {
    const fundingAccount = `${name}-${newPaymentId()}`;
    if (name === 'dollars') await store.funds.add({ account: fundingAccount, amount: 7, currency: 'USD' });
    if (name === 'shillings') await store.funds.add({ account: fundingAccount, amount: 7, currency: 'KES' });
    const paymentId = await registeredPayment(store, { fundingAccount });
    expect((await store.payments.read(paymentId, BY)).available).toBe(available);
  });

  test('callbacks beyond those that are kept may hold the code that forbids a decline', async () => {
    const paymentId = await sentPayment(store);
    for (let i = 0; i <= MAX_STORED_CALLBACKS; i += 1)
      await store.inbox.add({ paymentId, digest: `${i}`, body: '{}', reading: reading() });
    const { facts } = await store.payments.read(paymentId, BY);
    expect(facts.callbacks).toMatchObject({ count: MAX_STORED_CALLBACKS, code: { kind: 'ambiguous' } });
  });

  test('callbacks that came before it was registered belong to it', async () => {
    const paymentId = newPaymentId();
    await store.inbox.add({ paymentId, digest: 'early', body: '{}', reading: reading() });
    expect(await register(paymentId)).toMatchObject({ reading: { facts: { callbacks: { count: 1 } } } });
  });

  test('a payment that was never registered', async () => {
    const never = newPaymentId();
    const known = await store.payments.read(await registeredPayment(store), BY);
    await expect(store.payments.read(never, BY)).rejects.toThrow(UnknownPayment);
    await expect(look(store, never, recordOf(never, 'completed'))).rejects.toThrow(UnknownPayment);
    await expect(claim(store, never)).rejects.toThrow(UnknownPayment);
    await expect(store.payments.answered(never, 'nonce', ACCEPTED, BY)).rejects.toThrow(UnknownPayment);
    await expect(end(store, never, CANCELLED)).rejects.toThrow(UnknownPayment);
    // Somebody else's reading does not help.
    const request = { nonce: 'nonce', fingerprint: FINGERPRINT, sessionExpiresAt: new Date() };
    await expect(store.payments.claim(never, known, request, BY)).rejects.toThrow(UnknownPayment);
  });
});

describe('the receipt', () => {
  const paidWith = async (receipt: object): Promise<string> => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'completed', { receipt }));
    outcomeOf(await end(store, paymentId, { kind: 'proven' }));
    return paymentId;
  };

  test('is only ever completed', async () => {
    const paymentId = await paidWith({ number: 'S575998', token: '' });
    expect(await store.payments.addReceipt(paymentId, { number: 'other', token: '1234-5678' })).toBe(true);
    expect(await store.payments.addReceipt(paymentId, { token: '9999' })).toBe(false);
    expect(await store.payments.addReceipt(paymentId, {})).toBe(false);
    const { facts } = await store.payments.read(paymentId, BY);
    expect(facts.closed?.outcome).toMatchObject({ receipt: { number: 'S575998', token: '1234-5678' } });
  });

  test.each(['open', 'declined'])('of a payment that is %s is refused', async (state) => {
    const paymentId = await sentPayment(store);
    if (state === 'declined') await endAs(store, paymentId, 'failed');
    expect(await store.payments.addReceipt(paymentId, { token: '1' })).toBe(false);
  });

  test('what PostgreSQL cannot keep stops neither a look nor an end, and is told as it is kept', async () => {
    const paymentId = await sentPayment(store);
    const odd = 'a\0b\ud800c';
    const kept = 'a\ufffdb\ufffdc';
    const seen = await look(
      store,
      paymentId,
      recordOf(paymentId, 'completed', { said: odd, receipt: { narration: odd } }),
    );
    expect(seen.facts.seen.last).toMatchObject({ said: kept, receipt: { narration: kept } });
    const outcome = outcomeOf(await end(store, paymentId, { kind: 'proven' }));
    expect(outcome).toMatchObject({ receipt: { narration: kept } });
    expect((await store.payments.read(paymentId, BY)).facts.closed?.outcome).toEqual(outcome);
  });
});
