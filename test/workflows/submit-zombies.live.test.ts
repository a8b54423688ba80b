import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Submission } from '../../src/payment/observation';
import type { Claimed } from '../../src/store';
import {
  broken,
  createFaultyWorker,
  createHang,
  FUNDS_WHEN,
  payWith,
  truthOf,
  type FaultyWorker,
  type Hang,
} from '../support/faults';
import { needsAttention, outcomeOf, SHORT_POLICY, stageOf, startFlow, until, type Flow } from '../support/flow';

/**
 * G1, G2: Attempts that hang and go on when nobody counts on them any more: the engine has given the step to another attempt, or has
 * given it up. While one hangs it tells the engine nothing.
 */
let flow: Flow;
let worker: FaultyWorker;
const hangs: Hang<never>[] = [];

beforeAll(async () => {
  worker = createFaultyWorker();
  flow = await startFlow(worker.worker);
});
// A test that failed must not leave the worker waiting.
afterAll(() => hangs.forEach(({ release }) => release()));

function hang<Result>(): Hang<Result> {
  const made = createHang<Result>();
  hangs.push(made as Hang<never>);
  return made;
}

/** Heartbeats, retries and schedules are the engine's; the rest is for a slow machine. */
const SEND_WITHIN = 5_000;
/** Long enough to come to the claim on a slow machine; a test waits for its end. */
const EXPIRES = { policy: { ...SHORT_POLICY, submitWithin: '12 seconds' } };
const NOTHING_SENT = { seen: 0, captured: 0, funds: FUNDS_WHEN.back };

const isAwaitingResult = (paymentId: string) =>
  until(
    'an attempt that sent',
    () => stageOf(flow, paymentId),
    (stage) => stage === 'awaiting-result',
  );

describe('G1: a zombie attempt sends nothing', () => {
  const hangingBeforeTheClaim = async (behaviour: 'paid-with-callback' | 'pending-for-ever', change = {}) => {
    const zombie = hang<Claimed>();
    const paymentId = await payWith(
      { flow, worker },
      behaviour,
      () => ({
        silentAttempt: 1,
        claim: (attempt, real, args) => (attempt === 1 ? zombie.before(() => real(...args)) : real(...args)),
      }),
      change,
    );
    await zombie.reached;
    return { zombie, paymentId };
  };

  test.concurrent('that hung before its claim, when another has paid and closed', async () => {
    const { zombie, paymentId } = await hangingBeforeTheClaim('paid-with-callback');
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome.kind).toBe('paid');
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'closed', outcome });
    await turn();
    expect(worker.senders(paymentId)).toEqual([2]);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: FUNDS_WHEN.paid });
  });

  test.concurrent('that hung before its claim, when another has sent and waits', async () => {
    const { zombie, paymentId } = await hangingBeforeTheClaim('pending-for-ever');
    await isAwaitingResult(paymentId);
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'taken' });
    await turn();
    expect(worker.senders(paymentId)).toEqual([2]);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: FUNDS_WHEN.open });
  });

  test.concurrent('that hung before its claim until the payment expired: the close has taken the claim', async () => {
    const zombie = hang<Claimed>();
    const faults = {
      claim: (_attempt: number, real: Claim, args: Parameters<Claim>) => zombie.before(() => real(...args)),
    };
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => faults, EXPIRES);
    await zombie.reached;
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({ kind: 'declined', reason: 'expired', step: 'submission' });
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'closed', outcome });
    await turn();
    expect(worker.senders(paymentId)).toEqual([]);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });

  test.concurrent('that hung between claim and POST: its time to send is over, and nobody else may', async () => {
    const zombie = hang<Submission>();
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => ({
      silentAttempt: 1,
      send: (_attempt, real, args) => zombie.before(() => real(...args)),
    }));
    await zombie.reached;
    const over = sleep(SEND_WITHIN + 200);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
    await over;
    zombie.release();
    expect(await zombie.result).toMatchObject({ kind: 'not-sent' });
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 0, captured: 0, funds: FUNDS_WHEN.open });
  });

  test.concurrent('that hung after its POST: another finds the record, and sends nothing', async () => {
    const zombie = hang<Submission>();
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => ({
      silentAttempt: 1,
      send: (_attempt, real, args) => zombie.after(() => real(...args)),
    }));
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome.kind).toBe('paid');
    zombie.release();
    expect(await zombie.result).toMatchObject({ kind: 'accepted' });
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(worker.attempts(paymentId)).toBe(2);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: FUNDS_WHEN.paid });
    expect((await flow.store.payments.facts(paymentId)).outcome).toEqual(outcome);
  });
});

type Claim = Flow['store']['payments']['claim'];

describe('expired: declined only if nothing was claimed', () => {
  const down = () => Promise.reject(broken());

  test.concurrent.each([
    { name: 'the provider does not answer the look', faults: { look: down } },
    { name: 'the store does not take the claim', faults: { claim: down } },
  ])('$name: expired, nothing sent, the money is back', async ({ faults }) => {
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => faults, EXPIRES);
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({
      kind: 'declined',
      reason: 'expired',
      step: 'submission',
      retryable: true,
      settledBy: 'none',
    });
    expect(await flow.store.payments.facts(paymentId)).toMatchObject({ outcome });
    expect(worker.attempts(paymentId)).toBeGreaterThan(1);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });

  test.concurrent(
    'sent by an attempt that broke, and then no answer to any look until it expired: not declined, paid',
    async () => {
      const paymentId = await payWith(
        { flow, worker },
        'paid-with-callback',
        () => ({
          look: (attempt, real, args) => (attempt === 1 ? real(...args) : down()),
          send: (_attempt, real, args) => real(...args).then(down),
        }),
        EXPIRES,
      );
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
      expect(worker.attempts(paymentId)).toBeGreaterThan(1);
      expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: FUNDS_WHEN.paid });
    },
  );
});

test('a callback address that cannot be made: found before the claim, so it expires and is never unknown', async () => {
  const own = createFaultyWorker();
  const settings = {
    callbackUrl: (paymentId: string) =>
      flow.providerCallbacks.urlOf(`https://callbacks.example/${'a'.repeat(250)}`, paymentId),
  };
  const misconfigured = await startFlow({ ...own.worker, settings });
  const paymentId = await payWith({ flow: misconfigured, worker: own }, 'paid-with-callback', () => ({}), EXPIRES);
  expect(await outcomeOf(misconfigured, paymentId)).toMatchObject({ kind: 'declined', reason: 'expired' });
  expect(await truthOf(misconfigured, paymentId)).toEqual(NOTHING_SENT);
});

test('the provider is down from the start: expired before anything is held or sent', async () => {
  const alone = await startFlow({ provider: (real) => ({ ...real, validateAccount: () => Promise.reject(broken()) }) });
  const policy = { ...SHORT_POLICY, submitWithin: '2 seconds' };
  const paymentId = await payWith({ flow: alone, worker }, 'paid-with-callback', () => ({}), { policy });
  expect(await outcomeOf(alone, paymentId)).toMatchObject({
    kind: 'declined',
    reason: 'expired',
    step: 'validation',
    retryable: true,
  });
  expect(await truthOf(alone, paymentId)).toEqual(NOTHING_SENT);
});
