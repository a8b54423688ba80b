import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { createAlmaraCallbacks, parseKeyRing, readCallback } from '../../src/almara/callback';
import { readResultCode } from '../../src/almara/result-codes';

/** What a callback may say and whose it is (G3, G5): read strictly, believed in nothing but its code and receipt. */

const keyText = (fill: number, bytes = 32) => Buffer.alloc(bytes, fill).toString('base64');
const PAYMENT = 'payment-0001';
const BASE = 'https://pay.example.com';

describe('result codes, strictest edition', () => {
  test.each([
    ['success', [0, '0', '000', ' 0 ', '00']],
    ['refusal', [1, '1', '01', '001', ' 1 ', 2, 5, 6, 7, 15, 17, 18, '19']],
    ['duplicate', [9, '9', '009']],
    ['ambiguous', [-1, '-1', '-01', 3, 4, 8, 10, 11, 12, 13, 14, 16, 20, 21, 22, 999]],
    [
      'ambiguous',
      [
        23,
        100,
        1000,
        '1.0',
        '1e0',
        '+1',
        '0x1',
        'ABC',
        '1 1',
        '1\u200b',
        '１',
        '-0',
        '--1',
        1.5,
        1e300,
        true,
        {},
        [1],
        'toString',
        '__proto__',
      ],
    ],
  ])('%s: %j', (meaning, codes) => {
    for (const code of codes) expect([code, readResultCode(code)?.meaning]).toEqual([code, meaning]);
  });

  test('absent is no code', () => {
    for (const code of [undefined, null, '', '  ']) expect(readResultCode(code)).toBeUndefined();
  });

  test('a code comes back normalised and bounded', () => {
    expect(readResultCode('022')).toMatchObject({ value: '22', words: 'partner timeout' });
    expect(readResultCode('x'.repeat(10_000))?.value.length).toBeLessThanOrEqual(20);
  });
});

