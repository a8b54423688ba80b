import { activityInfo } from '@temporalio/activity';
import type { Provider } from '../../src/payment/provider';
import { Refused } from '../../src/client';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName } from '../../src/sandbox';
import { POSSIBLE, type Possible } from '../../verification/fault-matrix';
import { nameOf, testCells } from '../support/cells';
import { almaraBehind, type AnswerFault } from '../support/provider-faults';
import { factsOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  COMPLETED,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  truthOf,
} from '../support/gates';
import { timePasses } from '../support/time';

/**
 * G2: The fault matrix, its part about the provider's answers: every fault at every step that asks the provider, over real HTTP. What
 * is expected comes from the matrix; a cell that changes there is another test here.
 */

/** Waited for by people and by the next look only. */
const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '1 millisecond' } as const;

const isAnswerFault = (fault: string): fault is AnswerFault => /^(connection|reset|timeout|answer|body)-/.test(fault);
const CELLS = POSSIBLE.filter((cell): cell is Possible & { readonly fault: AnswerFault } => isAnswerFault(cell.fault));
/** The provider has taken the payment before its answer went wrong. */
const captures = (fault: AnswerFault): boolean => fault.endsWith('-after-capture') || fault.startsWith('body-');

/** The fault that a step of a payment meets, for so many times. Validation knows no payment id: its key is the account. */
interface Armed {
  readonly provider: Provider;
  left: number;
  met: number;
}
const armed = new Map<string, Armed>();
const behind = new Map<AnswerFault, Provider>();
let flow: Flow;

/** Looks at once are for callbacks and for people. */
const LOOKS = { submitPayment: 'look', pollPayment: 'poll', lookAtPayment: 'now' } as const;
type Look = keyof typeof LOOKS;

function faulty(real: Provider): Provider {
  const at = (step: string, key: string): Provider => {
    const fault = armed.get(`${step} ${key}`);
    if (fault === undefined || fault.left === 0) return real;
    fault.left -= 1;
    fault.met += 1;
    return fault.provider;
  };
  return {
    ...real,
    validateAccount: (bill, signal) => at('validate', bill.accountNumber).validateAccount(bill, signal),
    findPayment: (id, signal) => at(LOOKS[activityInfo().activityType as Look], id).findPayment(id, signal),
    submitPayment: (order, ...rest) => at('send', order.paymentId).submitPayment(order, ...rest),
  };
}

function arm(step: string, key: string, fault: AnswerFault, times = Infinity): Armed {
  const provider = behind.get(fault);
  if (provider === undefined) throw new Error(`nothing stands behind ${fault}`);
  const made = { provider, left: times, met: 0 };
  armed.set(`${step} ${key}`, made);
  return made;
}

async function newRequest(behaviour: BehaviourName, policy: BillPaymentRequest['policy']): Promise<BillPaymentRequest> {
  return await ownRequest(flow, behaviour, { policy });
}

/** Starts one that the provider takes and leaves pending. */
async function pending(policy: BillPaymentRequest['policy'] = EAGER): Promise<BillPaymentRequest> {
  const request = await newRequest('pending-for-ever', policy);
  await sent(flow, request);
  return request;
}

const met = (fault: Armed, times: number) =>
  until(
    'the fault to be met',
    () => fault.met,
    (count) => count >= times,
  );

const isOpen = async ({ paymentId }: BillPaymentRequest) => {
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
};

