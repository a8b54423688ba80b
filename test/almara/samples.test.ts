import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpAnswer } from '../../src/almara/answers';
import {
  readAccount,
  readDueBill,
  readSavedNumber,
  readSavedReceipt,
  readServices,
} from '../../src/almara/bill-readings';
import { readCallback } from '../../src/almara/callback';
import { readHealth, readRoutes, readWallet } from '../../src/almara/platform-readings';
import { readLook, readSubmission } from '../../src/almara/readings';
import { createRequests } from '../../src/almara/wire';
import { ProviderRefusal, ProviderTrouble } from '../../src/payment/provider';
import { settingsFor } from './raw-server';

const sample = (name: string): string =>
  readFileSync(path.join(__dirname, '../fixtures/almara', `${name}.json`), 'utf8');
const answer = (text: string, status = 200): HttpAnswer => ({ status, text, truncated: false });
const answers = (name: string, status = 200) => answer(sample(name), status);
const callback = (name: string) => readCallback(JSON.parse(sample(name)));

describe('every sample body of the documents is read', () => {
  test('the payment request is what we send, key for key', () => {
    const printed = JSON.parse(sample('payment-request')) as Record<string, unknown>;
    const { body: sent } = createRequests(settingsFor('https://api.example.com')).payment({
      paymentId: '{{$guid}}',
      serviceId: 'bc97d2b1-4828-f111-bc5a-0e7d952d79b7',
      accountNumber: '1111111',
      amount: 15,
      currency: 'KES',
      country: 'KE',
      payer: { name: 'IRINA MUTHONI', msisdn: '254710000000' },
      description: 'Bill Payment NEW',
      narration: 'Testing',
      saveBillerNumber: true,
      callbackUrl: 'https://bright-sparrow-356.webhook.cool',
    });
    expect(JSON.parse(sent)).toEqual(printed);
    const generated = Object.keys(JSON.parse(sample('payment-request-generated')) as object);
    const ours = Object.keys(JSON.parse(sent) as object).map((key) => (key === 'ServiceId' ? 'serviceCode' : key));
    expect(ours.filter((key) => key !== 'routeId').sort()).toEqual(generated.sort());
  });

  test.each([
    ['payment-accepted-2021', 'j88tyg1sb3man64gyoqu', '7f520000-0e89-0ee0-e237-08d992be8d55'],
    ['payment-accepted-2026', 'd695e5e7-8a3e-4d60-aae3-731bb81f95d1', '01000000-0011-0a00-e628-08de96df5787'],
  ])('%s is an acceptance, whatever its codes', (name, paymentId, providerId) => {
    expect(readSubmission(answers(name), paymentId, [])).toEqual({ kind: 'accepted', providerId });
  });

  test('find-payment is a failed payment, though its statusCode is 0', () => {
    expect(readLook(answers('find-payment'))).toEqual({
      kind: 'record',
      state: 'failed',
      said: 'failed (status 6)',
      isPayment: true,
      paymentId: '68022bce-0453-45f9-a897-047db75fc39e',
      amount: 15,
      accountNumber: '1111111',
      currency: 'KES',
      providerId: '01000000-0012-0a00-aace-08de8fba4f88',
      receipt: {},
    });
  });

  test('the generated example {} is not found', () => {
    expect(readLook(answers('find-payment-generated')).kind).toBe('not-found');
    expect(
      readSavedNumber(answers('find-bill-number-generated'), { serviceId: 's', accountNumber: 'a' }),
    ).toBeUndefined();
  });

  test('payment-callback is a claim to be paid, with the biller’s receipt', () => {
    expect(callback('payment-callback')).toEqual({
      kind: 'callback',
      paymentId: 'eb9d3597-1e6b-4339-8ce0-4c21532008be',
      reading: {
        tells: 'result',
        claims: 'paid',
        code: { value: '0', meaning: 'success' },
        amount: 220,
        accountNumber: '111832',
        currency: 'KES',
        providerId: '01000000-005c-0a00-9a73-08de9e9b1b7c',
        receipt: { number: 'S575998' },
        said: 'completed (status 4), code 0 (success)',
      },
    });
  });

  test('payment-callback-flat is a hint and no more', () => {
    expect(callback('payment-callback-flat')).toEqual({
      kind: 'callback',
      paymentId: '2EJZQA1TOEO8KIYF28UB',
      reading: {
        tells: 'receipt',
        claims: 'unclear',
        providerId: '7f520000-0e89-0ee0-412f-08d992551076',
        receipt: { number: '59993790', narration: 'Payment accepted successfuly' },
        said: 'older callback, code 0',
      },
    });
  });

  test('the answers about bills', () => {
    expect(readAccount(answers('account-validation-2021'), [])).toEqual({ kind: 'valid', customerName: 'Githithu' });
    expect(readDueBill(answers('bill-query-2021'), [])).toEqual({
      customerName: 'JOSEPH GITHITHU',
      dueAmount: 1074,
      dueDate: '2021-10-26 00:00:00',
      currency: 'KES',
    });
    expect(readSavedNumber(answers('find-bill-number'), { serviceId: 's', accountNumber: '104963' })).toEqual({
      serviceId: '860a26ce-4828-f111-bc5a-0e7d952d79b8',
      accountNumber: '104963',
      customerName: 'EXECUTIVE CONCEPTS',
      phoneNumber: '254718621991',
      lastKnownBalance: 2697,
      dueDate: '2021-10-18 00:00:00',
      verified: true,
      serviceName: 'KPLC POSTPAID',
      category: 'ELECTRICITY',
    });
    expect(readSavedReceipt(answers('documented-bill-number-saved'), [])).toEqual({
      customerName: 'EXECUTIVE CONCEPTS',
      lastKnownBalance: 231.56,
      dueDate: '2020-07-03',
      verified: true,
    });
  });

  test('the answers about our account', () => {
    expect(readRoutes(answers('documented-routes'))).toEqual([
      { id: '068d89af-be67-f011-bb46-0e7d952d79b7', category: '1', description: 'Bank Transfer', active: true },
    ]);
    expect(readWallet(answers('documented-wallet-balance'))).toEqual({
      balances: [{ type: 'Utility', balance: 10000 }],
    });
    expect(readWallet(answer('{"balance":"12.50"}'))).toEqual({ balances: [{ balance: 12.5 }] });
    expect(readHealth(answer('Healthy\n'))).toBe('Healthy');
  });

  test('the documented error shapes, on the account validation and on the look', () => {
    const reason = 'Account number number is invalid.';
    expect(readAccount(answers('documented-error-reason', 400), [])).toEqual({ kind: 'invalid', reason });
    expect(readAccount(answers('documented-error-validation', 400), [])).toMatchObject({ kind: 'invalid' });
    expect(readAccount(answers('documented-error-account-validation', 400), [])).toMatchObject({ kind: 'invalid' });
    expect(() => readAccount(answers('documented-error-fields', 400), [])).toThrow(ProviderRefusal);
    for (const status of [200, 400, 404]) {
      expect(readLook(answers('documented-error-not-found', status)).kind).toBe('not-found');
    }
  });
});

