import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { SEND_WINDOW_MS } from '../../src/payment/judge';
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
import {
  factsOf,
  factsWhen,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { timePasses } from '../support/time';

/**
 * G1, G2: Attempts that hang and go on when nobody counts on them any more: the engine has given the step to another attempt, or has
 * given it up. While one hangs it tells the engine nothing.
 */
let flow: Flow;
let worker: FaultyWorker;
const hangs: Hang<never>[] = [];
/** Accounts that the provider does not check, and payments whose callback address would be too long. */
const unchecked = new Set<string>();
const unaddressed = new Set<string>();

beforeAll(async () => {
  worker = createFaultyWorker();
  flow = await startFlow({
    ...worker.worker,
    provider: (real) => ({
      ...(worker.worker.provider?.(real) ?? real),
      validateAccount: (bill, signal) =>
        unchecked.has(bill.accountNumber) ? Promise.reject(broken()) : real.validateAccount(bill, signal),
    }),
    settings: {
      callbackUrl: (paymentId) => {
        const base = unaddressed.has(paymentId) ? `https://callbacks.example/${'a'.repeat(250)}` : flow.callbacks.url;
        return flow.providerCallbacks.urlOf(base, paymentId);
      },
    },
  });
});
// A test that failed must not leave the worker waiting.
afterAll(() => hangs.forEach(({ release }) => release()));

function hang<Result>(): Hang<Result> {
  const made = createHang<Result>();
  hangs.push(made as Hang<never>);
  return made;
}

/** Long enough to come to the claim on a slow machine; a test waits for its end. */
const EXPIRES = { policy: { ...SHORT_POLICY, submitWithin: '8 seconds' } };
const NOTHING_SENT = { seen: 0, captured: 0, funds: FUNDS_WHEN.back };
const PAID_ONCE = { seen: 1, captured: 1, funds: FUNDS_WHEN.paid };

const isAwaitingResult = (paymentId: string) =>
  until(
    'an attempt that sent',
    () => stageOf(flow, paymentId),
    (stage) => stage === 'awaiting-result',
  );

const answerOf = async (paymentId: string) => {
  const { claim } = await factsOf(flow, paymentId);
  return claim.kind === 'taken' ? claim.answer : undefined;
};

/** What was heard is written by who sent it, whoever does not wait for it any more. */
const answerWritten = (paymentId: string) =>
  until(
    'the answer to be written',
    () => answerOf(paymentId),
    (answer) => answer !== undefined,
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
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'not-claimed', because: 'closed' });
    await turn();
    expect(worker.senders(paymentId)).toEqual([2]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('that hung before its claim, when another has sent and waits', async () => {
    const { zombie, paymentId } = await hangingBeforeTheClaim('pending-for-ever');
    await isAwaitingResult(paymentId);
    const known = await answerOf(paymentId);
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'not-claimed', because: 'taken' });
    await turn();
    expect(worker.senders(paymentId)).toEqual([2]);
    expect(await answerOf(paymentId)).toEqual(known);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 1, captured: 1, funds: FUNDS_WHEN.open });
  });

  test.concurrent('that hung before its claim until the payment expired: the end has taken the claim', async () => {
    const zombie = hang<Claimed>();
    const faults = {
      claim: (_attempt: number, real: Claim, args: Parameters<Claim>) => zombie.before(() => real(...args)),
    };
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => faults, EXPIRES);
    await zombie.reached;
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'expired', step: 'submission' });
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'not-claimed', because: 'closed' });
    await turn();
    expect(worker.senders(paymentId)).toEqual([]);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });
});

