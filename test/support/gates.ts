import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import type { temporal } from '@temporalio/proto';
import { WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import type { Ending } from '../../src/payment/ending';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName } from '../../src/sandbox';
import { atEndOfFile } from './at-end';
import { until, type Flow, type FlowWorker } from './flow';
import { later } from './later';

/**
 * Stops one step of one payment at a gate that the test opens, so that something else can happen right then. What is behind the
 * gate is real. Validation knows no payment id: its key is the account number.
 */
export type Step =
  | 'register'
  | 'validate'
  /** The look before sending. */
  | 'look'
  | 'claim'
  /** Claimed, not sent yet. */
  | 'send'
  /** Sent and answered; the answer is on its way to the workflow. */
  | 'answer'
  /** One look at once, for a callback or a person. */
  | 'lookNow'
  | `record:${Ending['kind']}`
  /** Recorded or not; the workflow does not know yet. */
  | 'recorded'
  | 'resolveDispute'
  /** Recorded; the dispute's workflow does not know yet. */
  | 'resolved';

export interface Hold {
  /** The step has come to the gate. */
  readonly reached: Promise<void>;
  /** What came of the real step once it was let through, or its error. */
  readonly passed: Promise<unknown>;
  open(): void;
  /** It, and every later attempt, ends with an error at the gate. */
  fail(): void;
  /** It ends with an error at the gate; later attempts pass. */
  failOnce(): void;
}

export interface Gates {
  readonly worker: Pick<FlowWorker, 'provider' | 'store'>;
  hold(step: Step, key: string): Hold;
}

interface Held extends Hold {
  through<T>(run: () => Promise<T>): Promise<T>;
}

export function createGates(): Gates {
  const held = new Map<string, Held>();
  const nameOf = (step: Step, key: string): string => `${step} ${key}`;
  const pass = <T>(step: Step, key: string, run: () => Promise<T>): Promise<T> =>
    held.get(nameOf(step, key))?.through(run) ?? run();
  const lookStep = (): Step | undefined =>
    (({ submitPayment: 'look', lookAtPayment: 'lookNow' }) as const)[activityInfo().activityType as 'submitPayment'];

  return {
    hold(step, key) {
      const hold = createHold();
      held.set(nameOf(step, key), hold);
      // A gate that a failed test left shut would keep the worker from ending.
      atEndOfFile(async () => hold.open());
      return hold;
    },
    worker: {
      provider: (real) => ({
        ...real,
        validateAccount: (bill, signal) =>
          pass('validate', bill.accountNumber, () => real.validateAccount(bill, signal)),
        async findPayment(paymentId, signal) {
          const step = lookStep();
          const look = () => real.findPayment(paymentId, signal);
          return step === undefined ? await look() : await pass(step, paymentId, look);
        },
        async submitPayment(order, token, mayStillSend, signal) {
          const isHeld = held.has(nameOf('send', order.paymentId));
          // How long the gate is shut must not decide whether the request may still leave: that is another test's matter.
          const send = () =>
            isHeld
              ? real.submitPayment(order, token, () => true, new AbortController().signal)
              : real.submitPayment(order, token, mayStillSend, signal);
          const submission = await pass('send', order.paymentId, send);
          return await pass('answer', order.paymentId, () => Promise.resolve(submission));
        },
      }),
      store: (real) => ({
        ...real,
        disputes: {
          ...real.disputes,
          async resolve(paymentId, ...rest) {
            const resolved = await pass('resolveDispute', paymentId, () => real.disputes.resolve(paymentId, ...rest));
            return await pass('resolved', paymentId, () => Promise.resolve(resolved));
          },
        },
        payments: {
          ...real.payments,
          register: (request, ...rest) =>
            pass('register', request.paymentId, () => real.payments.register(request, ...rest)),
          claim: (paymentId, ...rest) => pass('claim', paymentId, () => real.payments.claim(paymentId, ...rest)),
          async recordOutcome(paymentId, ending, by) {
            const record = () => real.payments.recordOutcome(paymentId, ending, by);
            const result = await pass(`record:${ending.kind}`, paymentId, record);
            return await pass('recorded', paymentId, () => Promise.resolve(result));
          },
        },
      }),
    },
  };
}

