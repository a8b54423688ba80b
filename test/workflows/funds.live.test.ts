import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import { FLOAT, outcomeOf, startFlow, until, type Flow } from '../support/flow';
import { FUNDS, NEVER_SENT, ownRequest, PRICE, truthOf } from '../support/gates';

/** G6: the payer's money, where many want it at once and where there is none. */
let flow: Flow;

beforeAll(async () => {
  flow = await startFlow();
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

describe('G6: an account that cannot pay', () => {
  // prettier-ignore
  test.concurrent.each([
    { what: 'is not there', change: { fundingAccount: 'no-such-account' }, reason: 'unknown-funding-account' },
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
