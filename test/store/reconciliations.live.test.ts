import type { ReconciliationReport, Window } from '../../src/payment/reconciliation-window';
import type { Store } from '../../src/store';
import { createReconciliations } from '../../src/store/reconciliations';
import { atEndOfFile } from '../support/at-end';
import { onDatabase, testDatabase } from '../support/postgres';
import {
  BY,
  CANCELLED,
  decided,
  end,
  endAs,
  endByPerson,
  look,
  NOT_FOUND,
  outcomeOf,
  registeredPayment,
  sentPayment,
  storeAt,
} from '../support/store';

/** What a window covers and where the next one begins, in SQL. */
let store: Store;
let databaseUrl: string;
beforeAll(async () => {
  const database = await testDatabase();
  databaseUrl = database.url;
  store = storeAt(databaseUrl);
  atEndOfFile(async () => {
    await store.close();
    await database.drop();
  });
});

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
const lastHour = (): Window => ({ since: ago(HOUR), until: new Date().toISOString() });

/** As if it had been closed so long ago. */
async function closedAgo(paymentId: string, ms: number): Promise<string> {
  await onDatabase(databaseUrl, async (client) => {
    await client.query('SET session_replication_role = replica');
    await client.query('UPDATE payments SET closed_at = $2 WHERE payment_id = $1', [paymentId, ago(ms)]);
  });
  return paymentId;
}

async function close(kind: 'paid' | 'declined' | 'by a person' | 'sealed', ms: number): Promise<string> {
  const paymentId = await (kind === 'sealed' ? registeredPayment : sentPayment)(store);
  switch (kind) {
    case 'sealed':
      await end(store, paymentId, CANCELLED);
      break;
    case 'by a person':
      await look(store, paymentId, NOT_FOUND);
      outcomeOf(await end(store, paymentId, decided({ decision: 'declined', providerCase: 'C-1' })));
      break;
    case 'paid':
    case 'declined':
      await endAs(store, paymentId, kind === 'paid' ? 'completed' : 'failed');
  }
  return await closedAgo(paymentId, ms);
}

async function covered(window: Window, limit = 3): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after = ''; ;) {
    const page = await store.reconciliations.page(window, after, limit);
    ids.push(...page.map(({ paymentId }) => paymentId));
    if (page.length < limit) return ids;
    after = page.at(-1)?.paymentId ?? '';
  }
}

test('covered are open payments, those closed in the window, and those due again: each once, page by page', async () => {
  const inside = await Promise.all([
    sentPayment(store),
    close('sealed', 0.5 * HOUR),
    close('paid', 0.5 * HOUR),
    close('paid', DAY + 0.5 * HOUR),
    close('paid', 30 * DAY + 0.5 * HOUR),
    ...[0.5 * HOUR, 1.5 * HOUR, DAY + 0.5 * HOUR, 7 * DAY + 0.5 * HOUR, 30 * DAY + 0.5 * HOUR].flatMap((ms) => [
      close('declined', ms),
      close('by a person', ms),
    ]),
  ]);
  const outside = await Promise.all([
    close('sealed', 1.5 * HOUR),
    close('sealed', DAY + 0.5 * HOUR),
    close('paid', 1.5 * HOUR),
    close('paid', 7 * DAY + 0.5 * HOUR),
    ...[3 * HOUR, 3 * DAY, 15 * DAY, 31 * DAY].map((ms) => close('declined', ms)),
  ]);
  expect(await covered(lastHour())).toEqual([...inside].sort());
  // A window of a month has each of them once, although some are due in it four times.
  expect(await covered({ since: ago(31 * DAY), until: new Date().toISOString() })).toEqual(
    [...inside, ...outside].sort(),
  );
});

