import { activityInfo } from '@temporalio/activity';
import { Refused } from '../../src/client';
import type { Observation } from '../../src/payment/observation';
import type { Provider } from '../../src/payment/provider';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { Store } from '../../src/store';
import { declinedPayment } from '../support/disputes';
import { broken } from '../support/faults';
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
import { COMPLETED, NEVER_SENT, ownRequest, PAID_ONCE, sent, SENT_AND_OPEN, truthOf } from '../support/gates';
import { plant, reconcile } from '../support/reconcile';

/**
 * G2, G5, G7: Evidence that was seen is never forgotten. Whoever looks sees a completed record once; writing it down fails; and from then
 * on the provider does not know the payment. At each step that looks, whether the write came to nothing or only its answer was lost:
 * what may have been paid is neither sent, nor declined, nor left undisputed.
 */
let flow: Flow;

type Look = 'submitPayment' | 'pollPayment' | 'lookAtPayment' | 'reconcilePage';
type How = 'down' | 'lost';
interface Fault {
  readonly look: Look;
  readonly how: How;
  /** So many looks see the record; then nobody sees it again. */
  shown: number;
  failed: number;
}
const faults = new Map<string, Fault>();

const isCompleted = (observation: Observation): boolean =>
  observation.kind === 'record' && observation.state === 'completed';

beforeAll(async () => {
  const provider = (real: Provider): Provider => ({
    ...real,
    async findPayment(paymentId, signal) {
      const answer = await real.findPayment(paymentId, signal);
      const fault = faults.get(paymentId);
      if (fault === undefined || answer.observation.kind !== 'record') return answer;
      if (fault.shown > 0 && activityInfo().activityType === fault.look) {
        fault.shown -= 1;
        return answer;
      }
      return { ...answer, observation: { kind: 'not-found', said: 'not found' } };
    },
  });
  const store = (real: Store) => ({
    ...real,
    payments: {
      ...real.payments,
      async look(...args: Parameters<Store['payments']['look']>) {
        const [paymentId, { observation }] = args;
        const fault = faults.get(paymentId);
        if (fault === undefined || !isCompleted(observation)) return await real.payments.look(...args);
        fault.failed += 1;
        if (fault.how === 'lost') await real.payments.look(...args);
        throw broken();
      },
    },
  });
  // Reconciliation looks at every run of the namespace.
  flow = await startFlow({ provider, store, ownNamespace: true });
});

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', notFoundGrace: '1 second' } as const;
const DECLINE = { decision: 'declined', operator: 'amina', note: 'they say no', providerCase: 'C-1' } as const;
const of = (paymentId: string) => flow.payments.payment(paymentId);

function arm(paymentId: string, look: Look, how: How): Fault {
  const fault = { look, how, shown: 1, failed: 0 };
  faults.set(paymentId, fault);
  return fault;
}

const hasFailed = (fault: Fault) =>
  until(
    'the write of what was seen to fail',
    () => fault.failed,
    (failed) => failed === 1,
  );

/** Sent, and the provider's record says completed, to whoever may see it. */
async function completed(look: Look, how: How, policy: BillPaymentRequest['policy']) {
  const request = await ownRequest(flow, 'pending-for-ever', { policy });
  const fault = arm(request.paymentId, look, how);
  // Until it is completed nobody sees anything.
  fault.shown = 0;
  const paymentId = await sent(flow, request);
  const stage = () => stageOf(flow, paymentId);
  await until('the run to wait for its result', stage, (seen) => seen === 'awaiting-result');
  flow.sandbox.setRecord(paymentId, COMPLETED);
  fault.shown = 1;
  return { paymentId, fault };
}

async function expectNeverForgotten(paymentId: string): Promise<void> {
  const isKnown = await factsWhen(flow, paymentId, 'what was seen', ({ seen }) => seen.completedAt !== undefined);
  expect(isKnown.closed).toBeUndefined();
  await needsAttention(flow, paymentId);
  await expect(of(paymentId).resolve(DECLINE)).rejects.toThrow('has said before that it is completed');
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
  // And once they show it again, it is paid.
  faults.delete(paymentId);
  await of(paymentId).checkNow({ operator: 'amina' });
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

describe.each<How>(['down', 'lost'])('the store is %s when it is to be written', (how) => {
  test.concurrent('by a poll', async () => {
    const { paymentId, fault } = await completed('pollPayment', how, EAGER);
    await hasFailed(fault);
    await expectNeverForgotten(paymentId);
  });

  test.concurrent('by a look that a person asks for', async () => {
    const { paymentId, fault } = await completed('lookAtPayment', how, EAGER);
    await of(paymentId).checkNow({ operator: 'amina' });
    expect(fault.failed).toBe(1);
    await expectNeverForgotten(paymentId);
  });

  test.concurrent('by a look after a callback', async () => {
    const { paymentId, fault } = await completed('lookAtPayment', how, EAGER);
    expect(await flow.sandbox.sendCallback(paymentId, {})).toMatchObject({ answered: 200 });
    await hasFailed(fault);
    await expectNeverForgotten(paymentId);
  });

  test.concurrent('by the look of a person’s own decline', async () => {
    const { paymentId, fault } = await completed('lookAtPayment', how, EAGER);
    await needsAttention(flow, paymentId);
    await expect(of(paymentId).resolve(DECLINE)).rejects.toBeInstanceOf(Refused);
    expect(fault.failed).toBe(1);
    await expectNeverForgotten(paymentId);
  });

  test.concurrent('by both tries of the look of a person’s own decline, whose answer before is fresh', async () => {
    const { paymentId, fault } = await completed('lookAtPayment', how, EAGER);
    await needsAttention(flow, paymentId);
    const sessionEnded = `UPDATE payments SET session_expires_at = now() - interval '1 hour' WHERE payment_id = $1`;
    await plant(flow, sessionEnded, [paymentId]);
    fault.shown = 2;
    await expect(of(paymentId).resolve(DECLINE)).rejects.toThrow('could not be written down just now');
    expect(fault.failed).toBe(2);
    await expectNeverForgotten(paymentId);
  });

  test.concurrent('by the look before it is sent: it is not sent', async () => {
    const request = await ownRequest(flow, 'record-exists', { policy: EAGER });
    const { paymentId } = request;
    const fault = arm(paymentId, 'submitPayment', how);
    await flow.payments.start(request);
    await hasFailed(fault);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'id-in-use' });
    expect((await factsOf(flow, paymentId)).claim).toEqual({ kind: 'free' });
    expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
  });

  test.concurrent('by reconciliation, of a payment that was declined: it is disputed', async () => {
    const paymentId = await declinedPayment(flow);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    const fault = arm(paymentId, 'reconcilePage', how);
    await reconcile(flow);
    expect(fault.failed).toBe(1);
    expect(await flow.store.disputes.find(paymentId)).toMatchObject({ raisedBy: 'look' });
  });
});