/** What shows, at this step, that the outcome is as the matrix says. A step of another outcome has no entry, and fails. */
const SHOWN: Readonly<Record<string, (fault: AnswerFault) => Promise<BillPaymentRequest>>> = {
  'expires-unsent at validate': async (fault) => {
    const request = await newRequest('paid-with-callback', { ...SHORT_POLICY, submitWithin: '5 seconds' });
    const struck = arm('validate', request.accountNumber, fault);
    await flow.payments.start(request);
    const outcome = await outcomeOf(flow, request.paymentId);
    expect(outcome).toMatchObject({ kind: 'declined', reason: 'expired', settledBy: 'none', retryable: true });
    expect(struck.met).toBeGreaterThan(0);
    expect(await truthOf(flow, request.paymentId)).toEqual(NEVER_SENT);
    return request;
  },
  'expires-unsent at look': async (fault) => {
    const request = await newRequest('paid-with-callback', SHORT_POLICY);
    const struck = arm('look', request.paymentId, fault, 2);
    await flow.payments.start(request);
    await met(struck, 2);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid' });
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
    return request;
  },
  'unknown-then-asked at send': async (fault) => {
    const request = await newRequest('paid-with-callback', EAGER);
    const { paymentId } = request;
    const struck = arm('send', paymentId, fault);
    await flow.payments.start(request);
    if (captures(fault)) {
      expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
    } else {
      expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
      expect(await truthOf(flow, paymentId)).toEqual({ ...SENT_AND_OPEN, seen: 0, captured: 0 });
    }
    expect((await flow.payments.payment(paymentId).progress()).submission).toMatchObject({ kind: 'unknown' });
    expect(struck.met).toBe(1);
    return request;
  },
  'not-sent at send': async (fault) => {
    const request = await newRequest('paid-with-callback', EAGER);
    const { paymentId } = request;
    const struck = arm('send', paymentId, fault);
    await flow.payments.start(request);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({
      ...{ kind: 'declined', step: 'submission', reason: 'not-sent' },
      ...{ settledBy: 'none', retryable: true },
    });
    expect((await factsOf(flow, paymentId)).claim).toMatchObject({ kind: 'taken', answer: { kind: 'not-sent' } });
    expect(struck.met).toBe(1);
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
    return request;
  },
  'looked-again at callback': async (fault) => {
    // No poll before the callback's own looks.
    const request = await pending({ ...SHORT_POLICY, callbackGrace: '1 minute', notFoundGrace: '1 minute' });
    const { paymentId } = request;
    const struck = arm('now', paymentId, fault, 1);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    expect(await flow.sandbox.sendCallback(paymentId)).toMatchObject({ answered: 200 });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    expect(struck.met).toBe(1);
    return request;
  },
  'looked-again at poll': async (fault) => {
    const request = await pending();
    const { paymentId } = request;
    const struck = arm('poll', paymentId, fault);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await met(struck, 2);
    await isOpen(request);
    struck.left = 0;
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    return request;
  },
  'decline-refused at decide': async (fault) => {
    const request = await pending();
    const { paymentId } = request;
    flow.sandbox.setRecord(paymentId, { status: 6 });
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
    // The last answer is a minute old, and no look brings a newer one.
    const [asked, polled] = [arm('now', paymentId, fault), arm('poll', paymentId, fault)];
    await met(polled, 1);
    await timePasses(flow, paymentId, 60_000);
    const decline = { decision: 'declined', operator: 'op-1', note: 'the biller says so' } as const;
    const refused: unknown = await flow.payments
      .payment(paymentId)
      .resolve(decline)
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect((refused as Refused).message).toContain('has not answered just now');
    expect(asked.met).toBeGreaterThan(0);
    await isOpen(request);
    asked.left = 0;
    await flow.payments.payment(paymentId).resolve(decline);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
    return request;
  },
};

testCells(
  async () => {
    flow = await startFlow({ provider: faulty });
    for (const fault of new Set(CELLS.map((cell) => cell.fault)))
      behind.set(fault, await almaraBehind(fault, flow.sandbox.url));
    return flow;
  },
  Object.fromEntries(
    CELLS.map((cell) => [
      nameOf(cell),
      async () => {
        const show = SHOWN[`${cell.outcome} at ${cell.step}`];
        if (show === undefined) throw new Error(`nothing here shows ${nameOf(cell)}`);
        return await show(cell.fault);
      },
    ]),
  ),
);
