import {
  factsOf,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { COMPLETED, NEVER_SENT, ownRequest, PAID_ONCE, runOf, sent, truthOf } from '../support/gates';

/** G1, G2: `SUBMISSIONS=off`, for the time after a restored backup: nothing is sent, and everything else goes on. */
let flow: Flow;

beforeAll(async () => {
  flow = await startFlow({ settings: { submissions: 'off' } });
});

async function lastFailure(paymentId: string): Promise<string> {
  const { raw } = await runOf(flow, paymentId).describe();
  return raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'submitPayment')?.lastFailure
    ?.message as string;
}

const waits = async (paymentId: string): Promise<void> => {
  await until(
    'the switch to be met',
    () => lastFailure(paymentId),
    (said) => said?.startsWith('Submissions are switched off on this worker (SUBMISSIONS=off). Nothing was sent.'),
  );
};

test.concurrent('a payment waits unsent, says why, and expires as never sent', async () => {
  const policy = { ...SHORT_POLICY, submitWithin: '5 seconds' } as const;
  const request = await ownRequest(flow, 'paid-with-callback', { policy });
  const { paymentId } = request;
  await flow.payments.start(request);
  await waits(paymentId);
  expect(await stageOf(flow, paymentId)).toBe('submitting');
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'expired', retryable: true });
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  expect((await factsOf(flow, paymentId)).claim).toEqual({ kind: 'sealed' });
});

test.concurrent('it can be cancelled meanwhile', async () => {
  const request = await ownRequest(flow, 'paid-with-callback');
  const { paymentId } = request;
  await flow.payments.start(request);
  await waits(paymentId);
  await flow.payments.payment(paymentId).cancel({ operator: 'op-1', note: 'paid in cash' });
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'cancelled' });
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
});

test.concurrent(
  'a record that is there already is a question for a person: its claim may be what was lost',
  async () => {
    const request = await ownRequest(flow, 'record-exists');
    await flow.payments.start(request);
    expect(await needsAttention(flow, request.paymentId)).toMatchObject({ reason: 'id-in-use' });
    expect(flow.sandbox.payment(request.paymentId).postsSeen).toBe(0);
  },
);

test.concurrent('nor is it declined as never sent, although its time was up before anything was asked', async () => {
  const policy = { ...SHORT_POLICY, submitWithin: '1 millisecond' } as const;
  const request = await ownRequest(flow, 'record-exists', { policy });
  await flow.payments.start(request);
  expect(await needsAttention(flow, request.paymentId)).toMatchObject({ reason: 'id-in-use' });
  expect((await factsOf(flow, request.paymentId)).closed).toBeUndefined();
  // Nor cancelled: whoever asks hears why.
  await expect(flow.payments.payment(request.paymentId).cancel({ operator: 'op-1', note: 'no' })).rejects.toThrow(
    /Too late to cancel/,
  );
});

test('with the switch on again it is sent, once; what was sent before goes on while it is off', async () => {
  const request = await ownRequest(flow, 'paid-with-callback');
  await flow.payments.start(request);
  await waits(request.paymentId);
  await flow.stopWorker();
  await flow.startWorker({ settings: { submissions: 'on' } });
  expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid' });
  expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);

  const before = await sent(flow, await ownRequest(flow, 'pending-for-ever'));
  await flow.stopWorker();
  await flow.startWorker({ settings: { submissions: 'off' } });
  flow.sandbox.setRecord(before, COMPLETED);
  expect(await outcomeOf(flow, before)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
  expect(await truthOf(flow, before)).toEqual(PAID_ONCE);
});
