import { realpathSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { ApplicationFailure } from '@temporalio/common';
import { Refused } from '../../src/client';
import { concurrently } from '../../src/payment/concurrently';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import type { Resolution } from '../../src/payment/progress';
import { RECONCILIATION_ID } from '../../src/payment/reconciliation-window';
import type { BillPaymentRequest } from '../../src/payment/request';
import { BEHAVIOURS, type BehaviourName } from '../../src/sandbox';
import type { Store } from '../../src/store';
import { declinedPayment, disputed, disputeRun, raise } from '../support/disputes';
import { broken } from '../support/faults';
import { historyOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import { COMPLETED, createGates, FUNDS, ownRequest, resetRun, runOf, sent, type Gates } from '../support/gates';
import { reconcile } from '../support/reconcile';

/** Makes a history of each path that a run can go, on a whole and real system. */

type History = Awaited<ReturnType<typeof historyOf>>;

interface Recorder {
  readonly flow: Flow;
  readonly gates: Gates;
  /** Payments of which each first call of the store fails, and is not tried again at once. */
  readonly storeFailsAtFirst: Set<string>;
  /** Payments of which no look can be written down, until they are taken out. */
  readonly noLookIsWritten: Set<string>;
}

type Path = (recorder: Recorder) => Promise<History>;

const BY = { operator: 'recorder', note: 'for the record' } as const;
const SOON = { ...SHORT_POLICY, callbackGrace: '100 milliseconds' } as const;

const PAYMENTS: Readonly<Record<string, Path>> = {
  ...Object.fromEntries(BEHAVIOURS.map(({ name }) => [name, behaving(name)])),
  'no-funds': async ({ flow }) =>
    await ended(flow, await ownRequest(flow, 'paid-with-callback', { amount: FUNDS + 1 })),
  'waited-for-money': waitedForMoney,
  expired: async ({ flow, gates }) => {
    const policy = { ...SHORT_POLICY, submitWithin: '2 seconds' };
    const request = await ownRequest(flow, 'paid-with-callback', { policy });
    gates.hold('look', request.paymentId).fail();
    return await ended(flow, request);
  },
  cancelled: cancelledWhileValidating(async ({ flow, paymentId }) => {
    await flow.payments.payment(paymentId).cancel(BY);
  }),
  'cancelled-in-the-ui': cancelledWhileValidating(async ({ flow, paymentId }) => {
    await runOf(flow, paymentId).cancel();
  }),
  'cancelled-too-late': cancelledTooLate,
  'decided-paid': decided({ decision: 'paid', ...BY, receiptNumber: 'R-1' }),
  'decided-declined': decided({ decision: 'declined', ...BY }),
  'id-in-use-declined': decided({ decision: 'declined', ...BY, providerCase: 'C-1' }, 'record-exists'),
  'store-away': async ({ flow, storeFailsAtFirst }) => {
    const request = await ownRequest(flow, 'paid-with-callback');
    storeFailsAtFirst.add(request.paymentId);
    return await ended(flow, request);
  },
  'store-unavailable': storeUnavailable,
  reset: goesOn(async (flow, { paymentId }) => {
    await resetRun(flow, runOf(flow, paymentId).workflowId);
  }),
  'started-again': goesOn(async (flow, request) => {
    await runOf(flow, request.paymentId).terminate('for the record');
    await flow.payments.start(request);
  }),
  'dispute-waiting': async ({ flow }) => await disputeRun(flow, await disputed(flow)).fetchHistory(),
  'dispute-resolved': async ({ flow }) => {
    const paymentId = await disputed(flow);
    await flow.payments.dispute(paymentId).resolve({ agreed: 'paid', ...BY });
    await disputeRun(flow, paymentId).result();
    return await disputeRun(flow, paymentId).fetchHistory();
  },
};

/** Without anything to do, and with a dispute to open. */
const RECONCILIATIONS = ['reconciliation-clean', 'reconciliation-disputes'] as const;

export const PATHS: readonly string[] = [...Object.keys(PAYMENTS), ...RECONCILIATIONS];

/** So many at once: each is to go its own way, however slow the machine is. */
const PATHS_AT_ONCE = 6;

export async function recordAll(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const recorder = await startRecorder();
  await concurrently(Object.entries(PAYMENTS), PATHS_AT_ONCE, async ([name, record]) => {
    save(folder, name, await record(recorder));
  });
  await recordReconciliations(folder);
}

async function startRecorder(): Promise<Recorder> {
  const gates = createGates();
  const { provider, store: gated } = gates.worker;
  if (provider === undefined || gated === undefined) throw new Error('no gates to put in');
  const storeFailsAtFirst = new Set<string>();
  const noLookIsWritten = new Set<string>();
  const failed = new Set<string>();
  const fails = (step: string, paymentId: string): void => {
    const call = `${step} ${paymentId}`;
    if (!storeFailsAtFirst.has(paymentId) || failed.has(call)) return;
    failed.add(call);
    throw ApplicationFailure.nonRetryable('the store is away, for the record');
  };
  const failing = (real: Store): Store => ({
    ...real,
    payments: {
      ...real.payments,
      async register(request, ...rest) {
        fails('register', request.paymentId);
        return await real.payments.register(request, ...rest);
      },
      look: (paymentId, ...rest) =>
        noLookIsWritten.has(paymentId) ? Promise.reject(broken()) : real.payments.look(paymentId, ...rest),
      async recordOutcome(paymentId, ...rest) {
        fails('recordOutcome', paymentId);
        return await real.payments.recordOutcome(paymentId, ...rest);
      },
    },
  });
  const flow = await startFlow({ provider, store: (real) => gated(failing(real)) });
  return { flow, gates, storeFailsAtFirst, noLookIsWritten };
}

async function ended(flow: Flow, request: BillPaymentRequest): Promise<History> {
  await flow.payments.start(request);
  await outcomeOf(flow, request.paymentId);
  return await historyOf(flow, request.paymentId);
}

/** Until it has ended, or a person is asked. */
function behaving(name: BehaviourName): Path {
  const policy = {
    ...SHORT_POLICY,
    ...(name === 'pending-for-ever' && { attentionAfter: '10 seconds' }),
    // The one that needs no person in the end must not ask for one in between.
    ...(name === 'not-found-then-paid' && { notFoundGrace: '1 minute' }),
  };
  return async ({ flow }) => {
    const request = flow.request(name, { policy });
    await flow.payments.start(request);
    const run = runOf(flow, request.paymentId);
    const state = async () => (await run.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
    const settled = await until(`${name} settles`, state, (seen) => seen !== 'InProgress');
    if (settled !== 'NeedsAttention') await run.result();
    return await historyOf(flow, request.paymentId);
  };
}

async function waitedForMoney({ flow }: Recorder): Promise<History> {
  const policy = { ...SHORT_POLICY, fundsWithin: '10 minutes' };
  const request = await ownRequest(flow, 'paid-with-callback', { amount: FUNDS + 1, policy });
  const { paymentId } = request;
  await flow.payments.start(request);
  const waits = async () =>
    (await runOf(flow, paymentId).describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure) === true;
  await until('the lack of money', waits, (seen) => seen);
  await flow.store.funds.add({ account: paymentId, amount: 1, currency: 'KES' });
  await outcomeOf(flow, paymentId);
  return await historyOf(flow, paymentId);
}

function cancelledWhileValidating(
  cancel: (payment: { readonly flow: Flow; readonly paymentId: string }) => Promise<void>,
): Path {
  return async ({ flow, gates }) => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const { paymentId } = request;
    const validation = gates.hold('validate', request.accountNumber);
    await flow.payments.start(request);
    await validation.reached;
    await cancel({ flow, paymentId });
    const { kind } = await outcomeOf(flow, paymentId);
    if (kind !== 'cancelled') throw new Error(`it is ${kind}`);
    validation.open();
    return await historyOf(flow, paymentId);
  };
}

async function cancelledTooLate({ flow }: Recorder): Promise<History> {
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever'));
  await runOf(flow, paymentId).cancel();
  const details = async () =>
    (await runOf(flow, paymentId).query<{ readonly currentDetails: string }>('__temporal_workflow_metadata'))
      .currentDetails;
  await until('the refusal', details, (text) => text.includes('Request Cancellation changed nothing'));
  flow.sandbox.setRecord(paymentId, COMPLETED);
  await outcomeOf(flow, paymentId);
  return await historyOf(flow, paymentId);
}

/** Looked at, decided as it may not be, and then as it may. */
function decided(resolution: Resolution, behaviour: BehaviourName = 'failed-callback-lost'): Path {
  return async ({ flow }) => {
    const request = await ownRequest(flow, behaviour, { policy: SOON });
    const payment = await flow.payments.start(request);
    await needsAttention(flow, request.paymentId);
    await payment.checkNow(BY);
    const tooMuch = { decision: 'paid', ...BY, amount: FUNDS } as const;
    const refusal: unknown = await payment.resolve(tooMuch).catch((error: unknown) => error);
    if (!(refusal instanceof Refused)) throw new Error('more than was asked for was not refused');
    await payment.resolve(resolution);
    await outcomeOf(flow, request.paymentId);
    return await historyOf(flow, request.paymentId);
  };
}

async function storeUnavailable({ flow, noLookIsWritten }: Recorder): Promise<History> {
  const policy = { ...SOON, attentionAfter: '5 seconds' };
  const paymentId = await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy }));
  noLookIsWritten.add(paymentId);
  const { reason } = await needsAttention(flow, paymentId);
  if (reason !== 'store-unavailable') throw new Error(`it asks because of ${reason}`);
  noLookIsWritten.delete(paymentId);
  flow.sandbox.setRecord(paymentId, COMPLETED);
  await outcomeOf(flow, paymentId);
  return await historyOf(flow, paymentId);
}

/** A new run of a payment that is sent already. */
function goesOn(again: (flow: Flow, request: BillPaymentRequest) => Promise<void>): Path {
  return async ({ flow }) => {
    const request = await ownRequest(flow, 'pending-for-ever', { policy: SOON });
    const paymentId = await sent(flow, request);
    await again(flow, request);
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await outcomeOf(flow, paymentId);
    return await historyOf(flow, paymentId);
  };
}

async function recordReconciliations(folder: string): Promise<void> {
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

/** What names the machine that recorded it: its folders, in stack traces, and its name. */
const ROOT = path.resolve(__dirname, '../..');
const OF_THIS_MACHINE: readonly (readonly [text: string, instead: string])[] = [
  [`${ROOT}${path.sep}`, ''],
  [`${path.dirname(realpathSync(path.join(ROOT, 'node_modules')))}${path.sep}`, ''],
  [`${process.pid}@${hostname()}`, 'recorder'],
];

function save(folder: string, name: string, history: History): void {
  const text = OF_THIS_MACHINE.reduce((all, [one, instead]) => all.replaceAll(one, instead), historyToJSON(history));
  writeFileSync(path.join(folder, `${name}.json`), `${text}\n`);
}
