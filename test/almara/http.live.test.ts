import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { createAlmara, type AlmaraSettings } from '../../src/almara';
import { createLog } from '../../src/log';
import { ProviderRefusal, type ProviderTrouble } from '../../src/payment/provider';
import { http, order, settingsFor, startRaw, troubleOf, withBench, type RawRequest } from './raw-server';

/** Everything but the payment, over real sockets: reads, saves and tokens. */

const sample = (name: string) => readFileSync(path.join(__dirname, '../fixtures/almara', `${name}.json`), 'utf8');
const bill = { serviceId: 'bc97d2b1-4828-f111-bc5a-0e7d952d79b7', accountNumber: '111 832&x' };
const silent = createLog('test', 'silent');
const always =
  (answer: string) =>
  ({ socket }: RawRequest) =>
    void socket.write(answer);

describe('what each call sends, and that its sample answer is read', () => {
  const calls: [
    string,
    string,
    (almara: ReturnType<typeof createAlmara>) => Promise<unknown>,
    string,
    unknown,
    object,
  ][] = [
    [
      'validateAccount',
      sample('account-validation-2021'),
      (almara) => almara.validateAccount(bill),
      'POST /v1/bill-payments',
      {
        routeId: settingsFor('x').routeId,
        ServiceId: bill.serviceId,
        accountNumber: bill.accountNumber,
        transactionType: 3,
      },
      { kind: 'valid' },
    ],
    [
      'queryBill',
      sample('bill-query-2021'),
      (almara) => almara.queryBill(bill),
      'POST /v1/bill-payments',
      {
        routeId: settingsFor('x').routeId,
        ServiceId: bill.serviceId,
        accountNumber: bill.accountNumber,
        transactionType: 1,
      },
      { dueAmount: 1074 },
    ],
    [
      'findPayment',
      sample('find-payment'),
      (almara) => almara.findPayment('payment-0001'),
      'GET /v1/bill-payments?OriginatorConversationId=payment-0001',
      '',
      { observation: { kind: 'record', state: 'failed' } },
    ],
    [
      'findBillNumber',
      sample('find-bill-number'),
      (almara) => almara.findBillNumber(bill),
      `GET /v1/bill-numbers?ServiceId=${bill.serviceId}&AccountNumber=111+832%26x`,
      '',
      { verified: true },
    ],
    [
      'saveBillNumber',
      sample('documented-bill-number-saved'),
      (almara) => almara.saveBillNumber({ ...bill, phoneNumber: '254710000000', description: 'mine' }),
      'POST /v1/bill-numbers',
      {
        serviceId: bill.serviceId,
        accountNumber: bill.accountNumber,
        phoneNumber: '254710000000',
        transactionDesc: 'mine',
      },
      { verified: true },
    ],
    [
      'listBillServices',
      '[{"serviceId":"g","serviceTypeDescription":"KPLC"}]',
      async (almara) => ({ services: await almara.listBillServices() }),
      'GET /v1/bill-services',
      '',
      { services: [{ name: 'KPLC' }] },
    ],
    [
      'listRoutes',
      sample('documented-routes'),
      async (almara) => ({ routes: await almara.listRoutes() }),
      'GET /v1/transaction-routes/assigned-routes',
      '',
      { routes: [{ active: true }] },
    ],
    [
      'walletBalance',
      sample('documented-wallet-balance'),
      (almara) => almara.walletBalance(),
      'GET /v1/customer-accounts/get-wallet-balance?ccy=404',
      '',
      { balances: [{ balance: 10000 }] },
    ],
  ];
  test.each(calls)('%s', async (_, answer, call, line, body, result) => {
    await withBench(always(http(200, answer)), async ({ almara, server }) => {
      expect(await call(almara)).toMatchObject(result);
      const sent = server.requests.find(({ head }) => !head.startsWith('POST /connect/token'));
      expect(sent?.head.split('\r\n')[0]).toBe(`${line} HTTP/1.1`);
      expect(sent?.head).toMatch(/authorization: Bearer secret-token-1/i);
      expect(sent?.body === '' ? '' : JSON.parse(sent?.body ?? '')).toEqual(body);
    });
  });

  test('health asks without a token', async () => {
    await withBench(always(http(200, 'Healthy', { 'content-type': 'text/plain' })), async ({ almara, server }) => {
      expect(await almara.health()).toBe('Healthy');
      expect(server.requests.map(({ head }) => head.split('\r\n')[0])).toEqual(['GET /api_health_check HTTP/1.1']);
      expect(server.received).not.toMatch(/authorization/i);
    });
  });

  test('the service goes under the configured key, and a path before /v1 is kept', async () => {
    await withBench(always(http(200, sample('account-validation-2021'))), async ({ server }) => {
      const almara = createAlmara(
        { ...settingsFor(`${server.url}/pay/`, server.url), serviceField: 'serviceCode' },
        { log: silent },
      );
      await almara.validateAccount(bill);
      await almara.close();
      const sent = server.requests.at(-1);
      expect(sent?.head).toMatch(/^POST \/pay\/v1\/bill-payments /);
      expect(JSON.parse(sent?.body ?? '')).toMatchObject({ serviceCode: bill.serviceId });
      expect(sent?.body).not.toMatch(/serviceid|conversation/i);
    });
  });
});

