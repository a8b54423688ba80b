import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { InvalidRequest, PaymentConflict } from '../../src/client';
import { FAILURES, SEARCH_ATTRIBUTES, TASK_QUEUE, WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import { onDatabase } from '../support/postgres';
import { outcomeOf, startFlow, until, type Flow } from '../support/flow';

/**
 * G8: A caller in another language, or the Web UI's Start button: the workflow by its name, an id, one JSON argument, and nothing of
 * what our client adds. The worker checks what it sends, so nothing can be skipped.
 */
let flow: Flow;
beforeAll(async () => {
  flow = await startFlow();
});

async function startRaw(workflowId: string, args: readonly unknown[]) {
  return await flow.client.workflow.start(WORKFLOWS.billPayment, {
    taskQueue: TASK_QUEUE,
    workflowId,
    args: [...args] as [object],
  });
}

/** The failure of the run, as another language reads it. */
async function failureOf(workflowId: string, args: readonly unknown[]): Promise<ApplicationFailure> {
  const run = await startRaw(workflowId, args);
  const error = await run.result().then(
    (outcome) => Promise.reject(new Error(`it did not fail: ${JSON.stringify(outcome)}`)),
    (failed: unknown) => failed,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause;
}

async function rowsOf(paymentId: string): Promise<number> {
  let rows = 0;
  await onDatabase(flow.databaseUrl, async (client) => {
    const found = await client.query('SELECT 1 FROM payments WHERE payment_id = $1', [paymentId]);
    rows = found.rowCount ?? 0;
  });
  return rows;
}

const rejection = async (call: Promise<unknown>): Promise<unknown> =>
  await call.then(
    () => undefined,
    (error: unknown) => error,
  );

/** One wrong thing each, and what must be named. */
const BAD_FIELDS: readonly (readonly [what: string, change: object, fields: readonly string[]])[] = [
  ['an id in upper case', { paymentId: 'T-UPPER-CASE-1' }, ['paymentId']],
  ['an id that is too short', { paymentId: 'short-1' }, ['paymentId']],
  ['an id whose workflow id is that of a dispute', { paymentId: 'dispute-t-00000001' }, ['paymentId']],
  ['an id that is no text', { paymentId: 12345678 }, ['paymentId']],
  ['an empty account', { accountNumber: '' }, ['accountNumber']],
  ['an amount of zero', { amount: 0 }, ['amount']],
  ['a negative amount', { amount: -220 }, ['amount']],
  ['a fractional amount', { amount: 220.5 }, ['amount']],
  ['an unsafe amount', { amount: 2 ** 53 }, ['amount']],
  ['an amount as text', { amount: '220' }, ['amount']],
  ['a phone with a plus', { payer: { name: 'A Payer', msisdn: '+254712345678' } }, ['payer.msisdn']],
  ['a local phone', { payer: { name: 'A Payer', msisdn: '0712345678' } }, ['payer.msisdn']],
  ['an unknown currency', { currency: 'KSH' }, ['currency']],
  ['a policy above its maximum', { policy: { submitWithin: '9 years' } }, ['policy.submitWithin']],
  ['a policy far below its minimum', { policy: { pollInterval: '0 ms' } }, ['policy.pollInterval']],
  ['a policy that is no duration', { policy: { receiptGrace: 'soon' } }, ['policy.receiptGrace']],
  ['a policy that does not exist', { policy: { hurry: '1 second' } }, ['policy.hurry']],
  ['a field that does not exist', { ammount: 220 }, ['ammount']],
  ['no payer', { payer: undefined }, ['payer']],
  ['no payer name', { payer: { msisdn: '254712345678' } }, ['payer.name']],
  [
    'everything at once',
    { amount: 0, currency: 'KSH', accountNumber: '', payer: { name: '', msisdn: '1' }, policy: { submitWithin: 'x' } },
    ['accountNumber', 'amount', 'currency', 'payer.name', 'payer.msisdn', 'policy.submitWithin'],
  ],
];

describe('every wrong field ends the run, with the list that our client gives', () => {
  test.each(BAD_FIELDS)('%s', async (_what, change, fields) => {
    const request = { ...flow.request('paid-with-callback'), ...change };
    const paymentId = String(request.paymentId);
    const byClient = await rejection(flow.payments.start(request));
    expect(byClient).toBeInstanceOf(InvalidRequest);
    const { problems } = byClient as InvalidRequest;
    expect(problems.map(({ field }) => field)).toEqual(fields);

    const failure = await failureOf(workflowIdOf(paymentId), [request]);
    expect(failure).toMatchObject({ type: FAILURES.invalidRequest, nonRetryable: true, details: [problems] });
    for (const { field, problem } of problems) expect(failure.message).toContain(`${field} ${problem}`);
    expect(await rowsOf(paymentId)).toBe(0);
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 0, requests: [] });
  });

  test.each([
    ['null', [null]],
    ['a text', ['pay it']],
    ['a number', [220]],
    ['a list', [[{}]]],
    ['no argument', []],
  ] as const)('%s instead of a request', async (_what, args) => {
    const byClient = await rejection(flow.payments.start(args[0] as unknown as BillPaymentRequest));
    expect(byClient).toBeInstanceOf(InvalidRequest);
    const workflowId = workflowIdOf(flow.request('paid-with-callback').paymentId);
    const { type, details } = await failureOf(workflowId, args);
    expect({ type, details }).toEqual({
      type: FAILURES.invalidRequest,
      details: [(byClient as InvalidRequest).problems],
    });
  });

  test('a workflow id that does not match the payment id names paymentId, and neither id is known afterwards', async () => {
    const request = flow.request('paid-with-callback');
    const other = flow.request('paid-with-callback').paymentId;
    for (const workflowId of [workflowIdOf(other), request.paymentId, `BILL-PAYMENT-${request.paymentId}`]) {
      const failure = await failureOf(workflowId, [request]);
      expect(failure).toMatchObject({ type: FAILURES.invalidRequest, details: [[{ field: 'paymentId' }]] });
      expect(failure.message).toContain('bill-payment-<payment id>');
    }
    for (const paymentId of [request.paymentId, other]) {
      expect(await rowsOf(paymentId)).toBe(0);
      expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 0, requests: [] });
    }
  });

  test('nothing was reserved or sent for any of them', async () => {
    const account = await flow.store.funds.account('float-1');
    expect(account).toMatchObject({ reserved: 0, posted: 0 });
    expect(flow.sandbox.ledger.requests().filter(({ path }) => path.startsWith('/v1/bill-payments'))).toEqual([]);
  });
});

