import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import {
  BillPayments,
  EngineUnavailable,
  InvalidRequest,
  PaymentConflict,
  PaymentNotFound,
  ProviderFailed,
  Refused,
  RunEnded,
  TooLate,
  WORKFLOWS,
  workflowIdOf,
  type PaymentProgress,
} from '../../src/client';
import { aRequest, StandIn } from '../support/stand-in/environment';

/** The client against a real Temporal server, with stand-in workflows that end in every way a run can end. */

let standIn: StandIn;
let payments: BillPayments;

beforeAll(async () => {
  standIn = await StandIn.start();
  payments = await BillPayments.connect({ address: standIn.address });
});
afterAll(async () => {
  await payments.close();
  await standIn.stop();
});

const decision = { operator: 'op-1', note: 'confirmed by phone' };
const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
};

describe('start', () => {
  test('names every wrong field at once and starts nothing', async () => {
    const request = aRequest('PAID', {
      paymentId: 'Bad',
      amount: 1.5,
      payer: { name: 'A Payer', msisdn: '+254' },
      policy: { submitWithin: '9 years' },
    });
    const error = await rejection(payments.start(request));
    expect(error).toBeInstanceOf(InvalidRequest);
    expect((error as InvalidRequest).problems.map(({ field }) => field).sort()).toEqual([
      'amount',
      'payer.msisdn',
      'paymentId',
      'policy.submitWithin',
    ]);
    expect(String(error)).not.toContain('+254');
    expect(await rejection(payments.payment('Bad').progress())).toBeInstanceOf(PaymentNotFound);
  });

  test('leaves a policy below the minimum to the worker, whose refusal comes back as the same error', async () => {
    const outcome = rejection(payments.pay(aRequest('INVALID', { policy: { submitWithin: '1 second' } })));
    expect(await outcome).toMatchObject({ code: 'invalid-request', problems: [{ field: 'policy.submitWithin' }] });
  });

  test('writes what the Web UI shows, and nothing personal into the search attributes', async () => {
    const request = aRequest('1234567890', { serviceName: 'KPLC POSTPAID' });
    await payments.start(request);
    const run = await standIn.client.workflow.getHandle(workflowIdOf(request.paymentId)).describe();
    expect(await run.staticSummary()).toBe('KES 220 · KPLC POSTPAID · …7890');
    expect(run.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['BillPaymentState', 'InProgress'],
        ['BillService', 'KPLC POSTPAID'],
      ]),
    );
    expect(run.memo).toEqual({ fingerprint: expect.stringMatching(/^v1:[0-9a-f]{64}$/) as string });
  });

  test('G8: the same id and content is the same payment, open or closed; other content is a conflict', async () => {
    const open = aRequest('OPEN');
    await payments.start(open);
    const { runId } = await standIn.client.workflow.getHandle(workflowIdOf(open.paymentId)).describe();
    await payments.start({
      ...open,
      currency: 'KES',
      policy: { pollInterval: '20 seconds' },
      serviceName: 'Shown otherwise',
    });
    expect((await standIn.client.workflow.getHandle(workflowIdOf(open.paymentId)).describe()).runId).toBe(runId);
    expect(await rejection(payments.start({ ...open, amount: 221 }))).toBeInstanceOf(PaymentConflict);

    const closed = aRequest('PAID');
    const first = await payments.pay(closed);
    expect(first).toMatchObject({ kind: 'paid', amount: 220 });
    expect(await payments.pay(closed)).toEqual(first);
    expect(await rejection(payments.pay({ ...closed, amount: 221 }))).toMatchObject({
      code: 'payment-conflict',
      paymentId: closed.paymentId,
    });
  });

  test('G8: a run that another client started is compared by its input, through the data converter', async () => {
    const codec: PayloadCodec = {
      encode: (payloads) =>
        Promise.resolve(
          payloads.map((payload) => ({ ...payload, data: payload.data?.map((byte) => byte ^ 0x55) ?? null })),
        ),
      decode: (payloads) =>
        Promise.resolve(
          payloads.map((payload) => ({ ...payload, data: payload.data?.map((byte) => byte ^ 0x55) ?? null })),
        ),
    };
    const dataConverter = { payloadCodecs: [codec] };
    const connection = Connection.lazy({ address: standIn.address });
    const raw = new Client({ connection, dataConverter });
    const mine = new BillPayments(raw);
    const started = async (input: object): Promise<void> => {
      const { paymentId } = input as { paymentId: string };
      // On a queue without a worker: this worker has no codec.
      await raw.workflow.start(WORKFLOWS.billPayment, {
        taskQueue: 'nobody',
        workflowId: workflowIdOf(paymentId),
        args: [input],
      });
    };
    const request = aRequest('OPEN');
    await started(request);
    expect((await mine.start(request)).paymentId).toBe(request.paymentId);
    expect(await rejection(mine.start({ ...request, description: 'Another bill' }))).toBeInstanceOf(PaymentConflict);

    const other = aRequest('OPEN');
    await started({ ...other, amount: 0 });
    expect(await rejection(mine.start(other))).toBeInstanceOf(PaymentConflict);
    await connection.close();
  });

  test('starts again after a run that ended without an outcome', async () => {
    const request = aRequest('BUG');
    const error = await rejection(payments.pay(request));
    expect(error).toBeInstanceOf(RunEnded);
    expect(String(error)).toContain('start it again with the same id');
    const before = await standIn.client.workflow.getHandle(workflowIdOf(request.paymentId)).describe();
    await rejection(payments.pay(request));
    const after = await standIn.client.workflow.getHandle(workflowIdOf(request.paymentId)).describe();
    expect(after.runId).not.toBe(before.runId);
  });

  test('a conflict that only the worker could see is the same error', async () => {
    expect(await rejection(payments.pay(aRequest('CONFLICT')))).toBeInstanceOf(PaymentConflict);
  });
});

