import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import type { BehaviourName } from '../../src/sandbox';
import { atEndOfFile } from '../support/at-end';
import { FLOAT, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { SIGNALS_ITSELF, startWorkerProcess } from '../support/worker-process';

/** `worker/main` in processes of their own, which die, sleep and stop at the worst moments: never a second payment request (G1). */

const SEND_WITHIN = 5_000;
const HEARTBEAT_TIMEOUT = 3_000;
const policy = { ...SHORT_POLICY, submitWithin: '5 minutes', attentionAfter: '5 minutes' };

const newFlow = (): Promise<Flow> => startFlow({ withoutWorker: true });

async function providerThroughProxy(flow: Flow): Promise<TcpProxy> {
  const proxy = await startTcpProxy(flow.sandbox.url);
  atEndOfFile(() => proxy.close());
  return proxy;
}

/** What only the payment POST says. */
const thePost = (paymentId: string): string => `"originatorConversationId":"${paymentId}"`;

const posts = (flow: Flow, paymentId: string) => {
  const { postsSeen: seen, postsCaptured: captured } = flow.sandbox.payment(paymentId);
  return { seen, captured };
};

async function expectFunds(flow: Flow, where: { readonly posted: number; readonly reserved: number }): Promise<void> {
  const available = FLOAT.amount - where.posted - where.reserved;
  expect(await flow.store.funds.account(FLOAT.account)).toMatchObject({ ...where, available });
}

describe('SIGKILL', () => {
  test('mid-POST, then another worker: one POST, paid', async () => {
    const flow = await newFlow();
    const request = flow.request('paid-with-callback', { policy });
    const { paymentId } = request;
    const proxy = await providerThroughProxy(flow);
    const held = proxy.hold(thePost(paymentId));
    const killed = await startWorkerProcess(flow, { apiUrl: proxy.url });
    await flow.payments.start(request);
    await held;
    await until(
      'the payment at the provider',
      () => posts(flow, paymentId),
      ({ captured }) => captured === 1,
    );
    killed.kill('SIGKILL');
    expect(await killed.ended).toBe(128 + 9);

    await startWorkerProcess(flow);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount: request.amount });
    expect((await flow.payments.payment(paymentId).progress()).submission).toMatchObject({ kind: 'unknown' });
    expect(posts(flow, paymentId)).toEqual({ seen: 1, captured: 1 });
    await expectFunds(flow, { posted: request.amount, reserved: 0 });
  });

  test('between claim and POST, then another worker: no POST, a person is asked, the money stays held', async () => {
    const flow = await newFlow();
    const request = flow.request('paid-with-callback', { policy });
    const { paymentId } = request;
    const killed = await startWorkerProcess(flow, { dies: { after: 'claim', by: 'SIGKILL' } });
    await flow.payments.start(request);
    expect(await killed.ended).toBe(128 + 9);

    await startWorkerProcess(flow);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
    expect(posts(flow, paymentId)).toEqual({ seen: 0, captured: 0 });
    await expectFunds(flow, { posted: 0, reserved: request.amount });
  });
});

describe('SIGSTOP past the heartbeat time-out, then SIGCONT', () => {
  /** Workflows run here, so that only an activity stands still with the stopped process. */
  async function stopped(after: 'look' | 'claim') {
    const flow = await startFlow({ overrides: { enableNonLocalActivities: false } });
    const request = flow.request('paid-with-callback', { policy });
    const zombie = await startWorkerProcess(flow, { activitiesOnly: true, dies: { after, by: 'SIGSTOP' } });
    await flow.payments.start(request);
    await zombie.says(SIGNALS_ITSELF);
    await startWorkerProcess(flow, { activitiesOnly: true });
    return { flow, request, paymentId: request.paymentId, zombie };
  }

  test('between claim and POST: no POST leaves', async () => {
    const { flow, request, paymentId, zombie } = await stopped('claim');
    const over = sleep(SEND_WITHIN + 200);
    expect(await needsAttention(flow, paymentId)).toMatchObject({
      reason: 'not-found',
      submission: { kind: 'unknown', said: 'an earlier attempt may have sent it' },
    });
    await over;
    zombie.kill('SIGCONT');
    await zombie.says('"submission":"unknown"');
    expect(posts(flow, paymentId)).toEqual({ seen: 0, captured: 0 });
    await expectFunds(flow, { posted: 0, reserved: request.amount });
  });

  test('between look and claim: the other has paid, and this one sends nothing', async () => {
    const { flow, request, paymentId, zombie } = await stopped('look');
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    zombie.kill('SIGCONT');
    // Done with everything it had in hand, whatever that was.
    zombie.kill('SIGTERM');
    expect(await zombie.ended).toBe(0);
    expect(posts(flow, paymentId)).toEqual({ seen: 1, captured: 1 });
    await expectFunds(flow, { posted: request.amount, reserved: 0 });
  });
});

