import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { SERVICES, accountOf } from '../../src/sandbox';
import { Caller, call, json, type Json } from './caller';

let caller: Caller;
beforeEach(async () => (caller = await Caller.start()));
afterEach(() => caller.close());

describe('tokens', () => {
  test('wrong credentials, a wrong grant and a JSON body get no token', async () => {
    for (const change of [{ client_id: 'x' }, { client_secret: 'x' }]) {
      const answer = await caller.askToken(change);
      expect([answer.status, json(answer)]).toEqual([400, { error: 'invalid_client' }]);
    }
    expect(json(await caller.askToken({ grant_type: 'password' }))).toEqual({ error: 'unsupported_grant_type' });
    const asJson = await call(`${caller.sandbox.url}/connect/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_id: 'a-client', client_secret: 'a-secret', grant_type: 'client_credentials' }),
    });
    expect([asJson.status, json(asJson)]).toEqual([400, { error: 'invalid_request' }]);
  });

  test('a token ends with its lifetime, or when it is told to', async () => {
    expect(json(await caller.askToken())['expires_in']).toBe(3_600);
    caller.clock.now += 3_600_000 - 1;
    expect((await caller.get('/v1/bill-services')).status).toBe(200);
    caller.clock.now += 1;
    expect((await caller.get('/v1/bill-services')).status).toBe(401);
    await caller.signIn();
    expect((await caller.get('/v1/bill-services')).status).toBe(200);
    caller.sandbox.expireTokens();
    expect((await caller.get('/v1/bill-services')).status).toBe(401);
  });

  test('nothing but health and the ledger answers without one; a payment POST turned away is seen, not captured', async () => {
    const { url } = caller.sandbox;
    for (const path of [
      '/v1/bill-services',
      '/v1/bill-payments?OriginatorConversationId=x',
      '/v1/bill-numbers',
      '/v1/transaction-routes/assigned-routes',
      '/v1/customer-accounts/get-wallet-balance?ccy=404',
    ]) {
      expect(await call(url + path)).toMatchObject({ status: 401, text: '' });
    }
    const id = randomUUID();
    caller.sandbox.expireTokens();
    expect((await caller.pay(id, '1111111')).status).toBe(401);
    expect(caller.sandbox.payment(id)).toMatchObject({ postsSeen: 1, postsCaptured: 0, status: null });
    expect(await call(`${url}/api_health_check`)).toMatchObject({ status: 200, text: 'Healthy' });
  });

  test('the ledger keeps no secret of a token request', async () => {
    await caller.askToken();
    expect(JSON.stringify(caller.sandbox.ledger.requests())).not.toContain('a-secret');
  });
});

describe('what a request must have', () => {
  const MANDATORY = [
    'ServiceId',
    'accountNumber',
    'transactionDesc',
    'msisdn',
    'amount',
    'customerNames',
    'countryCode',
    'currencyCode',
    'saveBillerNumber',
    'callBackUrl',
  ];

  test.each(MANDATORY)('a payment without %s is a 400 of shape 1 that names it', async (field) => {
    const id = randomUUID();
    const answer = await caller.pay(id, '1111111', { [field]: undefined });
    expect(answer.status).toBe(400);
    expect(Object.keys(json(answer)['errors'] as Json).map((key) => key.toLowerCase())).toEqual([field.toLowerCase()]);
    expect(caller.sandbox.payment(id)).toMatchObject({ postsSeen: 1, postsCaptured: 0 });
  });

  test('fractions, unknown services and unknown types are refused', async () => {
    for (const [field, value] of [
      ['Amount', 1.5],
      ['ServiceId', randomUUID()],
      ['TransactionType', 4],
    ] as const) {
      const key = field === 'ServiceId' ? field : field.charAt(0).toLowerCase() + field.slice(1);
      const answer = await caller.pay(randomUUID(), '1111111', { [key]: value });
      expect([answer.status, Object.keys(json(answer)['errors'] as Json)]).toEqual([400, [field]]);
    }
  });

  test('keys in any case; a service by its code', async () => {
    const id = randomUUID();
    const change = {
      ServiceId: undefined,
      serviceCode: 'KE-GOTV',
      callBackUrl: undefined,
      callbackURL: caller.receiver.url,
    };
    expect((await caller.pay(id, '1111111', change)).status).toBe(200);
    expect(caller.sandbox.payment(id).postsCaptured).toBe(1);
  });

  test('a look-up needs an id, a balance its currency', async () => {
    expect((await caller.get('/v1/bill-payments')).status).toBe(400);
    expect((await caller.get('/v1/customer-accounts/get-wallet-balance')).status).toBe(400);
    expect((await caller.get('/v1/customer-accounts/get-wallet-balance?ccy=404')).status).toBe(200);
  });
});

test('services', async () => {
  const services = JSON.parse((await caller.get('/v1/bill-services')).text) as Json[];
  expect(services.map((service) => service['serviceTypeDescription'])).toEqual([
    'KPLC POSTPAID',
    'KPLC PREPAID',
    'DSTV',
    'GOTV',
    'ZUKU',
    'NAIROBI WATER',
  ]);
});

test('a bill number is found once it is saved', async () => {
  const path = `/v1/bill-numbers?ServiceId=${String(SERVICES[2]?.serviceId)}&AccountNumber=77`;
  expect((await caller.get(path)).status).toBe(404);
  await caller.post('/v1/bill-numbers', {
    serviceId: SERVICES[2]?.serviceId,
    accountNumber: '77',
    phoneNumber: '254700000001',
  });
  expect(json(await caller.get(path))).toMatchObject({ serviceType: 'DSTV', phoneNumber: '254700000001' });
});

describe('a POST that breaks off', () => {
  async function sendPart(part: string): Promise<void> {
    const { hostname, port } = new URL(caller.sandbox.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const before = caller.sandbox.ledger.requests().length;
    socket.write(
      `POST /v1/bill-payments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n${part}`,
    );
    socket.end();
    while (caller.sandbox.ledger.requests().length === before) await new Promise(setImmediate);
  }

  test('is seen under its id when that had come', async () => {
    const id = randomUUID();
    await sendPart(`{"transactionType":2,"originatorConversationId":"${id}","amount":`);
    expect(caller.sandbox.payment(id)).toMatchObject({ postsSeen: 1, postsCaptured: 0 });
    expect(caller.sandbox.ledger.brokenPosts).toBe(0);
  });

  test('is counted when it had not', async () => {
    await sendPart('');
    expect(caller.sandbox.ledger.brokenPosts).toBe(1);
  });

  test('is nobody’s payment when it was a validation', async () => {
    await sendPart('{"transactionType":3,"accountNumber":');
    expect(caller.sandbox.ledger.brokenPosts).toBe(0);
  });
});

test('the ledger over HTTP', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  await caller.pay(first, '1111111');
  await caller.look(second);
  await caller.sandbox.idle();
  const ledger = json(await call(`${caller.sandbox.url}/sandbox/payments`));
  expect(ledger).toMatchObject({
    brokenPosts: 0,
    payments: [
      {
        id: first,
        behaviour: 'paid-with-callback',
        postsSeen: 1,
        postsCaptured: 1,
        callbacksSent: [{ answered: 200 }],
      },
      {
        id: second,
        behaviour: null,
        postsSeen: 0,
        postsCaptured: 0,
        status: null,
        requests: [{ method: 'GET', answered: 404 }],
      },
    ],
  });
  expect(json(await call(`${caller.sandbox.url}/sandbox/payments/${randomUUID()}`))).toMatchObject({ postsSeen: 0 });
  const { behaviours } = json(await call(`${caller.sandbox.url}/sandbox/behaviours`)) as { behaviours: Json[] };
  expect(behaviours).toHaveLength(29);
});

describe('a scripted provider', () => {
  test('setRecord lays fields over the record, or hides it', async () => {
    const id = randomUUID();
    await caller.pay(id, accountOf('pending-for-ever'));
    caller.sandbox.setRecord(id, { status: 4, amount: 7 });
    const record = json(await caller.look(id));
    expect(record).toMatchObject({
      status: 4,
      transactionStatusDescription: 'Completed',
      amount: 7,
      msisdn: '254710000000',
    });
    expect(record['receiptNumber']).toMatch(/^S/);
    expect(caller.sandbox.payment(id).status).toBe(4);
    caller.sandbox.setRecord(id, null);
    expect((await caller.look(id)).status).toBe(404);
  });

  test('setRecord makes a record where there is none', async () => {
    const id = randomUUID();
    caller.sandbox.setRecord(id, { status: 6, accountNumber: '42' });
    expect(json(await caller.look(id))).toMatchObject({ status: 6, accountNumber: '42', originatorConversationId: id });
  });

  test('sendCallback sends what it is told, and says how it was answered', async () => {
    const id = randomUUID();
    await caller.pay(id, accountOf('callback-lost'));
    caller.receiver.status = 503;
    expect(await caller.sandbox.sendCallback(id, { status: 6, code: '22', fields: { amount: 9 } })).toMatchObject({
      answered: 503,
    });
    expect(caller.receiver.for(id)[0]?.body).toMatchObject({
      amount: 9,
      billRequestOutcome: { status: 6, resultCode: '22' },
    });
    await caller.sandbox.sendCallback(id, { raw: '{"forged":true}' });
    expect(caller.receiver.for(id)[1]?.body).toEqual({ forged: true });
    await expect(caller.sandbox.sendCallback(randomUUID())).rejects.toThrow('was not captured');
  });
});

test('callbacks go to this machine only, unless another host is named; the log names the host and nothing else', async () => {
  const lines: string[] = [];
  const sink = new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) });
  const careful = await Caller.start({ log: pino(sink) });
  const id = randomUUID();
  await careful.pay(id, '1111111', { callBackUrl: 'http://elsewhere.invalid/callbacks/secret-token' });
  await careful.sandbox.idle();
  expect(careful.sandbox.payment(id).callbacksSent).toMatchObject([
    { failed: expect.stringContaining('refused') as string },
  ]);
  expect(lines.join('')).toContain('elsewhere.invalid');
  expect(lines.join('')).not.toContain('secret-token');
  await careful.close();

  const open = await Caller.start({ callbackHosts: ['elsewhere.invalid'] });
  await open.pay(id, '1111111', { callBackUrl: 'http://elsewhere.invalid/' });
  await open.sandbox.idle();
  expect(open.sandbox.payment(id).callbacksSent).toMatchObject([
    { failed: expect.not.stringContaining('refused') as string },
  ]);
  await open.close();
});

test('a callback nobody answers is a fact in the ledger', async () => {
  const id = randomUUID();
  await caller.pay(id, '1111111', { callBackUrl: 'http://127.0.0.1:1/' });
  await caller.sandbox.idle();
  expect(caller.sandbox.payment(id).callbacksSent).toMatchObject([{ failed: 'ECONNREFUSED' }]);
});

test('close ends a hanging POST and drops pending callbacks', async () => {
  const slow = await Caller.start({ slowMs: 600_000, callbackDelayMs: 600_000 });
  const id = randomUUID();
  await slow.pay(id, '1111111');
  const hanging = slow.pay(randomUUID(), accountOf('post-timeout'));
  while (slow.sandbox.ledger.requests().at(-1)?.answered !== 'no answer') await new Promise(setImmediate);
  const idle = slow.sandbox.idle();
  await slow.close();
  expect((await hanging).status).toMatch(/UND_ERR_SOCKET|ECONNRESET/);
  await idle;
  expect(slow.receiver.received).toEqual([]);
});

test('answerDelayMs holds an accepted answer back after the capture', async () => {
  const delayed = await Caller.start({ answerDelayMs: 60 });
  const id = randomUUID();
  const started = performance.now();
  const answer = delayed.pay(id, '1111111');
  while (delayed.sandbox.payment(id).postsCaptured === 0) await new Promise(setImmediate);
  expect((await answer).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(55);
  await delayed.close();
});
