import { createOutput } from '../../src/cli/output';
import type { CliDependencies } from '../../src/cli/shell';
import { runBillpay } from '../support/billpay';

/** What the command line does before it speaks to anything. */

test('help and version are no failures', async () => {
  expect(await runBillpay(['--version'])).toMatchObject({ code: 0, out: ['1.2.3'] });
  const help = await runBillpay(['--help']);
  expect(help.code).toBe(0);
  expect(help.out.join('\n')).toContain('69 Temporal or the worker does not answer');
});

test.each([
  [['nonsense']],
  [['pay', '--no-such-option']],
  [['pay', '--wait', 'long']],
  [['pay', '--wait', '-5s']],
  [['pay', '--wait', '48h']],
  [['pay', '--policy', 'submitWithin']],
  [['pay', '--request', 'missing.json']],
  [['status']],
  [['inquire', '--service', 's-1']],
  [['resolve', 'some-payment', '--operator', 'me', '--note', 'why']],
  [['resolve', 'some-payment', '--paid', '--declined', '--operator', 'me', '--note', 'why']],
  [['resolve', 'some-payment', '--paid', '--amount', '1e3', '--operator', 'me', '--note', 'why']],
  [['resolve', 'some-payment', '--paid', '--note', 'why']],
  [['cancel', 'some-payment', '--operator', 'me']],
  [['funds', 'add', 'float-1', '0']],
  [['funds', 'add', 'float-1', '1.5']],
  [['funds', 'add', 'float-1', '9007199254740993']],
  [['funds', 'add', 'Float 1', '10']],
  [['funds', 'add', 'float-1', '10', '--currency', 'KSH']],
  [['funds', 'add', 'float-1', '10']],
  [['migrate']],
])('bad usage, nothing is done: billpay %j', async (args) => {
  const { code, out, err } = await runBillpay(args);
  expect(code).toBe(64);
  expect(err.join('\n')).not.toMatch(/connected|loaded the store/);
  expect(err.length).toBeGreaterThan(0);
  expect(out).toEqual([]);
});

test.each([
  [['pay', '--wait', 'long'], '--wait must be a duration such as "20 seconds" or 5m'],
  [['pay', '--wait', '48 hours'], '--wait must be at most 24h'],
  [['schedules', 'apply', '--every', '1.5h'], '--every must be a duration such as "20 seconds" or 5m'],
  [['reconcile', '--since', '7 days'], 'connected'],
])('a duration is read alike everywhere: billpay %j', async (args, said) => {
  expect((await runBillpay(args)).err).toEqual([said]);
});

test('the payment id is printed before anything is started', async () => {
  const human = await runBillpay(['pay']);
  expect(human).toMatchObject({ code: 1, out: ['Payment made-by-the-cli'], err: ['connected'] });
  const { out, err } = await runBillpay(['pay', '--json', '--id', 'my-payment']);
  expect(out.map((line) => JSON.parse(line))).toEqual([{ event: 'payment', paymentId: 'my-payment' }]);
  expect(err.map((line) => JSON.parse(line))).toEqual([{ event: 'error', code: 'failed', message: 'connected' }]);
});

test('a request file that is no JSON object is bad usage, and its content is not repeated', async () => {
  for (const content of ['{"payer": {"name": "Secret Name"', '"Secret Name"', '["Secret Name"]', 'null']) {
    const { code, err } = await runBillpay(['pay', '--request', '-'], { readInput: () => Promise.resolve(content) });
    expect(code).toBe(64);
    expect(err).toEqual(['standard input must hold one JSON object']);
  }
});

test('the database commands say what they did, and add nothing to a database of another version', async () => {
  const added: object[] = [];
  let pending: readonly string[] = ['0001-first.sql'];
  const database: Partial<CliDependencies> = {
    databaseUrl: () => 'postgresql://localhost/test',
    loadStore: () =>
      Promise.resolve({
        migrate: () => Promise.resolve(pending),
        pendingMigrations: () => Promise.resolve(pending),
        addFunds: (_url, funds) => Promise.resolve({ available: added.push(funds) * 1000 }),
      }),
  };
  expect(await runBillpay(['funds', 'add', 'float-1', '1000'], database)).toMatchObject({
    code: 64,
    err: [expect.stringContaining('billpay migrate')],
  });
  expect(added).toEqual([]);
  expect(await runBillpay(['migrate'], database)).toMatchObject({ code: 0, out: ['Applied 0001-first.sql'] });
  pending = [];
  expect(await runBillpay(['migrate', '--json'], database)).toMatchObject({
    code: 0,
    out: ['{"event":"migrated","applied":[]}'],
  });
  expect(await runBillpay(['funds', 'add', 'float-1', '1000'], database)).toMatchObject({
    code: 0,
    out: ['KES 1000 added to float-1. Available: KES 1000'],
  });
  expect(added).toEqual([{ account: 'float-1', amount: 1000, currency: 'KES' }]);
});

test('a text from outside cannot steer the terminal', () => {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const output = createOutput({ out: print, err: print, json: () => false, colour: true });
  output.event('outcome', {}, [{ text: 'Paid\u001b[2J\r\n\u009b31m!', tone: 'good' }]);
  expect(lines).toEqual(['\u001b[32mPaid [2J   31m!\u001b[39m']);
});

test('an error without words of its own still says what happened', async () => {
  const refused = new AggregateError(
    [new Error('connect ECONNREFUSED ::1:5432'), new Error('connect ECONNREFUSED 127.0.0.1:5432')],
    '',
  );
  const { err } = await runBillpay(['migrate'], {
    databaseUrl: () => 'postgresql://localhost/test',
    loadStore: () => Promise.reject(refused),
  });
  expect(err).toEqual(['connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432']);
});
