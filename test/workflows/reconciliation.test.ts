import { createAlmara } from '../../src/almara';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import { BEHAVIOURS, BILL_ROUTE_ID, type BehaviourName } from '../../src/sandbox';
import { atEndOfFile } from '../support/at-end';
import { CREDENTIALS, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { everythingElse, found, reconcile } from '../support/reconcile';

jest.setTimeout(120_000);

/** What reconciliation says about payments that nobody has tampered with, and while the provider is down. */

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
});

/** These contradict themselves: that is what they are there for. */
const CONTRADICTIONS: readonly BehaviourName[] = ['failed-then-completed', 'record-exists'];

/** Until nothing changes any more: it is closed, or waits for a person. */
async function settle(behaviour: BehaviourName): Promise<string> {
  const attentionAfter = behaviour === 'pending-for-ever' ? '5 seconds' : SHORT_POLICY.attentionAfter;
  const request = flow.request(behaviour, { policy: { ...SHORT_POLICY, attentionAfter } });
  await flow.payments.start(request);
  const run = flow.client.workflow.getHandle(workflowIdOf(request.paymentId));
  const state = async () => (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
  await until(`${behaviour} settles`, state, (seen) => seen !== 'InProgress', 60_000);
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
    await flow.startWorker({ almara: (real) => ({ ...real, findPayment: down.findPayment }) });
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
    const looks: string[] = [];
    await flow.stopWorker();
    await flow.startWorker({
      almara: (real) => ({
        ...real,
        findPayment: async (paymentId, signal) => {
          const answer = await real.findPayment(paymentId, signal);
          looks.push(paymentId);
          return paymentId === broken
            ? { ...answer, observation: { kind: 'unreadable', said: 'nonsense' } as const }
            : answer;
        },
      }),
    });
    const report = await reconcile(flow);
    expect(report).toMatchObject({ complete: false, notAsked: 1 });
    expect(report.differences.map(({ subject }) => subject)).not.toContain(broken);
    expect(looks).toEqual(expect.arrayContaining([broken, paid]));
    expect(new Set(looks).size).toBe(looks.length);
  });
});

test('since a time that has not come or is none: refused, with a sentence', async () => {
  for (const since of ['2999-01-01T00:00:00Z', 'yesterday'])
    await expect(reconcile(flow, { since })).rejects.toMatchObject({
      cause: { cause: { type: 'InvalidRequest', message: expect.stringContaining(since) as string } },
    });
});
