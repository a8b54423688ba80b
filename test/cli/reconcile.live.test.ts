import { cliStore } from '../../src/cli/store';
import { BillPayments } from '../../src/client';
import { TASK_QUEUE, WORKFLOWS } from '../../src/payment/contract';
import { RECONCILIATION_ID } from '../../src/payment/reconciliation-window';
import { STATUS } from '../../src/sandbox/behaviour';
import { runBillpay } from '../support/billpay';
import { factsOf, outcomeOf, startFlow, until, type Flow } from '../support/flow';
import { found, looking, reconcile } from '../support/reconcile';

/** `billpay reconcile` and `billpay schedules` as people and scripts run them. */
let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
});

const billpay = (...args: readonly string[]) =>
  runBillpay(args, {
    connect: () => BillPayments.connect({ address: flow.address, namespace: flow.namespace }),
    loadStore: () => Promise.resolve(cliStore),
  });

async function settled(behaviour: 'paid-with-callback' | 'failed-refusal'): Promise<string> {
  const request = flow.request(behaviour);
  await flow.payments.start(request);
  await outcomeOf(flow, request.paymentId);
  return request.paymentId;
}

describe('billpay reconcile', () => {
  let declined: string;
  let paid: string;

  test('all agrees: 0', async () => {
    [declined, paid] = await Promise.all([settled('failed-refusal'), settled('paid-with-callback')]);
    const { code, out, err } = await billpay('reconcile');
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out[0]).toMatch(/^Reconciliation of \d{4}-.* to \d{4}-/);
    expect(out[1]).toMatch(/^ {2}2 payments, 2 of them asked about; /);
    expect(out.at(-1)).toBe('Everything agrees.');
  });

  test('one could not be asked about: 5, with its id and why', async () => {
    await flow.stopWorker();
    await flow.startWorker(looking((id) => (id === paid ? { kind: 'unreadable', said: 'nonsense' } : undefined)));
    const { code, out, err } = await billpay('reconcile');
    await flow.stopWorker();
    await flow.startWorker();
    expect({ code, err }).toEqual({ code: 5, err: [] });
    expect(out.join('\n')).toMatch(new RegExp(`\n    ${paid}  .*nonsense`));
    expect(out.at(-1)).toBe('No difference was found, but not everything could be asked.');
  });

  test.each([
    ['failed→completed', () => declined, STATUS.completed, 'declined-but-completed'],
    ['completed→failed', () => paid, STATUS.failed, 'paid-but-failed'],
  ] as const)('%s without any callback: 4, with what it means; disputed once, however often it runs', async (...of) => {
    const [, subject, status, kind] = of;
    const paymentId = subject();
    const before = (await factsOf(flow, paymentId)).closed?.outcome;
    flow.sandbox.setRecord(paymentId, { status });
    const first = await billpay('reconcile', '--since', '1h');
    expect({ code: first.code, err: first.err }).toEqual({ code: 4, err: [] });
    const text = first.out.join('\n');
    expect(text).toContain(`${kind}: Recorded as`);
    expect(text).toContain(`    ${paymentId}  Almara Pay says `);
    expect(text).toContain('1 disputes raised. See: billpay attention');
    expect(await flow.store.disputes.find(paymentId)).toMatchObject({ raisedBy: 'reconciliation' });
    const waiting = async () => (await flow.payments.attention()).map((one) => [one.kind, one.paymentId]);
    await until('it needs attention', waiting, (seen) => JSON.stringify(seen).includes(`["dispute","${paymentId}"]`));

    const again = await billpay('reconcile', '--since', '1h', '--json');
    expect(again.code).toBe(4);
    expect(again.out).toHaveLength(1);
    expect(JSON.parse(again.out[0] ?? '')).toMatchObject({
      event: 'reconciliation',
      complete: true,
      disputesRaised: 0,
      differences: expect.arrayContaining([expect.objectContaining({ kind, subject: paymentId })]) as unknown,
    });
    // What is recorded stays, and so does what is remembered of the provider's answers.
    const { closed, seen } = await factsOf(flow, paymentId);
    expect(closed).toEqual({ outcome: before, disputed: true });
    expect(seen.last).toMatchObject({ state: status === STATUS.completed ? 'completed' : 'failed' });
    expect(seen.completedAt).toEqual(expect.any(Number));
  });

  test('two at once find the same, and raise no more', async () => {
    const reports = await Promise.all([reconcile(flow), reconcile(flow)]);
    expect(found(reports[0])).toEqual(found(reports[1]));
    expect(reports.map(({ disputesRaised }) => disputesRaised)).toEqual([0, 0]);
  });

  test.each([
    [['--since', 'yesterday'], '--since must be a time such as'],
    [['--since', '7'], '--since must be a time such as'],
    [['--since', '999999999d'], '--since must be a time such as'],
    [['--since', '2999-01-01'], 'since must be a time in the past'],
  ])('%p: 64, with what is wrong', async (args, problem) => {
    const { code, out, err } = await billpay('reconcile', ...args);
    expect({ code, out }).toEqual({ code: 64, out: [] });
    expect(err.join('\n')).toContain(problem);
  });
});

