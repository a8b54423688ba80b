import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { Refused } from '../../src/client';
import { ProviderTrouble, type Provider } from '../../src/payment/provider';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName, ScriptedCallback } from '../../src/sandbox';
import type { Store } from '../../src/store';
import { broken } from '../support/faults';
import {
  factsOf,
  factsWhen,
  historyOf,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import {
  COMPLETED,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  runOf,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  startImpatient,
  truthOf,
} from '../support/gates';
import { timePasses } from '../support/time';

/**
 * Outages at the worst moment: of the provider, of the store, or of both to a callback. A person hears of it in time (G4), no
 * callback is missed (G5), and nobody is told what is not known (G2).
 */
let flow: Flow;

/** Payment by payment, what goes wrong with a look, and which step of the store fails. The real ones are called, or not. */
const looks = new Map<string, (find: Provider['findPayment']) => Provider['findPayment']>();
const down = new Map<string, 'register' | 'look' | 'record'>();

beforeAll(async () => {
  const unless = async <T>(
    step: 'register' | 'look' | 'record',
    paymentId: string,
    run: () => Promise<T>,
  ): Promise<T> => {
    if (down.get(paymentId) !== step) return await run();
    // Not to be tried again at once: a round of a local activity's tries ends with it.
    throw step === 'look' ? broken() : ApplicationFailure.nonRetryable('broken by the test');
  };
  const store = (real: Store) => ({
    ...real,
    payments: {
      ...real.payments,
      register: (...args: Parameters<Store['payments']['register']>) =>
        unless('register', args[0].paymentId, () => real.payments.register(...args)),
      look: (...args: Parameters<Store['payments']['look']>) =>
        unless('look', args[0], () => real.payments.look(...args)),
      recordOutcome: (...args: Parameters<Store['payments']['recordOutcome']>) =>
        unless('record', args[0], () => real.payments.recordOutcome(...args)),
    },
  });
  const provider = (real: Provider): Provider => ({
    ...real,
    findPayment: (paymentId, signal) =>
      (looks.get(paymentId)?.(real.findPayment) ?? real.findPayment)(paymentId, signal),
  });
  flow = await startFlow({ provider, store });
});

// A test that failed must not leave the worker waiting.
afterAll(() => {
  looks.clear();
  down.clear();
});

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '300 milliseconds' };
const FAILED = { status: 6 } as const;
const PENDING = { status: 1 } as const;
const TOKEN = '1234-5678-9012-3456-7890';

const unreachable = () => () => Promise.reject(new ProviderTrouble('connection', 'Almara Pay is out of reach'));

const of = (paymentId: string) => flow.payments.payment(paymentId);

async function pending(policy: BillPaymentRequest['policy'], behaviour: BehaviourName = 'pending-for-ever') {
  return await sent(flow, await ownRequest(flow, behaviour, { policy }));
}

async function callback(paymentId: string, content: ScriptedCallback): Promise<void> {
  expect(await flow.sandbox.sendCallback(paymentId, content)).toMatchObject({ answered: 200 });
}

async function expectOpen(paymentId: string): Promise<void> {
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
}

async function expectPaid(paymentId: string): Promise<void> {
  flow.sandbox.setRecord(paymentId, COMPLETED);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

describe('G4: a person is asked in time, whatever is down', () => {
  test.concurrent('failed shortly before, and then the provider is out of reach', async () => {
    const paymentId = await pending({ ...EAGER, failureConfirmation: '30 seconds' });
    flow.sandbox.setRecord(paymentId, FAILED);
    await factsWhen(flow, paymentId, 'the failure', ({ seen }) => seen.failedFirstAskedAt !== undefined);
    looks.set(paymentId, unreachable);
    // The failure would be confirmed by now, if anybody said it again.
    await timePasses(flow, paymentId, 10 * 60_000);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'provider-silent' });
    await expectOpen(paymentId);
    looks.delete(paymentId);
    await expectPaid(paymentId);
  });

  test.concurrent('the store fails at each look after the submission', async () => {
    const paymentId = await pending({ ...EAGER, attentionAfter: '10 seconds' });
    down.set(paymentId, 'look');
    const asked = await needsAttention(flow, paymentId);
    expect(asked).toMatchObject({ reason: 'store-unavailable', because: 'broken by the test' });
    expect(Date.parse(asked.attentionSince ?? '')).toBeGreaterThanOrEqual(Date.parse(asked.attentionAt));
    down.delete(paymentId);
    await expectOpen(paymentId);
    await expectPaid(paymentId);
  });

  test.concurrent('not found, then found: the reason gives way to the plain one', async () => {
    const paymentId = await pending(EAGER);
    flow.sandbox.setRecord(paymentId, null);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
    flow.sandbox.setRecord(paymentId, PENDING);
    const reason = async () =>
      (await runOf(flow, paymentId).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.reason);
    await until('the new reason', reason, (shown) => shown === 'provider-silent');
    expect(await of(paymentId).progress()).toMatchObject({ stage: 'needs-attention', reason: 'provider-silent' });
    await expectOpen(paymentId);
    await expectPaid(paymentId);
  });

  test.concurrent(
    'the store is down when the end is written down: it is said, and a decision meets the proof',
    async () => {
      const paymentId = await pending({ ...EAGER, attentionAfter: '10 seconds' });
      down.set(paymentId, 'record');
      flow.sandbox.setRecord(paymentId, COMPLETED);
      const asked = await needsAttention(flow, paymentId);
      expect(asked).toMatchObject({ stage: 'recording', reason: 'store-unavailable' });
      await expectOpen(paymentId);
      down.delete(paymentId);
      // The run itself tries again in its own time, which is longer with each round.
      const decision = { decision: 'paid', operator: 'op-1', note: 'shown by a test' } as const;
      await expect(of(paymentId).resolve(decision)).rejects.toThrow(Refused);
      await expectPaid(paymentId);
      expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
      const { typedSearchAttributes: attributes } = await runOf(flow, paymentId).describe();
      expect(attributes.get(SEARCH_ATTRIBUTES.state)).toBe('Paid');
      expect(attributes.get(SEARCH_ATTRIBUTES.reason)).toBeUndefined();
    },
  );
});