describe('reading a callback', () => {
  const nested = (outcome: unknown, rest: object = {}) => ({
    originatorConversationId: PAYMENT,
    billRequestOutcome: outcome,
    ...rest,
  });
  const readingOf = (body: unknown) => {
    const read = readCallback(body);
    if (read.kind !== 'callback') throw new Error(read.because);
    return read.reading;
  };

  test.each([
    [4, '0', 'paid', 'success'],
    ['4', '000', 'paid', 'success'],
    [4, undefined, 'unclear', undefined],
    [4, '1', 'unclear', 'ambiguous'],
    [4, '9', 'unclear', 'duplicate'],
    [4, '14', 'unclear', 'ambiguous'],
    [6, '1', 'failed', 'refusal'],
    [6, '17', 'failed', 'refusal'],
    [6, '9', 'failed', 'duplicate'],
    [6, '22', 'failed', 'ambiguous'],
    [6, undefined, 'failed', undefined],
    [6, '0', 'failed', 'ambiguous'],
    [7, '1', 'unclear', 'ambiguous'],
    [2, '0', 'unclear', 'success'],
    [2, '1', 'unclear', 'ambiguous'],
    [undefined, '1', 'unclear', 'ambiguous'],
    ['Completed', '0', 'unclear', 'success'],
  ])('status %j with code %j claims %s, code %s', (status, resultCode, claims, meaning) => {
    const reading = readingOf(nested({ status, resultCode }));
    expect([reading.claims, reading.code?.meaning]).toEqual([claims, meaning]);
  });

  test('only resultCode counts', () => {
    const outcome = { status: 6, responseCode: '1', thirdPartyPayload: { responseCode: '1' } };
    expect(readingOf(nested(outcome)).code).toBeUndefined();
    expect(readingOf(nested({ ...outcome, resultCode: '14' })).code).toEqual({ value: '14', meaning: 'ambiguous' });
  });

  test('what is said is ours, never the provider’s words', () => {
    expect(readingOf(nested({ status: 6, resultCode: '1', resultDesc: 'IRINA 254710000000' })).said).toBe(
      'failed (status 6), code 1 (insufficient funds)',
    );
    expect(readingOf(nested({ status: 7 })).said).toBe('rejected (status 7), no code');
    expect(readingOf({ originatorConversationId: PAYMENT })).toMatchObject({ claims: 'unclear', receipt: {} });
  });

  const withExtra = (ResponseExtraData: unknown) =>
    nested({ status: 4, resultCode: '0', thirdPartyPayload: { reference: 'S1', extraData: { ResponseExtraData } } });
  const TOKEN = '1234 5678 9012 3456 7890';
  test.each([
    [TOKEN, TOKEN],
    [{ Token: TOKEN }, TOKEN],
    [{ token: TOKEN, units: 3 }, TOKEN],
    [JSON.stringify({ Token: TOKEN }), TOKEN],
    [{ Token: 12345 }, '12345'],
    ['12345678901234567890', '12345678901234567890'],
    [JSON.parse('{"Token":12345678901234567890}'), undefined],
    [JSON.parse('12345678901234567890'), undefined],
    ['{"Token":', undefined],
    [{ Token: '' }, undefined],
    [{ Token: null }, undefined],
    [{ Units: 5 }, undefined],
    ['', undefined],
    ['null', undefined],
    [null, undefined],
    [['x'], undefined],
    ['x'.repeat(5000), undefined],
  ])('extra data %j holds the token %j, in both shapes', (extra, token) => {
    expect(readingOf(withExtra(extra)).receipt).toEqual({ number: 'S1', ...(token !== undefined && { token }) });
    const flat = { OriginatorConversationId: PAYMENT, ResponseExtraData: extra };
    expect(readingOf(flat).receipt).toEqual(token === undefined ? {} : { token });
  });

  test.each([0, '0', 1, -1, null, 'x'])('the flat shape claims nothing, whatever its code %j', (StatusCode) => {
    const reading = readingOf({ OriginatorConversationId: PAYMENT, StatusCode });
    expect(reading.claims).toBe('unclear');
    expect(reading.code).toBeUndefined();
  });

  test.each([
    ['null', null],
    ['a list', [nested({ status: 4 })]],
    ['a word', 'paid'],
    ['nothing', {}],
    ['no id', { billRequestOutcome: { status: 4, resultCode: '0' } }],
    ['an id of the wrong type', nested({ status: 4 }, { originatorConversationId: {} })],
    ['an endless id', nested({ status: 4 }, { originatorConversationId: 'x'.repeat(1000) })],
    ['both shapes at once', { ...nested({ status: 4 }), OriginatorConversationId: PAYMENT }],
    ['an id by inheritance', JSON.parse(`{"__proto__":{"originatorConversationId":"${PAYMENT}"}}`)],
  ])('%s is unreadable', (_, body) => {
    expect(readCallback(body).kind).toBe('unreadable');
  });

  test('whatever comes, it answers; and paid needs status 4 with code 0', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        (body, status, resultCode, thirdPartyPayload) => {
          readCallback(body);
          const reading = readingOf(nested({ status, resultCode, thirdPartyPayload }));
          const text = (value: unknown) =>
            typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
          if (reading.claims === 'paid')
            expect([text(status), text(resultCode)]).toEqual([
              expect.stringMatching(/^0*4$/),
              expect.stringMatching(/^0+$/),
            ]);
          if (reading.claims === 'failed') expect(text(status)).toMatch(/^0*6$/);
          if (reading.code?.meaning === 'refusal') expect(text(status)).toMatch(/^0*6$/);
          expect(reading.said.length).toBeLessThanOrEqual(120);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the signed address', () => {
  const rings = { newer: `k2:${keyText(2)}`, older: `k1:${keyText(1)}` };
  const newer = createAlmaraCallbacks(parseKeyRing(rings.newer));
  const older = createAlmaraCallbacks(parseKeyRing(rings.older));
  const both = createAlmaraCallbacks(parseKeyRing(`${rings.newer}, ${rings.older}`));
  const tokenIn = (url: string) => url.slice(url.lastIndexOf('/') + 1);

  test('is the base, the payment id and its HMAC under the newest key', () => {
    const mac = createHmac('sha256', Buffer.alloc(32, 2)).update(PAYMENT).digest('base64url');
    const expected = `${BASE}/callbacks/almara/${PAYMENT}/k2.${mac}`;
    expect(both.urlOf(BASE, PAYMENT)).toBe(expected);
    expect(both.urlOf(`${BASE}/`, PAYMENT)).toBe(expected);
    expect(both.urlOf(`${BASE}/bills/`, PAYMENT)).toContain('/bills/callbacks/almara/');
  });

  test('older keys verify, unknown ones do not', () => {
    const token = tokenIn(older.urlOf(BASE, PAYMENT));
    expect(both.isAuthentic(PAYMENT, token)).toBe(true);
    expect(newer.isAuthentic(PAYMENT, token)).toBe(false);
  });

  test('a token is for one payment, and for one spelling of itself', () => {
    const token = tokenIn(newer.urlOf(BASE, PAYMENT));
    expect(newer.isAuthentic(PAYMENT, token)).toBe(true);
    expect(newer.isAuthentic('payment-0002', token)).toBe(false);
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(newer.isAuthentic(PAYMENT, token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
      expect(newer.isAuthentic(PAYMENT, token.slice(0, at))).toBe(false);
    }
    for (const wrong of [
      `${token}=`,
      `${token} `,
      token.toUpperCase(),
      token.slice(3),
      `k1${token.slice(2)}`,
      `${token}${'x'.repeat(1000)}`,
      'é'.repeat(token.length),
    ]) {
      expect(newer.isAuthentic(PAYMENT, wrong)).toBe(false);
    }
  });

  test('no string verifies but the token', () => {
    fc.assert(fc.property(fc.string(), (text) => !both.isAuthentic(PAYMENT, text)));
  });

  test('is never longer than the provider takes', () => {
    expect(() => newer.urlOf(`https://${'long.'.repeat(40)}example.com`, PAYMENT)).toThrow(/use a shorter base/);
  });

  test.each([
    'pay.example.com',
    'ftp://pay.example.com',
    'https://u:p@pay.example.com',
    'https://pay.example.com/?a=1',
  ])('refuses the base %s', (base) => {
    expect(() => newer.urlOf(base, PAYMENT)).toThrow(/callback base/);
  });

  test.each([
    ['', /key 1 has no id/],
    [keyText(1), /key 1 has no id/],
    [`K1:${keyText(1)}`, /id of key 1/],
    [`${'a'.repeat(17)}:${keyText(1)}`, /id of key 1/],
    [`k1:${keyText(1)},k2:${keyText(1, 31)}`, /key 2 is shorter than 32 bytes/],
    ['k1:not base64!', /key 1 is not base64/],
    [`k1:${keyText(1)},k1:${keyText(2)}`, /"k1" is used twice/],
    [`k1:${keyText(1)},`, /key 2 has no id/],
  ])('refuses the key ring %j and says what to do', (text, message) => {
    expect(() => parseKeyRing(text)).toThrow(message);
    expect(() => parseKeyRing(text)).not.toThrow(new RegExp(keyText(1).slice(0, 20)));
  });

  test('a key ring prints no key', () => {
    expect(JSON.stringify(parseKeyRing(rings.older))).not.toContain(keyText(1).slice(0, 10));
  });

  test('the token is stripped wherever our address is echoed', () => {
    const url = newer.urlOf(BASE, PAYMENT);
    const token = tokenIn(url);
    const mac = token.slice(3);
    const echoes = [
      JSON.stringify({ callbackUrl: url }),
      JSON.stringify({ callbackUrl: url }).replaceAll('/', String.raw`\/`),
      JSON.stringify({ callbackUrl: url }).replaceAll('/', String.raw`\u002f`),
      JSON.stringify({ inner: JSON.stringify({ callbackUrl: url.replaceAll('/', String.raw`\/`) }) }),
      `see <${url}?x=1> and ${url}`,
      encodeURIComponent(url),
      encodeURIComponent(encodeURIComponent(url)),
      url.toUpperCase(),
      url.slice(0, -5),
    ];
    for (const echo of echoes) {
      const stripped = newer.withoutToken(echo);
      expect(stripped.toUpperCase()).not.toContain(mac.slice(0, 8).toUpperCase());
      expect(stripped).toContain('[removed]');
    }
    expect(JSON.parse(newer.withoutToken(JSON.stringify({ callbackUrl: url, amount: 1 })))).toEqual({
      callbackUrl: `${BASE}/callbacks/almara/${PAYMENT}/[removed]`,
      amount: 1,
    });
    expect(newer.withoutToken('{"callbackUrl":"https://bright-sparrow-35.webhook.cool"}')).toContain('webhook.cool"');
  });

  test('reading callbacks pulls in no HTTP client', () => {
    jest.isolateModules(() => {
      jest.doMock('undici', () => {
        throw new Error('undici was loaded');
      });
      expect(() => jest.requireActual<object>('../../src/almara/callback')).not.toThrow();
      expect(() => jest.requireActual<object>('../../src/almara/client')).toThrow('undici was loaded');
    });
  });
});
