import { inspect } from 'node:util';
import { ProviderTrouble, type Provider } from '../../src/payment/provider';
import { describeCallbacks } from './callbacks-contract';
import {
  expectNothingPersonal,
  fail,
  newId,
  NO_BILL,
  orderOf,
  proven,
  recordOf,
  refusalOrTrouble,
  seen,
  type ProviderSamples,
  type ProviderUnderTest,
} from './under-test';

/**
 * What every implementation of the port has to do (`src/payment/provider.ts`). Nothing here knows which one it is: it comes with the
 * accounts and bodies that make it answer this way or that, and what it cannot be made to answer is skipped.
 */
export function describeProvider(name: string, samples: ProviderSamples, open: () => Promise<ProviderUnderTest>): void {
  describe(`${name} keeps the provider's contract:`, () => {
    let it: ProviderUnderTest;
    beforeAll(async () => {
      it = await open();
    });
    afterAll(async () => it.close());
    const opened = (): ProviderUnderTest => it;
    describeLooks(opened);
    describeBills(samples, opened);
    describeSending(samples, opened);
    describePaying(samples, opened);
    describeTrouble(samples, opened);
    describeCallbacks(samples, opened);
  });
}

type Opened = () => ProviderUnderTest;
/** Skipped where the sample for it is missing. */
const given = (sample: unknown): jest.It => (sample === undefined || sample === false ? test.skip : test);
const UNKNOWN = { kind: 'unknown', because: expect.stringMatching(/\S/) };

function describeLooks(opened: Opened): void {
  test('it has a name, and names its account without telling it', () => {
    const { provider, secrets } = opened();
    expect(provider.name).toMatch(/^\S.{0,38}\S$/);
    expect(provider.account).toMatch(/^[\x21-\x7e]{8,128}$/);
    for (const secret of secrets) expect(provider.account).not.toContain(secret);
  });

  test('an id that nobody has used is not found, and the look proves a session that tells no more than when it ends', async () => {
    const { provider, secrets } = opened();
    const { observation, session } = await provider.findPayment(newId());
    expect(observation).toEqual({ kind: 'not-found', said: expect.stringMatching(/^\S.{0,118}\S$/) });
    expect(session.expiresAt).toBeGreaterThan(Date.now());
    expect(Object.keys(session)).toEqual(['expiresAt']);
    const printed = [JSON.stringify(session), inspect(session, { showHidden: true }), `${inspect({ session })}`];
    for (const secret of [...secrets, 'Bearer']) expect(printed.join()).not.toContain(secret);
  });

  test('it says how it is, which routes there are, and what is in the wallet', async () => {
    const { provider } = opened();
    expect(await provider.health()).toMatch(/^\S.{0,200}$/);
    for (const route of await provider.listRoutes()) expect(route).toMatchObject({ id: expect.stringMatching(/\S/) });
    const { balances } = await provider.walletBalance();
    expect(balances.length).toBeGreaterThan(0);
    for (const { balance } of balances) expect(balance).toEqual(expect.any(Number));
  });
}