describe('outcome', () => {
  test('an open payment is told with where it stands, after the wait and not much later', async () => {
    const request = aRequest('OPEN');
    const began = Date.now();
    const answer = await payments.pay(request, { waitMs: 600 });
    expect(Date.now() - began).toBeLessThan(20_000); // without it: 25 s
    expect(answer).toMatchObject({
      kind: 'open',
      paymentId: request.paymentId,
      progress: { stage: 'needs-attention' },
    });
  });

  test('waiting is one long poll, not a storm of short ones', async () => {
    const connection = Connection.lazy({ address: standIn.address });
    const poll = connection.workflowService.getWorkflowExecutionHistory.bind(connection.workflowService);
    let polls = 0;
    Object.assign(connection.workflowService, {
      getWorkflowExecutionHistory: (request: object) => {
        polls += 1;
        return poll(request);
      },
    });
    const counted = new BillPayments(new Client({ connection }));
    expect(await counted.pay(aRequest('OPEN'), { waitMs: 2_500 })).toMatchObject({ kind: 'open' });
    expect(polls).toBe(1);
    await connection.close();
  });

  test('no wait at all still tells a closed payment', async () => {
    const request = aRequest('DECLINED');
    await payments.pay(request);
    expect(await payments.payment(request.paymentId).outcome({ waitMs: 0 })).toMatchObject({ kind: 'declined' });
  });

  test('an aborted signal ends the wait with its reason, before or during it', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const reason = new Error('the caller has gone');
    expect(await rejection(payment.outcome({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const waiting = rejection(payment.outcome({ signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 50);
    expect(await waiting).toBe(reason);
  });

  test('a reset while waiting is followed into the new run', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    await payment.checkNow({ operator: 'op-1' });
    const workflowId = workflowIdOf(payment.paymentId);
    const run = standIn.client.workflow.getHandle(workflowId);
    const { runId } = await run.describe();
    const taskCompleted = (await run.fetchHistory()).events?.find(
      (event) => event.workflowTaskCompletedEventAttributes,
    );
    const waiting = payment.outcome();
    await standIn.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
      workflowTaskFinishEventId: taskCompleted?.eventId ?? null,
      requestId: randomUUID(),
      reason: 'a test',
    });
    await payment.resolve({ ...decision, decision: 'paid' });
    expect(await waiting).toMatchObject({ kind: 'paid' });
  });

  test('a terminated run is told as such', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const waiting = rejection(payment.outcome());
    await standIn.client.workflow.getHandle(workflowIdOf(payment.paymentId)).terminate('by mistake');
    expect(await waiting).toMatchObject({
      code: 'run-ended',
      message: expect.stringContaining('was terminated') as string,
    });
  });

  test('an unknown payment', async () => {
    const unknown = payments.payment('never-started');
    const calls = [
      () => unknown.outcome(),
      () => unknown.progress(),
      () => unknown.cancel(decision),
      () => unknown.checkNow({ operator: 'op-1' }),
    ];
    for (const call of calls) {
      expect(await rejection(call())).toBeInstanceOf(PaymentNotFound);
    }
  });
});

describe('commands', () => {
  test('a decision closes; a second one is refused with what it is closed as', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    expect(await payment.resolve({ ...decision, decision: 'declined', requestId: 'click-1' })).toMatchObject({
      stage: 'closed',
    });
    const again = await rejection(payment.resolve({ ...decision, decision: 'paid' }));
    expect(again).toBeInstanceOf(Refused);
    expect(String(again)).toContain('closed already as declined');
    expect(await rejection(payment.cancel(decision))).toBeInstanceOf(TooLate);
    expect(await payment.checkNow({ operator: 'op-1' })).toMatchObject({ stage: 'closed' });
  });

  test('a double click with one request id acts once, and answers the same after the payment is closed', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const clicks = [1, 2].map(() => payment.resolve({ ...decision, decision: 'paid', requestId: 'click-2' }));
    const [first, second] = await Promise.all(clicks);
    expect(second).toEqual(first);
    expect(await payment.resolve({ ...decision, decision: 'paid', requestId: 'click-2' })).toEqual(first);
  });

  test('cancel: once is enough, and after sending it is too late', async () => {
    const open = await payments.start(aRequest('OPEN'));
    expect(await open.cancel(decision)).toMatchObject({ outcome: { kind: 'cancelled', by: 'op-1' } });
    expect(await open.cancel(decision)).toMatchObject({ outcome: { kind: 'cancelled', by: 'op-1' } });
    const sent = await payments.start(aRequest('SENT'));
    const error = await rejection(sent.cancel(decision));
    expect(error).toBeInstanceOf(TooLate);
    expect(String(error)).toContain('the request may have left');
  });

  test("a validator's refusal is the sentence", async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const error = await rejection(payment.resolve({ decision: 'paid', operator: 'op-1', note: '' }));
    expect(error).toBeInstanceOf(Refused);
    expect(String(error)).toContain('a note is needed');
  });
});

