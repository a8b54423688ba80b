import diagnostics from 'node:diagnostics_channel';
import net from 'node:net';
import { once } from 'node:events';
import { createLog } from '../../src/log';
import { createAlmara } from '../../src/almara';
import { http, order, settingsFor, withBench, type RawRequest } from './raw-server';

/** The payment POST over real sockets: exactly one, or not one byte (G1), and no fault that looks like an answer (G2). */

const accepted = (id = order.paymentId) =>
  JSON.stringify({ message: { originatorConversationId: id, systemConversationId: 'sys-1' } });
const clear400 = JSON.stringify({ errors: { AccountNumber: ['is required'] }, title: 'Validation', status: 400 });
const yes = () => true;

async function submitTo(
  answer: (request: RawRequest) => void,
  mayStillSend: () => boolean = yes,
  signal?: AbortSignal,
) {
  let result: { kind: string; because?: string } | undefined;
  let posts = 0;
  let connections = 0;
  await withBench(answer, async ({ almara, server, session }) => {
    result = await almara.submitPayment(order, await session(), mayStillSend, signal);
    posts = server.requests.length;
    connections = server.connections;
  });
  return { result, posts, connections };
}

test('it is exactly one POST with its length, on a connection of its own', async () => {
  await withBench(
    ({ socket }) => socket.write(http(202, accepted())),
    async ({ almara, server, session }) => {
      const proven = await session();
      const before = server.connections;
      expect(await almara.submitPayment(order, proven, yes)).toEqual({ kind: 'accepted', providerId: 'sys-1' });
      expect(server.connections).toBe(before + 1);
      const [request, ...more] = server.requests;
      expect(more).toEqual([]);
      expect(request?.head.split('\r\n')[0]).toBe('POST /v1/bill-payments HTTP/1.1');
      expect(request?.head).toMatch(/authorization: Bearer secret-token-1/i);
      expect(request?.head).toMatch(/connection: close/i);
      expect(request?.head).toMatch(new RegExp(`content-length: ${Buffer.byteLength(request?.body ?? '')}\\b`, 'i'));
      expect(request?.head).not.toMatch(/expect|transfer-encoding/i);
      expect(server.received.match(/POST /g)).toHaveLength(1);
      expect(JSON.parse(request?.body ?? '')).toEqual({
        routeId: '068d89af-be67-f011-bb46-0e7d952d79b7',
        ServiceId: order.serviceId,
        accountNumber: '111832',
        transactionType: 2,
        transactionDesc: 'Electricity',
        originatorConversationId: 'payment-0001',
        msisdn: '254710000000',
        narration: 'Electricity',
        amount: 220,
        customerNames: 'Irina Muthoni',
        countryCode: 'KE',
        currencyCode: 'KES',
        saveBillerNumber: false,
        callBackUrl: order.callbackUrl,
      });
      await almara.submitPayment({ ...order, paymentId: 'payment-0002' }, proven, yes);
      expect(server.connections).toBe(before + 2);
    },
  );
});