describe('a good request from elsewhere', () => {
  test('is paid, becomes visible by its search attributes, and is found by our client', async () => {
    const request = flow.request('paid-with-callback');
    const { paymentId } = request;
    const run = await startRaw(workflowIdOf(paymentId), [request]);
    const outcome = await run.result();
    expect(outcome).toMatchObject({ kind: 'paid', paymentId, amount: 220 });

    const { typedSearchAttributes, memo, runId } = await run.describe();
    expect(memo).toEqual({});
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Paid');
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.service)).toBe('KPLC POSTPAID');

    expect(await flow.payments.pay(request)).toEqual(outcome);
    const conflict = await rejection(flow.payments.start({ ...request, amount: 221 }));
    expect(conflict).toBeInstanceOf(PaymentConflict);
    expect((await run.describe()).runId).toBe(runId);
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  });

  test('while it runs it is found by its content, without a memo, and shown as in progress', async () => {
    const { serviceName: _name, ...request } = flow.request('pending-for-ever');
    const { paymentId } = request;
    const run = await startRaw(workflowIdOf(paymentId), [request]);
    expect((await flow.payments.start(request)).paymentId).toBe(paymentId);
    expect(await rejection(flow.payments.start({ ...request, accountNumber: '100001' }))).toBeInstanceOf(
      PaymentConflict,
    );
    await until(
      'it was sent',
      () => flow.sandbox.payment(paymentId).postsSeen,
      (seen) => seen > 0,
    );
    const { typedSearchAttributes } = await run.describe();
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('InProgress');
    // The name comes from the provider's own list.
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.service)).toBe('KPLC POSTPAID');
    expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  });

  test('after a raw request that was invalid, the same id is free for a good one', async () => {
    const request = flow.request('callback-lost');
    await failureOf(workflowIdOf(request.paymentId), [{ ...request, amount: 0 }]);
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid' });
    expect(flow.sandbox.payment(request.paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
  });
});

describe('a worker without the test switch', () => {
  beforeAll(async () => {
    await flow.stopWorker();
    await flow.startWorker({ settings: { allowTestPolicy: false } });
  });

  test('refuses durations below their minimum, whoever sends them', async () => {
    const request = flow.request('paid-with-callback');
    const failure = await failureOf(workflowIdOf(request.paymentId), [request]);
    expect(failure.type).toBe(FAILURES.invalidRequest);
    const [problems] = failure.details ?? [];
    expect(problems).toEqual([
      { field: 'policy.pollInterval', problem: 'must be at least 2 seconds' },
      { field: 'policy.pollMaxInterval', problem: 'must be at least 10 seconds' },
      { field: 'policy.notFoundGrace', problem: 'must be at least 2 minutes' },
      { field: 'policy.failureConfirmation', problem: 'must be at least 30 seconds' },
      { field: 'policy.receiptGrace', problem: 'must be at least 1 second' },
    ]);

    const byClient = await rejection(flow.payments.pay({ ...request, paymentId: flow.request('rejected').paymentId }));
    expect(byClient).toBeInstanceOf(InvalidRequest);
    expect((byClient as InvalidRequest).problems).toEqual(problems);
    expect(await rowsOf(request.paymentId)).toBe(0);
  });

  test('takes the default policy', async () => {
    const { policy: _policy, ...request } = flow.request('paid-with-callback');
    expect(await flow.payments.pay(request)).toMatchObject({ kind: 'paid' });
  });
});