function describeBills({ validBill, invalidBill, saved }: ProviderSamples, opened: Opened): void {
  const read = (what: string, sample: unknown, body: () => Promise<void>) => given(sample)(what, body);

  test('it lists the services that can be paid', async () => {
    const services = await opened().provider.listBillServices();
    expect(services.length).toBeGreaterThan(0);
    for (const { serviceId, name } of services)
      expect([serviceId, name]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
  });

  read('an account that can be paid is valid', validBill, async () => {
    expect(await opened().provider.validateAccount(validBill!)).toMatchObject({ kind: 'valid' });
  });

  read('an account that cannot be paid is invalid, and the reason does not repeat it', invalidBill, async () => {
    const reading = await opened().provider.validateAccount(invalidBill!);
    expect(reading).toEqual({ kind: 'invalid', reason: expect.stringMatching(/^\S.{0,200}$/) });
    if (invalidBill!.accountNumber.length > 3)
      expect(JSON.stringify(reading)).not.toContain(invalidBill!.accountNumber);
  });

  read('a bill that is asked for is answered, refused or trouble, and nothing else', validBill, async () => {
    const { provider } = opened();
    const due = await provider.queryBill(validBill!).catch(refusalOrTrouble);
    if (!(due instanceof Error) && due.dueAmount !== undefined) expect(due.dueAmount).toBeGreaterThanOrEqual(0);
    const found = await provider.findBillNumber(validBill!).catch(refusalOrTrouble);
    if (found !== undefined && !(found instanceof Error)) expect(found).toMatchObject(validBill!);
  });

  read('a bill number that is saved is found', saved, async () => {
    const { provider } = opened();
    expect(await provider.saveBillNumber(saved!)).toMatchObject({ verified: expect.any(Boolean) });
    const { serviceId, accountNumber } = saved!;
    expect(await provider.findBillNumber({ serviceId, accountNumber })).toMatchObject({ serviceId, accountNumber });
  });
}

/** That nothing is sent, or nothing taken. */
function describeSending({ refused, validBill }: ProviderSamples, opened: Opened): void {
  const cannotSay: [string, () => boolean][] = [
    ['no', () => false],
    ['an exception', fail],
    ['nothing', () => undefined as never],
    ['a promise', () => Promise.resolve(true) as never],
  ];
  test.each(cannotSay)(
    'whether it may still be sent is asked once; after %s nothing is sent, and the id stays unknown',
    async (_, answer) => {
      const order = orderOf(opened(), { ...NO_BILL, ...validBill, amount: 1 });
      const { provider, session } = await proven(opened());
      const asked = jest.fn(answer);
      const submission = await provider.submitPayment(order, session, asked);
      expect(submission).toEqual({ kind: 'not-sent', because: expect.stringMatching(/\S/) });
      expect(asked).toHaveBeenCalledTimes(1);
      expect(await seen(provider, order.paymentId)).toMatchObject({ kind: 'not-found' });
    },
  );

  test('a worker that stops sends nothing, and so does one with a session that nobody has proven', async () => {
    const order = orderOf(opened(), { ...NO_BILL, ...validBill, amount: 1 });
    const { provider, session } = await proven(opened());
    const notSent = { kind: 'not-sent', because: expect.stringMatching(/\S/) };
    const asked = jest.fn(() => true);
    expect(await provider.submitPayment(order, session, asked, AbortSignal.abort())).toEqual(notSent);
    expect(await provider.submitPayment(order, { expiresAt: session.expiresAt }, asked)).toEqual(notSent);
    expect(asked).not.toHaveBeenCalled();
  });

  given(refused)(
    'a clear refusal is rejected with reasons that hold nothing personal, and the id stays unknown',
    async () => {
      const order = orderOf(opened(), refused!);
      const { provider, session } = await proven(opened());
      const submission = await provider.submitPayment(order, session, () => true);
      expect(submission).toEqual({ kind: 'rejected', reasons: expect.any(Array) });
      const reasons = submission.kind === 'rejected' ? submission.reasons : [];
      expect(reasons.length).toBeGreaterThan(0);
      expectNothingPersonal(reasons.join(), order);
      expect(await seen(provider, order.paymentId)).toMatchObject({ kind: 'not-found' });
    },
  );
}

function describePaying({ paid, unclear = [], maySendTwice = false }: ProviderSamples, opened: Opened): void {
  given(paid)('a payment is accepted with an id, and its record is about what was sent', async () => {
    const order = orderOf(opened(), paid!);
    const { provider, session } = await proven(opened());
    const submission = await provider.submitPayment(order, session, () => true);
    expect(submission).toEqual({ kind: 'accepted', providerId: expect.stringMatching(/\S/) });
    const record = await recordOf(provider, order.paymentId);
    expect(record).toMatchObject({
      isPayment: true,
      amount: order.amount,
      accountNumber: order.accountNumber,
      currency: order.currency,
      providerId: submission.kind === 'accepted' && submission.providerId,
    });
    expect(record.paymentId?.toLowerCase()).toBe(order.paymentId);
  });

  given(paid !== undefined && maySendTwice)('an id that is sent again is no news of the first', async () => {
    const order = orderOf(opened(), paid!);
    const { provider, session } = await proven(opened());
    await provider.submitPayment(order, session, () => true);
    expect(await provider.submitPayment(order, session, () => true)).toEqual(UNKNOWN);
  });

  if (unclear.length > 0)
    test.each(unclear)('an answer that does not say whether it was taken is unknown: $name', async (bill) => {
      const order = orderOf(opened(), bill);
      const { provider, session } = await proven(opened());
      const submission = await provider.submitPayment(order, session, () => true);
      expect(submission).toEqual(UNKNOWN);
      expectNothingPersonal(JSON.stringify(submission), order);
    });
}

function describeTrouble({ mayTryCredentials = false }: ProviderSamples, opened: Opened): void {
  const reads: [string, (provider: Provider, signal?: AbortSignal) => Promise<unknown>][] = [
    ['findPayment', (provider, signal) => provider.findPayment(newId(), signal)],
    ['validateAccount', (provider, signal) => provider.validateAccount(NO_BILL, signal)],
    ['queryBill', (provider, signal) => provider.queryBill(NO_BILL, signal)],
    ['listBillServices', (provider, signal) => provider.listBillServices(signal)],
    ['findBillNumber', (provider, signal) => provider.findBillNumber(NO_BILL, signal)],
    ['listRoutes', (provider, signal) => provider.listRoutes(signal)],
    ['walletBalance', (provider, signal) => provider.walletBalance(signal)],
    ['health', (provider, signal) => provider.health(signal)],
  ];

  test.each(reads)('%s: nobody there is trouble, by its name', async (_, call) => {
    const { unreachable } = opened();
    const trouble: unknown = await call(unreachable).catch((error: unknown) => error);
    expect(trouble).toBeInstanceOf(ProviderTrouble);
    expect(trouble).toMatchObject({ kind: 'connection', message: expect.stringContaining(unreachable.name) });
  });

  test.each(reads)('%s: who gives up gets the reason back, before and while it is asked', async (_, call) => {
    const { provider } = opened();
    const reason = new Error('given up');
    await expect(call(provider, AbortSignal.abort(reason))).rejects.toBe(reason);
    const giving = new AbortController();
    const asked = call(provider, giving.signal);
    giving.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test('a payment to nobody is not sent, and nobody is asked whether it may be', async () => {
    const { session } = await proven(opened());
    const asked = jest.fn(() => true);
    const order = orderOf(opened(), { ...NO_BILL, amount: 1 });
    expect(await opened().unreachable.submitPayment(order, session, asked)).toMatchObject({ kind: 'not-sent' });
    expect(asked).not.toHaveBeenCalled();
  });

  given(mayTryCredentials)('credentials that are not ours are trouble, which tells none of them', async () => {
    const { stranger, secrets } = opened();
    const trouble: unknown = await stranger.findPayment(newId()).catch((error: unknown) => error);
    expect(trouble).toBeInstanceOf(ProviderTrouble);
    expect(trouble).toMatchObject({ kind: 'unauthorized' });
    for (const secret of secrets) expect(inspect(trouble)).not.toContain(secret);
  });
}
