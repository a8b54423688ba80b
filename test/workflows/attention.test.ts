import { BillPayments, type Waiting } from '../../src/client';
import { SEARCH_ATTRIBUTES, WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import { resolutionProblem } from '../../src/payment/decisions';
import { runBillpay } from '../support/billpay';
import { BECAUSE, disputed } from '../support/disputes';
import { needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { ownRequest, PRICE, sent } from '../support/gates';

jest.setTimeout(90_000);

/** `billpay attention`: everything that waits for a person is there, oldest first, with what to do, also without a worker. */
let flow: Flow;
let payments: BillPayments;

beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
  payments = new BillPayments(flow.client);
});

const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '1 millisecond' } as const;

async function asked(record: Parameters<Flow['sandbox']['setRecord']>[1]): Promise<string> {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: SOON }));
  flow.sandbox.setRecord(paymentId, record);
  await needsAttention(flow, paymentId);
  return paymentId;
}

const billpay = (...args: readonly string[]) =>
  runBillpay(args, { connect: () => Promise.resolve(new BillPayments(flow.client)) });

/** The list is the engine's, and comes a moment later than the payment itself. */
const listed = (count: number): Promise<readonly Waiting[]> =>
  until(
    `${count} waiting`,
    () => payments.attention(),
    (seen) => seen.length === count,
  );

test('what waits: nothing; then payments and a dispute, oldest first; then without a worker; then hundreds', async () => {
  // Nothing.
  expect(await billpay('attention')).toEqual({ code: 0, out: ['Nothing waits for a person.'] });
  expect(await billpay('--json', 'attention')).toEqual({
    code: 0,
    out: ['{"event":"attention","waiting":0,"silent":0}'],
  });

  // Payments: each with its reason, what is known, and an update that would be understood.
  const first = await asked({ status: 6 });
  const second = await asked({ status: 4, receiptNumber: 'S575998', amount: 2_200 });
  const both = await listed(2);
  expect(both).toEqual([
    expect.objectContaining({ kind: 'payment', paymentId: first, reason: 'failed-without-code', amount: PRICE }),
    expect.objectContaining({ kind: 'payment', paymentId: second, reason: 'evidence-mismatch', currency: 'KES' }),
  ]);
  expect(both.map(({ known }) => known)).toEqual([
    'Almara Pay says failed (status 6), no code: the callback is missing. It can still turn.',
    "Almara Pay's record is not what was sent: answer: KES 2200, sent: KES 220.",
  ]);
  for (const { paymentId, updates, service, since } of both) {
    expect(service).toBe('KPLC POSTPAID');
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - 60_000);
    expect(updates.map(({ workflowId }) => workflowId)).toEqual(Array(2).fill(workflowIdOf(paymentId)));
    for (const { argument } of updates) expect(resolutionProblem(argument, PRICE)).toBeUndefined();
  }
  const shown = await billpay('attention');
  expect(shown.code).toBe(3);
  expect(shown.out.slice(0, 2)).toEqual([
    `Payment ${first} · KES 220 · KPLC POSTPAID`,
    expect.stringMatching(/^ {2}failed-without-code, since \d{4}-/),
  ]);
  expect(shown.out).toContain(
    `    billpay resolve ${first} --paid --operator "YOU" --note "WHO CONFIRMED, HOW" --receipt "…"`,
  );
  expect(shown.out.at(-1)).toBe('2 waiting, the oldest first.');

  // A dispute.
  const contradicted = await disputed(flow);
  const three = await listed(3);
  expect(three.at(-1)).toMatchObject({ kind: 'dispute', paymentId: contradicted, reason: 'disputed' });
  expect(three.at(-1)?.known).toContain(BECAUSE);
  expect(three.at(-1)?.updates.map(({ name }) => name)).toEqual(['resolveDispute', 'resolveDispute']);
  expect((await billpay('attention')).out).toContain(
    `    billpay dispute-resolve ${contradicted} --paid --operator "YOU" --note "WHO AGREED, HOW"`,
  );
  await payments.dispute(contradicted).resolve({ agreed: 'paid', operator: 'op-1', note: 'finance has the receipt' });

  // One that has ended is gone, whatever the list still says.
  await payments.payment(first).resolve({ decision: 'declined', operator: 'op-1', note: 'case AP-1' });
  await outcomeOf(flow, first);
  expect((await payments.attention()).map(({ paymentId }) => paymentId)).toEqual([second]);

  // Hundreds, and nobody who would answer: the list all the same, soon.
  await flow.stopWorker();
  const many = Array.from({ length: 300 }, (_, at) => `many-${String(at).padStart(6, '0')}`);
  await inBatches(many, async (paymentId) => {
    await flow.client.workflow.start(WORKFLOWS.billPayment, {
      workflowId: workflowIdOf(paymentId),
      taskQueue: flow.taskQueue,
      args: [{}],
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.state, value: 'NeedsAttention' },
        { key: SEARCH_ATTRIBUTES.reason, value: 'provider-silent' },
        { key: SEARCH_ATTRIBUTES.service, value: 'KPLC POSTPAID' },
      ],
    });
  });
  const counted = () => flow.client.workflow.count('BillPaymentState="NeedsAttention" AND ExecutionStatus="Running"');
  await until('the list', counted, ({ count }) => count === 301);
  const began = Date.now();
  const { code, out } = await billpay('--json', 'attention');
  expect(Date.now() - began).toBeLessThan(20_000);
  expect(code).toBe(3);
  expect(out).toHaveLength(302);
  expect(JSON.parse(out.at(-1) ?? '')).toEqual({ event: 'attention', waiting: 301, silent: 301 });
  const waiting = out.slice(0, -1).map((line) => JSON.parse(line) as Waiting);
  expect(waiting[0]).toMatchObject({ paymentId: second, reason: 'evidence-mismatch' });
  expect(waiting.map(({ since }) => since)).toEqual(waiting.map(({ since }) => since).sort());
  expect(waiting.at(-1)).toMatchObject({ reason: 'provider-silent', service: 'KPLC POSTPAID' });
  expect(waiting.at(-1)).not.toHaveProperty('known');
});

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 20) await Promise.all(items.slice(at, at + 20).map(work));
}