describe('follow', () => {
  test('tells each change once and ends with the closed stage', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const seen: PaymentProgress[] = [];
    for await (const progress of payment.follow()) {
      seen.push(progress);
      if (seen.length === 1) await payment.checkNow({ operator: 'op-1' });
      if (seen.length === 2) await payment.resolve({ ...decision, decision: 'paid' });
    }
    expect(seen.map(({ stage, callbacks }) => [stage, callbacks])).toEqual([
      ['needs-attention', 0],
      ['needs-attention', 1],
      ['closed', 1],
    ]);
  });

  test('ends quietly when aborted, and leaves nothing running', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const controller = new AbortController();
    let seen = 0;
    for await (const progress of payment.follow({ signal: controller.signal })) {
      expect(progress.stage).toBe('needs-attention');
      seen += 1;
      setTimeout(() => controller.abort(), 50);
    }
    expect(seen).toBe(1);
  });

  test('throws when the run ends without an outcome', async () => {
    const payment = await payments.start(aRequest('OPEN'));
    const following = rejection(
      (async () => {
        for await (const { stage } of payment.follow()) {
          if (stage === 'needs-attention')
            await standIn.client.workflow.getHandle(workflowIdOf(payment.paymentId)).terminate();
        }
      })(),
    );
    expect(await following).toBeInstanceOf(RunEnded);
  });
});

