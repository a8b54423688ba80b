import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpAnswer } from '../../src/almara/answers';
import { readLook, readSubmission } from '../../src/almara/readings';

const PAYMENT = 'payment-0001';
const answer = (text: string, status = 200, truncated = false): HttpAnswer => ({ status, text, truncated });
const json = (value: unknown, status = 200) => answer(JSON.stringify(value), status);
const sample = (name: string) => readFileSync(path.join(__dirname, '../fixtures/almara', `${name}.json`), 'utf8');

const record = {
  originatorConversationId: PAYMENT,
  systemConversationId: 'sys-1',
  transactionType: 2,
  amount: 220,
  accountNumber: '111832',
  currencyCode: 'KES',
  status: 4,
};

/** Shape 1, 2 and 3 of the documented errors, about something other than the id. */
const shape1 = (errors: unknown = { AccountNumber: ['The AccountNumber field is required.'] }) => ({
  errors,
  type: 'https://tools.ietf.org/html/rfc7231#section-6.5.1',
  title: 'One or more validation errors occurred.',
  status: 400,
  traceId: '00-1-1-00',
});
const shape2 = {
  appDomainName: 'LIVE',
  systemConversationId: 's',
  originatorConversationId: PAYMENT,
  reason: 'Account number number is invalid.',
};
const shape3 = (errors: unknown = [{ field: 'AccountNumber', message: 'is not known' }]) => ({
  appDomainName: 'LIVE',
  status: 'BadRequest',
  systemConversationId: 's',
  originatorConversationId: PAYMENT,
  errors,
});
const HTML = '<html><body>Bad Request</body></html>';
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('the look', () => {
  test.each([
    [4, 'completed', 'completed (status 4)'],
    ['4', 'completed', 'completed (status 4)'],
    [6, 'failed', 'failed (status 6)'],
    [7, 'pending', 'rejected (status 7)'],
    [0, 'pending', 'pending (status 0)'],
    [1, 'pending', 'pending (status 1)'],
    [999999, 'pending', 'pending (status 999999)'],
    [4.5, 'pending', 'pending (no readable status)'],
    ['4x', 'pending', 'pending (no readable status)'],
    ['Completed', 'pending', 'pending (no readable status)'],
    [null, 'pending', 'pending (no readable status)'],
    [[4], 'pending', 'pending (no readable status)'],
    [{ valueOf: 4 }, 'pending', 'pending (no readable status)'],
    [true, 'pending', 'pending (no readable status)'],
    [1e308, 'pending', 'pending (no readable status)'],
  ])('status %j is %s', (status, state, said) => {
    expect(readLook(json({ ...record, status }))).toMatchObject({ kind: 'record', state, said });
  });

  test.each([
    ['bare', record],
    ['in an envelope', { message: record }],
    ['alone in a list', [record]],
    ['alone in a list in an envelope', { message: [record] }],
  ])('a record %s is read', (_, body) => {
    expect(readLook(json(body))).toEqual({
      kind: 'record',
      state: 'completed',
      said: 'completed (status 4)',
      isPayment: true,
      paymentId: PAYMENT,
      amount: 220,
      accountNumber: '111832',
      currency: 'KES',
      providerId: 'sys-1',
      receipt: {},
    });
  });

  test.each([
    ['220.00', 220],
    ['220', 220],
    [220.5, 220.5],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['2e2', undefined],
    ['0x10', undefined],
    ['', undefined],
    [null, undefined],
    [1e300, undefined],
    [[220], undefined],
    ['99999999999999999999999', undefined],
  ])('amount %j is %s', (amount, read) => {
    const looked = readLook(json({ ...record, amount }));
    expect(looked).toMatchObject({ kind: 'record' });
    expect('amount' in looked ? looked.amount : undefined).toBe(read);
  });

  test.each([
    [404, ''],
    [404, sample('documented-error-not-found')],
    [400, ''],
    [400, JSON.stringify(shape1())],
    [200, '{}'],
    [200, 'null'],
    [200, '[]'],
    [200, '[null]'],
    [200, '{"message":null}'],
    [200, '{"message":{}}'],
    [200, '{"status":null,"originatorConversationId":null}'],
    [200, sample('documented-error-not-found')],
  ])('%i %s is not found', (status, text) => {
    expect(readLook(answer(text, status)).kind).toBe('not-found');
  });

  test.each([
    ['nothing', answer('')],
    ['nothing, 204', answer('', 204)],
    ['a web page', answer(HTML)],
    ['a web page that says 404', answer(HTML, 404)],
    ['half a body', answer(JSON.stringify(record).slice(0, 60))],
    ['a body cut at the limit', answer(JSON.stringify(record), 200, true)],
    ['two records', json([record, record])],
    ['a number', answer('4')],
    ['a word', json('Completed')],
    ['a status without any id', json({ status: 4 })],
    ['problem details with 200', json({ type: 'x', title: 'Not Found', status: 404 })],
    ['shape 1 with 200', json(shape1())],
    ['shape 2 with 200', json(shape2)],
    ['shape 3 with 200', json(shape3())],
    ['an error that carries a status', json({ ...record, errors: [] })],
    ['an envelope that only talks', json({ message: 'ok' })],
    ['a hundred thousand levels', answer(deep(100_000))],
    ['ids of wrong types', json({ originatorConversationId: [PAYMENT], systemConversationId: {}, status: 4 })],
    ['a record by inheritance', answer('{"__proto__":{"originatorConversationId":"payment-0001","status":4},"a":1}')],
    ['an envelope in an envelope', json({ message: { message: record } })],
  ])('%s is unreadable, and never a guess', (_, looked) => {
    expect(readLook(looked).kind).toBe('unreadable');
  });

  test('a record under another id is still a record, with that id as sent', () => {
    expect(readLook(json({ ...record, originatorConversationId: 'PAYMENT-0001' }))).toMatchObject({
      paymentId: 'PAYMENT-0001',
    });
    expect(readLook(json({ ...record, originatorConversationId: 123456 }))).toMatchObject({ paymentId: '123456' });
  });

  test('only transactionType 2 is a payment', () => {
    for (const transactionType of [1, 3, null, '2 ', 'payment', undefined]) {
      const looked = readLook(json({ ...record, transactionType }));
      expect(looked).toMatchObject({ kind: 'record', isPayment: transactionType === '2 ' });
    }
  });

  test('a receipt is whole or not there at all', () => {
    const receiptOf = (fields: object) => {
      const looked = readLook(json({ ...record, ...fields }));
      return looked.kind === 'record' ? looked.receipt : undefined;
    };
    expect(receiptOf({ receiptNumber: '59993790', receiverNarration: 'Paid\u0000\n well' })).toEqual({
      number: '59993790',
      narration: 'Paid well',
    });
    expect(receiptOf({ receiptNumber: '', receiverNarration: null })).toEqual({});
    expect(receiptOf({ receiptNumber: 'x'.repeat(5000) })).toEqual({});
  });

  test('values far longer than any of ours are not there', () => {
    const looked = readLook(json({ ...record, accountNumber: '1'.repeat(10_000), currencyCode: 'K'.repeat(10_000) }));
    expect(looked).not.toHaveProperty('accountNumber');
    expect(looked).not.toHaveProperty('currency');
  });
});

