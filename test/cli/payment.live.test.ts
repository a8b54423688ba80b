import { execFile } from 'node:child_process';
import path from 'node:path';
import type { CliDependencies } from '../../src/cli/shell';
import { cliStore } from '../../src/cli/store';
import { BillPayments } from '../../src/client';
import { accountOf, BILL_ROUTE_ID, type BehaviourName } from '../../src/sandbox';
import { beginBillpay, runBillpay } from '../support/billpay';
import {
  FLOAT,
  POSTPAID_SERVICE,
  SHORT_POLICY,
  factsOf,
  needsAttention,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import { testDatabase } from '../support/postgres';

/** `billpay` against the whole system: what it prints, what it exits with, and that both are the truth. */
let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true });
});

const world = (changes: Partial<CliDependencies>): Partial<CliDependencies> => ({
  connect: () => BillPayments.connect({ address: flow.address, namespace: flow.namespace }),
  loadStore: () => Promise.resolve(cliStore),
  ...changes,
});
const begin = (args: readonly string[]) => beginBillpay(args, world({}));
const billpay = (args: readonly string[], changes: Partial<CliDependencies> = {}) => runBillpay(args, world(changes));

const idOf = (behaviour: BehaviourName): string => flow.request(behaviour).paymentId;
const bill = (behaviour: BehaviourName, id: string): string[] => [
  ...['pay', '--id', id, '--service', POSTPAID_SERVICE, '--service-name', 'KPLC POSTPAID'],
  ...['--account', accountOf(behaviour), '--amount', '220', '--funding-account', FLOAT.account],
  ...['--payer-name', 'A Payer', '--payer-phone', '254712345678', '--description', 'Electricity'],
  ...Object.entries(SHORT_POLICY).flatMap(([name, duration]) => ['--policy', `${name}=${duration}`]),
];
const by = ['--operator', 'op-1', '--note', 'confirmed by the provider'];

type Event = Readonly<Record<string, unknown>>;
const events = (lines: readonly string[]): readonly Event[] => lines.map((line) => JSON.parse(line) as Event);
const posts = (paymentId: string) => {
  const { postsSeen: seen, postsCaptured: captured } = flow.sandbox.payment(paymentId);
  return { seen, captured };
};
const recorded = async (paymentId: string) => (await factsOf(flow, paymentId)).closed?.outcome;

