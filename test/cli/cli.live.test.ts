import { BillPayments } from '../../src/client';
import type { CliDependencies } from '../../src/cli/shell';
import { beginBillpay, runBillpay } from '../support/billpay';
import { StandIn } from '../support/stand-in/environment';

/** The whole `billpay` command against a real Temporal server, with stand-in workflows. */

let standIn: StandIn;
beforeAll(async () => {
  standIn = await StandIn.start();
});
afterAll(() => standIn.stop());

const world = (changes: Partial<CliDependencies>): Partial<CliDependencies> => ({
  connect: () => BillPayments.connect({ address: standIn.address, callTimeoutMs: 1_000 }),
  ...changes,
});
const begin = (args: readonly string[]) => beginBillpay(args, world({}));
const billpay = (args: readonly string[], changes: Partial<CliDependencies> = {}) => runBillpay(args, world(changes));

let count = 0;
const newId = (): string => `cli-payment-${(count += 1)}`;
const bill = (account: string, id: string): string[] => [
  'pay',
  '--id',
  id,
  '--service',
  's-1',
  '--account',
  account,
  '--amount',
  '220',
  '--payer-name',
  'A Payer',
  '--payer-phone',
  '254712345678',
  '--description',
  'A bill',
];
const by = ['--operator', 'op-1', '--note', 'confirmed'];
const events = (lines: readonly string[]): { event: string }[] =>
  lines.map((line) => JSON.parse(line) as { event: string });

describe('pay', () => {
  test('paid: 0, with the receipt and the token', async () => {
    const id = newId();
    expect(await billpay(bill('PAID', id))).toEqual({
      code: 0,
      out: [`Payment ${id}`, 'Paid, receipt S575998.', '  Receipt: S575998', '  Token: 1234-5678-9012'],
      err: [],
    });
  });

  test('declined: 2, as one JSON object per line', async () => {
    const id = newId();
    const { code, out } = await billpay([...bill('DECLINED', id), '--json']);
    expect(code).toBe(2);
    expect(events(out)).toEqual([
      { event: 'payment', paymentId: id },
      expect.objectContaining({ event: 'outcome', kind: 'declined', paymentId: id }),
    ]);
  });

  test('needs attention when the wait is over: 3, with the stages as they came', async () => {
    const id = newId();
    const { code, out } = await billpay([...bill('OPEN', id), '--wait', '1s']);
    expect(code).toBe(3);
    expect(out[1]).toMatch(/^ {2}Needs attention: No final answer in time /);
    expect(out.at(-1)).toBe(`  Ask again with: billpay status ${id}`);
  });

  test('interrupted: says that the payment goes on, 3', async () => {
    const id = newId();
    const running = begin(bill('OPEN', id));
    await running.printed(/Needs attention/);
    running.interrupt();
    expect(await running.code).toBe(3);
    expect(running.out.slice(-2)).toEqual([
      'Not waiting any longer. The payment goes on.',
      `  Ask again with: billpay status ${id}`,
    ]);
    expect(running.err).toEqual([]);
  });

  test('stage changes are printed while it waits, then the outcome', async () => {
    const id = newId();
    const running = begin([...bill('OPEN', id), '--json']);
    await running.printed(/needs-attention/);
    expect((await billpay(['resolve', id, '--paid', '--receipt', 'R-1', ...by])).code).toBe(0);
    expect(await running.code).toBe(0);
    expect(events(running.out).map(({ event }) => event)).toEqual(['payment', 'progress', 'outcome']);
  });

  test('a request on standard input, its fields replaced by options', async () => {
    const request = {
      serviceId: 's-1',
      accountNumber: 'DECLINED',
      amount: 220,
      payer: { name: 'A Payer' },
      description: 'A bill',
      policy: { pollInterval: '20 seconds' },
    };
    const args = [
      'pay',
      '--request',
      '-',
      '--id',
      newId(),
      '--account',
      'PAID',
      '--payer-phone',
      '254712345678',
      '--policy',
      'submitWithin=10 minutes',
    ];
    expect(await billpay(args, { readInput: () => Promise.resolve(JSON.stringify(request)) })).toMatchObject({
      code: 0,
      err: [],
    });
  });

  test('every wrong field is named, nothing is started: 64', async () => {
    const { code, err } = await billpay([
      'pay',
      '--id',
      'never-started',
      '--amount',
      '1.5',
      '--service',
      's-1',
      '--policy',
      'pollInterval=9 years',
    ]);
    expect(code).toBe(64);
    expect(
      err
        .slice(1)
        .map((line) => line.trim().split(' ')[0])
        .sort(),
    ).toEqual(['accountNumber', 'amount', 'description', 'payer.msisdn', 'payer.name', 'policy.pollInterval'].sort());
    expect((await billpay(['status', 'never-started'])).code).toBe(66);
  });

  test('the id of another payment: 65', async () => {
    const id = newId();
    await billpay(bill('PAID', id));
    const { code, err } = await billpay([...bill('PAID', id), '--amount', '221', '--json']);
    expect(code).toBe(65);
    expect(events(err)).toEqual([expect.objectContaining({ event: 'error', code: 'payment-conflict' })]);
  });
});

