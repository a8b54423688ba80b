import { EngineUnavailable } from '../../src/client';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import { SEND_WINDOW_MS } from '../../src/payment/judge';
import type { Provider } from '../../src/payment/provider';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName } from '../../src/sandbox';
import {
  factsOf,
  factsWhen,
  FLOAT,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { NEVER_SENT, ownRequest, PAID_ONCE, runOf, SENT_AND_OPEN, truthOf } from '../support/gates';
import { holdAccount, ownQueue } from '../support/own-queue';
import { onDatabase } from '../support/postgres';
import { sendWindowPasses, timePasses } from '../support/time';
import type { WorkerProcess } from '../support/worker-process';
import { GO_ON, saysThatItStands, type StandsAt } from '../support/worker-seams';

/**
 * `worker/main` in processes of their own, which die, sleep and stop at the worst moments: never a second payment request (G1), nothing
 * declined that may have been sent (G2), and money is held exactly where the claim is taken (G6). The scenarios run side by side, each
 * on a queue of its own, with several payments at a moment each.
 */
let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ withoutWorker: true });
});

const HEARTBEAT_TIMEOUT = 3_000;
const SEND_WITHIN = 5_000;
const policy = { ...SHORT_POLICY, submitWithin: '5 minutes', attentionAfter: '5 minutes' };
const NOT_CAPTURED = { ...SENT_AND_OPEN, captured: 0 };
const NO_POST = { ...NOT_CAPTURED, seen: 0 };

const newRequest = (behaviour: BehaviourName) => ownRequest(flow, behaviour, { policy });
const of = (paymentId: string) => flow.payments.payment(paymentId);

/** Once, whichever test asks first. */
function scenario<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => (running ??= run());
}

/** What only the payment POST says. */
const thePost = (paymentId: string): string => `"originatorConversationId":"${paymentId}"`;

const captured = (paymentId: string) =>
  until(
    'the payment at the provider',
    () => flow.sandbox.payment(paymentId).postsCaptured,
    (posts) => posts === 1,
  );

async function stand(process: WorkerProcess, stands: Readonly<Record<string, StandsAt>>): Promise<void> {
  for (const [paymentId, at] of Object.entries(stands)) await process.says(saysThatItStands(at, paymentId));
}

const isAwaitingResult = (paymentId: string) =>
  until(
    'the run to wait for its result',
    () => stageOf(flow, paymentId),
    (stage) => stage === 'awaiting-result',
  );