describe('G1, G2: a zombie that has the claim is the only one who sends, and who knows what it heard', () => {
  const hangingWithTheClaim = async (
    where: 'before' | 'after',
    behaviour: 'paid-with-callback' | 'pending-for-ever',
  ) => {
    const zombie = hang<Submission>();
    let mayStillSend = () => true;
    const paymentId = await payWith({ flow, worker }, behaviour, () => ({
      silentAttempt: 1,
      send: (_attempt, real, args) => {
        mayStillSend = args[2];
        return zombie[where](() => real(...args));
      },
    }));
    await isAwaitingResult(paymentId);
    expect(worker.attempts(paymentId)).toBe(2);
    const isTooLate = () =>
      until(
        'its time to send to be over',
        () => mayStillSend(),
        (may) => !may,
      );
    return { zombie, paymentId, isTooLate };
  };

  test.concurrent('it hung between claim and POST: its time to send is over, and the money is given back', async () => {
    const { zombie, paymentId, isTooLate } = await hangingWithTheClaim('before', 'paid-with-callback');
    await isTooLate();
    await timePasses(flow, paymentId, SEND_WINDOW_MS);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 0, captured: 0, funds: FUNDS_WHEN.open });
    zombie.release();
    expect(await zombie.result).toEqual({ kind: 'not-sent', because: 'too late to send' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'not-sent', retryable: true });
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });

  test.concurrent('it hung after its POST: nothing is proven until its answer is there', async () => {
    const { zombie, paymentId } = await hangingWithTheClaim('after', 'paid-with-callback');
    const { closed } = await factsWhen(flow, paymentId, 'the record', ({ seen }) => seen.completedAt !== undefined);
    expect(closed).toBeUndefined();
    zombie.release();
    expect(await zombie.result).toMatchObject({ kind: 'accepted' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    expect(await answerOf(paymentId)).toMatchObject({ kind: 'accepted' });
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent(
    'it hung after its POST for longer than that: the record proves it, and the late answer changes nothing',
    async () => {
      const { zombie, paymentId } = await hangingWithTheClaim('after', 'paid-with-callback');
      await timePasses(flow, paymentId, SEND_WINDOW_MS);
      const outcome = await outcomeOf(flow, paymentId);
      expect(outcome.kind).toBe('paid');
      zombie.release();
      expect(await answerWritten(paymentId)).toMatchObject({ kind: 'accepted' });
      expect((await factsOf(flow, paymentId)).closed).toEqual({ outcome, disputed: false });
      expect(worker.senders(paymentId)).toEqual([1]);
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
    },
  );

  test.concurrent('it hung between claim and POST until a person decided: what they decided stands', async () => {
    const { zombie, paymentId, isTooLate } = await hangingWithTheClaim('before', 'paid-with-callback');
    await isTooLate();
    const decision = { decision: 'paid', operator: 'amina', note: 'seen in the portal' } as const;
    await expect(flow.payments.payment(paymentId).resolve(decision)).rejects.toThrow('being sent right now');
    await timePasses(flow, paymentId, SEND_WINDOW_MS);
    await needsAttention(flow, paymentId);
    const { outcome } = await flow.payments.payment(paymentId).resolve(decision);
    expect(outcome).toMatchObject({ kind: 'paid', settledBy: 'operator' });
    zombie.release();
    expect(await answerWritten(paymentId)).toMatchObject({ kind: 'not-sent' });
    expect((await factsOf(flow, paymentId)).closed).toMatchObject({ outcome });
    expect(worker.senders(paymentId)).toEqual([1]);
    expect(await truthOf(flow, paymentId)).toEqual({ seen: 0, captured: 0, funds: FUNDS_WHEN.paid });
  });
});

type Claim = Flow['store']['payments']['claim'];

describe('expired: declined only if nothing was claimed', () => {
  const down = () => Promise.reject(broken());

  test.concurrent.each([
    { name: 'the provider does not answer the look', faults: { look: down } },
    { name: 'the store does not take the claim', faults: { claim: down } },
  ])('$name: expired, nothing sent, nothing held', async ({ faults }) => {
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => faults, EXPIRES);
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({
      ...{ kind: 'declined', reason: 'expired', step: 'submission' },
      ...{ retryable: true, settledBy: 'none' },
    });
    expect(await factsOf(flow, paymentId)).toMatchObject({ claim: { kind: 'sealed' }, closed: { outcome } });
    expect(worker.attempts(paymentId)).toBeGreaterThan(1);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });

  test.concurrent(
    'sent by an attempt that broke, and nothing is known of it until it expired: not declined, paid',
    async () => {
      const paymentId = await payWith(
        { flow, worker },
        'paid-with-callback',
        () => ({
          read: (attempt, real, args) => (attempt === 1 ? real(...args) : down()),
          send: (_attempt, real, args) => real(...args).then(down),
        }),
        EXPIRES,
      );
      await isAwaitingResult(paymentId);
      await timePasses(flow, paymentId, SEND_WINDOW_MS);
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
      expect(worker.attempts(paymentId)).toBeGreaterThan(1);
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
    },
  );

  test.concurrent(
    'a callback address that cannot be made: found before the claim, so it expires and is never unknown',
    async () => {
      const faults = (id: string) => {
        unaddressed.add(id);
        return {};
      };
      const paymentId = await payWith({ flow, worker }, 'paid-with-callback', faults, EXPIRES);
      expect(await outcomeOf(flow, paymentId)).toMatchObject({
        kind: 'declined',
        reason: 'expired',
        step: 'submission',
      });
      expect(worker.attempts(paymentId)).toBeGreaterThan(0);
      expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
    },
  );

  test.concurrent('the provider is down from the start: expired before anything is held or sent', async () => {
    const accountNumber = randomUUID();
    unchecked.add(accountNumber);
    const change = { accountNumber, policy: { ...SHORT_POLICY, submitWithin: '2 seconds' } };
    const paymentId = await payWith({ flow, worker }, 'paid-with-callback', () => ({}), change);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({
      ...{ kind: 'declined', reason: 'expired', step: 'validation' },
      retryable: true,
    });
    expect(worker.attempts(paymentId)).toBe(0);
    expect(await truthOf(flow, paymentId)).toEqual(NOTHING_SENT);
  });
});
