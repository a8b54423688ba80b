import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { BEHAVIOURS, type BehaviourName } from '../../src/sandbox';
import { RECONCILIATION_ID } from '../../src/payment/reconciliation-window';
import { declinedPayment, disputed, disputeRun, raise } from '../support/disputes';
import { historyOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, type Flow } from '../support/flow';
import { reconcile } from '../support/reconcile';
import { workflowBundle } from '../support/temporal';

/**
 * Histories of every released version must replay on today's workflows: a payment that began yesterday goes on after a deployment.
 * Before a release: `RECORD_HISTORIES=<version> npx jest test/replay` writes those of the present code.
 */
const FOLDER = path.join(__dirname, 'histories');
const VERSION = process.env['RECORD_HISTORIES'];

if (VERSION !== undefined) {
  test('records a history of each path', async () => await recordAll(path.join(FOLDER, VERSION)));
  test('records the histories of disputes', async () => await recordDisputes(path.join(FOLDER, VERSION)));
  test('records the histories of reconciliations', async () => await recordReconciliations(path.join(FOLDER, VERSION)));
}

const DISPUTES = ['dispute-waiting', 'dispute-resolved'] as const;
/** Without anything to do, and with a dispute to open. */
const RECONCILIATIONS = ['reconciliation-clean', 'reconciliation-disputes'] as const;

const recorded = readdirSync(FOLDER).flatMap((version) =>
  readdirSync(path.join(FOLDER, version)).map((file) => ({ version, file })),
);

const read = ({ version, file }: { readonly version: string; readonly file: string }): unknown =>
  JSON.parse(readFileSync(path.join(FOLDER, version, file), 'utf8'));

/** A dispute knows its payment by its workflow id, and a replay has none of its own. */
const workflowIdIn = (history: unknown): string =>
  (history as { events: { workflowExecutionStartedEventAttributes: { workflowId: string } }[] }).events[0]
    ?.workflowExecutionStartedEventAttributes.workflowId ?? '';

test('there is a history of each path', () => {
  const paths = [
    ...BEHAVIOURS.map(({ name }) => name),
    'cancelled',
    'decided-paid',
    'decided-declined',
    'expired',
    ...DISPUTES,
    ...RECONCILIATIONS,
  ].map((name) => `${name}.json`);
  expect(recorded.map(({ file }) => file)).toEqual(expect.arrayContaining(paths));
});

test.each(recorded)('$version $file replays on the present code', async (which) => {
  const history = read(which);
  await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, workflowIdIn(history));
});

describe('a changed flow is caught', () => {
  let changed: WorkflowBundleWithSourceMap;
  beforeAll(async () => {
    changed = await bundleWorkflowCode({
      workflowsPath: path.join(__dirname, 'changed'),
      logger: new DefaultLogger('ERROR'),
    });
  });

  test.each(recorded.slice(0, 3))('$version $file', async (which) => {
    await expect(Worker.runReplayHistory({ workflowBundle: changed }, read(which))).rejects.toThrow(
      DeterminismViolationError,
    );
  });
});

async function recordAll(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const flow = await startFlow();
  for (const { name } of BEHAVIOURS) save(folder, name, await historyOfBehaviour(flow, name));
  save(folder, 'cancelled', await historyOfCancelled());
  save(folder, 'expired', await historyOfExpired());
  for (const decision of ['paid', 'declined'] as const)
    save(folder, `decided-${decision}`, await historyOfDecided(flow, decision));
}

async function recordDisputes(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const flow = await startFlow();
  for (const name of DISPUTES) {
    const paymentId = await disputed(flow);
    if (name === 'dispute-resolved') {
      await flow.payments.dispute(paymentId).resolve({ agreed: 'paid', operator: 'recorder', note: 'for the record' });
      await disputeRun(flow, paymentId).result();
    }
    save(folder, name, await disputeRun(flow, paymentId).fetchHistory());
  }
}

async function recordReconciliations(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  // Nobody else opens the dispute: the run starts it as its child.
  const flow = await startFlow({ callbacks: { sweepEveryMs: 3_600_000 } });
  const paymentId = await declinedPayment(flow);
  for (const name of RECONCILIATIONS) {
    if (name === 'reconciliation-disputes') await raise(flow, paymentId);
    const workflowId = `${RECONCILIATION_ID}-${name}`;
    await reconcile(flow, {}, workflowId);
    save(folder, name, await flow.client.workflow.getHandle(workflowId).fetchHistory());
  }
}

type History = Awaited<ReturnType<typeof historyOf>>;

/** Stack traces name files: from the project's folder on. */
const HERE = `${path.resolve(__dirname, '../..')}${path.sep}`;

const save = (folder: string, name: string, history: History): void =>
  writeFileSync(path.join(folder, `${name}.json`), `${historyToJSON(history).replaceAll(HERE, '')}\n`);

async function historyOfBehaviour(flow: Flow, name: BehaviourName): Promise<History> {
  const attentionAfter = name === 'pending-for-ever' ? '10 seconds' : SHORT_POLICY.attentionAfter;
  const request = flow.request(name, { policy: { ...SHORT_POLICY, attentionAfter } });
  await flow.payments.start(request);
  const run = flow.client.workflow.getHandle(`bill-payment-${request.paymentId}`);
  const attention = needsAttention(flow, request.paymentId).catch(() => undefined);
  await Promise.race([run.result(), attention]);
  return await historyOf(flow, request.paymentId);
}

/** Cancelled while the provider keeps the validation waiting. */
async function historyOfCancelled(): Promise<History> {
  let reached: () => void = () => undefined;
  const validating = new Promise<void>((resolve) => (reached = resolve));
  const untilStopped = (_bill: unknown, signal?: AbortSignal) => {
    reached();
    return new Promise<never>((_resolve, reject) =>
      signal?.addEventListener('abort', () => reject(new Error('the worker stops'))),
    );
  };
  const flow = await startFlow({ almara: (real) => ({ ...real, validateAccount: untilStopped }) });
  const request = flow.request('paid-with-callback');
  const payment = await flow.payments.start(request);
  await validating;
  await expect(payment.cancel({ operator: 'recorder', note: 'for the record' })).resolves.toMatchObject({
    stage: 'closed',
  });
  await outcomeOf(flow, request.paymentId);
  return await historyOf(flow, request.paymentId);
}

async function historyOfExpired(): Promise<History> {
  const flow = await startFlow({
    almara: (real) => ({ ...real, findPayment: () => Promise.reject(new Error('out of reach')) }),
  });
  const request = flow.request('paid-with-callback', { policy: { ...SHORT_POLICY, submitWithin: '2 seconds' } });
  await flow.payments.start(request);
  expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'declined', reason: 'expired' });
  return await historyOf(flow, request.paymentId);
}

async function historyOfDecided(flow: Flow, decision: 'paid' | 'declined'): Promise<History> {
  const request = flow.request('failed-callback-lost');
  const payment = await flow.payments.start(request);
  await needsAttention(flow, request.paymentId);
  await payment.resolve({ decision, operator: 'recorder', note: 'for the record' });
  await outcomeOf(flow, request.paymentId);
  return await historyOf(flow, request.paymentId);
}