describe('the tolerated forms of bill answers', () => {
  const message = (fields: object) => answer(JSON.stringify({ message: fields }));

  test.each([
    [{ active: 'Valid' }, 'valid'],
    [{ active: 'valid', responseCode: '000' }, 'valid'],
    [{ responseCode: '0' }, 'valid'],
    [{ active: 'Invalid', statusCode: 0 }, 'invalid'],
    [{ statusCode: 6 }, 'invalid'],
  ])('%j is %s', (fields, kind) => {
    expect(readAccount(message(fields), []).kind).toBe(kind);
  });

  test.each([
    {},
    { active: 'Unknown' },
    { active: 'Unknown', statusCode: 0 },
    { statusCode: -1 },
    { active: 'Valid', statusCode: 6 },
    { active: 'Valid', responseCode: '14' },
  ])('%j declines nothing: it says neither valid nor invalid', (fields) => {
    expect(() => readAccount(message(fields), [])).toThrow(ProviderTrouble);
  });

  test('a refusal about our route is no statement about the account', () => {
    const text = sample('documented-error-validation').replaceAll('AccountNumber', 'RouteId');
    expect(() => readAccount(answer(text, 400), [])).toThrow(ProviderRefusal);
  });

  test('-1 is "not available"', () => {
    expect(readDueBill(message({ dueAmount: -1.0, dueDate: '-1', currency: null, customerName: '' }), [])).toEqual({});
    expect(readDueBill(message({ dueAmount: '15.50', accountCustomerName: 'A' }), [])).toEqual({
      customerName: 'A',
      dueAmount: 15.5,
    });
  });

  const service = {
    serviceId: 'g-1',
    serviceTypeDescription: 'KPLC POSTPAID',
    serviceCategoryDescription: 'ELECTRICITY',
    serviceType: 2,
  };
  const read = { serviceId: 'g-1', name: 'KPLC POSTPAID', category: 'ELECTRICITY' };
  test.each([
    [[service], [read]],
    [{ services: [service] }, [read]],
    [{ message: { services: [service] } }, [read]],
    [[{ id: 7, name: 'ZUKU' }, 'junk', null, {}], [{ serviceId: '7', name: 'ZUKU' }]],
    [[{ serviceID: 2 }], [{ serviceId: '2', name: '2' }]],
    [[], []],
  ])('services in %j', (body, services) => {
    expect(readServices(answer(JSON.stringify(body)))).toEqual(services);
  });

  test.each([{}, null, 'x', [1, 2], { a: [service], b: [service] }])('no services in %j', (body) => {
    expect(() => readServices(answer(JSON.stringify(body)))).toThrow(ProviderTrouble);
  });

  test('routes under either spelling of their integration, unreadable ones left out', () => {
    expect(
      readRoutes(answer('{"message":{"routes":[{"id":"r","routeIntegration":"X","category":2},{"no":"id"}]}}')),
    ).toEqual([{ id: 'r', category: '2', active: false }]);
    expect(() => readRoutes(answer('{}'))).toThrow(ProviderTrouble);
    expect(() => readWallet(answer('{}'))).toThrow(ProviderTrouble);
    expect(() => readHealth(answer('<html>'))).toThrow(ProviderTrouble);
  });

  test('an unknown bill number is nothing saved', () => {
    const bill = { serviceId: 's', accountNumber: '1' };
    for (const [text, status] of [
      ['', 404],
      ['<html>', 404],
      ['', 200],
      ['null', 200],
      [sample('documented-error-reason'), 400],
    ] as const) {
      expect(readSavedNumber(answer(text, status), bill)).toBeUndefined();
    }
    expect(() => readSavedNumber(answers('documented-error-validation', 400), bill)).toThrow(ProviderRefusal);
    expect(() => readSavedNumber(answer('<html>'), bill)).toThrow(ProviderTrouble);
  });
});