describe('the last question', () => {
  test.each([
    ['no', () => false],
    [
      'an exception',
      () => {
        throw new Error('clock');
      },
    ],
  ])('%s: the connection stood, and not one byte left', async (_, mayStillSend) => {
    await withBench(
      () => undefined,
      async ({ almara, server, session }) => {
        const proven = await session();
        const asked = jest.fn(mayStillSend);
        const result = await almara.submitPayment(order, proven, asked);
        expect(result).toEqual({ kind: 'not-sent', because: 'too late to send' });
        expect(asked).toHaveBeenCalledTimes(1);
        await server.allClosed(1);
        expect(server.connections).toBe(1);
        expect(server.received).toBe('');
      },
    );
  });

  test('is asked in the very turn in which the request is written', async () => {
    const turns: string[] = [];
    const onHeaders = () => turns.push('written');
    diagnostics.subscribe('undici:client:sendHeaders', onHeaders);
    try {
      await submitTo(
        ({ socket }) => socket.write(http(200, accepted())),
        () => {
          turns.length = 0;
          turns.push('asked');
          queueMicrotask(() => turns.push('next microtask'));
          process.nextTick(() => turns.push('next tick'));
          return true;
        },
      );
    } finally {
      diagnostics.unsubscribe('undici:client:sendHeaders', onHeaders);
    }
    expect(turns.slice(0, 2)).toEqual(['asked', 'written']);
  });

  test('is not asked while there is no connection', async () => {
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as net.AddressInfo;
    closed.close();
    await once(closed, 'close');
    await withBench(
      () => undefined,
      async ({ session }) => {
        const asked = jest.fn(yes);
        const almara = createAlmara(settingsFor(`http://127.0.0.1:${port}`), { log: createLog('test', 'silent') });
        expect(await almara.submitPayment(order, await session(), asked)).toEqual({
          kind: 'not-sent',
          because: 'no connection (ECONNREFUSED)',
        });
        expect(asked).not.toHaveBeenCalled();
        await almara.close();
      },
    );
  });

  test.each([
    ['that never shakes hands', () => undefined, 'no connection within 0.5 s'],
    [
      'that speaks no TLS',
      (socket: net.Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /^no connection \((ERR_SSL_|EPROTO)/,
    ],
    [
      'that resets the handshake',
      (socket: net.Socket) => socket.resetAndDestroy(),
      /^no connection \((ECONNRESET|closed)\)/,
    ],
  ])('is not asked of a TLS server %s', async (_, answer, because) => {
    const raw = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
      sockets.push(socket);
    });
    const sockets: net.Socket[] = [];
    raw.listen(0, '127.0.0.1');
    await once(raw, 'listening');
    await withBench(
      () => undefined,
      async ({ session }) => {
        const asked = jest.fn(yes);
        const { port } = raw.address() as net.AddressInfo;
        const almara = createAlmara(settingsFor(`https://localhost:${port}`), { log: createLog('test', 'silent') });
        const result = await almara.submitPayment(order, await session(), asked);
        expect(result).toEqual({
          kind: 'not-sent',
          because: typeof because === 'string' ? because : expect.stringMatching(because),
        });
        expect(asked).not.toHaveBeenCalled();
        await almara.close();
      },
    );
    for (const socket of sockets) socket.destroy();
    raw.close();
  });
});

