import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Transport } from '../../src/almara/transport';
import { accountOf, BILL_ROUTE_ID, SERVICES, startSandbox, type Sandbox } from '../../src/sandbox';
import { bounded } from './bounded';

/** `npm run provider:check`, with the sandbox in the place of the provider's own test system. */

const ROOT = path.resolve(__dirname, '../..');
const CREDENTIALS = { clientId: 'check-client', clientSecret: 'check-secret' };

function check(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const script = ['test/support/run-typescript.cjs', 'test/provider/check.ts', ...args];
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
  return new Promise<{ readonly code: number; readonly said: string }>((resolve) => {
    const child = execFile(process.execPath, script, { cwd: ROOT, env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

const against = (sandbox: Sandbox): Readonly<Record<string, string>> => ({
  ALMARA_API_URL: sandbox.url,
  ALMARA_IDENTITY_URL: sandbox.url,
  ALMARA_CLIENT_ID: CREDENTIALS.clientId,
  ALMARA_CLIENT_SECRET: CREDENTIALS.clientSecret,
  ALMARA_ROUTE_ID: BILL_ROUTE_ID,
});
const ACCOUNTS = {
  PROVIDER_CHECK_SERVICE_ID: SERVICES[0]?.serviceId ?? '',
  PROVIDER_CHECK_ACCOUNT: accountOf('callback-lost'),
  PROVIDER_CHECK_INVALID_ACCOUNT: accountOf('invalid-account'),
  PROVIDER_CHECK_AMOUNT: '15',
};
/** The amounts of the payments that the provider has taken. */
const captured = (sandbox: Sandbox) =>
  sandbox.ledger.payments().flatMap(({ postsCaptured, requests }) => {
    const posts = requests.filter(({ method }) => method === 'POST');
    return postsCaptured === 0 ? [] : posts.map(({ body }) => (body as { readonly amount: number }).amount);
  });

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
afterAll(async () => sandbox.close());

test('without credentials it says in one sentence which it wants, and that is no failure', async () => {
  const { code, said } = await check({});
  expect(code).toBe(0);
  expect(said).toMatch(/^Nothing was checked: set ALMARA_API_URL, .* and ALMARA_ROUTE_ID to .*\.\n$/);
});

test('half of them is a mistake, and so is to pay nobody knows what', async () => {
  const half = await check({ ALMARA_CLIENT_ID: CREDENTIALS.clientId });
  expect([half.code, half.said]).toEqual([1, expect.stringContaining('ALMARA_CLIENT_SECRET is missing')]);
  const { PROVIDER_CHECK_AMOUNT: _amount, ...bill } = ACCOUNTS;
  const unnamed = await check({ ...against(sandbox), ...bill }, '--pay');
  expect([unnamed.code, unnamed.said]).toEqual([1, expect.stringContaining('PROVIDER_CHECK_AMOUNT')]);
});

test('with them it reads, is refused, and pays nothing', async () => {
  const { code, said } = await check({ ...against(sandbox), ...ACCOUNTS });
  expect(said).toContain('✓ a clear refusal is rejected');
  expect(said).toContain('○ skipped a payment is accepted');
  expect(said).not.toContain(CREDENTIALS.clientSecret);
  expect([code, captured(sandbox)]).toEqual([0, []]);
});

test('told to, it pays once, and what it was told', async () => {
  const { code, said } = await check({ ...against(sandbox), ...ACCOUNTS }, '--pay');
  expect(said).toContain('✓ a payment is accepted');
  expect(code).toBe(0);
  expect(captured(sandbox)).toEqual([15]);
});

describe('its bounds', () => {
  const post = (amount: number) => ({
    url: 'https://provider.example',
    headers: {},
    body: JSON.stringify({ amount }),
    mayStillSend: () => true,
  });
  /** Answers when it was allowed to send. */
  const eager: Transport = {
    ask: async () => ({ kind: 'timeout', afterMs: 1 }),
    postOnce: async ({ mayStillSend }) => ({ kind: 'broken', code: mayStillSend() ? 'sent' : 'not sent' }),
    close: async () => undefined,
  };

  test('so many requests and no more', async () => {
    const transport = bounded(eager, { requests: 2, minutes: 1, amount: 0 });
    const call = { method: 'GET', url: 'https://provider.example' } as const;
    await transport.ask(call);
    expect(await transport.postOnce(post(0))).toMatchObject({ code: 'sent' });
    await expect(transport.ask(call)).rejects.toThrow('at most 2 requests');
    await expect(transport.postOnce(post(0))).rejects.toThrow('at most 2 requests');
  });

  test('one payment, of no more than was named', async () => {
    const readOnly = bounded(eager, { requests: 9, minutes: 1, amount: 0 });
    expect(await readOnly.postOnce(post(1))).toMatchObject({ code: 'not sent' });
    const transport = bounded(eager, { requests: 9, minutes: 1, amount: 15 });
    expect(await transport.postOnce(post(16))).toMatchObject({ code: 'not sent' });
    expect(await transport.postOnce({ ...post(15), mayStillSend: () => false })).toMatchObject({ code: 'not sent' });
    expect(await transport.postOnce(post(15))).toMatchObject({ code: 'sent' });
    expect(await transport.postOnce(post(15))).toMatchObject({ code: 'not sent' });
  });
});
