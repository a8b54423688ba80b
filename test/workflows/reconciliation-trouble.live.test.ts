import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { isRegistered, isUntouched } from '../../src/activities/payment-runs';
import { ProviderTrouble } from '../../src/payment/provider';
import { FAILURES, workflowIdOf } from '../../src/payment/contract';
import type { ReconcileRequest, ReconciliationReport } from '../../src/payment/reconciliation-window';
import type { Carried } from '../../src/workflows/reconcile-payments';
import { declinedPayment, raise } from '../support/disputes';
import { clockAhead, outcomeOf, startFlow, type Flow, type FlowWorker } from '../support/flow';
import { startStranger } from '../support/foreign-caller';
import { looking, plant, reconcile } from '../support/reconcile';

/** What must not stop a reconciliation: single payments that nobody can read, bad input, a list that has no end, runs that are gone. */
let flow: Flow;
const logged: { readonly level: number; readonly msg: string }[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line) as never) });
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true, callbacks: { sweepEveryMs: 3_600_000 }, log });
});

async function settled(): Promise<string> {
  const request = flow.request('paid-with-callback');
  await flow.payments.start(request);
  await outcomeOf(flow, request.paymentId);
  return request.paymentId;
}

async function withWorker(options: FlowWorker): Promise<void> {
  await flow.stopWorker();
  await flow.startWorker(options);
}

const unansweredOf = ({ unanswered = [] }: ReconciliationReport): readonly string[] =>
  unanswered.map(({ paymentId }) => paymentId);
const levelOfReport = (): number | undefined => logged.filter(({ msg }) => msg === 'reconciled').at(-1)?.level;
const [INFO, WARN] = [30, 40];

test('one payment that can never be read does not stop the window: the next run goes on, and asks about it again', async () => {
  const [broken] = await Promise.all([settled(), settled()]);
  const { looks, provider } = looking((paymentId) =>
    paymentId === broken ? { kind: 'unreadable', said: 'more than one record' } : undefined,
  );
  await withWorker({ provider });
  const first = await reconcile(flow, {});
  expect(first).toMatchObject({ complete: true, notAsked: 1, differences: [] });
  expect(first.unanswered).toEqual([
    { paymentId: broken, because: expect.stringContaining('more than one record') as string },
  ]);
  expect(levelOfReport()).toBe(WARN);

  // Neither closed in the next window nor due in it.
  const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000);
  await plant(flow, 'UPDATE payments SET closed_at = $2 WHERE payment_id = $1', [broken, threeDaysAgo]);
  const next = async () => {
    await settled();
    looks.length = 0;
    return await reconcile(flow, {});
  };
  const second = await next();
  expect(Date.parse(second.since)).toBeGreaterThan(Date.parse(first.since));
  expect(second).toMatchObject({ complete: true, notAsked: 1 });
  expect(unansweredOf(second)).toEqual([broken]);
  expect(looks).toContain(broken);

  const mended = looking();
  await withWorker({ provider: mended.provider });
  expect(await next()).toMatchObject({ complete: true, notAsked: 0, differences: [] });
  expect(mended.looks).toContain(broken);
  expect(levelOfReport()).toBe(INFO);
  mended.looks.length = 0;
  expect(await next()).toMatchObject({ complete: true, notAsked: 0 });
  expect(mended.looks).not.toContain(broken);
});

test('broken records that lie beside each other do not hide what comes behind them', async () => {
  const since = new Date().toISOString();
  const ids = (await Promise.all(Array.from({ length: 7 }, settled))).sort();
  const broken = ids.slice(0, 4);
  const { provider } = looking((paymentId) => {
    if (broken.includes(paymentId)) throw new ProviderTrouble('server-error', 'Almara Pay did not answer: 500');
    return undefined;
  });
  await withWorker({ provider });
  const report = await reconcile(flow, { since });
  expect(report).toMatchObject({ payments: 7, asked: 3, notAsked: 4, complete: true });
  expect([...unansweredOf(report)].sort()).toEqual(broken);
});

test.each([
  [3, 'not asked', 0],
  [10, 'asked once more', 1],
])('after %p silent pages the provider is %s', async (silentPages, _, asked) => {
  const since = new Date().toISOString();
  await withWorker({});
  await settled();
  const counts = { payments: 0, asked: 0, notAsked: 500, runs: 0, disputesRaised: 0 };
  const carried: Carried = {
    reportId: `silent-${silentPages}`,
    at: { kind: 'payments', after: '' },
    silentPages,
    report: {
      ...counts,
      since,
      until: new Date().toISOString(),
      startedAt: since,
      differences: [],
      moreDifferences: 0,
    },
  };
  const stranger = await startStranger(flow);
  const report = (await stranger.continueInto('reconcilePayments', {}, carried)) as ReconciliationReport;
  expect(report).toMatchObject({ payments: 1, asked, complete: false });
});

describe('bad input is refused at once, with one sentence', () => {
  const refused = (message: string) => ({
    cause: { cause: { type: FAILURES.invalidRequest, message: expect.stringContaining(message) as string } },
  });

  test.each([null, 'yesterday', 7, ['2026-01-01']])('%j', async (request) => {
    await expect(reconcile(flow, request as unknown as ReconcileRequest)).rejects.toMatchObject(
      refused(`and not ${JSON.stringify(request)}.`),
    );
  });

  test.each([null, 7, '7', '', 'yesterday', '2999-01-01T00:00:00Z', '0000-01-01', {}])('since %j', async (since) => {
    await expect(reconcile(flow, { since } as unknown as ReconcileRequest)).rejects.toMatchObject(
      refused(`Reconcile since when? ${JSON.stringify(since)} is no time in the past`),
    );
  });

  test("past by the worker's clock, and to come by the database's", async () => {
    await withWorker({ clock: clockAhead(7_200_000) });
    const since = new Date(Date.now() + 3_600_000).toISOString();
    await expect(reconcile(flow, { since })).rejects.toMatchObject(refused(since));
  });
});

test('disputes without an end do not keep a report from being written', async () => {
  const paymentId = await declinedPayment(flow);
  await raise(flow, paymentId);
  const [dispute] = await flow.store.disputes.toOpen(1);
  if (dispute === undefined) throw new Error('the dispute was not raised');
  let rounds = 0;
  await withWorker({
    store: (real) => ({
      ...real,
      disputes: {
        ...real.disputes,
        toOpen: (limit) => {
          // The first of all is the store's own part of the report.
          if (limit < 500) rounds += 1;
          return Promise.resolve(Array.from({ length: limit }, () => dispute));
        },
      },
    }),
  });
  const report = await reconcile(flow);
  expect(report.finishedAt).not.toBe('');
  expect(rounds).toBe(20);
});

test('a run that was deleted after it was listed is no run', async () => {
  const inActivity = new MockActivityEnvironment({}, { client: flow.client });
  await expect(inActivity.run(isUntouched, workflowIdOf('pay-deleted'))).resolves.toBe(true);
  await expect(inActivity.run(isRegistered, 'pay-deleted')).resolves.toBe(false);
});
