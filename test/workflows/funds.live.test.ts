import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import { FLOAT, historyOf, outcomeOf, SHORT_POLICY, stageOf, startFlow, until, type Flow } from '../support/flow';
import { FUNDS, NEVER_SENT, ownRequest, PRICE, runOf, truthOf } from '../support/gates';

/** G6: the payer's money, where many want it at once and where there is none. */
let flow: Flow;

beforeAll(async () => {
  flow = await startFlow({
    // How slow the machine is must not decide whether a request may still leave: that is another test's matter.
    provider: (real) => ({
      ...real,
      submitPayment: (order, session, _mayStillSend, signal) => real.submitPayment(order, session, () => true, signal),
    }),
  });
});

const PAYMENTS = 50;
const AFFORDED = 20;

test(`G6: ${PAYMENTS} payments at once from an account with money for ${AFFORDED}`, async () => {
  const account = 'float-of-twenty';
  const deposited = AFFORDED * PRICE + PRICE - 1;
  await flow.store.funds.add({ account, amount: deposited, currency: FLOAT.currency });
  const requests = Array.from({ length: PAYMENTS }, () =>
    flow.request('paid-with-callback', { amount: PRICE, fundingAccount: account }),
  );

  // Seen on the way, too: the account is never overdrawn, and what was deposited is somewhere.
  const funds = async () => {
    const now = await flow.store.funds.account(account);
    if (now === undefined) throw new Error('the account is gone');
    expect(now.available).toBeGreaterThanOrEqual(0);
    expect(now.available + now.reserved + now.posted).toBe(deposited);
    return now;
  };
  const outcomes = Promise.all(requests.map((request) => paidOrNot(request)));
  await until('the twentieth to be posted', funds, ({ posted }) => posted === AFFORDED * PRICE);
  const ends = await outcomes;

  const paid = ends.filter(({ kind }) => kind === 'paid');
  const declined = ends.filter(({ kind }) => kind === 'declined');
  expect([paid.length, declined.length]).toEqual([AFFORDED, PAYMENTS - AFFORDED]);
  for (const { paymentId } of paid) expect(postsOf(paymentId)).toEqual([1, 1]);
  for (const outcome of declined) {
    expect(outcome).toMatchObject({ step: 'funds', reason: 'insufficient-funds', retryable: true, settledBy: 'none' });
    expect(postsOf(outcome.paymentId)).toEqual([0, 0]);
  }
  expect(await funds()).toMatchObject({ available: PRICE - 1, reserved: 0, posted: AFFORDED * PRICE });
});

const postsOf = (paymentId: string): number[] => {
  const { postsSeen, postsCaptured } = flow.sandbox.payment(paymentId);
  return [postsSeen, postsCaptured];
};

async function paidOrNot(request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  await flow.payments.start(request);
  return await outcomeOf(flow, request.paymentId);
}

const PATIENT = { ...SHORT_POLICY, fundsWithin: '10 minutes' };

describe('G6: an account that cannot pay', () => {
  // prettier-ignore
  test.concurrent.each([
    { what: 'is not there', change: { fundingAccount: 'no-such-account' }, reason: 'unknown-funding-account' },
    { what: 'is not there, for a payment that would wait for money', change: { fundingAccount: 'no-such-account', policy: PATIENT }, reason: 'unknown-funding-account' },
    { what: 'is in another currency', change: { currency: 'USD' }, reason: 'unknown-funding-account' },
    { what: 'holds one unit too little', change: { amount: FUNDS + 1 }, reason: 'insufficient-funds' },
  ])('$what: declined, nothing is sent, and a later start is the same payment', async ({ change, reason }) => {
    const request = await ownRequest(flow, 'paid-with-callback', change);
    const { paymentId } = request;
    const outcome = await flow.payments.pay(request);
    expect(outcome).toMatchObject({ kind: 'declined', step: 'funds', reason, retryable: true });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);

    // Money that comes later changes nothing about it: a new payment needs a new id.
    await flow.store.funds.add({ account: paymentId, amount: 2 * FUNDS, currency: 'KES' });
    expect(await flow.payments.pay(request)).toEqual(outcome);
    expect(await truthOf(flow, paymentId)).toEqual({ ...NEVER_SENT, funds: [3 * FUNDS, 0, 0] });
  });

  test.concurrent('holds just enough: paid to the last unit', async () => {
    const request = await ownRequest(flow, 'paid-with-callback', { amount: FUNDS });
    expect(await flow.payments.pay(request)).toMatchObject({ kind: 'paid', amount: FUNDS });
    expect(await truthOf(flow, request.paymentId)).toEqual({ seen: 1, captured: 1, funds: [0, 0, FUNDS] });
  });
});