describe('SIGTERM', () => {
  test('mid-POST: it takes the answer, reports it, and ends by itself with code 0', async () => {
    const flow = await newFlow();
    const request = flow.request('callback-lost', { policy });
    const { paymentId } = request;
    const proxy = await providerThroughProxy(flow);
    const held = proxy.hold(thePost(paymentId));
    const worker = await startWorkerProcess(flow, { apiUrl: proxy.url });
    await flow.payments.start(request);
    const answer = await held;
    worker.kill('SIGTERM');
    await worker.says('STOPPING');
    // It tells the engine all the while that it is alive.
    await sleep(HEARTBEAT_TIMEOUT + 1_500);
    answer();
    expect(await worker.ended).toBe(0);

    await startWorkerProcess(flow);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect((await flow.payments.payment(paymentId).progress()).submission).toMatchObject({ kind: 'accepted' });
    expect(posts(flow, paymentId)).toEqual({ seen: 1, captured: 1 });
  });
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

  test(`${PAYMENTS.length} payments: one POST each at most, nothing lost, and the money adds up`, async () => {
    const flow = await newFlow();
    const [killed, other] = await Promise.all([startWorkerProcess(flow), startWorkerProcess(flow)]);
    const requests = PAYMENTS.map((behaviour) => flow.request(behaviour, { policy }));
    await Promise.all(requests.map((request) => flow.payments.start(request)));
    const sent = (): number => flow.sandbox.ledger.payments().filter(({ postsSeen }) => postsSeen > 0).length;
    await until('a third of the payments at the provider', sent, (count) => count >= PAYMENTS.length / 3);
    killed.kill('SIGKILL');
    await killed.ended;

    let [posted, reserved] = [0, 0];
    for (const [index, { paymentId, amount }] of requests.entries()) {
      const end = await endOf(flow, paymentId, PAYMENTS[index]);
      if (end === 'Paid') posted += amount;
      if (end === 'NeedsAttention') reserved += amount;
    }
    const seen = requests.map(({ paymentId }) => posts(flow, paymentId).seen);
    expect(Math.max(...seen)).toBe(1);
    await expectFunds(flow, { posted, reserved });
    const worked = [killed, other].map(({ lines }) => lines.some((line) => line.includes('"submission"')));
    expect(worked).toEqual([true, true]);
  });

  /** Waits for an end that agrees with what the provider took; the killed worker may have taken an answer along. */
  async function endOf(flow: Flow, paymentId: string, behaviour: BehaviourName | undefined): Promise<string> {
    const run = flow.client.workflow.getHandle(workflowIdOf(paymentId));
    const look = async () => ({
      ...posts(flow, paymentId),
      behaviour,
      state: (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) ?? 'none',
    });
    const agrees = ({ state, captured, seen }: Awaited<ReturnType<typeof look>>): boolean => {
      if (behaviour === 'invalid-account') return state === 'Declined' && seen === 0;
      if (behaviour === 'rejected') return (state === 'Declined' && seen === 1) || state === 'NeedsAttention';
      if (captured === 0) return state === 'NeedsAttention';
      if (behaviour === 'failed-callback-lost') return state === 'NeedsAttention';
      return state === (behaviour === 'failed-refusal' ? 'Declined' : 'Paid');
    };
    return (await until(`an end of ${paymentId}`, look, agrees)).state;
  }
});