describe('a payment that is there', () => {
  test('status: 3 while open, then as it ended', async () => {
    const id = newId();
    await billpay([...bill('OPEN', id), '--wait', '0s']);
    const open = await billpay(['status', id]);
    expect(open.code).toBe(3);
    expect(open.out[0]).toBe(`Payment ${id} · KES 220 · s-1`);
    expect((await billpay(['check', id, '--operator', 'op-1'])).code).toBe(3);
    expect((await billpay(['resolve', id, '--declined', '--case', 'C-1', ...by])).code).toBe(0);
    expect(await billpay(['status', id])).toMatchObject({
      code: 2,
      out: [`Payment ${id} · KES 220 · s-1`, 'Declined, nothing was taken.'],
    });
    const late = await billpay(['resolve', id, '--paid', ...by]);
    expect(late.code).toBe(1);
    expect(late.err[0]).toContain('closed already as declined');
  });

  test('cancel', async () => {
    const [open, sent] = [newId(), newId()];
    await billpay([...bill('OPEN', open), '--wait', '0s']);
    await billpay([...bill('SENT', sent), '--wait', '0s']);
    expect((await billpay(['cancel', open, ...by])).code).toBe(0);
    const late = await billpay(['cancel', sent, ...by]);
    expect(late).toMatchObject({ code: 1, err: [expect.stringContaining('the request may have left')] });
  });
});

describe('questions', () => {
  test('inquire and services', async () => {
    expect(await billpay(['inquire', '--service', 's-1', '--account', '1'])).toMatchObject({
      code: 0,
      out: ['The account can be paid.', '  Customer: A CUSTOMER', '  Due: 220.5'],
    });
    expect((await billpay(['inquire', '--service', 's-1', '--account', 'INVALID'])).code).toBe(2);
    expect((await billpay(['inquire', '--service', 's-1', '--account', 'BUG'])).code).toBe(1);
    expect(await billpay(['services'])).toMatchObject({ code: 0, out: ['s-1  KPLC POSTPAID  Electricity'] });
  });

  test('doctor tells the parts apart', async () => {
    expect(await billpay(['doctor'])).toEqual({
      code: 1,
      out: [
        '✓ Temporal: answers',
        '✓ Worker: answers',
        '✓ Provider health: Healthy',
        '✓ Routes: Bills r-1',
        '✗ Wallet: Almara Pay did not answer: 503 to the wallet',
      ],
      err: [],
    });
    const away = await billpay(['doctor'], {
      connect: () => BillPayments.connect({ address: '127.0.0.1:9', callTimeoutMs: 500 }),
    });
    expect(away).toMatchObject({ code: 69, out: [expect.stringMatching(/^✗ Temporal: .*127\.0\.0\.1:9/)] });
  });

  test('without a worker: doctor says so, status still tells how a payment ended, 69 for one that is open', async () => {
    const [paid, open] = [newId(), newId()];
    await billpay(bill('PAID', paid));
    await billpay([...bill('OPEN', open), '--wait', '0s']);
    await standIn.stopWorker();
    const { code, out } = await billpay(['doctor']);
    expect(code).toBe(69);
    expect(out).toEqual(['✓ Temporal: answers', expect.stringMatching(/^✗ Worker: .*bill-payments/)]);
    expect(await billpay(['status', paid])).toMatchObject({
      code: 0,
      out: ['Paid, receipt S575998.', '  Receipt: S575998', '  Token: 1234-5678-9012'],
    });
    expect((await billpay(['status', open])).code).toBe(69);
    await standIn.startWorker();
  });
});

test('Temporal unreachable: 69, after the id was printed', async () => {
  const away = await billpay(bill('PAID', newId()), {
    connect: () => BillPayments.connect({ address: '127.0.0.1:9', callTimeoutMs: 500 }),
  });
  expect(away).toMatchObject({
    code: 69,
    out: [expect.stringMatching(/^Payment /)],
    err: [expect.stringContaining('TEMPORAL_ADDRESS')],
  });
});
