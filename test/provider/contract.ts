import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Bill, SaveBillNumberRequest } from '../../src/payment/inquiry';
import type { Observation } from '../../src/payment/observation';
import { ProviderRefusal, ProviderTrouble, type PaymentOrder, type Provider } from '../../src/payment/provider';
import { describeCallbacks, type CallbackSamples, type CallbacksUnderTest } from './callbacks-contract';

/**
 * What every implementation of the port has to do (`src/payment/provider.ts`). Nothing here knows which one it is: it comes with the
 * accounts and bodies that make it answer this way or that, and what it cannot be made to answer is skipped.
 */
export interface ProviderUnderTest extends CallbacksUnderTest {
  readonly provider: Provider;
  /** The same where nobody answers. */
  readonly unreachable: Provider;
  /** The same with credentials that are not ours. */
  readonly stranger: Provider;
  /** What must be in no text and no log: credentials above all. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

type Pay = Bill & { readonly amount: number };

export interface ProviderSamples extends CallbackSamples {
  readonly validBill?: Bill | undefined;
  readonly invalidBill?: Bill | undefined;
  /** Is refused clearly, in the answer to the request. */
  readonly refused?: Pay | undefined;
  /** Is paid. */
  readonly paid?: Pay | undefined;
  /** Captured or not: the answer to the request does not say. */
  readonly unclear?: readonly (Pay & { readonly name: string })[];
  /** Whether an id may be sent twice without harm. */
  readonly maySendTwice?: boolean;
  readonly saved?: SaveBillNumberRequest;
  /** Whether wrong credentials may be tried: some providers lock who does. */
  readonly mayTryCredentials?: boolean;
}

const PAYER = { name: 'Wanjiru Contract', msisdn: '254712345678' } as const;
/** How long a payment may take until it can be looked up. */
const LOOKS = { times: 30, everyMs: 1_000 } as const;

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
const id = (): string => `contract-${randomUUID()}`;
const OTHER_BILL: Bill = { serviceId: 'contract', accountNumber: '0' };

function describeLooks(opened: Opened): void {
  test('it has a name, and names its account without telling it', () => {
    const { provider, secrets } = opened();
    expect(provider.name).toMatch(/^\S.{0,38}\S$/);
    expect(provider.account).toMatch(/^[\x21-\x7e]{8,128}$/);
    for (const secret of secrets) expect(provider.account).not.toContain(secret);
  });

  test('an id that nobody has used is not found, and the look proves a session that tells no more than when it ends', async () => {
    const { provider, secrets } = opened();
    const { observation, session } = await provider.findPayment(id());
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
      const order = orderOf(opened(), { ...OTHER_BILL, ...validBill, amount: 1 });
      const { provider, session } = await proven(opened());
      const asked = jest.fn(answer);
      const submission = await provider.submitPayment(order, session, asked);
      expect(submission).toEqual({ kind: 'not-sent', because: expect.stringMatching(/\S/) });
      expect(asked).toHaveBeenCalledTimes(1);
      expect(await seen(provider, order.paymentId)).toMatchObject({ kind: 'not-found' });
    },
  );

  test('a worker that stops sends nothing, and so does one with a session that nobody has proven', async () => {
    const order = orderOf(opened(), { ...OTHER_BILL, ...validBill, amount: 1 });
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
    ['findPayment', (provider, signal) => provider.findPayment(id(), signal)],
    ['validateAccount', (provider, signal) => provider.validateAccount(OTHER_BILL, signal)],
    ['queryBill', (provider, signal) => provider.queryBill(OTHER_BILL, signal)],
    ['listBillServices', (provider, signal) => provider.listBillServices(signal)],
    ['findBillNumber', (provider, signal) => provider.findBillNumber(OTHER_BILL, signal)],
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
    const order = orderOf(opened(), { ...OTHER_BILL, amount: 1 });
    expect(await opened().unreachable.submitPayment(order, session, asked)).toMatchObject({ kind: 'not-sent' });
    expect(asked).not.toHaveBeenCalled();
  });

  given(mayTryCredentials)('credentials that are not ours are trouble, which tells none of them', async () => {
    const { stranger, secrets } = opened();
    const trouble: unknown = await stranger.findPayment(id()).catch((error: unknown) => error);
    expect(trouble).toBeInstanceOf(ProviderTrouble);
    expect(trouble).toMatchObject({ kind: 'unauthorized' });
    for (const secret of secrets) expect(inspect(trouble)).not.toContain(secret);
  });
}

const UNKNOWN = { kind: 'unknown', because: expect.stringMatching(/\S/) };

function orderOf({ callbacks }: ProviderUnderTest, { serviceId, accountNumber, amount }: Pay): PaymentOrder {
  const paymentId = id();
  return {
    paymentId,
    serviceId,
    accountNumber,
    amount,
    currency: 'KES',
    country: 'KE',
    payer: PAYER,
    description: 'Provider contract',
    saveBillerNumber: false,
    callbackUrl: callbacks.urlOf('https://callbacks.example.com', paymentId),
  };
}

/** With a session as the flow has one: proven by a look. */
async function proven({ provider }: ProviderUnderTest) {
  const { session } = await provider.findPayment(id());
  return { provider, session };
}

const seen = async (provider: Provider, paymentId: string): Promise<Observation> =>
  (await provider.findPayment(paymentId)).observation;

async function recordOf(provider: Provider, paymentId: string) {
  for (let look = 1; ; look += 1) {
    const observation = await seen(provider, paymentId);
    if (observation.kind === 'record') return observation;
    if (look === LOOKS.times) throw new Error(`no record after ${look} looks: ${observation.said}`);
    await sleep(LOOKS.everyMs);
  }
}

function refusalOrTrouble(error: unknown): ProviderRefusal | ProviderTrouble {
  if (error instanceof ProviderRefusal || error instanceof ProviderTrouble) return error;
  throw error;
}

function expectNothingPersonal(text: string, { payer, accountNumber, callbackUrl }: PaymentOrder): void {
  for (const value of [payer.name, payer.msisdn, callbackUrl]) expect(text).not.toContain(value);
  // A shorter number may stand in a text for something else.
  if (accountNumber.length > 3) expect(text).not.toContain(accountNumber);
}

function fail(): never {
  throw new Error('nobody knows');
}