describe('billpay schedules', () => {
  const handle = () => flow.client.schedule.getHandle(RECONCILIATION_ID);

  test('show without one: 66, and how to make it', async () => {
    const { code, out } = await billpay('schedules', 'show');
    expect(code).toBe(66);
    expect(out.join()).toContain('billpay schedules apply');
  });

  test('apply: created, then unchanged, then updated; a pause stays', async () => {
    expect(await billpay('schedules', 'apply')).toMatchObject({ code: 0, err: [] });
    const created = await handle().describe();
    expect(created).toMatchObject({
      spec: { intervals: [{ every: 3_600_000 }] },
      action: { workflowType: WORKFLOWS.reconcilePayments, taskQueue: TASK_QUEUE, args: [{}] },
      policies: { overlap: 'SKIP', catchupWindow: 600_000 },
    });
    const said = async (...args: readonly string[]) => (await billpay('schedules', ...args)).out[0];
    expect(await said('apply', '--every', '1h')).toBe(`Schedule ${RECONCILIATION_ID}: unchanged.`);
    await handle().pause('planted');
    expect(await said('apply', '--every', '30m')).toBe(`Schedule ${RECONCILIATION_ID}: updated.`);
    expect(await said('apply', '--every', '30m')).toBe(`Schedule ${RECONCILIATION_ID}: unchanged.`);
    expect(await handle().describe()).toMatchObject({
      spec: { intervals: [{ every: 1_800_000 }] },
      state: { paused: true, note: 'planted' },
    });
    const shown = await billpay('schedules', 'show');
    expect(shown.code).toBe(0);
    expect(shown.out.join('\n')).toMatch(/Every 30 min.*\n.*Paused/);
    await handle().unpause();
  });

  test('what was changed by hand is put right', async () => {
    await handle().update(({ state, spec, action, policies }) => ({
      state,
      spec,
      action: { ...action, taskQueue: 'elsewhere' },
      policies: { ...policies, overlap: 'ALLOW_ALL' },
    }));
    const { out } = await billpay('schedules', 'apply', '--every', '30m');
    expect(out[0]).toBe(`Schedule ${RECONCILIATION_ID}: updated.`);
    expect(await handle().describe()).toMatchObject({
      action: { taskQueue: TASK_QUEUE },
      policies: { overlap: 'SKIP' },
    });
  });

  test('two at once: one is created', async () => {
    await handle().delete();
    const both = await Promise.all([billpay('schedules', 'apply'), billpay('schedules', 'apply')]);
    expect(both).toMatchObject([
      { code: 0, err: [] },
      { code: 0, err: [] },
    ]);
  });

  test('what it starts is a reconciliation that ends with a report', async () => {
    await handle().trigger();
    const started = async () => (await handle().describe()).info.recentActions[0]?.action.workflow.workflowId;
    const workflowId = await until('it has started one', started, (id) => id !== undefined);
    await expect(flow.client.workflow.getHandle(workflowId ?? '').result()).resolves.toMatchObject({ complete: true });
  });

  test.each(['30s', '2d', 'often'])('--every %s: 64', async (every) => {
    expect(await billpay('schedules', 'apply', '--every', every)).toMatchObject({ code: 64, out: [] });
  });
});
