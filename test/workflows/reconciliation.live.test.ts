import { createAlmara } from '../../src/almara';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import { BEHAVIOURS, BILL_ROUTE_ID, type BehaviourName } from '../../src/sandbox';
import type { ReconciliationReport } from '../../src/payment/reconciliation-window';
import type { Carried } from '../../src/workflows/reconcile-payments';
import { atEndOfFile } from '../support/at-end';
import { CREDENTIALS, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { startStranger } from '../support/foreign-caller';
import { everythingElse, found, looking, reconcile } from '../support/reconcile';

/** G4: What reconciliation says about payments that nobody has tampered with, and while the provider is down. */

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
});

/** These contradict themselves: that is what they are there for. */
const CONTRADICTIONS: readonly BehaviourName[] = ['failed-then-completed', 'record-exists'];

/** Until nothing changes any more: it is closed, or waits for a person. */
async function settle(behaviour: BehaviourName): Promise<string> {
  const attentionAfter = behaviour === 'pending-for-ever' ? '5 seconds' : SHORT_POLICY.attentionAfter;
  // The one that needs no person in the end must not ask for one in between.
  const notFoundGrace = behaviour === 'not-found-then-paid' ? '30 seconds' : SHORT_POLICY.notFoundGrace;
  const request = flow.request(behaviour, { policy: { ...SHORT_POLICY, attentionAfter, notFoundGrace } });
  await flow.payments.start(request);
  const run = flow.client.workflow.getHandle(workflowIdOf(request.paymentId));
  const state = async () => (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
  await until(`${behaviour} settles`, state, (seen) => seen !== 'InProgress');
  return request.paymentId;
}

test('a clean set of all behaviours reports nothing, and changes nothing but the report', async () => {
  const names = BEHAVIOURS.map(({ name }) => name).filter((name) => !CONTRADICTIONS.includes(name));
  await Promise.all(names.map(settle));
  await flow.sandbox.idle();
  const pending = () => flow.store.inbox.pending(10);
  await until('every callback is dealt with', pending, (seen) => seen.length === 0);

  const before = await everythingElse(flow);
  const report = await reconcile(flow);
  expect(report.differences).toEqual([]);
  expect(report).toMatchObject({ complete: true, payments: names.length, notAsked: 0, disputesRaised: 0 });
  // Those that wait for a person are asked about by their own runs.
  expect(report.asked).toBeGreaterThan(names.length / 2);
  expect(report.runs).toBe(report.asked);
  expect(await everythingElse(flow)).toEqual(before);
});

describe('while the provider is down', () => {
  test('nothing is called different; the report is incomplete, and the next one begins where it began', async () => {
    await Promise.all((['paid-with-callback', 'failed-refusal'] as const).map(settle));
    const complete = await reconcile(flow, {});
    expect(complete).toMatchObject({ complete: true });
    const paymentId = await settle('paid-with-callback');
    // Were it believed, this would be a difference: nothing may be concluded from silence.
    flow.sandbox.setRecord(paymentId, null);

    await flow.stopWorker();
    const down = createAlmara(
      {
        apiUrl: 'http://127.0.0.1:9',
        identityUrl: 'http://127.0.0.1:9',
        ...CREDENTIALS,
        scope: 'PyPay_api',
        routeId: BILL_ROUTE_ID,
        serviceField: 'ServiceId',
      },
      { log: flow.log },
    );
    atEndOfFile(() => down.close());
    await flow.startWorker({ provider: (real) => ({ ...real, findPayment: down.findPayment }) });
    const before = await everythingElse(flow);
    const silent = await reconcile(flow, {});
    expect(silent).toMatchObject({ complete: false, asked: 0, differences: [], disputesRaised: 0 });
    expect(silent.notAsked).toBeGreaterThan(0);
    expect(silent.trouble).toMatch(/Almara Pay/);
    expect(await everythingElse(flow)).toEqual(before);

    await flow.stopWorker();
    await flow.startWorker({});
    const next = await reconcile(flow, {});
    expect(next.since).toBe(silent.since);
    expect(next).toMatchObject({ complete: true, notAsked: 0 });
    expect(found(next)).toEqual([`paid-but-unknown-to-provider ${paymentId}`]);
    const after = await reconcile(flow, {});
    expect(Date.parse(after.since)).toBeGreaterThan(Date.parse(next.since));
  });

  test('an answer that cannot be read is no answer, and one such payment does not hide the others', async () => {
    const [broken, paid] = await Promise.all([settle('paid-with-callback'), settle('paid-with-callback')]);
    const { looks, provider } = looking((id) => (id === broken ? { kind: 'unreadable', said: 'nonsense' } : undefined));
    await flow.stopWorker();
    await flow.startWorker({ provider });
    const report = await reconcile(flow);
    // Left to the next one, and not to hold back the window.
    expect(report).toMatchObject({ complete: true, notAsked: 1, unanswered: [{ paymentId: broken }] });
    expect(report.differences.map(({ subject }) => subject)).not.toContain(broken);
    // Once each: a page whose answers cannot be read is not asked again.
    expect(looks.filter((paymentId) => paymentId === broken || paymentId === paid).sort()).toEqual(
      [broken, paid].sort(),
    );
  });
});

test('since a time that has not come or is none: refused, with a sentence', async () => {
  for (const since of ['2999-01-01T00:00:00Z', 'yesterday'])
    await expect(reconcile(flow, { since })).rejects.toMatchObject({
      cause: { cause: { type: 'InvalidRequest', message: expect.stringContaining(since) as string } },
    });
});

test('a report is made by comparing: a run that is started with one is refused', async () => {
  const run = flow.client.workflow.execute('reconcilePayments', {
    taskQueue: flow.taskQueue,
    workflowId: `with-a-report-${Date.now()}`,
    args: [{}, { reportId: 'mine', at: { kind: 'end' }, silentPages: 0, report: {} }],
  });
  await expect(run).rejects.toMatchObject({ cause: { type: 'InvalidRequest' } });
});

test('a run that continues as new goes on where it was, with what it has found', async () => {
  await flow.stopWorker();
  await flow.startWorker({});
  const [first, second] = (await Promise.all([settle('paid-with-callback'), settle('paid-with-callback')])).sort();
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const carried: Carried = {
    reportId: 'carried',
    at: { kind: 'payments', after: first ?? '' },
    silentPages: 0,
    report: {
      since,
      until: new Date().toISOString(),
      startedAt: since,
      payments: 7,
      asked: 5,
      notAsked: 2,
      trouble: 'it was down',
      runs: 0,
      disputesRaised: 1,
      differences: [{ kind: 'paid-but-pending', subject: 'of an earlier run', what: 'found there' }],
      moreDifferences: 3,
    },
  };
  const asked = (): number => flow.sandbox.payment(first ?? '').requests.length;
  const before = [asked(), flow.sandbox.payment(second ?? '').requests.length];
  const stranger = await startStranger(flow);
  const report = (await stranger.continueInto('reconcilePayments', {}, carried)) as ReconciliationReport;
  expect(report).toMatchObject({ since, complete: false, trouble: 'it was down', moreDifferences: 3 });
  expect(report).toMatchObject({ notAsked: 2, disputesRaised: 1 });
  expect(report.payments).toBeGreaterThan(7);
  expect(report.differences).toContainEqual(carried.report.differences[0]);
  expect([asked(), flow.sandbox.payment(second ?? '').requests.length]).toEqual([before[0], (before[1] ?? 0) + 1]);
});
