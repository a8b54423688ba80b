import fc from 'fast-check';
import { fingerprint } from '../../src/payment/fingerprint';
import { checkRequest, type BillPaymentRequest, type CheckedRequest } from '../../src/payment/request';

const request: BillPaymentRequest = {
  paymentId: 'payment-0001',
  serviceId: 's-1',
  accountNumber: '14285',
  amount: 220,
  payer: { name: 'A Payer', msisdn: '254712345678' },
  description: 'A bill',
};

function checked(changes: object = {}): CheckedRequest {
  const result = checkRequest({ ...request, ...changes }, { allowTestPolicy: true });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.request;
}

const text = fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
const contents = fc.record(
  {
    serviceId: text,
    accountNumber: text,
    amount: fc.integer({ min: 1 }),
    currency: fc.constantFrom('KES', 'USD', 'UGX'),
    country: fc.constantFrom('KE', 'UG'),
    payer: fc.record({ name: text, msisdn: fc.constantFrom('254712345678', '254712345679') }),
    description: text,
    narration: text,
    saveBillerNumber: fc.boolean(),
    fundingAccount: fc.constantFrom('float-1', 'float-2'),
  },
  { requiredKeys: [] },
);

test('the value of v1 is frozen: it is kept for ever in the database', async () => {
  expect(await fingerprint(checked())).toBe('v1:10321afb80fe398d754a4daaca13c9ee7eb6ddc6b4954d4a5b0e10d6e79eb37e');
});

test('the order of the keys is no content, at any depth', async () => {
  await fc.assert(
    fc.asyncProperty(contents, fc.infiniteStream(fc.nat()), async (changes, random) => {
      const shuffled = (object: object): object =>
        Object.fromEntries(
          Object.entries(object)
            .map(([key, value]) => ({
              key,
              value: typeof value === 'object' ? shuffled(value as object) : (value as unknown),
              at: random.next().value as number,
            }))
            .sort((a, b) => a.at - b.at)
            .map(({ key, value }) => [key, value]),
        );
      const one = checked(changes);
      expect(await fingerprint(shuffled(one) as CheckedRequest)).toBe(await fingerprint(one));
    }),
  );
});

test('how it is carried out and shown is no content, and a default is the same as nothing', async () => {
  await fc.assert(
    fc.asyncProperty(contents, async (changes) => {
      const plain = await fingerprint(checked(changes));
      expect(
        await fingerprint(checked({ ...changes, policy: { pollInterval: '20 seconds' }, serviceName: 'KPLC' })),
      ).toBe(plain);
      const defaults = { currency: 'KES', country: 'KE', saveBillerNumber: false, ...changes };
      expect(await fingerprint(checked(defaults))).toBe(plain);
      expect(
        await fingerprint({
          ...checked(changes),
          narration: checked(changes).narration,
          later: undefined,
        } as CheckedRequest),
      ).toBe(plain);
    }),
  );
});

test('G8: two contents have one fingerprint only if they are equal', async () => {
  await fc.assert(
    fc.asyncProperty(contents, contents, async (one, other) => {
      const [a, b] = [checked(one), checked(other)];
      let equal = true;
      try {
        expect(a).toEqual(b);
      } catch {
        equal = false;
      }
      expect((await fingerprint(a)) === (await fingerprint(b))).toBe(equal);
    }),
  );
});

test.each([
  { amount: 221 },
  { currency: 'USD' },
  { country: 'UG' },
  { saveBillerNumber: true },
  { narration: 'May' },
  { fundingAccount: 'float-1' },
  { payer: { name: 'A Payer', msisdn: '254712345679' } },
  { paymentId: 'payment-0002' },
])('G8: %j is other content', async (changes) => {
  expect(await fingerprint(checked(changes))).not.toBe(await fingerprint(checked()));
});