/** At one moment, of all payments that have not ended: held is what is claimed, and nothing else. */
async function expectHeldWhereClaimed(): Promise<void> {
  await onDatabase(flow.databaseUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT payment_id, claimed_by, r.state FROM payments LEFT JOIN reservations r USING (payment_id)
        WHERE outcome IS NULL AND (claimed_at IS NOT NULL) <> (r.payment_id IS NOT NULL AND r.settled_at IS NULL)`,
    );
    expect(rows).toEqual([]);
  });
}

async function expectPaidOnce({ paymentId, amount }: BillPaymentRequest): Promise<void> {
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

async function expectAsked({ paymentId }: BillPaymentRequest, truth: typeof NO_POST): Promise<void> {
  expect(await needsAttention(flow, paymentId)).toMatchObject({
    reason: 'not-found',
    submission: { kind: 'unknown' },
  });
  expect(await truthOf(flow, paymentId)).toEqual(truth);
}

describe('SIGKILL, then another worker', () => {
  const killed = scenario(async () => {
    const queue = await ownQueue(flow);
    const paying = () => newRequest('paid-with-callback');
    const [looked, claimed, midPost, answered] = [await paying(), await paying(), await paying(), await paying()];
    const [refused, claiming] = [await newRequest('rejected'), await paying()];
    const stands = {
      [looked.paymentId]: 'looked',
      [claimed.paymentId]: 'claimed',
      [answered.paymentId]: 'answered',
      [refused.paymentId]: 'answered',
    } as const;
    const process = await queue.startProcess({ stands });
    const isHeld = queue.proxy.hold(thePost(midPost.paymentId));
    for (const request of [looked, claimed, midPost, answered, refused]) await queue.start(request);
    await stand(process, stands);
    await isHeld;
    await captured(midPost.paymentId);
    // Its claim has come to the store, and waits there for the account when its worker dies.
    const account = await holdAccount(flow, claiming.paymentId);
    await queue.start(claiming);
    await account.isWaitedFor();
    process.kill('SIGKILL');
    expect(await process.ended).toBe(128 + 9);
    await account.release();
    await expectHeldWhereClaimed();
    await queue.startWorker();
    return { looked, claimed, midPost, answered, refused, claiming };
  });

  test.concurrent('between look and claim: another sends it', async () => {
    await expectPaidOnce((await killed()).looked);
  });

  test.concurrent('between claim and POST: no POST, a person is asked, the money stays held', async () => {
    const { claimed } = await killed();
    await sendWindowPasses(flow, claimed.paymentId, { hasTakenIt: false });
    await expectAsked(claimed, NO_POST);
  });

  test.concurrent('mid-POST: one POST, paid', async () => {
    const { midPost } = await killed();
    await sendWindowPasses(flow, midPost.paymentId, { hasTakenIt: true });
    await expectPaidOnce(midPost);
    expect((await of(midPost.paymentId).progress()).submission).toMatchObject({ kind: 'unknown' });
  });

  test.concurrent('after the POST, before its answer is written: unknown, asked by its id, paid', async () => {
    const { answered } = await killed();
    await sendWindowPasses(flow, answered.paymentId, { hasTakenIt: true });
    await expectPaidOnce(answered);
    expect((await of(answered.paymentId).progress()).submission).toMatchObject({ kind: 'unknown' });
  });

  test.concurrent('after a clear refusal, before it is written: nobody knows, and a person is asked', async () => {
    const { refused } = await killed();
    await sendWindowPasses(flow, refused.paymentId, { hasTakenIt: false });
    await expectAsked(refused, NOT_CAPTURED);
  });

  test.concurrent('while its claim is at the store: claimed with its money, or neither', async () => {
    const { claiming } = await killed();
    const { paymentId } = claiming;
    await factsWhen(flow, paymentId, 'the claim', ({ claim }) => claim.kind === 'taken');
    await isAwaitingResult(paymentId);
    // The statement has outlived its worker; or it had given up, and another attempt has sent.
    if (flow.sandbox.payment(paymentId).postsSeen === 1) return await expectPaidOnce(claiming);
    await sendWindowPasses(flow, claiming.paymentId, { hasTakenIt: false });
    await expectAsked(claiming, NO_POST);
  });
});

describe('SIGSTOP past the heartbeat time-out, then SIGCONT', () => {
  const continued = scenario(async () => {
    const queue = await ownQueue(flow);
    const paying = () => newRequest('paid-with-callback');
    const [looked, claimed, answered] = [await paying(), await paying(), await paying()];
    const stands = {
      [looked.paymentId]: 'looked',
      [claimed.paymentId]: 'claimed',
      [answered.paymentId]: 'answered',
    } as const;
    // Workflows run here, so that only activities stand still with the stopped process.
    await queue.startWorker({ overrides: { enableNonLocalActivities: false } });
    const zombie = await queue.startProcess({ stands, activitiesOnly: true });
    for (const request of [looked, claimed, answered]) await queue.start(request);
    await stand(zombie, stands);
    zombie.kill('SIGSTOP');
    await queue.startWorker({ overrides: { workflowBundle: undefined as never } });

    // Other attempts have brought them as far as they can.
    const stoppedAt = Date.now();
    await expectPaidOnce(looked);
    await sendWindowPasses(flow, claimed.paymentId, { hasTakenIt: false });
    await expectAsked(claimed, NO_POST);
    const { closed } = await factsWhen(flow, answered.paymentId, 'it', ({ seen }) => seen.completedAt !== undefined);
    expect(closed).toBeUndefined();
    await until('the time to send to be over', Date.now, (now) => now > stoppedAt + SEND_WITHIN);
    zombie.kill(GO_ON);
    zombie.kill('SIGCONT');
    await zombie.says('"submission":"not-sent"');
    // Done with everything it had in hand, whatever that was.
    zombie.kill('SIGTERM');
    expect(await zombie.ended).toBe(0);
    return { looked, claimed, answered };
  });

  test.concurrent('between look and claim: the other has paid, and this one sends nothing', async () => {
    await expectPaidOnce((await continued()).looked);
  });

  test.concurrent('between claim and POST: no POST leaves, and the money is given back', async () => {
    const { paymentId } = (await continued()).claimed;
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'not-sent' });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  });

  test.concurrent('after the POST: what it heard is written when it goes on', async () => {
    const { answered } = await continued();
    await expectPaidOnce(answered);
    expect((await factsOf(flow, answered.paymentId)).claim).toMatchObject({ answer: { kind: 'accepted' } });
  });
});

test.concurrent('SIGTERM mid-POST: it takes the answer, writes it, and ends by itself with code 0', async () => {
  const queue = await ownQueue(flow);
  const request = await newRequest('callback-lost');
  const { paymentId } = request;
  const isHeld = queue.proxy.hold(thePost(paymentId));
  const worker = await queue.startProcess();
  await queue.start(request);
  const answer = await isHeld;
  worker.kill('SIGTERM');
  const toldAt = Date.now();
  await worker.says('STOPPING');
  // It tells the engine all the while that it is alive.
  const lastBeat = async () => {
    const { pendingActivities } = (await runOf(flow, paymentId).describe()).raw;
    return Number(pendingActivities?.[0]?.lastHeartbeatTime?.seconds ?? 0) * 1_000;
  };
  await until('a heartbeat that late', lastBeat, (at) => at > toldAt + HEARTBEAT_TIMEOUT);
  answer();
  expect(await worker.ended).toBe(0);
  expect((await factsOf(flow, paymentId)).claim).toMatchObject({ answer: { kind: 'accepted' } });

  await queue.startWorker();
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
  expect((await of(paymentId).progress()).submission).toMatchObject({ kind: 'accepted' });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
});

describe('two workers at once, one of them killed', () => {
  const MIXED: readonly BehaviourName[] = [
    'paid-with-callback',
    'callback-lost',
    'callback-before-answer',
    'invalid-account',
    'rejected',
    'duplicate-id-rejected',
    'failed-refusal',
    'failed-callback-lost',
    'post-timeout',
    'post-500',
  ];
  const PAYMENTS = MIXED.flatMap((behaviour) => [behaviour, behaviour, behaviour]);

  test.concurrent(
    `${PAYMENTS.length} payments: one POST each at most, nothing lost, and the money adds up`,
    async () => {
      const queue = await ownQueue(flow);
      let byOther = 0;
      const counting = (real: Provider): Provider => ({
        ...real,
        submitPayment: (...args) => {
          byOther += 1;
          return real.submitPayment(...args);
        },
      });
      const [killed] = await Promise.all([queue.startProcess(), queue.startWorker({ provider: counting })]);
      const requests = PAYMENTS.map((behaviour) => ({ behaviour, ...flow.request(behaviour, { policy }) }));
      await Promise.all(requests.map(({ behaviour: _, ...request }) => queue.start(request)));
      const sent = () => requests.filter(({ paymentId }) => flow.sandbox.payment(paymentId).postsSeen > 0).length;
      const haveBothWorked = () => byOther > 0 && killed.lines.some((line) => line.includes('"submission"'));
      await until('a third of the payments at the provider, by both', sent, (count) => {
        return count >= PAYMENTS.length / 3 && haveBothWorked();
      });
      killed.kill('SIGKILL');
      expect(await killed.ended).toBe(128 + 9);
      await expectHeldWhereClaimed();

      const ends = await Promise.all(requests.map(({ behaviour, paymentId }) => endOf(paymentId, behaviour)));
      const sumOf = (end: string) =>
        requests.reduce((sum, { amount }, index) => sum + (ends[index] === end ? amount : 0), 0);
      expect(Math.max(...requests.map(({ paymentId }) => flow.sandbox.payment(paymentId).postsSeen))).toBe(1);
      const [posted, reserved] = [sumOf('Paid'), sumOf('NeedsAttention')];
      const available = FLOAT.amount - posted - reserved;
      expect(await flow.store.funds.account(FLOAT.account)).toMatchObject({ posted, reserved, available });
      await expectHeldWhereClaimed();
    },
  );

  /** What the killed worker has heard is lost with it: once nobody sends it any more, its half a minute passes. */
  async function sendWindowPassesIfForgotten(paymentId: string): Promise<void> {
    const look = async (): Promise<'goes its way' | 'forgotten' | 'is being sent'> => {
      // A question goes to the worker that had the run last, dead or not, and is answered late.
      const stage = await stageOf(flow, paymentId).catch((error: unknown) => {
        if (!(error instanceof EngineUnavailable)) throw error;
        return undefined;
      });
      if (stage === 'needs-attention' || stage === 'closed') return 'goes its way';
      if (stage !== 'awaiting-result') return 'is being sent';
      const { claim } = await factsOf(flow, paymentId);
      return claim.kind === 'taken' && claim.answer === undefined ? 'forgotten' : 'goes its way';
    };
    const found = await until(`an answer of ${paymentId}`, look, (seen) => seen !== 'is being sent');
    if (found === 'forgotten') await timePasses(flow, paymentId, SEND_WINDOW_MS);
  }

  /** Waits for an end that agrees with what the provider took. */
  async function endOf(paymentId: string, behaviour: BehaviourName): Promise<string> {
    await sendWindowPassesIfForgotten(paymentId);
    const run = runOf(flow, paymentId);
    const look = async () => {
      const { postsSeen: seen, postsCaptured } = flow.sandbox.payment(paymentId);
      const state = (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) ?? 'none';
      return { seen, captured: postsCaptured, behaviour, state };
    };
    const agrees = ({ state, captured: taken, seen }: Awaited<ReturnType<typeof look>>): boolean => {
      if (behaviour === 'invalid-account') return state === 'Declined' && seen === 0;
      if (behaviour === 'rejected') return (state === 'Declined' && seen === 1) || state === 'NeedsAttention';
      if (taken === 0) return state === 'NeedsAttention';
      if (behaviour === 'failed-callback-lost') return state === 'NeedsAttention';
      return state === (behaviour === 'failed-refusal' ? 'Declined' : 'Paid');
    };
    return (await until(`an end of ${paymentId}`, look, agrees)).state;
  }
});
