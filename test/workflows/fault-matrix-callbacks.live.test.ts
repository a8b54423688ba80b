import type { BillPaymentRequest } from '../../src/payment/request';
import type { BehaviourName, ScriptedCallback } from '../../src/sandbox';
import { nested, send } from '../callbacks/support';
import { testCells, type Scenario } from '../support/cells';
import { factsOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { COMPLETED, createGates, ownRequest, PAID_ONCE, sent, truthOf, type Gates } from '../support/gates';

/** The fault matrix, its part about callbacks: whatever becomes of them, the end is what the provider's record proves (G5). */
let flow: Flow;
let gates: Gates;

const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '300 milliseconds' } as const;
const success: ScriptedCallback = { status: 4, code: '0' };
const failure = (code: string): ScriptedCallback => ({ status: 6, code });

const isDisputed = async (paymentId: string) => (await factsOf(flow, paymentId)).closed?.disputed === true;
const stored = (paymentId: string) => flow.store.inbox.forPayment(paymentId);

async function callback(paymentId: string, content: ScriptedCallback): Promise<void> {
  expect(await flow.sandbox.sendCallback(paymentId, content)).toMatchObject({ answered: 200 });
}

async function expectOpen(paymentId: string): Promise<void> {
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
}

async function pending(): Promise<BillPaymentRequest> {
  const request = await ownRequest(flow, 'pending-for-ever', { policy: EAGER });
  await sent(flow, request);
  return request;
}

async function expectPaid({ paymentId }: BillPaymentRequest): Promise<void> {
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', evidence: { source: 'provider' } });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

const paying =
  (behaviour: BehaviourName, callbacks: number): Scenario =>
  async () => {
    const request = await ownRequest(flow, behaviour, { policy: EAGER });
    // The sandbox goes by the account where the id says nothing else.
    await flow.payments.start(request);
    await expectPaid(request);
    const settled = () => stored(request.paymentId);
    await until(
      'its callbacks',
      settled,
      (rows) => rows.length === callbacks && rows.every(({ handledAs }) => handledAs),
    );
    expect(await isDisputed(request.paymentId)).toBe(false);
    return request;
  };

async function disputed({ paymentId }: BillPaymentRequest): Promise<void> {
  await until('the dispute', () => isDisputed(paymentId), Boolean);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

testCells(
  async () => {
    gates = createGates();
    flow = await startFlow(gates.worker);
    return flow;
  },
  {
    'callback-lost at callback: seen-at-next-look': paying('callback-lost', 0),
    // The same three times is one.
    'callback-repeated at callback: same-end': paying('callback-three-times', 1),
    'callback-early at callback: same-end': paying('callback-before-answer', 1),
    'callback-late at callback: same-end': async () => {
      const request = await pending();
      flow.sandbox.setRecord(request.paymentId, COMPLETED);
      await expectPaid(request);
      await callback(request.paymentId, success);
      await until(
        'its name',
        () => stored(request.paymentId),
        ([late]) => late?.handledAs === 'agreed',
      );
      expect(await isDisputed(request.paymentId)).toBe(false);
      return request;
    },
    'callbacks-reordered at callback: same-end': async () => {
      // What counts is the strictest code, whichever came last.
      const [one, other] = await Promise.all([pending(), pending()]);
      for (const code of ['1', '22']) await callback(one.paymentId, failure(code));
      for (const code of ['22', '1']) await callback(other.paymentId, failure(code));
      for (const { paymentId } of [one, other]) {
        flow.sandbox.setRecord(paymentId, { status: 6 });
        expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'ambiguous-code' });
        await expectOpen(paymentId);
      }
      return one;
    },
    'callback-forged at callback: refused': async () => {
      const request = await pending();
      const { paymentId } = request;
      const ours = flow.callbackUrl(paymentId);
      const forged = ours.slice(0, -1) + (ours.endsWith('A') ? 'B' : 'A');
      expect(await send(forged, { method: 'POST', body: nested(paymentId) })).toMatchObject({ status: 404 });
      expect(await stored(paymentId)).toEqual([]);
      await expectOpen(paymentId);
      flow.sandbox.setRecord(paymentId, COMPLETED);
      await expectPaid(request);
      return request;
    },
    'callback-contradictory at callback: raised': async () => {
      const request = await pending();
      const { paymentId } = request;
      // Open, it is a hint that proves nothing.
      await callback(paymentId, failure('1'));
      const count = async () => (await flow.payments.payment(paymentId).progress()).callbacks;
      await until('the callback to be known', count, (seen) => seen === 1);
      await expectOpen(paymentId);
      flow.sandbox.setRecord(paymentId, COMPLETED);
      await expectPaid(request);
      expect(await isDisputed(paymentId)).toBe(false);
      // Once it has ended, it is a dispute.
      await callback(paymentId, failure('2'));
      await disputed(request);
      return request;
    },
    'callback-contradictory at record: raised': async () => {
      const request = await pending();
      const { paymentId } = request;
      const record = gates.hold('record:proven', paymentId);
      const recorded = gates.hold('recorded', paymentId);
      flow.sandbox.setRecord(paymentId, COMPLETED);
      await record.reached;
      // Weighed with the record, which goes before it.
      await callback(paymentId, failure('1'));
      record.open();
      await recorded.reached;
      expect(await isDisputed(paymentId)).toBe(false);
      await callback(paymentId, failure('2'));
      recorded.open();
      await disputed(request);
      expect((await stored(paymentId)).map(({ handledAs }) => handledAs)).toEqual(['close', 'dispute']);
      return request;
    },
  },
);
