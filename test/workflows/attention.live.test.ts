import { BillPayments, type AttentionItem } from '../../src/client';
import { listAttention } from '../../src/client/attention';
import { Engine } from '../../src/client/engine';
import { SEARCH_ATTRIBUTES, WORKFLOWS, workflowIdOf } from '../../src/payment/contract';
import { RECONCILIATION_ID } from '../../src/payment/reconciliation-window';
import { resolutionProblem } from '../../src/payment/update-forms';
import { runBillpay } from '../support/billpay';
import { BECAUSE, disputed } from '../support/disputes';
import { needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { ownRequest, PRICE, runOf, sent } from '../support/gates';
import { reconcile } from '../support/reconcile';

/** `billpay attention`: everything that needs attention is there, oldest first, with what to do, also without a worker. */
let flow: Flow;
let payments: BillPayments;
/** The payment whose record nobody can read. */
let garbled: string | undefined;

beforeAll(async () => {
  flow = await startFlow({
    ownNamespace: true,
    provider: (real) => ({
      ...real,
      findPayment: async (paymentId, signal) => {
        const answer = await real.findPayment(paymentId, signal);
        return paymentId === garbled ? { ...answer, observation: { kind: 'unreadable', said: 'a web page' } } : answer;
      },
    }),
  });
  payments = new BillPayments(flow.client);
});

const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '1 millisecond' } as const;

async function asked(record: Parameters<Flow['sandbox']['setRecord']>[1]): Promise<string> {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy: SOON }));
  flow.sandbox.setRecord(paymentId, record);
  await needsAttention(flow, paymentId);
  return paymentId;
}

async function billpay(...args: readonly string[]) {
  const { code, out, err } = await runBillpay(args, { connect: () => Promise.resolve(new BillPayments(flow.client)) });
  expect(err).toEqual([]);
  return { code, out };
}

/** The list is the engine's, and comes a moment later than the payment itself. */
const listed = (count: number): Promise<readonly AttentionItem[]> =>
  until(
    `${count} on the list`,
    () => payments.attention(),
    (seen) => seen.length === count,
  );

test('what the last reconciliation found reaches a person, until one finds nothing', async () => {
  const NEXT = '  Next: billpay reconcile (docs/runbook.md#reconciliation)';
  const NOTHING = { code: 0, out: ['Nothing needs attention.'] };
  const last = () => payments.reconciliation.last();
  const reported = async (isIt: (report: object) => boolean) =>
    await until('the list has it', last, (seen) => seen?.kind === 'reported' && isIt(seen));
  expect(await last()).toBeUndefined();
  expect(await billpay('attention')).toEqual(NOTHING);

  // Ended by hand; then one that was asked for wrongly, which says nothing.
  const workflowId = `${RECONCILIATION_ID}-ended`;
  const ended = await flow.client.workflow.start(WORKFLOWS.reconcilePayments, {
    workflowId,
    taskQueue: 'nobody',
    args: [{}],
  });
  await ended.terminate();
  await expect(payments.reconciliation.run({ since: '2999-01-01T00:00:00Z' })).rejects.toThrow('since');
  const message = `The reconciliation ${workflowId} ended without a report (it was ended by hand). Run it again: it begins where the last complete one ended.`;
  const closed = () =>
    flow.client.workflow.count(`WorkflowType="${WORKFLOWS.reconcilePayments}" AND ExecutionStatus!="Running"`);
  await until('both are listed', closed, ({ count }) => count === 2);
  expect(await last()).toEqual({ kind: 'failed', message });
  expect(await billpay('attention')).toEqual({ code: 0, out: [message, NEXT, ...NOTHING.out] });

  // Terminated by hand: no run of it asks for a person any more. And one that could not be asked about.
  const paid = await ownRequest(flow, 'paid-with-callback');
  await sent(flow, paid);
  await outcomeOf(flow, paid.paymentId);
  garbled = paid.paymentId;
  const request = await ownRequest(flow, 'pending-for-ever', { policy: SOON });
  const { paymentId } = request;
  await sent(flow, request);
  await runOf(flow, paymentId).terminate();
  const found = await reconcile(flow);
  await reported((report) => 'notAsked' in report && report.notAsked === 1);
  expect(await billpay('attention')).toEqual({
    code: 3,
    out: [
      `The last reconciliation, until ${found.until}: 1 differences`,
      '  run-failed: 1',
      '  1 payments could not be asked about: incomplete',
      NEXT,
      'No payment and no dispute needs attention.',
    ],
  });
  const { code, out } = await billpay('--json', 'attention');
  expect(code).toBe(3);
  expect(out.map((line) => JSON.parse(line) as object)).toEqual([
    { event: 'reconciliation', kind: 'reported', ...found },
    { event: 'attention', count: 0, unknown: 0 },
  ]);

  // Mended, and reconciled again.
  garbled = undefined;
  flow.sandbox.setRecord(paymentId, { status: 4, receiptNumber: 'S575998' });
  await payments.start(request);
  await outcomeOf(flow, paymentId);
  const { until: end } = await reconcile(flow);
  await reported((report) => 'until' in report && report.until === end);
  expect(await billpay('attention')).toEqual(NOTHING);
});