describe('pay', () => {
  test('paid: 0, with the receipt; status says the same', async () => {
    const id = idOf('paid-with-callback');
    const { code, out, err } = await billpay(bill('paid-with-callback', id));
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out[0]).toBe(`Payment ${id}`);
    const outcome = await recorded(id);
    expect(outcome).toMatchObject({ kind: 'paid', amount: 220 });
    expect(out).toContain(outcome?.summary);
    expect(out.join('\n')).toMatch(/\n {2}Receipt: \S+/);
    const status = await billpay(['status', id]);
    expect(status.code).toBe(0);
    expect(status.out.slice(0, 2)).toEqual([`Payment ${id} · KES 220 · KPLC POSTPAID`, outcome?.summary]);
    expect(posts(id)).toEqual({ seen: 1, captured: 1 });
  });

  test.each([
    ['rejected', 1],
    ['invalid-account', 0],
  ] as const)('declined (%s): 2, each line of --json is one event, the last the outcome', async (behaviour, seen) => {
    const id = idOf(behaviour);
    const { code, out, err } = await billpay(['--json', ...bill(behaviour, id)]);
    expect({ code, err }).toEqual({ code: 2, err: [] });
    const told = events(out);
    expect(told[0]).toEqual({ event: 'payment', paymentId: id });
    expect(new Set(told.slice(1, -1).map(({ event }) => event)).size).toBeLessThanOrEqual(1);
    expect(told.at(-1)).toEqual({ event: 'outcome', ...(await recorded(id)) });
    expect(told.at(-1)).toMatchObject({ kind: 'declined' });
    expect(posts(id)).toEqual({ seen, captured: 0 });
  });

  test('still open after --wait: 3; a person resolves it, and then it is paid', async () => {
    const id = idOf('amount-differs');
    const open = await billpay([...bill('amount-differs', id), '--wait', '1ms']);
    expect(open).toMatchObject({ code: 3, err: [] });
    expect(open.out.at(-1)).toBe(`  Ask again with: billpay status ${id}`);
    await needsAttention(flow, id);
    const status = await billpay(['status', id, '--json']);
    expect(status.code).toBe(3);
    expect(events(status.out)).toMatchObject([{ stage: 'needs-attention', reason: 'evidence-mismatch' }]);

    const declined = await billpay(['resolve', id, '--declined', '--case', 'C-1', ...by]);
    expect(declined.code).toBe(1);
    expect(declined.err.join()).toContain('cannot be declined');
    const resolved = await billpay(['resolve', id, '--paid', '--receipt', 'R-7', '--amount', '200', ...by]);
    expect(resolved).toMatchObject({ code: 0, err: [] });
    expect(resolved.out).toContain('  Receipt: R-7');
    expect(await recorded(id)).toMatchObject({ kind: 'paid', amount: 200, settledBy: 'operator' });
    expect((await billpay(['status', id])).code).toBe(0);
    expect(posts(id)).toEqual({ seen: 1, captured: 1 });
  });

  test('while it waits it tells where the payment stands, and how it ended when somebody else decides', async () => {
    const id = idOf('amount-differs');
    const waiting = begin(['--json', ...bill('amount-differs', id)]);
    const isTold = () =>
      events(waiting.out).some(({ event, stage }) => event === 'progress' && stage === 'needs-attention');
    await until('it tells that it needs attention', isTold, (told) => told);
    expect((await billpay(['resolve', id, '--paid', ...by])).code).toBe(0);
    expect(await waiting.code).toBe(0);
    expect(events(waiting.out).at(-1)).toMatchObject({ event: 'outcome', kind: 'paid', settledBy: 'operator' });
  });

  test('the same id again is the same payment, with other content a conflict: 65', async () => {
    const id = idOf('paid-with-callback');
    const first = await billpay(['--json', ...bill('paid-with-callback', id)]);
    const again = await billpay(['--json', ...bill('paid-with-callback', id)]);
    expect(events(again.out).at(-1)).toEqual(events(first.out).at(-1));
    const other = await billpay(['--json', ...bill('paid-with-callback', id), '--amount', '221']);
    expect(other.code).toBe(65);
    expect(events(other.err)).toMatchObject([{ event: 'error', code: 'payment-conflict' }]);
    expect(posts(id)).toEqual({ seen: 1, captured: 1 });
  });

  test('without an id one is made and printed; a bad request starts nothing: 64', async () => {
    const [command = '', , , ...rest] = bill('paid-with-callback', '');
    const made = await billpay([command, ...rest]);
    expect(made).toMatchObject({ code: 0, out: expect.arrayContaining(['Payment made-by-the-cli']) as unknown });
    const id = idOf('paid-with-callback');
    const bad = await billpay([...bill('paid-with-callback', id), '--amount', '0']);
    expect(bad).toMatchObject({ code: 64, err: ['The request is not valid:', '  amount must be more than zero'] });
    expect((await billpay(['status', id])).code).toBe(66);
    expect(posts(id)).toEqual({ seen: 0, captured: 0 });
  });

  test('as a process, with the address from the environment', async () => {
    const id = idOf('callback-lost');
    const script = ['../support/run-typescript.cjs', '../../src/cli/main.ts'].map((file) => path.join(__dirname, file));
    const env = { TEMPORAL_ADDRESS: flow.address, TEMPORAL_NAMESPACE: flow.namespace };
    const { code, out } = await new Promise<{ code: number; out: string }>((resolve) => {
      execFile(process.execPath, [...script, '--json', ...bill('callback-lost', id)], { env }, (error, stdout) => {
        resolve({ code: error === null ? 0 : Number(error.code), out: stdout });
      });
    });
    expect(code).toBe(0);
    const told = events(out.trimEnd().split('\n'));
    expect(told.at(-1)).toMatchObject({ event: 'outcome', kind: 'paid', settledBy: 'poll' });
    expect(posts(id)).toEqual({ seen: 1, captured: 1 });
  });
});