describe('the payment POST', () => {
  const submissionOf = (looked: HttpAnswer) =>
    readSubmission(looked, PAYMENT, ['IRINA MUTHONI', '254710000000', 'AB-77']);
  const accepted = (message: object, status = 200) => json({ message }, status);

  test.each([200, 201, 202])('%i with both ids is an acceptance, and its codes mean nothing', (status) => {
    const message = {
      originatorConversationId: PAYMENT.toUpperCase(),
      systemConversationId: 'sys-1',
      statusCode: -1,
      responseCode: '6',
    };
    expect(submissionOf(accepted(message, status))).toEqual({ kind: 'accepted', providerId: 'sys-1' });
  });

  test.each([
    ['no provider id', accepted({ originatorConversationId: PAYMENT })],
    ['an empty provider id', accepted({ originatorConversationId: PAYMENT, systemConversationId: ' ' })],
    ['no payment id', accepted({ systemConversationId: 's' })],
    ['another payment id', accepted({ originatorConversationId: 'payment-0002', systemConversationId: 's' })],
    ['ids without an envelope', json({ originatorConversationId: PAYMENT, systemConversationId: 's' })],
    ['nothing', answer('')],
    ['a web page', answer(HTML)],
    ['a body cut at the limit', answer(JSON.stringify({ message: record }), 200, true)],
    ['a hundred thousand levels', answer(deep(100_000))],
  ])('2xx with %s is unknown', (_, looked) => {
    expect(submissionOf(looked).kind).toBe('unknown');
  });

  test.each([
    ['shape 1', json(shape1(), 400)],
    ['shape 1 with several fields', json(shape1({ AccountNumber: ['a', 'b'], Amount: ['c'] }), 400)],
    ['shape 1 about the account', answer(sample('documented-error-validation'), 400)],
    ['shape 3', json(shape3(), 400)],
    ['shape 3 without a status', json({ ...shape3(), status: undefined }, 400)],
    ['shape 3 without ids', json({ errors: [{ field: 'Amount', message: 'too high' }] }, 400)],
    ['an account that does not exist', json(shape3([{ field: 'AccountNumber', message: 'does not exist' }]), 400)],
  ])('400 in %s is a clear refusal', (_, looked) => {
    expect(submissionOf(looked).kind).toBe('rejected');
  });

  const duplicates = [
    'OriginatorConversationId',
    'originatorConversationId',
    '$.originatorConversationId',
    'model.OriginatorConversationId',
    'originator_conversation_id',
    'ORIGINATOR CONVERSATION ID',
    'request[0].originatorconversationid',
  ];
  test.each(duplicates)('400 about %s is unknown: an earlier request may be meant', (field) => {
    expect(submissionOf(json(shape1({ [field]: ['is not good'] }), 400)).kind).toBe('unknown');
    expect(submissionOf(json(shape1({ AccountNumber: ['x'], [field]: ['is not good'] }), 400)).kind).toBe('unknown');
    expect(submissionOf(json(shape3([{ field, message: 'is not good' }]), 400)).kind).toBe('unknown');
    expect(submissionOf(json(shape3([{ field: 'Amount', message: `see ${field}` }]), 400)).kind).toBe('unknown');
  });

  test.each([
    'Duplicate request',
    'This transaction already exists',
    'The reference must be unique',
    'An id may not be reused',
    'A payment is in progress',
  ])('400 that says "%s" is unknown', (message) => {
    expect(submissionOf(json(shape1({ Request: [message] }), 400)).kind).toBe('unknown');
    expect(submissionOf(json(shape3([{ field: 'Request', message }]), 400)).kind).toBe('unknown');
    expect(submissionOf(json({ ...shape1(), title: message }, 400)).kind).toBe('unknown');
  });

  test.each([
    ['nothing', answer('', 400)],
    ['a web page', answer(HTML, 400)],
    ['shape 2', json(shape2, 400)],
    ['shape 4', answer(sample('documented-error-not-found'), 400)],
    ['shape 5', answer(sample('documented-error-account-validation'), 400)],
    ['shape 1 without errors', json(shape1({}), 400)],
    ['shape 1 with an empty list', json(shape1({ AccountNumber: [] }), 400)],
    ['shape 1 with a word for a list', json(shape1({ AccountNumber: 'required' }), 400)],
    ['shape 1 with one bad list', json(shape1({ AccountNumber: ['required'], Amount: [7] }), 400)],
    ['shape 1 with an unnamed field', json(shape1({ '': ['A body is required.'] }), 400)],
    ['shape 1 with another status', json({ ...shape1(), status: 500 }, 400)],
    ['shape 1 without a status', json({ ...shape1(), status: undefined }, 400)],
    ['shape 1 without a title', json({ ...shape1(), title: undefined }, 400)],
    [
      'shape 1 with __proto__',
      answer(JSON.stringify(shape1()).replace('"AccountNumber"', '"__proto__":["x"],"AccountNumber"'), 400),
    ],
    ['shape 3 without errors', json(shape3([]), 400)],
    ['shape 3 with an unnamed field', json(shape3([{ field: '', message: 'x' }]), 400)],
    ['shape 3 with one bad error', json(shape3([{ field: 'Amount', message: 'x' }, 'and more']), 400)],
    ['shape 3 with another status', json({ ...shape3(), status: 'Conflict' }, 400)],
    ['shape 3 about another payment', json({ ...shape3(), originatorConversationId: 'payment-0002' }, 400)],
    ['shape 3 with a wrong id', json({ ...shape3(), originatorConversationId: 5 }, 400)],
    ['two shapes at once', json({ ...shape3(), reason: 'and this' }, 400)],
    ['a refusal in an envelope', json({ message: shape3() }, 400)],
    ['half a body', answer(JSON.stringify(shape1()).slice(0, -1), 400)],
    ['a body cut at the limit', answer(JSON.stringify(shape1()), 400, true)],
    [
      'the same key twice',
      answer(
        '{"errors":{"OriginatorConversationId":["duplicate id"]},"errors":{"A":["b"]},"title":"t","status":400}',
        400,
      ),
    ],
    ['an acceptance with 400', json({ message: record }, 400)],
  ])('400 with %s is unknown', (_, looked) => {
    expect(submissionOf(looked).kind).toBe('unknown');
  });

  test('G2: of every status with every documented body, only a clear 400 rejects', () => {
    const bodies = {
      empty: '',
      html: HTML,
      shape1: JSON.stringify(shape1()),
      shape2: JSON.stringify(shape2),
      shape3: JSON.stringify(shape3()),
      duplicate: sample('documented-error-fields').replaceAll('d695e5e7-8a3e-4d60-aae3-731bb81f95d1', PAYMENT),
    };
    const rejecting: string[] = [];
    for (let status = 100; status <= 599; status += 1) {
      for (const [name, text] of Object.entries(bodies)) {
        const submission = submissionOf(answer(text, status));
        if (submission.kind !== 'unknown') rejecting.push(`${status} ${name} ${submission.kind}`);
      }
    }
    expect(rejecting).toEqual(['400 shape1 rejected', '400 shape3 rejected']);
  });

  test('the reasons are for operators: bounded, printable, and nothing personal', () => {
    const message = `Account AB-77 of Irina Muthoni (+254 710 000 000, 'x@y') is bad\u001b[31m\n${'long '.repeat(100)}`;
    const submission = submissionOf(json(shape3([{ field: 'AccountNumber', message }]), 400));
    if (submission.kind !== 'rejected') throw new Error(submission.kind);
    const [reason = ''] = submission.reasons;
    expect(reason).toMatch(/^AccountNumber: Account … of … \(…, …\) is bad /);
    expect(reason.length).toBeLessThanOrEqual(120);
    expect(reason).not.toMatch(/AB-77|irina|muthoni|254|x@y|[\p{Cc}]/iu);
  });
});