test('what waits: nothing; then payments and a dispute, oldest first; then without a worker; then hundreds', async () => {
  // Nothing.
  expect(await billpay('attention')).toEqual({ code: 0, out: ['Nothing needs attention.'] });
  expect(await billpay('--json', 'attention')).toEqual({
    code: 0,
    out: ['{"event":"attention","count":0,"unknown":0}'],
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
    'The record of Almara Pay is not what was sent: answer: KES 2200, sent: KES 220.',
  ]);
  for (const { paymentId, updates, service, since } of both) {
    expect(service).toBe('KPLC POSTPAID');
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - 60_000);
    expect(updates.map(({ workflowId }) => workflowId)).toEqual(Array(2).fill(workflowIdOf(paymentId)));
    for (const { argument } of updates) expect(resolutionProblem(argument)).toBeUndefined();
  }
  // Beyond so many no worker is asked: the oldest are.
  const [oldest, listedOnly] = await listAttention(new Engine(flow.client, 10_000), 1);
  expect([oldest, listedOnly]).toMatchObject([both[0], { paymentId: second, reason: 'evidence-mismatch' }]);
  expect(listedOnly).not.toHaveProperty('known');

  const shown = await billpay('attention');
  expect(shown.code).toBe(3);
  expect(shown.out.slice(0, 2)).toEqual([
    `Payment ${first} · KES 220 · KPLC POSTPAID`,
    expect.stringMatching(/^ {2}failed-without-code, since \d{4}-/),
  ]);
  expect(shown.out).toContain(
    `    billpay resolve ${first} --paid --operator "YOU" --note "WHO CONFIRMED, HOW" --receipt "…"`,
  );
  expect(shown.out.at(-1)).toBe('2 need attention, the oldest first.');

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
  const { code, out } = await billpay('--json', 'attention');
  expect(code).toBe(3);
  expect(out).toHaveLength(302);
  expect(JSON.parse(out.at(-1) ?? '')).toEqual({ event: 'attention', count: 301, unknown: 301 });
  const items = out.slice(0, -1).map((line) => JSON.parse(line) as AttentionItem);
  expect(items[0]).toMatchObject({ paymentId: second, reason: 'evidence-mismatch' });
  expect(items.map(({ since }) => since)).toEqual(items.map(({ since }) => since).sort());
  expect(items.at(-1)).toMatchObject({ reason: 'provider-silent', service: 'KPLC POSTPAID' });
  expect(items.at(-1)).not.toHaveProperty('known');
});

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 20) await Promise.all(items.slice(at, at + 20).map(work));
}