test('cancel, once it was sent: too late, 1, and nothing changes', async () => {
  const id = idOf('amount-differs');
  await billpay([...bill('amount-differs', id), '--wait', '1ms']);
  await needsAttention(flow, id);
  const { code, err } = await billpay(['cancel', id, ...by]);
  expect(code).toBe(1);
  expect(err.join()).toMatch(/cannot be cancelled: Too late to cancel/);
  expect(await recorded(id)).toBeUndefined();
});

describe('questions', () => {
  test('inquire: what is due, and 2 for an account that cannot be paid', async () => {
    const inquire = (account: string) => billpay(['inquire', '--service', POSTPAID_SERVICE, '--account', account]);
    expect(await inquire(accountOf('bill-due'))).toEqual({
      code: 0,
      out: [
        'The account can be paid.',
        '  Customer: JOSEPH GITHITHU',
        '  Due: KES 1074',
        '  Due date: 2021-10-26 00:00:00',
        '  Saved bill number: yes, verified',
      ],
      err: [],
    });
    expect(await inquire(accountOf('invalid-account'))).toMatchObject({
      code: 2,
      out: ['The account cannot be paid.', expect.any(String)],
    });
  });

  test('services', async () => {
    const { code, out } = await billpay(['services']);
    expect(code).toBe(0);
    expect(out).toContain(`${POSTPAID_SERVICE}  KPLC POSTPAID  ELECTRICITY`);
  });

  test('doctor: every part, from Temporal to the wallet', async () => {
    const { code, out } = await billpay(['doctor']);
    expect({ code, parts: out.map((line) => line.split(':')[0]) }).toEqual({
      code: 0,
      parts: ['✓ Temporal', '✓ Worker', '✓ Provider health', '✓ Routes', '✓ Wallet'],
    });
    expect(out.join('\n')).toContain(BILL_ROUTE_ID);
  });
});

describe('the database', () => {
  test.each([['migrate'], ['funds', 'add', 'float-9', '100']])('%s: no server there', async (...args) => {
    const on = { databaseUrl: () => 'postgresql://user:secret@127.0.0.1:1/billpay' };
    const { code, out, err } = await billpay(args, on);
    expect([code, out]).toEqual([1, []]);
    expect(err.join()).toMatch(/cannot be asked \(.*ECONNREFUSED.*Check DATABASE_URL and the server/);
    expect(err.join()).not.toContain('secret');
  });

  test('migrate brings an empty one up to date, and funds add wants that first', async () => {
    const empty = await testDatabase({ migrated: false });
    const on = { databaseUrl: () => empty.url };
    const early = await billpay(['funds', 'add', 'float-2', '5000'], on);
    expect(early).toMatchObject({ code: 64, err: ['The database is not of this version. Run first: billpay migrate'] });
    const migrated = await billpay(['migrate'], on);
    expect(migrated.code).toBe(0);
    expect(migrated.out).toContain('Applied 0001-payments.sql');
    expect(await billpay(['migrate'], on)).toEqual({ code: 0, out: ['The database is up to date.'], err: [] });
    const added = await billpay(['funds', 'add', 'float-2', '5000', '--json'], on);
    expect(events(added.out)).toEqual([
      { event: 'funds', account: 'float-2', currency: 'KES', added: 5000, available: 5000 },
    ]);
    await empty.drop();
  });

  test('what was added can be spent, and no more', async () => {
    const on = { databaseUrl: () => flow.databaseUrl };
    expect((await billpay(['funds', 'add', 'cli-float', '300'], on)).code).toBe(0);
    const from = (id: string) => [...bill('paid-with-callback', id), '--funding-account', 'cli-float'];
    expect((await billpay(from(idOf('paid-with-callback')))).code).toBe(0);
    const short = await billpay(['--json', ...from(idOf('paid-with-callback'))]);
    expect(short.code).toBe(2);
    expect(events(short.out).at(-1)).toMatchObject({ kind: 'declined', reason: 'insufficient-funds' });
    expect(await flow.store.funds.account('cli-float')).toMatchObject({
      available: 80,
      reserved: 0,
      posted: 220,
    });
  });
});
