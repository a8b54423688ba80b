import { inspect } from 'node:util';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createAlmara } from '../../src/almara';
import { AccessToken } from '../../src/almara/token';
import { createLog } from '../../src/log';
import { http, order, settingsFor, startRaw, troubleOf, withBench, type RawRequest } from './raw-server';

/** Tokens over real sockets: kept, shared, renewed, and never printed. */

const sample = (name: string) => readFileSync(path.join(__dirname, '../fixtures/almara', `${name}.json`), 'utf8');
const silent = createLog('test', 'silent');
const always =
  (answer: string) =>
  ({ socket }: RawRequest) =>
    void socket.write(answer);

describe('tokens', () => {
  /** A provider that numbers its tokens and accepts only some. */
  async function withTokens(
    use: (bench: {
      almara: ReturnType<typeof createAlmara>;
      fetched: () => number;
      clock: { now: number };
      accept: { from: number };
    }) => Promise<void>,
    {
      expiresIn = 3600,
      answerToken,
    }: { expiresIn?: number; answerToken?: (request: RawRequest, nth: number) => boolean } = {},
  ) {
    const clock = { now: 1_000_000 };
    const accept = { from: 1 };
    let fetched = 0;
    const server = await startRaw((request) => {
      if (request.head.startsWith('POST /connect/token')) {
        fetched += 1;
        if (answerToken?.(request, fetched)) return;
        request.socket.write(http(200, JSON.stringify({ access_token: `t-${fetched}`, expires_in: expiresIn })));
        return;
      }
      const nth = Number(/Bearer t-(\d+)/.exec(request.head)?.[1] ?? 0);
      request.socket.write(http(nth >= accept.from ? 404 : 401));
    });
    const almara = createAlmara(settingsFor(server.url), { log: silent, now: () => clock.now });
    try {
      await use({ almara, fetched: () => fetched, clock, accept });
    } finally {
      await almara.close();
      await server.close();
    }
  }
  const look = (almara: ReturnType<typeof createAlmara>) => almara.findPayment(order.paymentId);

  test('are asked for as every known client does', async () => {
    await withBench(always(http(404)), async ({ almara, server }) => {
      await look(almara);
      const [asked] = server.requests;
      expect(asked?.head).toMatch(/^POST \/connect\/token HTTP\/1\.1/);
      expect(asked?.head).toMatch(/content-type: application\/x-www-form-urlencoded/i);
      expect(asked?.body).toBe(
        'client_id=client-1&client_secret=secret-1%26%3D&grant_type=client_credentials&scope=PyPay_api',
      );
    });
  });

  test('are kept until a minute before they expire', async () => {
    await withTokens(async ({ almara, fetched, clock }) => {
      expect((await look(almara)).session.expiresAt).toBe(1_000_000 + 3_600_000);
      clock.now += 3_600_000 - 60_001;
      await look(almara);
      expect(fetched()).toBe(1);
      clock.now += 1;
      await look(almara);
      expect(fetched()).toBe(2);
    });
  });

  test('that live shortly are kept for half their life', async () => {
    await withTokens(
      async ({ almara, fetched, clock }) => {
        await look(almara);
        clock.now += 9_999;
        await look(almara);
        expect(fetched()).toBe(1);
        clock.now += 1;
        await look(almara);
        expect(fetched()).toBe(2);
      },
      { expiresIn: 20 },
    );
  });

  test('count their life from before they were asked for', async () => {
    let ticks = 0;
    await withBench(
      always(http(404)),
      async ({ almara }) => {
        const { session } = await look(almara);
        expect(session.expiresAt % 3_600_000).toBeLessThan(2_000);
      },
      { now: () => (ticks += 1_000) },
    );
  });

  test('are fetched once for everybody', async () => {
    await withTokens(async ({ almara, fetched }) => {
      await Promise.all(Array.from({ length: 10 }, () => look(almara)));
      expect(fetched()).toBe(1);
    });
  });

  test('one caller’s stop does not end the others’ fetch', async () => {
    const stop = new AbortController();
    await withTokens(
      async ({ almara, fetched }) => {
        const others = look(almara);
        await expect(almara.findPayment(order.paymentId, stop.signal)).rejects.toThrow('stopped');
        expect((await others).observation.kind).toBe('not-found');
        expect(fetched()).toBe(1);
      },
      {
        answerToken: ({ socket }) => {
          stop.abort(new Error('stopped'));
          setImmediate(() => socket.write(http(200, '{"access_token":"t-1","expires_in":3600}')));
          return true;
        },
      },
    );
  });

  test('that failed to come are asked for again', async () => {
    await withTokens(
      async ({ almara, fetched }) => {
        expect(await troubleOf(look(almara))).toMatchObject({ kind: 'server-error', status: 503 });
        expect((await look(almara)).observation.kind).toBe('not-found');
        expect(fetched()).toBe(2);
      },
      { answerToken: ({ socket }, nth) => nth === 1 && socket.write(http(503)) },
    );
  });

  test('refused with 401 are renewed once, and the second 401 is trouble', async () => {
    await withTokens(async ({ almara, fetched, accept }) => {
      await look(almara);
      accept.from = 2;
      await look(almara);
      expect(fetched()).toBe(2);
      accept.from = 99;
      expect(await troubleOf(look(almara))).toMatchObject({ kind: 'unauthorized', status: 401 });
      expect(fetched()).toBe(3);
    });
  });

  test('of many callers refused at once are renewed once: an old 401 spares the newer token', async () => {
    await withTokens(async ({ almara, fetched, accept }) => {
      await look(almara);
      accept.from = 2;
      await Promise.all(Array.from({ length: 10 }, () => look(almara)));
      expect(fetched()).toBe(2);
    });
  });

  test.each([
    [http(400, sample('documented-error-client')), 'unauthorized'],
    [http(401), 'unauthorized'],
    [http(403), 'forbidden'],
    [http(429), 'rate-limited'],
    [http(404, '<html>'), 'unexpected-status'],
    [http(200, '<html>'), 'unreadable'],
    [http(200, '{}'), 'unreadable'],
    [http(200, '{"access_token":"t"}'), 'unreadable'],
    [http(200, '{"access_token":"t","expires_in":0}'), 'unreadable'],
    [http(200, '{"access_token":"t","expires_in":1e300}'), 'unreadable'],
    [http(200, '{"access_token":"a\\r\\nx: y","expires_in":3600}'), 'unreadable'],
    [http(200, `{"access_token":"${'t'.repeat(20_000)}","expires_in":3600}`), 'unreadable'],
  ])('%j is %s', async (answer, kind) => {
    await withTokens(
      async ({ almara }) => {
        const trouble = await troubleOf(look(almara));
        expect(trouble.kind).toBe(kind);
        expect(trouble.message).not.toMatch(/secret-1|client-1/);
      },
      { answerToken: ({ socket }) => socket.write(answer) },
    );
  });

  test('cannot be printed', async () => {
    await withTokens(async ({ almara }) => {
      const { session } = await look(almara);
      if (!(session instanceof AccessToken)) throw new Error('not a token');
      expect(Object.keys(session)).toEqual(['expiresAt']);
      for (const printed of [
        JSON.stringify({ session }),
        inspect(session),
        inspect({ session }, { showHidden: true }),
        String(session),
      ]) {
        expect(printed).not.toContain('t-1');
      }
    });
  });
});