describe('G5: no callback is missed', () => {
  test.concurrent('the token comes while the provider is too slow for a look at once', async () => {
    const request = await ownRequest(flow, 'prepaid-callback-lost', { policy: EAGER });
    const paymentId = await sent(flow, request);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'paid-without-token' });
    looks.set(paymentId, (find) => async (id, signal) => {
      await sleep(2_600);
      return await find(id, signal);
    });
    await callback(paymentId, { status: 4, code: '0', token: `Token: ${TOKEN}` });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({
      kind: 'paid',
      receipt: { token: expect.stringContaining(TOKEN) as string },
    });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('one beyond those that are signalled: the poll finds its code', async () => {
    const paymentId = await pending(EAGER);
    // Code 9 is about another request: these say nothing.
    for (let number = 1; number <= 20; number += 1)
      await callback(paymentId, { status: 6, code: '9', fields: { remarks: `callback ${number}` } });
    const signals = () => flow.store.inbox.signalsSent(paymentId);
    await until('the signals', signals, (number) => number === 20);
    flow.sandbox.setRecord(paymentId, FAILED);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
    // What looks because of a signal brings nothing any more: what comes now, the poll alone can find.
    looks.set(
      paymentId,
      (find) => (id, signal) =>
        activityInfo().activityType === 'lookAtPayment' ? Promise.reject(broken()) : find(id, signal),
    );
    await callback(paymentId, { status: 6, code: '1' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', providerCode: '1' });
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
    const { events } = await historyOf(flow, paymentId);
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(20);
  });
});

describe('G2: nobody is told what is not known', () => {
  test.concurrent('not registered yet: an earlier run may have sent it', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const { paymentId } = request;
    down.set(paymentId, 'register');
    const run = await startImpatient(flow, request);
    const { currentDetails } = await run.query<{ readonly currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('Registering');
    expect(currentDetails).not.toMatch(/nothing was sent|no money is held/i);
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
    down.delete(paymentId);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });
});

test.concurrent('a step whose time is up is scheduled all the same: no history branches on the clock', async () => {
  const policy = { ...SHORT_POLICY, submitWithin: '1 millisecond' } as const;
  const request = await ownRequest(flow, 'paid-with-callback', { policy });
  const { paymentId } = request;
  await flow.payments.start(request);
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toMatchObject({ kind: 'declined', step: 'validation', reason: 'expired', retryable: true });
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  const { events } = await historyOf(flow, paymentId);
  const scheduled = events?.flatMap(({ activityTaskScheduledEventAttributes: of }) => of?.activityType?.name ?? []);
  expect(scheduled).toEqual(['validateAccount']);
});

test.concurrent('429 with Retry-After 600 to the look before sending: not declined, paid a little later', async () => {
  const request = await ownRequest(flow, 'paid-with-callback');
  const { paymentId } = request;
  const attempts: number[] = [];
  looks.set(paymentId, (find) => async (id, signal) => {
    const { activityType, attempt } = activityInfo();
    if (activityType === 'submitPayment') attempts.push(attempt);
    if (activityType !== 'submitPayment' || attempt > 1) return await find(id, signal);
    throw new ProviderTrouble('rate-limited', '429 to the look-up', { status: 429, retryAfterMs: 600_000 });
  });
  await flow.payments.start(request);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
  expect(attempts).toEqual([1, 2]);
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
});
