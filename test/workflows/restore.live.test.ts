import { workflowIdOf } from '../../src/payment/contract';
import { SEND_WINDOW_MS } from '../../src/payment/judge';
import type { BillPaymentRequest } from '../../src/payment/request';
import { migrate } from '../../src/store';
import { clockAhead, needsAttention, outcomeOf, SHORT_POLICY, startFlow, type Flow } from '../support/flow';
import {
  COMPLETED,
  createGates,
  FUNDS,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  PRICE,
  resetRun,
  sent,
  truthOf,
} from '../support/gates';
import { afterRestore, backUp, onDatabase } from '../support/postgres';
import { found, reconcile } from '../support/reconcile';
import { timePasses } from '../support/time';

/**
 * The runbook's page on a restore, step by step, on a database that is really put back. Payments stand at every point at which a
 * backup, and then a loss, can meet them: none is sent again (G1), none is declined because its row is gone (G2), none is lost (G4).
 */
const gates = createGates();
let flow: Flow;
let backupAt: string;

/** What became of it by the time of the backup, and from then to the loss. */
const STORIES = {
  'paid before the backup': 'paid-with-callback',
  'sent before, still open': 'pending-for-ever',
  'sent before, paid after': 'pending-for-ever',
  'registered before, sent and paid after': 'paid-with-callback',
  'registered before, never sent': 'paid-with-callback',
  'began after, paid': 'paid-with-callback',
  'began after, sent': 'pending-for-ever',
  'began after, never sent': 'paid-with-callback',
} as const;
type Story = keyof typeof STORIES;
const requests = {} as Record<Story, BillPaymentRequest>;
const BEGAN_AFTER = ['began after, paid', 'began after, sent', 'began after, never sent'] as const;
const ENDED_AFTER = ['sent before, paid after', 'registered before, sent and paid after'] as const;
/** Step 4 takes their claims. */
const MARKED = ['registered before, sent and paid after', 'registered before, never sent'] as const;
const idOf = (story: Story): string => requests[story].paymentId;
const A_DAY_AND_MORE = 86_400_000 + 600_000;
const BY = { operator: 'op-1', note: 'confirmed in writing', providerCase: 'AP-20817' };

async function prepare(story: Story): Promise<BillPaymentRequest> {
  const soon = { policy: { ...SHORT_POLICY, submitWithin: '30 seconds' } } as const;
  const change = story === 'began after, never sent' ? soon : {};
  return (requests[story] = await ownRequest(flow, STORIES[story], change));
}

const begin = async (story: Story): Promise<void> => void (await flow.payments.start(await prepare(story)));

const beginSent = async (story: Story): Promise<string> => await sent(flow, await prepare(story));

/** Held at its look before sending: nothing of it is claimed or sent. */
async function beginHeld(story: Story) {
  const request = await prepare(story);
  const hold = gates.hold('look', request.paymentId);
  await flow.payments.start(request);
  await hold.reached;
  return hold;
}

const resetToFirst = (paymentId: string): Promise<string> => resetRun(flow, workflowIdOf(paymentId));

const lost = async (): Promise<readonly string[]> =>
  found(await reconcile(flow, { since: backupAt })).filter((one) => /^(result-differs|run-without-row) /.test(one));
const addFunds = async (story: Story): Promise<void> =>
  void (await flow.store.funds.add({ account: idOf(story), amount: FUNDS, currency: 'KES' }));

beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true, ...gates.worker });

  await begin('paid before the backup');
  await outcomeOf(flow, idOf('paid before the backup'));
  await beginSent('sent before, still open');
  const paidAfter = await beginSent('sent before, paid after');
  const unsent = await beginHeld('registered before, sent and paid after');
  const never = await beginHeld('registered before, never sent');
  backupAt = new Date().toISOString();
  const { restore } = await backUp(flow.databaseUrl);

  flow.sandbox.setRecord(paidAfter, COMPLETED);
  unsent.open();
  await begin('began after, paid');
  for (const story of [...ENDED_AFTER, 'began after, paid'] as const)
    expect(await outcomeOf(flow, idOf(story))).toMatchObject({ kind: 'paid' });
  await beginSent('began after, sent');
  const neither = await beginHeld('began after, never sent');

  // 1. Stop all workers, and the database is restored.
  never.fail();
  neither.fail();
  await flow.stopWorker();
  await restore();
});

