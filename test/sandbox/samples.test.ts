import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES, accountOf } from '../../src/sandbox';
import { Caller, json, type Answer, type Json } from './caller';

/**
 * The sandbox's bodies equal the provider's samples: the same keys in the same order with the same values, up to ids, times
 * and the mark of the environment. The requests say what the samples' requests said.
 */

const sample = (name: string): Json =>
  JSON.parse(readFileSync(join(__dirname, '../fixtures/almara', name), 'utf8')) as Json;

/** Keys whose values are ids or times in every body, and the environment's mark. */
const VARIABLE = new Set([
  'originatorConversationId',
  'OriginatorConversationId',
  'systemConversationId',
  'SystemConversationId',
  'appDomainName',
  'timestamp',
  'datePaymentReceived',
  'reference',
  'ReceiptNumber',
  'callbackUrl',
  'callbackURL',
  'traceId',
  'access_token',
]);

/** Values of variable keys become their shape: a sample's `…Z` with seven digits only equals another such. */
function shaped(body: unknown, variable: ReadonlySet<string>): string {
  return JSON.stringify(
    body,
    (key, value: unknown) =>
      variable.has(key) && typeof value === 'string' ? `a ${key} like ${shapeOf(value)}` : value,
    2,
  );
}

function shapeOf(value: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/.test(value)) return 'instant';
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(value)) return 'time without zone';
  if (/^https?:/.test(value)) return 'URL';
  return 'text';
}

function expectSample(answer: Answer | Json, name: string, alsoVariable: readonly string[] = []): void {
  const variable = new Set([...VARIABLE, ...alsoVariable]);
  const body = 'headers' in answer ? json(answer as Answer) : answer;
  expect(shaped(body, variable)).toBe(shaped(sample(name), variable));
}

let caller: Caller;
beforeAll(async () => (caller = await Caller.start()));
afterAll(() => caller.close());

/** The documented request, with an id of its own and our receiver. */
const documentedRequest = (id: string, change: Json = {}): Json => ({
  ...sample('payment-request.json'),
  originatorConversationId: id,
  callBackUrl: `${caller.receiver.url}/callbacks/${id}`,
  ...change,
});

test('the documented request is accepted with the documented body', async () => {
  const id = randomUUID();
  const answer = await caller.post('/v1/bill-payments', documentedRequest(id));
  expect(answer.status).toBe(200);
  expectSample(answer, 'payment-accepted-2026.json');
  expect(json(answer)['message']).toMatchObject({ originatorConversationId: id });
});

test('the callback', async () => {
  const id = randomUUID();
  await caller.post(
    '/v1/bill-payments',
    documentedRequest(id, {
      ServiceId: '860a26ce-4828-f111-bc5a-0e7d952d79b7',
      accountNumber: '111832',
      amount: 220,
      narration: 'QA Test',
      saveBillerNumber: false,
    }),
  );
  await caller.sandbox.idle();
  const [received] = caller.receiver.for(id);
  expect(received?.contentType).toBe('application/json');
  expectSample(received?.body ?? {}, 'payment-callback.json');
  expect(received?.body).toMatchObject({
    originatorConversationId: id,
    callbackUrl: `${caller.receiver.url}/callbacks/${id}`,
  });
});

test('the flat callback', async () => {
  const id = randomUUID();
  const account = accountOf('flat-callback');
  await caller.post(
    '/v1/bill-payments',
    documentedRequest(id, { accountNumber: account, customerNames: "Otis Payer's Name" }),
  );
  await caller.sandbox.idle();
  expectSample(caller.receiver.for(id)[0]?.body ?? {}, 'payment-callback-flat.json');
});

test('the record of a failed payment', async () => {
  const id = randomUUID();
  await caller.post('/v1/bill-payments', documentedRequest(id));
  caller.sandbox.setRecord(id, { status: 6 });
  expectSample(await caller.look(id), 'find-payment.json');
});

test('type 3, type 1', async () => {
  expectSample(await caller.validate('1111111'), 'account-validation-2021.json');
  expectSample(await caller.validate(accountOf('bill-due'), 1), 'bill-query-2021.json');
});

test('bill numbers: found, saved, refused', async () => {
  const ServiceId = SERVICES[0]?.serviceId;
  const found = await caller.get(
    `/v1/bill-numbers?ServiceId=${String(ServiceId)}&AccountNumber=${accountOf('bill-due')}`,
  );
  expectSample(found, 'find-bill-number.json', ['serviceId', 'accountNumber']);
  expectSample(
    await caller.post('/v1/bill-numbers', { serviceId: ServiceId, accountNumber: '104963' }),
    'documented-bill-number-saved.json',
  );
  expectSample(await caller.post('/v1/bill-numbers', { serviceId: ServiceId }), 'documented-error-validation.json');
  expectSample(
    await caller.post('/v1/bill-numbers', { serviceId: ServiceId, accountNumber: accountOf('invalid-account') }),
    'documented-error-reason.json',
  );
});

test('errors: duplicate id, not found, wrong client', async () => {
  const id = 'd695e5e7-8a3e-4d60-aae3-731bb81f95d1';
  expectSample(await caller.look(id), 'documented-error-not-found.json');
  expectSample(await caller.pay(id, accountOf('duplicate-id-rejected')), 'documented-error-fields.json');
  expectSample(await caller.askToken({ client_secret: 'wrong' }), 'documented-error-client.json');
});

test('token, routes, balance', async () => {
  expectSample(await caller.askToken(), 'documented-token.json');
  const { routes } = json(await caller.get('/v1/transaction-routes/assigned-routes')) as { routes: Json[] };
  const bank = routes.find((route) => route['categoryDescription'] === 'Bank Transfer');
  expectSample({ routes: [bank] }, 'documented-routes.json', ['id', 'transactionTypeId']);
  const wallet = await caller.get('/v1/customer-accounts/get-wallet-balance?ccy=404');
  expect(Object.keys(json(wallet))).toEqual(Object.keys(sample('documented-wallet-balance.json')));
});
