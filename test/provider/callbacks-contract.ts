import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { CallbackReading } from '../../src/payment/observation';
import type { ProviderCallbacks } from '../../src/payment/provider';

/** The callbacks' half of the provider's contract: an address that only we can make, and a reading of whatever comes there. */

export interface CallbacksUnderTest {
  readonly callbacks: ProviderCallbacks;
  /** The same with a key that is not ours. */
  readonly otherCallbacks: ProviderCallbacks;
}

export interface CallbackSamples {
  readonly bodies: readonly {
    readonly name: string;
    readonly body: (paymentId: string) => unknown;
    readonly reads: Partial<CallbackReading>;
  }[];
}

const BASE = 'https://callbacks.example.com/bills';

export function describeCallbacks({ bodies }: CallbackSamples, opened: () => CallbacksUnderTest): void {
  const paymentId = randomUUID();
  const url = (): string => opened().callbacks.urlOf(BASE, paymentId);
  const token = (): string => url().split('/').at(-1) ?? '';

  test('an address is the base, the path, the payment id and a token', () => {
    const { path } = opened().callbacks;
    expect(path).toMatch(/^(\/[a-z0-9-]+)+$/);
    expect(url()).toBe(`${BASE}${path}/${paymentId}/${token()}`);
    expect(token()).toMatch(/^[\w.~-]{20,}$/);
    expect(opened().callbacks.urlOf(`${BASE}/`, paymentId)).toBe(url());
  });

  test.each([
    'callbacks.example.com',
    'ftp://callbacks.example.com',
    'https://u:p@x.example',
    `https://x.example/?a=1`,
  ])('there is none under %s', (base) => {
    expect(() => opened().callbacks.urlOf(base, paymentId)).toThrow(/callback/);
  });

  test('nor under a base that makes it longer than the provider takes', () => {
    expect(() => opened().callbacks.urlOf(`https://${'long.'.repeat(2_000)}example.com`, paymentId)).toThrow(
      /callback/,
    );
  });

  test('a token is authentic for its payment alone, and in one spelling', () => {
    const { callbacks, otherCallbacks } = opened();
    expect(callbacks.isAuthentic(paymentId, token())).toBe(true);
    expect(callbacks.isAuthentic(randomUUID(), token())).toBe(false);
    expect(otherCallbacks.isAuthentic(paymentId, token())).toBe(false);
    for (let at = 0; at < token().length; at += 1) {
      const changed = `${token().slice(0, at)}${token()[at] === 'A' ? 'B' : 'A'}${token().slice(at + 1)}`;
      expect(callbacks.isAuthentic(paymentId, changed)).toBe(false);
    }
    for (const wrong of ['', ' ', `${token()} `, token().slice(1), token().repeat(100)])
      expect(callbacks.isAuthentic(paymentId, wrong)).toBe(false);
    fc.assert(fc.property(fc.string(), (text) => !callbacks.isAuthentic(paymentId, text)));
  });

  test('a text without the token keeps all else', () => {
    const { callbacks } = opened();
    const body = { callback: url(), amount: 220, note: `see ${url()}` };
    const clean = callbacks.withoutToken(JSON.stringify(body));
    expect(clean).not.toContain(token());
    expect(JSON.parse(clean)).toMatchObject({ amount: 220 });
    expect(callbacks.withoutToken('nothing of ours')).toBe('nothing of ours');
  });

  test.each(bodies)('a body is read: $name', ({ body, reads }) => {
    expect(opened().callbacks.read(body(paymentId))).toEqual({
      kind: 'callback',
      paymentId,
      reading: expect.objectContaining(reads),
    });
  });

  test('whatever comes is read, and what no one can read is unreadable', () => {
    const { callbacks } = opened();
    for (const body of [null, 7, 'paid', [], {}, { paymentId }])
      expect(callbacks.read(body)).toEqual({ kind: 'unreadable', because: expect.stringMatching(/\S/) });
    fc.assert(
      fc.property(fc.anything(), (body) => ['callback', 'unreadable'].includes(callbacks.read(body).kind)),
      { numRuns: 500 },
    );
  });
}