test('2 to 6: nothing is sent, and reconciliation names what the database has lost', async () => {
  await migrate(flow.databaseUrl);
  for (const story of BEGAN_AFTER) await addFunds(story);
  await onDatabase(flow.databaseUrl, (client) => client.query(afterRestore()));
  // As if step 4 were so long ago that nothing can still be on its way from this worker.
  for (const story of MARKED) await timePasses(flow, idOf(story), SEND_WINDOW_MS);
  // Runs of the last minutes may still be registering: the worker's clock is where an operator's would be by then.
  await flow.startWorker({ settings: { submissions: 'off' }, clock: clockAhead(600_000) });

  const closedAfter = ENDED_AFTER.map((story) => `result-differs ${idOf(story)}`);
  const begunAfter = BEGAN_AFTER.map((story) => `run-without-row ${idOf(story)}`);
  expect(await lost()).toEqual([...closedAfter, ...begunAfter].sort());
});

test('what is new meanwhile waits, and expires unsent', async () => {
  const policy = { ...SHORT_POLICY, submitWithin: '5 seconds' } as const;
  const request = await ownRequest(flow, 'paid-with-callback', { policy });
  await flow.payments.start(request);
  expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'declined', reason: 'expired' });
  expect(await truthOf(flow, request.paymentId)).toEqual(NEVER_SENT);
});

test('what was sent before goes on by polling', async () => {
  const paymentId = idOf('sent before, still open');
  flow.sandbox.setRecord(paymentId, COMPLETED);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid' });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
});

test('what ended after the backup ends the same after a reset', async () => {
  for (const story of ENDED_AFTER) {
    await resetToFirst(idOf(story));
    expect(await outcomeOf(flow, idOf(story))).toMatchObject({ kind: 'paid', amount: PRICE });
    expect(await truthOf(flow, idOf(story))).toEqual(PAID_ONCE);
  }
});

test('what began and was sent after the backup is a question for a person, and ends as Almara Pay says', async () => {
  flow.sandbox.setRecord(idOf('began after, sent'), COMPLETED);
  for (const story of ['began after, paid', 'began after, sent'] as const) {
    const paymentId = idOf(story);
    await resetToFirst(paymentId);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'id-in-use' });
    await flow.payments.payment(paymentId).resolve({ decision: 'paid', ...BY });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'operator' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  }
});

test('what began after the backup and was never sent expires unsent', async () => {
  const paymentId = idOf('began after, never sent');
  await resetToFirst(paymentId);
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'expired' });
  expect(await truthOf(flow, paymentId)).toEqual(NEVER_SENT);
});

test('what was marked and never sent asks for a person, and is not declined before a day has passed', async () => {
  const paymentId = idOf('registered before, never sent');
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'not-found' });
  const declined = flow.payments.payment(paymentId).resolve({ decision: 'declined', ...BY });
  await expect(declined).rejects.toThrow(/may still be on its way until/);
});

test('7: nothing is reported as lost any more; with the switch on again nothing old is sent, and after a day it can end', async () => {
  expect(await lost()).toEqual([]);
  await flow.stopWorker();
  await flow.startWorker();
  const next = await ownRequest(flow, 'paid-with-callback');
  await flow.payments.start(next);
  expect(await outcomeOf(flow, next.paymentId)).toMatchObject({ kind: 'paid' });
  const marked = idOf('registered before, never sent');
  expect(await truthOf(flow, marked)).toEqual({ ...NEVER_SENT, funds: [FUNDS - PRICE, PRICE, 0] });

  await timePasses(flow, marked, A_DAY_AND_MORE);
  await flow.payments.payment(marked).resolve({ decision: 'declined', ...BY });
  expect(await outcomeOf(flow, marked)).toMatchObject({ kind: 'declined', settledBy: 'operator' });
  expect(await truthOf(flow, marked)).toEqual(NEVER_SENT);
});

test('no payment was sent twice, and what was marked is asked about again like any other', async () => {
  for (const { paymentId } of Object.values(requests))
    expect(flow.sandbox.payment(paymentId).postsSeen).toBeLessThanOrEqual(1);
  const paid = idOf('paid before the backup');
  expect(await outcomeOf(flow, paid)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
  expect(await truthOf(flow, paid)).toEqual(PAID_ONCE);
  const asked = MARKED.map((story) => flow.sandbox.payment(idOf(story)).requests.length);
  expect(found(await reconcile(flow, { since: backupAt }))).toEqual([]);
  const askedAgain = MARKED.map((story) => flow.sandbox.payment(idOf(story)).requests.length);
  expect(askedAgain).toEqual(asked.map((times) => times + 1));
});