test('what a window covers is found by its indexes, and no closed payment outside of it is read', async () => {
  await onDatabase(databaseUrl, async (client) => {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO payments (payment_id, fingerprint, service_id, account_number, amount, currency, rules, claimed_at, claimed_by,
                             claim_account, session_expires_at, outcome, closed_at)
       SELECT 'many-' || lpad(n::text, 8, '0'), '', '', '', 1, 'KES', '{}', now(), 'nonce', 'account', now(),
              jsonb_build_object('kind', CASE WHEN n % 5 = 0 THEN 'declined' ELSE 'paid' END, 'amount', 1, 'currency', 'KES'), now() - n * interval '10 minutes'
         FROM generate_series(1, 20000) AS n`,
    );
    await client.query('ANALYZE payments');
    let plan = '';
    const query = async (sql: string, values?: readonly unknown[]) => {
      const { rows } = await client.query<Record<string, string>>(`EXPLAIN ${sql}`, [...(values ?? [])]);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return { rows: [], rowCount: 0 };
    };
    const reading = createReconciliations({
      query,
      transaction: () => Promise.reject(new Error('none')),
      close: () => Promise.resolve(),
    });
    await reading.page({ ...lastHour(), again: ['many-00000007'] }, '', 50);
    await client.query('ROLLBACK');
    // Each of the seven ranges, the open ones, and those that are asked about again.
    expect(plan.match(/Bitmap Index Scan on payments_by_closing/g)).toHaveLength(7);
    expect(plan).toContain('Bitmap Index Scan on payments_open');
    expect(plan).not.toContain('Seq Scan on payments');
  });
});

const report = (window: Window, complete: boolean, unanswered: readonly string[] = []): ReconciliationReport => ({
  ...window,
  complete,
  payments: 0,
  asked: 0,
  notAsked: complete ? unanswered.length : 1,
  unanswered: unanswered.map((paymentId) => ({ paymentId, because: 'it cannot be read' })),
  runs: 0,
  disputesRaised: 0,
  differences: [],
  moreDifferences: 0,
  startedAt: window.until,
  finishedAt: window.until,
});

test('the next window begins where the reports without a gap end', async () => {
  const { reconciliations } = store;
  const minute = 60_000;
  const sinceOf = async () => Date.parse((await reconciliations.window()).since);
  // At first: as far back as anything can be due.
  expect(Math.abs((await sinceOf()) - (Date.now() - 31 * DAY))).toBeLessThan(minute);

  // One that begins later leaves a gap behind it, and an incomplete one is asked again.
  await reconciliations.record('run-1', report({ since: ago(HOUR), until: ago(0) }, true));
  await reconciliations.record('run-2', report({ since: ago(31 * DAY + HOUR), until: ago(0) }, false));
  expect(Math.abs((await sinceOf()) - (Date.now() - 31 * DAY))).toBeLessThan(minute);

  const until = ago(3 * DAY);
  await reconciliations.record('run-3', report({ since: ago(35 * DAY), until }, true));
  // A minute earlier: a close that was being committed then is not missed.
  expect(await sinceOf()).toBe(Date.parse(until) - minute);
  await reconciliations.record('run-4', report({ since: ago(2 * DAY), until: ago(0) }, true));
  expect(await sinceOf()).toBe(Date.parse(until) - minute);

  const next = await reconciliations.window();
  await reconciliations.record('run-5', report(next, true));
  expect(await sinceOf()).toBe(Date.parse(next.until) - minute);
  // Written again, because its answer was lost: nothing changes.
  await reconciliations.record('run-5', report({ since: ago(40 * DAY), until: ago(0) }, true));
  expect(await sinceOf()).toBe(Date.parse(next.until) - minute);

  const since = new Date(ago(5 * DAY));
  expect((await reconciliations.window(since)).since).toBe(since.toISOString());
});

test('what a report left without an answer is covered by the next, wherever its close lies, until one has answered', async () => {
  const { reconciliations } = store;
  const [left, other] = await Promise.all([close('paid', 3 * DAY), close('paid', 3 * DAY)]);
  /** Of a run that has begun after the reports before were written: windows are told in whole milliseconds. */
  const later = async (): Promise<Window> => {
    const now = await reconciliations.window();
    for (;;) {
      const window = await reconciliations.window();
      if (window.until > now.until) return window;
    }
  };
  await reconciliations.record('left-1', report(await later(), true, [left]));
  const next = await later();
  expect(next.again).toEqual([left]);
  const ids = await covered(next);
  expect(ids).toContain(left);
  expect(ids).not.toContain(other);

  // An incomplete report changes nothing of that.
  await reconciliations.record('left-2', report(next, false, [other]));
  expect((await reconciliations.window()).again).toEqual([left]);
  // Two at once: neither knows what the other left.
  await reconciliations.record('left-3', report(next, true, [other]));
  await reconciliations.record('left-4', report(next, true));
  expect((await reconciliations.window(new Date(ago(DAY)))).again).toEqual([other]);
  await reconciliations.record('left-5', report(await later(), true));
  expect((await reconciliations.window()).again).toEqual([]);
});

test('reports are only added to', async () => {
  await onDatabase(databaseUrl, async (client) => {
    for (const sql of [
      'DELETE FROM reconciliations',
      'UPDATE reconciliations SET complete = false',
      'TRUNCATE reconciliations',
    ])
      await expect(client.query(sql)).rejects.toThrow('a report is only added');
  });
});

test('which ids are no payments', async () => {
  const paymentId = await sentPayment(store);
  expect(await store.reconciliations.unknown(['pay-nobody', paymentId, 'a-nobody'])).toEqual([
    'a-nobody',
    'pay-nobody',
  ]);
  expect(await store.reconciliations.unknown([])).toEqual([]);
});

test('accounts are added up over reservations that are held, posted, posted in part and voided', async () => {
  const account = 'float-9';
  await store.funds.add({ account, amount: 10_000, currency: 'KES' });
  const held = () => sentPayment(store, { fundingAccount: account });
  await held();
  await endAs(store, await held(), 'completed');
  outcomeOf(await endByPerson(store, await held(), { amount: 200 }));
  await endAs(store, await held(), 'failed');
  expect(await store.reconciliations.accountsOff()).toEqual([]);
  await onDatabase(databaseUrl, (client) =>
    client.query('UPDATE funding_accounts SET reserved = reserved - 220, available = available + 220 WHERE id = $1', [
      account,
    ]),
  );
  expect(await store.reconciliations.accountsOff()).toEqual([
    { id: account, reserved: { account: 0, reservations: 220 }, posted: { account: 420, reservations: 420 } },
  ]);
});

test('a payment is read as it is compared', async () => {
  const account = 'float-10';
  await store.funds.add({ account, amount: 220, currency: 'KES' });
  const paymentId = await sentPayment(store, { fundingAccount: account });
  const [open] = await store.reconciliations.read([paymentId]);
  expect(open).toEqual({
    paymentId,
    accountNumber: '0100200300',
    amount: 220,
    currency: 'KES',
    claim: { kind: 'taken', account: BY.account },
    reservation: { settled: false, posted: 0 },
  });
  const outcome = await endAs(store, paymentId, 'completed');
  const [closed] = await store.reconciliations.read([paymentId]);
  expect(closed).toEqual({
    ...open,
    closed: { at: outcome.closedAt, outcome, disputed: false },
    reservation: { settled: true, posted: 220 },
  });
});