function createHold(): Held {
  const reached = later<void>();
  const passed = later<unknown>();
  const decided = later<'open' | 'fail' | 'fail once'>();
  let failed = false;
  return {
    reached: reached.promise,
    passed: passed.promise,
    open: () => decided.resolve('open'),
    fail: () => decided.resolve('fail'),
    failOnce: () => decided.resolve('fail once'),
    async through(run) {
      reached.resolve();
      const decision = await decided.promise;
      if (decision === 'fail' || (decision === 'fail once' && !failed)) {
        failed = true;
        throw new Error('broken by the test');
      }
      const result = run();
      passed.resolve(result.catch((error: unknown) => error));
      return await result;
    },
  };
}

export const FUNDS = 1_000;
export const PRICE = 220;

/** A request for a bill of its own, paid from an account of its own: nothing of it is shared with another payment. */
export async function ownRequest(
  flow: Flow,
  behaviour: BehaviourName,
  change: Partial<BillPaymentRequest> = {},
): Promise<BillPaymentRequest> {
  const request = flow.request(behaviour);
  const { paymentId } = request;
  await flow.store.funds.add({ account: paymentId, amount: FUNDS, currency: 'KES' });
  // The sandbox knows the behaviour by the id, too; but validation knows the account alone.
  const account = behaviour === 'invalid-account' ? {} : { accountNumber: randomUUID() };
  return { ...request, amount: PRICE, fundingAccount: paymentId, ...account, ...change };
}

/** What the provider saw of a payment, and where its money is. */
export async function truthOf(flow: Flow, paymentId: string) {
  const { postsSeen: seen, postsCaptured: captured } = flow.sandbox.payment(paymentId);
  const account = await flow.store.funds.account(paymentId);
  if (account === undefined) throw new Error(`payment ${paymentId} has no account of its own`);
  const { available, reserved, posted } = account;
  return { seen, captured, funds: [available, reserved, posted] };
}

export const NEVER_SENT = { seen: 0, captured: 0, funds: [FUNDS, 0, 0] };
export const PAID_ONCE = { seen: 1, captured: 1, funds: [FUNDS - PRICE, 0, PRICE] };
export const SENT_AND_OPEN = { seen: 1, captured: 1, funds: [FUNDS - PRICE, PRICE, 0] };
export const SENT_AND_DECLINED = { seen: 1, captured: 1, funds: [FUNDS, 0, 0] };

export const runOf = (flow: Flow, paymentId: string, runId?: string) =>
  flow.client.workflow.getHandle(workflowIdOf(paymentId), runId);

/** Past the client, which would find the run that is there. */
export const startOptions = (flow: Flow, request: BillPaymentRequest) => ({
  taskQueue: flow.taskQueue,
  workflowId: workflowIdOf(request.paymentId),
  args: [request],
});

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Choice = (events: readonly HistoryEvent[]) => HistoryEvent | null | undefined;
const isTask = (event: HistoryEvent): boolean => Boolean(event.workflowTaskCompletedEventAttributes);
export const firstTask: Choice = (events) => events.find(isTask);
export const lastTask: Choice = (events) => events.filter(isTask).at(-1);

/** Does a run again from the end of one of its workflow tasks on. Gives the new run. */
export async function resetRun(
  { client }: Flow,
  workflowId: string,
  choose: Choice = firstTask,
  runId?: string,
): Promise<string> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const task = choose(events ?? []);
  if (!task) throw new Error(`${workflowId} has no such workflow task`);
  const reset = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId: runId ?? '' },
    reason: 'shown by a test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: task.eventId ?? null,
  });
  return reset.runId;
}

/**
 * While a local activity is at a gate, a run hears of nothing else until its workflow task reports: after 8 s by default.
 * Started like this it reports sooner.
 */
export const startImpatient = (flow: Flow, request: BillPaymentRequest) =>
  flow.client.workflow.start(WORKFLOWS.billPayment, {
    ...startOptions(flow, request),
    workflowTaskTimeout: '3 seconds',
  });

/** The same request under the same id once more. */
export async function startAgain(flow: Flow, request: BillPaymentRequest): Promise<BillPaymentOutcome> {
  const run = await flow.client.workflow.start(WORKFLOWS.billPayment, {
    ...startOptions(flow, request),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
  return (await run.result()) as BillPaymentOutcome;
}

/** Starts it, and waits until the provider has taken it. From then on `setRecord` says what look-ups show. */
export async function sent(flow: Flow, request: BillPaymentRequest): Promise<string> {
  const { paymentId } = request;
  await flow.payments.start(request);
  await until(
    `${paymentId} at the provider`,
    () => flow.sandbox.payment(paymentId).postsCaptured,
    (posts) => posts === 1,
  );
  return paymentId;
}

/** What the provider's record shows of a payment that is done. */
export const COMPLETED = { status: 4, receiptNumber: 'S575998' } as const;