describe('every fault after the first byte is unknown, with one POST seen', () => {
  const half = http(200, accepted()).slice(0, -20);
  const faults: [string, (request: RawRequest) => void, RegExp][] = [
    ['reset without an answer', ({ socket }) => socket.resetAndDestroy(), /connection broke/],
    ['closed without an answer', ({ socket }) => socket.end(), /connection broke/],
    ['no answer at all', () => undefined, /no answer within 2 s/],
    ['half a status line', ({ socket }) => socket.write('HTTP/1.1 20'), /no answer within/],
    ['headers without an end', ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nx: '), /no answer within/],
    ['half a body, then closed', ({ socket }) => socket.end(half), /connection broke/],
    ['half a body, then silence', ({ socket }) => socket.write(half), /no answer within/],
    ['a body that drips for ever', ({ socket }) => drip(socket), /no answer within/],
    ['10 MB', ({ socket }) => socket.write(http(200, `{"message":"${'x'.repeat(10_000_000)}"}`)), /longer than 64 kB/],
    ['a body without an end', ({ socket }) => flood(socket), /longer than 64 kB/],
    [
      '10 MB of a clear 400',
      ({ socket }) => socket.write(http(400, clear400 + ' '.repeat(10_000_000))),
      /400 without a clear reason/,
    ],
    [
      'no HTTP',
      ({ socket }) => socket.end('220 mail.example.com ESMTP\r\n\r\n'),
      /connection broke \(HTTPParserError\)/,
    ],
    ['two lengths', ({ socket }) => socket.end(http(200, accepted(), { 'content-length ': '1' })), /connection broke/],
    [
      'endless headers',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      /connection broke/,
    ],
    ['bad JSON', ({ socket }) => socket.write(http(200, '{"message":')), /not JSON/],
    ['a web page', ({ socket }) => socket.write(http(200, '<html>')), /a web page/],
    ['an empty 200', ({ socket }) => socket.write(http(200)), /empty/],
    [
      'the ids of another payment',
      ({ socket }) => socket.write(http(200, accepted('payment-9999'))),
      /another payment id/,
    ],
    [
      'an upgrade',
      ({ socket }) => socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      /connection broke|no answer/,
    ],
    [
      '100 Continue and silence',
      ({ socket }) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
      /connection broke|no answer/,
    ],
  ];
  test.each(faults)('%s', async (_, answer, because) => {
    const { result, posts, connections } = await submitTo(answer);
    expect(result).toEqual({ kind: 'unknown', because: expect.stringMatching(because) });
    expect([posts, connections]).toEqual([1, 1]);
  });

  test.each([201, 301, 302, 307, 308, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504, 599])(
    'status %i, also with the body of a clear 400, a place to go and a time to wait',
    async (status) => {
      const headers = { location: '/v1/bill-payments', 'retry-after': '0', 'www-authenticate': 'Bearer' };
      const { result, posts, connections } = await submitTo(({ socket }) =>
        socket.write(http(status, clear400, headers)),
      );
      expect(result?.kind).toBe('unknown');
      expect([posts, connections]).toEqual([1, 1]);
    },
  );

  test('a connection that dies as soon as it stands is not made again', async () => {
    let connections = 0;
    const raw = net.createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).resetAndDestroy();
    });
    raw.listen(0, '127.0.0.1');
    await once(raw, 'listening');
    await withBench(
      () => undefined,
      async ({ session }) => {
        const asked = jest.fn(yes);
        const { port } = raw.address() as net.AddressInfo;
        const almara = createAlmara(settingsFor(`http://127.0.0.1:${port}`), { log: createLog('test', 'silent') });
        const { kind } = await almara.submitPayment(order, await session(), asked);
        // Whether we hear of the connection before we hear of its end is the system's choice.
        expect([kind, asked.mock.calls.length]).toEqual(kind === 'not-sent' ? ['not-sent', 0] : ['unknown', 1]);
        await almara.close();
      },
    );
    raw.close();
    await once(raw, 'close');
    expect(connections).toBe(1);
  });

  test('a connection that is gone when it is handed over is not made again', async () => {
    const sockets: net.Socket[] = [];
    const onSocket = (message: unknown) => sockets.push((message as { socket: net.Socket }).socket);
    await withBench(
      () => undefined,
      async ({ almara, server, session }) => {
        const proven = await session();
        diagnostics.subscribe('net.client.socket', onSocket);
        const asked = jest.fn(() => {
          sockets.at(-1)?.destroy();
          return true;
        });
        const result = await almara.submitPayment(order, proven, asked);
        diagnostics.unsubscribe('net.client.socket', onSocket);
        expect(result.kind).toBe('unknown');
        expect(asked).toHaveBeenCalledTimes(1);
        expect(sockets).toHaveLength(1);
        await server.allClosed(1);
        expect(server.received).toBe('');
      },
    );
  });

  test('and only a clear 400 is a refusal', async () => {
    const { result, posts } = await submitTo(({ socket }) => socket.write(http(400, clear400)));
    expect(result).toEqual({ kind: 'rejected', reasons: ['AccountNumber: is required'] });
    expect(posts).toBe(1);
  });

  test('an answer after 103 Early Hints still counts', async () => {
    const { result } = await submitTo(({ socket }) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${http(200, accepted())}`),
    );
    expect(result?.kind).toBe('accepted');
  });
});

describe('a worker that stops', () => {
  test('before the connection: nothing is sent', async () => {
    const { result, posts, connections } = await submitTo(() => undefined, yes, AbortSignal.abort());
    expect(result).toEqual({ kind: 'not-sent', because: 'the worker is stopping' });
    expect([posts, connections]).toEqual([0, 0]);
  });

  test('while the answer is awaited: unknown, at once', async () => {
    const stop = new AbortController();
    const { result, posts } = await submitTo(() => stop.abort(new Error('cancelled')), yes, stop.signal);
    expect(result).toEqual({ kind: 'unknown', because: 'the worker is stopping' });
    expect(posts).toBe(1);
  });
});

test('it never throws, whatever it is given', async () => {
  await withBench(
    () => undefined,
    async ({ almara, server, session }) => {
      const proven = await session();
      const broken = {
        ...order,
        get payer(): never {
          throw new Error('boom');
        },
      };
      expect(await almara.submitPayment(broken, proven, yes)).toEqual({
        kind: 'not-sent',
        because: 'a fault of our own while sending',
      });
      expect(server.requests).toEqual([]);
    },
  );
});

test('the environment’s proxy is not asked', async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    HTTP_PROXY: 'http://127.0.0.1:9',
    http_proxy: 'http://127.0.0.1:9',
    NODE_USE_ENV_PROXY: '1',
  });
  try {
    const { result } = await submitTo(({ socket }) => socket.write(http(200, accepted())));
    expect(result?.kind).toBe('accepted');
  } finally {
    process.env = before;
  }
});

function drip(socket: net.Socket): void {
  socket.write(http(200, '', { 'content-length': '100000' }));
  const timer = setInterval(() => socket.write(' '), 50);
  socket.once('close', () => clearInterval(timer));
}

/** Long, but slower than the deadline: only who stops reading at the limit learns that it is too long. */
function flood(socket: net.Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  const timer = setInterval(() => socket.write(' '.repeat(20_000)), 20);
  socket.once('close', () => clearInterval(timer));
}