describe('G6: a payment that may wait for money', () => {
  const TOO_MUCH = FUNDS + 1;

  async function lastFailure(paymentId: string, on = flow): Promise<string | null | undefined> {
    const { pendingActivities } = (await runOf(on, paymentId).describe()).raw;
    return pendingActivities?.find(({ activityType }) => activityType?.name === 'submitPayment')?.lastFailure?.message;
  }

  async function waitingForMoney(policy: BillPaymentRequest['policy'], on = flow): Promise<BillPaymentRequest> {
    const request = await ownRequest(on, 'paid-with-callback', { amount: TOO_MUCH, policy });
    await on.payments.start(request);
    const last = () => lastFailure(request.paymentId, on);
    const said = await until('the lack of money', last, (text) => typeof text === 'string');
    expect(said).toMatch(/^It waits for money until \d{4}-\d\d-\d\d \d\d:\d\d UTC: /);
    expect(said).toContain(`${request.paymentId} does not hold KES ${TOO_MUCH}. Nothing was sent, nothing is held.`);
    return request;
  }

  test.concurrent('is paid when the money comes in time, and waiting costs no event', async () => {
    const { paymentId } = await waitingForMoney({ ...PATIENT, callbackGrace: '1 minute' });
    expect(await stageOf(flow, paymentId)).toBe('submitting');
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
    await flow.store.funds.add({ account: paymentId, amount: 1, currency: 'KES' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount: TOO_MUCH });
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: [0, 0, TOO_MUCH] });
    // As many as a payment that did not wait.
    expect((await historyOf(flow, paymentId)).events?.length).toBeLessThanOrEqual(26);
  });

  test.concurrent.each([
    { what: 'when it does not', policy: { ...SHORT_POLICY, fundsWithin: '2 seconds' } },
    // Enough for a busy machine to have asked once.
    { what: 'when it is to wait for longer than it may be sent', policy: { ...PATIENT, submitWithin: '15 seconds' } },
  ])('$what: it is declined for lack of money, and not as expired', async ({ policy }) => {
    const request = await ownRequest(flow, 'paid-with-callback', { amount: TOO_MUCH, policy });
    const { paymentId } = request;
    expect(await paidOrNot(request)).toMatchObject({
      kind: 'declined',
      step: 'funds',
      reason: 'insufficient-funds',
      retryable: true,
      settledBy: 'none',
    });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  });

  test.concurrent('when no worker was there at the end of its time: it is declined, and nothing was sent', async () => {
    const own = await startFlow();
    const { paymentId } = await waitingForMoney({ ...PATIENT, submitWithin: '20 seconds' }, own);
    await own.stopWorker();
    const last = async () => (await historyOf(own, paymentId)).events?.at(-1);
    await until('the end of its time', last, (event) => Boolean(event?.workflowTaskScheduledEventAttributes));
    await own.startWorker();
    // A worker that stops may take another try along, and that ends otherwise than for lack of money.
    expect(await outcomeOf(own, paymentId)).toMatchObject({
      kind: 'declined',
      reason: expect.stringMatching(/^(insufficient-funds|expired)$/) as string,
    });
    expect(await truthOf(own, paymentId)).toEqual(NEVER_SENT);
  });
});