describe('trouble, by cause', () => {
  const look = (answer: (request: RawRequest) => void) => {
    let trouble: ProviderTrouble | undefined;
    return withBench(answer, async ({ almara }) => {
      trouble = await troubleOf(almara.findPayment(order.paymentId));
    }).then(() => trouble);
  };

  test.each([
    [403, 'forbidden'],
    [429, 'rate-limited'],
    [500, 'server-error'],
    [503, 'server-error'],
    [599, 'server-error'],
    [302, 'unexpected-status'],
    [405, 'unexpected-status'],
    [409, 'unexpected-status'],
  ])('%i is %s', async (status, kind) => {
    const trouble = await look(always(http(status, 'secret body', { location: '/elsewhere' })));
    expect(trouble).toMatchObject({ kind, status });
    expect(trouble?.message).toMatch(new RegExp(`${status} to the look-up`));
    expect(trouble?.message).not.toMatch(/secret/);
  });

  test.each([
    ['7', 7_000],
    ['999999999', 3_600_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2015 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
  ])('Retry-After %s is a wait of %s ms', async (header, wait) => {
    const now = () => Date.parse('2026-01-01T00:00:00Z');
    await withBench(
      always(http(429, '', { 'retry-after': header })),
      async ({ almara }) => {
        const trouble = await troubleOf(almara.findPayment(order.paymentId));
        expect(trouble.kind).toBe('rate-limited');
        expect(trouble.retryAfterMs).toBe(wait);
      },
      { now },
    );
  });

  test.each<[string, (request: RawRequest) => void, string]>([
    ['a reset', ({ socket }) => socket.resetAndDestroy(), 'connection'],
    ['a closed connection', ({ socket }) => socket.end(), 'connection'],
    ['half a body, then closed', ({ socket }) => socket.end(http(200, '{"status":4}').slice(0, -2)), 'connection'],
    ['no HTTP', ({ socket }) => socket.end('SMTP\r\n'), 'connection'],
    ['no answer', () => undefined, 'timeout'],
    ['half the headers', ({ socket }) => socket.write('HTTP/1.1 200 OK\r\n'), 'timeout'],
    ['half a body, then silence', ({ socket }) => socket.write(http(200, '{"status":4}').slice(0, -2)), 'timeout'],
  ])('%s is trouble: %s', async (_, answer, kind) => {
    expect(await look(answer)).toMatchObject({ kind });
  });

  test('no connection', async () => {
    const gone = await startRaw(() => undefined);
    await gone.close();
    const almara = createAlmara(settingsFor(gone.url), { log: silent });
    const trouble = await troubleOf(almara.findPayment(order.paymentId));
    expect(trouble.kind).toBe('connection');
    expect(trouble.message).toMatch(/ECONNREFUSED/);
    await almara.close();
  });

  test.each([
    ['10 MB', http(200, `{"status":4,"x":"${'y'.repeat(10_000_000)}"}`)],
    ['a web page', http(200, '<html>')],
    ['nothing', http(200)],
    ['bad JSON', http(200, '{"status":4')],
    ['deep nesting', http(200, '['.repeat(30_000) + ']'.repeat(30_000))],
  ])('an unreadable answer to the look is an observation: %s', async (_, answer) => {
    await withBench(always(answer), async ({ almara }) => {
      const { observation } = await almara.findPayment(order.paymentId);
      expect(observation.kind).toBe('unreadable');
      expect(observation.said.length).toBeLessThan(120);
    });
  });

  test('a redirect is not followed, a failed read not repeated', async () => {
    await withBench(always(http(307, '', { location: '/v1/other' })), async ({ almara, server }) => {
      await troubleOf(almara.findPayment(order.paymentId));
      expect(server.requests.map(({ head }) => head.split(' ')[1])).toEqual([
        '/connect/token',
        expect.stringContaining('/v1/bill-payments'),
      ]);
    });
    await withBench(
      ({ socket }) => socket.resetAndDestroy(),
      async ({ almara, server }) => {
        await troubleOf(almara.findPayment(order.paymentId));
        expect(server.requests).toHaveLength(2);
      },
    );
  });

  test('a clear 400 to a save is a refusal, and repeats nothing personal', async () => {
    const body = sample('documented-error-reason').replace(
      'Account number number',
      'Account 111 832&x of 254710000000',
    );
    await withBench(always(http(400, body)), async ({ almara }) => {
      const refusal: unknown = await almara
        .saveBillNumber({ ...bill, phoneNumber: '254710000000' })
        .catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ProviderRefusal);
      expect((refusal as Error).message).toBe('Almara Pay refused saving the bill number: Account … of … is invalid.');
    });
  });

  test('a caller that gives up gets its own reason back', async () => {
    const stop = new AbortController();
    await withBench(
      () => stop.abort(new Error('cancelled by the engine')),
      async ({ almara }) => {
        await expect(almara.findPayment(order.paymentId, stop.signal)).rejects.toThrow('cancelled by the engine');
        await expect(almara.findPayment(order.paymentId, stop.signal)).rejects.toThrow('cancelled by the engine');
      },
    );
  });

  test('reads reuse connections', async () => {
    await withBench(always(http(404)), async ({ almara, server }) => {
      for (let look = 0; look < 5; look += 1) await almara.findPayment(order.paymentId);
      expect(server.requests).toHaveLength(6);
      expect(server.connections).toBeLessThanOrEqual(2);
    });
  });
});