describe('whatever comes, the readings answer and guess nothing', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
    fc
      .object({
        key: fc.constantFrom(
          'message',
          'errors',
          'status',
          'originatorConversationId',
          'systemConversationId',
          '__proto__',
          'reason',
          'title',
          'field',
        ),
      })
      .map((value) => JSON.stringify(value)),
  );

  test('arbitrary bytes never read as completed, failed, accepted or rejected', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 100, max: 999 }), fc.boolean(), (text, status, truncated) => {
        const looked = readLook(answer(text, status, truncated));
        expect(looked.kind === 'record' ? looked.state : 'pending').toBe('pending');
        expect(readSubmission(answer(text, status, truncated), PAYMENT, []).kind).toBe('unknown');
      }),
      { numRuns: 2000 },
    );
  });

  test('a record is completed or failed only by its status, whatever stands beside it', () => {
    const noise = fc.dictionary(
      fc.constantFrom(
        'amount',
        'statusCode',
        'message',
        'active',
        'receiptNumber',
        'x',
        'transactionStatusDescription',
      ),
      fc.jsonValue(),
    );
    const statuses = fc.oneof(fc.constantFrom<unknown>(4, 6, '4', '6', ' 4 ', 4.0, '04', true, null), fc.jsonValue());
    fc.assert(
      fc.property(noise, statuses, (rest, status) => {
        const looked = readLook(json({ ...rest, originatorConversationId: PAYMENT, status }));
        const trimmed = typeof status === 'string' || typeof status === 'number' ? String(status).trim() : '';
        const number = /^-?0*4$/.test(trimmed) ? 'completed' : /^0*6$/.test(trimmed) ? 'failed' : 'pending';
        expect(looked).toMatchObject({ kind: 'record', state: number });
      }),
      { numRuns: 1000 },
    );
  });

  test('only a list of field errors rejects, whatever the errors are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (errors, status, title) => {
        const submission = readSubmission(
          json({ errors, status, title, originatorConversationId: PAYMENT }, 400),
          PAYMENT,
          [],
        );
        expect(submission.kind).toBe('unknown');
      }),
      { numRuns: 1000 },
    );
  });
});
