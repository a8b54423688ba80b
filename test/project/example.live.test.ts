import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Provider } from '../../src/payment/provider';
import { accountOf } from '../../src/sandbox';
import { workflowIdOf } from '../../src/payment/contract';
import { needsAttention, startFlow, until, type Flow } from '../support/flow';

/**
 * examples/pay-a-bill.ts as its readers run it: a process that knows Temporal's address and nothing else, no database and no
 * provider.
 */
const EXAMPLE = path.join(__dirname, '../../examples/pay-a-bill.ts');
const RUNNER = path.join(__dirname, '../support/run-typescript.cjs');

/** An account that is checked only once the test says so. */
const HELD_BACK = 'held-back-1';
let letGo: () => void = () => undefined;
const go = new Promise<void>((resolve) => {
  letGo = resolve;
});
const holdingBack = (real: Provider): Provider =>
  Object.assign(Object.create(real) as Provider, {
    validateAccount: async (...[bill, signal]: Parameters<Provider['validateAccount']>) => {
      if (bill.accountNumber === HELD_BACK) await go;
      return await real.validateAccount(bill, signal);
    },
  });

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow({ ownNamespace: true, provider: holdingBack });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function payABill(paymentId: string, accountNumber: string): Promise<Ended> {
  const env = { TEMPORAL_ADDRESS: flow.address, TEMPORAL_NAMESPACE: flow.namespace };
  return new Promise((resolve) => {
    execFile(process.execPath, [RUNNER, EXAMPLE, paymentId, accountNumber], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test.concurrent('paid: prints the receipt, and the same again for the same id', async () => {
  const paymentId = 'example-paid-1';
  const first = await payABill(paymentId, accountOf('paid-with-callback'));
  expect(first).toEqual({ code: 0, out: expect.stringMatching(/^paid, receipt \S+\n$/) as string, err: '' });
  expect(await payABill(paymentId, accountOf('paid-with-callback'))).toEqual(first);
  expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 1, postsCaptured: 1 });
});

test.concurrent('declined: says why, and that a new id may try again', async () => {
  expect(await payABill('example-declined-1', accountOf('rejected'))).toEqual({
    code: 0,
    out: expect.stringMatching(/^not paid: .+ A new payment id may try again\.\n$/) as string,
    err: '',
  });
});

test.concurrent('still open: no failure', async () => {
  const paymentId = 'example-open-1';
  const open = payABill(paymentId, accountOf('amount-differs'));
  await until(
    'it was sent',
    () => flow.sandbox.payment(paymentId).postsCaptured,
    (captured) => captured === 1,
  );
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'evidence-mismatch' });
  expect(await open).toEqual({ code: 0, out: 'still open: no failure, ask again with the same id\n', err: '' });
});

test.concurrent('cancelled: says by whom', async () => {
  const paymentId = 'example-cancelled-1';
  const paying = payABill(paymentId, HELD_BACK);
  const run = flow.client.workflow.getHandle(workflowIdOf(paymentId));
  const isThere = () => run.describe().then(({ status }) => status.name, String);
  await until('it runs', isThere, (status) => status === 'RUNNING');
  await run.cancel();
  const result = await paying;
  letGo();
  expect(result).toEqual({ code: 0, out: 'cancelled by temporal-ui\n', err: '' });
  expect(flow.sandbox.payment(paymentId)).toMatchObject({ postsSeen: 0 });
});

test.concurrent('a bad id: every wrong field, and a failed process', async () => {
  const { code, out, err } = await payABill('BAD', '');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('InvalidRequest: The request is not valid: paymentId must be');
  expect(err).toContain('accountNumber must be');
});