describe('questions', () => {
  test('inquire, services, saveBillNumber, checkProvider', async () => {
    expect(await payments.inquire({ serviceId: 's-1', accountNumber: '1' })).toMatchObject({
      valid: true,
      dueAmount: 220.5,
    });
    expect(await payments.services()).toEqual([{ serviceId: 's-1', name: 'KPLC POSTPAID', category: 'Electricity' }]);
    expect(await payments.saveBillNumber({ serviceId: 's-1', accountNumber: '1' })).toEqual({ verified: true });
    expect(await payments.checkProvider()).toMatchObject({ ok: false });
  });

  test('a bad question names its fields; a failed one says why', async () => {
    expect(await rejection(payments.inquire({ serviceId: '', accountNumber: '' }))).toBeInstanceOf(InvalidRequest);
    const error = await rejection(payments.inquire({ serviceId: 's-1', accountNumber: 'BUG' }));
    expect(error).toBeInstanceOf(ProviderFailed);
    expect(String(error)).toContain('503 to the validation');
  });
});

describe('when something is away', () => {
  test('no server: EngineUnavailable with the address and what to do, within the limit', async () => {
    const nobody = await BillPayments.connect({ address: '127.0.0.1:9', callTimeoutMs: 700 });
    const began = Date.now();
    const payment = nobody.payment('some-payment');
    const calls = [
      () => nobody.pay(aRequest('PAID')),
      () => payment.outcome({ waitMs: 0 }),
      () => payment.progress(),
      () => nobody.services(),
    ];
    for (const call of calls) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(EngineUnavailable);
      expect(error).toMatchObject({
        part: 'server',
        address: '127.0.0.1:9',
        message: expect.stringContaining('TEMPORAL_ADDRESS') as string,
      });
    }
    expect(Date.now() - began).toBeLessThan(30_000);
    await nobody.close();
  });

  test('no such namespace', async () => {
    const lost = await BillPayments.connect({ address: standIn.address, namespace: 'nowhere' });
    expect(await rejection(lost.start(aRequest('PAID')))).toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringContaining('nowhere') as string,
    });
    await lost.close();
  });

  test('no worker: the payment is open, questions and commands say which part is missing, and follow waits', async () => {
    await standIn.stopWorker();
    const hasty = await BillPayments.connect({ address: standIn.address, callTimeoutMs: 700 });
    const request = aRequest('PAID');
    expect(await hasty.pay(request, { waitMs: 0 })).toEqual({ kind: 'open', paymentId: request.paymentId });
    const payment = hasty.payment(request.paymentId);
    expect(await rejection(payment.progress())).toMatchObject({ code: 'engine-unavailable', part: 'worker' });
    expect(await rejection(hasty.services())).toMatchObject({ code: 'engine-unavailable', part: 'worker' });

    const following = (async () => {
      for await (const { stage } of payment.follow()) if (stage === 'closed') return stage;
      return 'ended early';
    })();
    await standIn.startWorker();
    expect(await following).toBe('closed');
    await hasty.close();
  });

  test('close leaves a connection alone that is not its own', async () => {
    await new BillPayments(standIn.client).close();
    expect(await payments.services()).toHaveLength(1);
    const own = await BillPayments.connect({ address: standIn.address });
    await own.services();
    await own.close();
    expect(await rejection(own.services())).toBeInstanceOf(EngineUnavailable);
  });
});
