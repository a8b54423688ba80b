import { createMetrics, type CallbackMetrics } from '../../src/callbacks';
import { openStore, type Store } from '../../src/store';
import { countOf, countsOf } from '../support/metrics';
import { startTcpProxy } from '../../dev/tcp-proxy';
import { onDatabase, testDatabase, type TestDatabase } from '../support/postgres';
import * as s from './support';

/** What comes in from outside: ours is stored before it is answered, anything else leaves no trace (G5). */

const NOT_FOUND = '{"error":"not found"}';

let database: TestDatabase;
let store: Store;
let endpoint: s.TestEndpoint;
let captured: ReturnType<typeof s.capturedLog>;
let metrics: CallbackMetrics;
let delivered: { paymentId: string; id: number }[];

beforeAll(async () => {
  database = await testDatabase();
  store = openStore({ databaseUrl: database.url, log: s.capturedLog().log });
});
beforeEach(async () => {
  captured = s.capturedLog();
  metrics = createMetrics();
  delivered = [];
  endpoint = await s.listen({
    inbox: store.inbox,
    log: captured.log,
    metrics,
    deliver: (callback) => void delivered.push(callback),
  });
});
afterEach(() => endpoint.close());
afterAll(async () => {
  await store.close();
  await database.drop();
});

const tokenOf = (where: string): string => where.split('/').at(-1) ?? '';
const stored = async (paymentId: string): Promise<number> => (await store.inbox.forPayment(paymentId)).length;
async function allRows(): Promise<string> {
  let text = '';
  await onDatabase(database.url, async (client) => {
    for (const table of ['callback_inbox', 'callback_counts', 'payments']) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT t::text AS line FROM ${table} t`);
      text += rows.map(({ line }) => String(line)).join('\n');
    }
  });
  return text;
}

describe('what is ours is stored, and then answered', () => {
  test.each([
    ['nested', s.nested, { tells: 'result', claims: 'paid' }],
    ['flat', s.flat, { tells: 'receipt', claims: 'unclear' }],
  ])('the documented %s callback', async (_shape, body, reading) => {
    const paymentId = s.newPaymentId();
    const answer = await endpoint.post(endpoint.pathOf(paymentId), body(paymentId));
    expect([answer.status, answer.text]).toEqual([200, '{"received":true}']);
    const [row, ...more] = await store.inbox.forPayment(paymentId);
    expect(more).toEqual([]);
    expect(row?.body).toBe(body(paymentId));
    expect(row?.reading).toMatchObject(reading);
    expect(delivered).toEqual([{ paymentId, id: row?.id }]);
    expect(await countOf(metrics.received, 'stored')).toBe(1);
  });

  test('the same three times is one row, answered alike and offered for delivery each time', async () => {
    const paymentId = s.newPaymentId();
    const send = () => endpoint.post(endpoint.pathOf(paymentId), s.nested(paymentId));
    const answers = [await send(), ...(await Promise.all([send(), send()]))];
    expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(3).fill([200, '{"received":true}']));
    expect(await stored(paymentId)).toBe(1);
    expect(delivered).toHaveLength(3);
    expect(await countsOf(metrics.received)).toEqual({ stored: 1, duplicate: 2, overflow: 0 });
  });

  test('a flood of 300 different ones: 200 are kept, 100 counted, all answered', async () => {
    const paymentId = s.newPaymentId();
    const bodies = Array.from({ length: 300 }, (_, n) => s.nested(paymentId, {}, { narration: `callback ${n}` }));
    const answers = await Promise.all(bodies.map((body) => endpoint.post(endpoint.pathOf(paymentId), body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await stored(paymentId)).toBe(200);
    expect(await countsOf(metrics.received)).toEqual({ stored: 200, duplicate: 0, overflow: 100 });
    expect((await allRows()).includes(`(${paymentId},200,100)`)).toBe(true);
    expect(delivered).toHaveLength(200);
  });

  test.each([undefined, 'text/plain', 'application/xml', 'nonsense', ', ,;', 'application/json; charset=latin1'])(
    'whatever its content type is said to be: %s',
    async (type) => {
      const paymentId = s.newPaymentId();
      const body = Buffer.from(s.nested(paymentId));
      const answer = await endpoint.post(
        endpoint.pathOf(paymentId),
        body,
        type === undefined ? {} : { 'content-type': type },
      );
      expect(answer.status).toBe(200);
    },
  );

  test('the provider may change the case of the id', async () => {
    const paymentId = 'order-abcdef';
    const answer = await endpoint.post(endpoint.pathOf(paymentId), s.nested('ORDER-AbcDef'));
    expect(answer.status).toBe(200);
    expect(await stored(paymentId)).toBe(1);
  });

  test('an address signed with an older key of the ring', async () => {
    const old = s.newKey('k1');
    const both = s.callbacksOf(`${s.newKey('k2')},${old}`);
    const other = await s.listen({ inbox: store.inbox, callbacks: both });
    const paymentId = s.newPaymentId();
    const signedBefore = new URL(s.callbacksOf(old).urlOf(other.url, paymentId)).pathname;
    expect((await other.post(signedBefore, s.nested(paymentId))).status).toBe(200);
    await other.close();
  });

  test('text that PostgreSQL cannot keep as it is', async () => {
    const paymentId = s.newPaymentId();
    const body = s.nested(paymentId, { thirdPartyPayload: { reference: 'S\u0000\ud800' } });
    expect((await endpoint.post(endpoint.pathOf(paymentId), body)).status).toBe(200);
    expect(await stored(paymentId)).toBe(1);
  });
});

describe('refusals, in this order', () => {
  const big = 'x'.repeat(64 * 1024 + 1);

  test.each<[string, (where: string, paymentId: string) => Promise<s.Answer>, number, string]>([
    ['too large comes before the token', (w) => endpoint.post(`${w}x`, big), 413, 'too-large'],
    ['too large', (w) => endpoint.post(w, big), 413, 'too-large'],
    ['a wrong token comes before JSON', (w) => endpoint.post(`${w}x`, 'no json'), 404, 'not-ours'],
    ['not JSON', (w) => endpoint.post(w, 'no json'), 400, 'not-json'],
    ['truncated', (w, id) => endpoint.post(w, s.nested(id).slice(0, -5)), 400, 'not-json'],
    ['empty', (w) => endpoint.post(w, ''), 400, 'not-json'],
    [
      'not UTF-8',
      (w, id) => endpoint.post(w, Buffer.from(s.nested(id, {}, { narration: 'é' }), 'latin1')),
      400,
      'not-json',
    ],
    ['not an object', (w) => endpoint.post(w, '[1, 2]'), 400, 'unreadable'],
    ['null', (w) => endpoint.post(w, 'null'), 400, 'unreadable'],
    ['without an id', (w) => endpoint.post(w, '{"amount": 220}'), 400, 'unreadable'],
    ['an id of a wrong type', (w) => endpoint.post(w, '{"originatorConversationId": {"a": []}}'), 400, 'unreadable'],
    ['about another payment', (w) => endpoint.post(w, s.nested(s.newPaymentId())), 400, 'other-payment'],
    ['deep nesting', (w) => endpoint.post(w, '['.repeat(30_000) + ']'.repeat(30_000)), 400, 'unreadable'],
    [
      '__proto__',
      (w, id) => endpoint.post(w, `{"__proto__": {"originatorConversationId": "${id}"}}`),
      400,
      'unreadable',
    ],
  ])('%s', async (_name, attempt, status, cause) => {
    const paymentId = s.newPaymentId();
    const before = await allRows();
    const answer = await attempt(endpoint.pathOf(paymentId), paymentId);
    expect(answer.status).toBe(status);
    expect(Object.keys(JSON.parse(answer.text))).toEqual(['error']);
    expect(await countOf(metrics.refused, cause)).toBe(1);
    expect(await allRows()).toBe(before);
    expect(delivered).toEqual([]);
  });

  test('deep nesting inside a callback that can be read otherwise', async () => {
    const paymentId = s.newPaymentId();
    const deep = `{"originatorConversationId": "${paymentId}", "billRequestOutcome": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect((await endpoint.post(endpoint.pathOf(paymentId), deep)).status).toBe(200);
    expect((await store.inbox.forPayment(paymentId))[0]?.reading.claims).toBe('unclear');
  });

  test('10 MB are not read to the end', async () => {
    const where = endpoint.pathOf(s.newPaymentId());
    const head = `POST ${where} HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n`;
    expect(await s.sendRaw(endpoint.url, head)).toMatch(/^HTTP\/1.1 413 /);
    const chunked = `POST ${where} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n${'x'.repeat(0x20000)}`;
    expect(await s.sendRaw(endpoint.url, chunked)).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('what is not ours gets one and the same answer', () => {
  const strip = ({ status, text, headers }: s.Answer): unknown => {
    const kept = Object.fromEntries(headers);
    return { status, text, headers: { ...kept, date: undefined } };
  };

  test.each<[string, (where: string, paymentId: string) => string, RequestInit?]>([
    ['another token', (w) => `${w.slice(0, -1)}${w.endsWith('A') ? 'B' : 'A'}`],
    ['no key id', (w) => w.replace('k1.', '')],
    ['another key id', (w) => w.replace('k1.', 'k2.')],
    ["another payment's token", (w, id) => w.replace(id, s.newPaymentId())],
    ['the id in capitals', (w, id) => w.replace(id, id.toUpperCase())],
    ['an id that cannot be', (w, id) => w.replace(id, 'a')],
    ['an id with a slash in it', (w, id) => w.replace(id, `${id}%2F..`)],
    ['an address that cannot be decoded', (w) => `${w}%zz`],
    ['a token without end', (w) => w + 'A'.repeat(5_000)],
    ['no token', (w) => w.slice(0, w.lastIndexOf('/'))],
    ['an empty token', (w) => w.slice(0, w.lastIndexOf('/') + 1)],
    ['one part more', (w) => `${w}/more`],
    ['a slash at the end', (w) => `${w}/`],
    ['another case', (w) => w.replace('callbacks', 'Callbacks')],
    ['the root', () => '/'],
    ['something else', () => '/healthz'],
    ['GET', (w) => w, { method: 'GET', body: null }],
    ['PUT', (w) => w, { method: 'PUT' }],
    ['DELETE', (w) => w, { method: 'DELETE' }],
    ['PATCH', (w) => w, { method: 'PATCH' }],
    [
      'OPTIONS',
      (w) => w,
      { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } },
    ],
    ['PROPFIND', (w) => w, { method: 'PROPFIND' }],
    ['QUERY', (w) => w, { method: 'QUERY' }],
  ])('%s', async (_name, change, init = {}) => {
    const paymentId = s.newPaymentId();
    const body = s.nested(paymentId);
    const before = await allRows();
    const reference = await endpoint.post('/nothing', body);
    const answer = await s.send(endpoint.url + change(endpoint.pathOf(paymentId), paymentId), {
      method: 'POST',
      body,
      ...init,
    });
    expect([reference.status, reference.text]).toEqual([404, NOT_FOUND]);
    expect(strip(answer)).toEqual(strip(reference));
    expect(await allRows()).toBe(before);
    expect(delivered).toEqual([]);
  });

  test('a content type makes no difference', async () => {
    const where = `${endpoint.pathOf(s.newPaymentId())}x`;
    for (const type of ['application/json', 'text/xml', 'nonsense', 'multipart/form-data; boundary=a']) {
      expect((await endpoint.post(where, '{', { 'content-type': type })).text).toBe(NOT_FOUND);
    }
  });
});

describe('when the store does not answer', () => {
  test('503 while it is away, and 200 when it is back: not lost, not stored twice', async () => {
    const proxy = await startTcpProxy(database.url);
    const behind = openStore({ databaseUrl: proxy.url, log: s.capturedLog().log });
    const other = await s.listen({ inbox: behind.inbox, metrics, log: captured.log });
    try {
      const paymentId = s.newPaymentId();
      const send = () => other.post(other.pathOf(paymentId), s.nested(paymentId));
      expect((await send()).status).toBe(200);
      const mend = proxy.cutAll();
      const refused = await other.post(other.pathOf(paymentId), s.flat(paymentId));
      expect([refused.status, refused.text]).toEqual([503, '{"error":"not stored, send it again"}']);
      mend();
      expect((await other.post(other.pathOf(paymentId), s.flat(paymentId))).status).toBe(200);
      expect((await send()).status).toBe(200);
      expect(await stored(paymentId)).toBe(2);
      expect(await countOf(metrics.refused, 'not-stored')).toBe(1);
    } finally {
      await other.close();
      await behind.close();
      await proxy.close();
    }
  });
});

describe('what is written down', () => {
  test('the token of an address is nowhere: not in the store, not in a log', async () => {
    const paymentId = s.newPaymentId();
    const where = endpoint.pathOf(paymentId);
    const token = tokenOf(where);
    const address = `https://pay.example.com${where}`;
    const escaped = s.nested(paymentId, {}, { callbackUrl: address }).replaceAll('/', '\\/');
    const everywhere = flatWithToken(paymentId, address, token);
    for (const body of [s.nested(paymentId, {}, { callbackUrl: address }), escaped, everywhere]) {
      expect((await endpoint.post(where, body)).status).toBe(200);
    }
    // Also where it is refused, and where it cannot be stored.
    const failing = await s.listen({
      log: captured.log,
      inbox: { add: () => Promise.reject(new Error(`cannot store ${address}`)) },
    });
    expect((await failing.post(where, s.nested(paymentId, {}, { callbackUrl: address }))).status).toBe(503);
    await failing.close();
    expect((await endpoint.post(where, `{"callbackUrl": "${address}"}`)).status).toBe(400);
    expect((await endpoint.post(where, s.nested(s.newPaymentId(), {}, { callbackUrl: address }))).status).toBe(400);
    expect((await endpoint.post(`${where}x`, '{}')).status).toBe(404);

    expect(await stored(paymentId)).toBe(3);
    const rows = await allRows();
    expect(rows).toContain(s.CALLBACKS.withoutToken(address));
    expect(rows).not.toContain(token);
    expect(captured.text()).not.toContain(token);
    expect(captured.text()).not.toContain('callbacks/almara');
  });

  test('the request log holds method, status, time, and the payment only when the token was right', async () => {
    const paymentId = s.newPaymentId();
    await endpoint.post(endpoint.pathOf(paymentId), s.nested(paymentId));
    await endpoint.post(`${endpoint.pathOf(paymentId)}x`, s.nested(paymentId));
    const lines = captured.lines().filter(({ msg }) => msg === 'request');
    const own = lines.map((line) => ({ ...line, level: 0, time: 0, pid: 0, hostname: '' }));
    const common = {
      level: 0,
      time: 0,
      pid: 0,
      hostname: '',
      msg: 'request',
      method: 'POST',
      ms: expect.any(Number) as number,
    };
    expect(own).toEqual([
      { ...common, status: 200, paymentId },
      { ...common, status: 404 },
    ]);
    for (const secret of ['254710000000', '111832', 'S575998']) expect(captured.text()).not.toContain(secret);
  });
});

function flatWithToken(paymentId: string, address: string, token: string): string {
  return s.flat(paymentId, { ReceiptNumber: token, ReceiverNarration: `see ${address} or ${token}` });
}

test('a request that never ends is ended', async () => {
  const where = endpoint.pathOf(s.newPaymentId());
  const answer = await s.sendRaw(endpoint.url, `POST ${where} HTTP/1.1\r\nHost: a\r\nContent-Len`);
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
});