describe('settings', () => {
  const create = (settings: Partial<AlmaraSettings>) => () =>
    createAlmara({ ...settingsFor('https://api.example.com'), ...settings }, { log: silent });

  test.each([
    'http://api.example.com',
    'http://54.224.92.175:10001',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
  ])('%s would show the credentials to everyone', (url) => {
    expect(create({ apiUrl: url })).toThrow(/^ALMARA_API_URL must use https/);
    expect(create({ identityUrl: url })).toThrow(/^ALMARA_IDENTITY_URL must use https/);
  });
  test.each(['', 'api.example.com', 'ftp://x', 'https://u:p@x', 'https://x?y', 'https://x#y'])(
    '%j is no base address',
    (url) => {
      expect(create({ apiUrl: url })).toThrow(/^ALMARA_API_URL must be/);
    },
  );
  test.each(['https://api.example.com/', 'http://localhost:1', 'http://127.9.9.9:1', 'http://[::1]:1'])(
    '%s will do',
    async (url) => {
      await create({ apiUrl: url })().close();
    },
  );

  test('the account is named by API base and client id', () => {
    const hash = (settings: Partial<AlmaraSettings>) => create(settings)().account;
    expect(hash({})).toMatch(/^[0-9a-f]{64}$/);
    expect(hash({})).toBe(hash({ apiUrl: 'https://api.example.com/', clientSecret: 'other' }));
    expect(new Set([hash({}), hash({ clientId: 'other' }), hash({ apiUrl: 'https://live.example.com' })]).size).toBe(3);
  });
});

test('no log line holds a token, a secret, an address or anything personal', async () => {
  const lines: string[] = [];
  const log = pino(
    { level: 'trace' },
    new Writable({
      write: (line: Buffer, _, done) => {
        lines.push(String(line));
        done();
      },
    }),
  );
  await withBench(
    ({ socket, head }) =>
      socket.write(http(200, head.startsWith('GET') ? sample('find-payment') : sample('account-validation-2021'))),
    async ({ almara, session }) => {
      await almara.validateAccount(bill);
      await almara.findPayment('payment-0001');
      await almara.submitPayment(order, await session(), () => true);
    },
    { log },
  );
  expect(lines.length).toBeGreaterThanOrEqual(3);
  expect(lines.join('')).not.toMatch(/secret|Bearer|callbacks|k1\.|Irina|2547|111|Githithu|MWAURA|\?/i);
});
