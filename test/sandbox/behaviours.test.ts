import { randomUUID } from 'node:crypto';
import { BEHAVIOUR_NAMES, PREPAID_TOKEN, accountOf, type BehaviourName } from '../../src/sandbox';
import { Caller, json, type Answer, type Json } from './caller';

/** Each behaviour over real HTTP: what a POST gives, what the ledger counts, what comes back, what look-ups show. */

interface Expected {
  readonly validation?: 400;
  readonly before?: readonly Look[];
  readonly post: number | string;
  readonly captured: 0 | 1;
  /** Look-ups at the moment of the POST. */
  readonly atOnce?: readonly Look[];
  /** Status and code of each callback. */
  readonly callbacks: readonly string[];
  /** Look-ups when everything is long over. */
  readonly atLast: readonly Look[];
}
/** HTTP status, or the record's status. */
type Look = 404 | 401 | 429 | 'pending' | 'completed' | 'failed';

const PAID = '4/0';
const paid = { post: 200, captured: 1, atOnce: ['pending'], callbacks: [PAID], atLast: ['completed'] } as const;

const expected: { readonly [Name in BehaviourName]: Expected } = {
  'paid-with-callback': paid,
  'callback-lost': { ...paid, callbacks: [] },
  'callback-before-answer': { ...paid, atOnce: ['completed'] },
  'callback-three-times': { ...paid, callbacks: [PAID, PAID, PAID] },
  'flat-callback': { ...paid, callbacks: ['flat/0'] },
  'premature-callback': { ...paid, atLast: ['pending', 'completed'] },
  'invalid-account': { validation: 400, post: 400, captured: 0, callbacks: [], atLast: [404] },
  rejected: { post: 400, captured: 0, callbacks: [], atLast: [404] },
  'duplicate-id-rejected': { ...paid, post: 400 },
  'failed-refusal': { ...paid, callbacks: ['6/1'], atLast: ['failed'] },
  'failed-ambiguous': { ...paid, callbacks: ['6/14'], atLast: ['failed'] },
  'failed-callback-lost': { ...paid, callbacks: [], atLast: ['failed'] },
  'failed-then-completed': { ...paid, callbacks: ['6/1', PAID], atLast: ['completed'] },
  'post-timeout': { ...paid, post: 'UND_ERR_SOCKET' },
  'post-reset': { ...paid, post: 'ECONNRESET' },
  'post-500': { ...paid, post: 500 },
  'post-429': { ...paid, post: 429 },
  'post-unreadable': paid,
  'reset-before-capture': { post: 'ECONNRESET', captured: 0, atOnce: [404], callbacks: [], atLast: [404] },
  '429-before-capture': { post: 429, captured: 0, atOnce: [404], callbacks: [], atLast: [404] },
  'lookup-429': { ...paid, before: [429, 429, 404] },
  'lookup-401': { ...paid, before: [401, 404] },
  'pending-for-ever': { ...paid, callbacks: [], atLast: ['pending', 'pending'] },
  'not-found-then-paid': { ...paid, atOnce: [404, 404], callbacks: [], atLast: ['completed'] },
  'amount-differs': paid,
  'record-exists': {
    before: ['completed'],
    post: 400,
    captured: 0,
    atOnce: ['completed'],
    callbacks: [],
    atLast: ['completed'],
  },
  prepaid: paid,
  'prepaid-callback-lost': { ...paid, callbacks: [] },
  'bill-due': paid,
};

let caller: Caller;
beforeAll(async () => (caller = await Caller.start()));
afterAll(() => caller.close());

const RECORDS: Record<number, Look> = { 1: 'pending', 4: 'completed', 6: 'failed' };
const read = (answer: Answer): unknown =>
  answer.status === 200 ? RECORDS[Number(json(answer)['status'])] : answer.status;

async function looks(id: string, wanted: readonly Look[] = []): Promise<void> {
  for (const look of wanted) expect(read(await caller.look(id))).toBe(look);
}

const outcomeOf = (body: Json) => body['billRequestOutcome'] as { status: number; resultCode: string } | undefined;
function claim(body: Json): string {
  const outcome = outcomeOf(body);
  return outcome === undefined
    ? `flat/${String(body['StatusCode'])}`
    : `${String(outcome.status)}/${outcome.resultCode}`;
}

const HOUR_MS = 3_600_000;

test.each(BEHAVIOUR_NAMES)('%s', async (name) => {
  const id = randomUUID();
  const account = accountOf(name);
  const want = expected[name];

  expect((await caller.validate(account)).status).toBe(want.validation ?? 200);
  await looks(id, want.before);
  const posted = await caller.pay(id, account);
  expect(posted.status).toBe(want.post);
  await looks(id, want.atOnce);
  await caller.sandbox.idle();
  expect(caller.receiver.for(id).map(({ body }) => claim(body))).toEqual(want.callbacks);
  caller.clock.now += HOUR_MS;
  await caller.signIn();
  await looks(id, want.atLast);

  const seen = caller.sandbox.payment(id);
  expect(seen).toMatchObject({ behaviour: name, postsSeen: 1, postsCaptured: want.captured });
  expect(seen.callbacksSent.map(({ answered }) => answered)).toEqual(want.callbacks.map(() => 200));
  expect(json(await caller.get(`/sandbox/payments/${id}`))).toMatchObject({
    postsSeen: 1,
    postsCaptured: want.captured,
  });
});

test.each(BEHAVIOUR_NAMES)('%s: a second POST under the id is never captured', async (name) => {
  const id = randomUUID();
  await caller.pay(id, accountOf(name));
  const second = await caller.pay(id.toUpperCase(), accountOf(name));
  expect(caller.sandbox.payment(id)).toMatchObject({ postsSeen: 2, postsCaptured: expected[name].captured });
  if (expected[name].captured === 1) {
    expect(second.status).toBe(400);
    expect(json(second)['errors']).toEqual([
      { field: 'OriginatorConversationId', message: `duplicate originator conversation id '${id.toUpperCase()}'` },
    ]);
  }
});

test('callback-before-answer: the callback has been answered when the answer arrives', async () => {
  const id = randomUUID();
  caller.receiver.status = 503;
  await caller.pay(id, accountOf('callback-before-answer'));
  caller.receiver.status = 200;
  expect(caller.receiver.for(id)).toHaveLength(1);
  expect(caller.sandbox.payment(id).callbacksSent).toMatchObject([{ answered: 503 }]);
});

test('post-unreadable: 200 with JSON that breaks off', async () => {
  const { status, text } = await caller.pay(randomUUID(), accountOf('post-unreadable'));
  expect(status).toBe(200);
  expect(text).toMatch(/^\{"message":/);
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
});

test('post-timeout: nothing comes for as long as slowMs says', async () => {
  const started = performance.now();
  await caller.pay(randomUUID(), accountOf('post-timeout'));
  expect(performance.now() - started).toBeGreaterThan(45);
});

test('duplicate-id-rejected: shape 3; rejected and invalid-account: shape 1 about another field', async () => {
  const duplicate = json(await caller.pay(randomUUID(), accountOf('duplicate-id-rejected')));
  expect(duplicate['errors']).toMatchObject([{ field: 'OriginatorConversationId' }]);
  const rejected = json(await caller.pay(randomUUID(), accountOf('rejected')));
  expect(Object.keys(rejected['errors'] as Json)).toEqual(['Amount']);
  const invalid = json(await caller.pay(randomUUID(), accountOf('invalid-account')));
  expect(Object.keys(invalid['errors'] as Json)).toEqual(['AccountNumber']);
});

test('failed-then-completed: failed until the result turns', async () => {
  const id = randomUUID();
  await caller.pay(id, accountOf('failed-then-completed'));
  caller.clock.now += 29;
  await looks(id, ['failed']);
  caller.clock.now += 1;
  await looks(id, ['completed']);
});

test('not-found-then-paid: hidden from look-ups, not from the ledger', async () => {
  const id = randomUUID();
  await caller.pay(id, accountOf('not-found-then-paid'));
  caller.clock.now += HOUR_MS;
  await caller.signIn();
  expect(caller.sandbox.payment(id).status).toBe(4);
  await looks(id, [404, 'completed']);
});

test('amount-differs: ten times the amount in the look-up, the right one in the callback', async () => {
  const id = randomUUID();
  await caller.pay(id, accountOf('amount-differs'));
  await caller.sandbox.idle();
  expect(json(await caller.look(id))['amount']).toBe(150);
  expect(caller.receiver.for(id)[0]?.body['amount']).toBe(15);
});

test('lookup-429 says when to come again', async () => {
  const answer = await caller.look(`at-${accountOf('lookup-429')}-${randomUUID().slice(0, 8)}`);
  expect(answer.headers.get('retry-after')).toBe('1');
});

test('record-exists: the id may name the account, whatever other payments do', async () => {
  const named = `at-${accountOf('record-exists')}-${randomUUID().slice(0, 8)}`;
  const other = randomUUID();
  await looks(other, [404]);
  const record = json(await caller.look(named));
  expect(record).toMatchObject({ status: 4, originatorConversationId: named });
  expect(record['accountNumber']).not.toBe(accountOf('record-exists'));
  expect(json(await caller.look(named))['systemConversationId']).toBe(record['systemConversationId']);
});

test('prepaid: the token is in the callback only, the receipt number in both', async () => {
  for (const name of ['prepaid', 'prepaid-callback-lost'] as const) {
    const id = randomUUID();
    await caller.pay(id, accountOf(name));
    await caller.sandbox.idle();
    caller.clock.now += 1_000;
    const record = await caller.look(id);
    expect(json(record)['receiptNumber']).toMatch(/^S\d{6}$/);
    expect(record.text).not.toContain(PREPAID_TOKEN);
    const callbacks = caller.receiver.for(id).map(({ body }) => outcomeOf(body));
    expect(callbacks).toMatchObject(
      name === 'prepaid'
        ? [
            {
              thirdPartyPayload: {
                reference: json(record)['receiptNumber'],
                extraData: { ResponseExtraData: PREPAID_TOKEN },
              },
            },
          ]
        : [],
    );
  }
});

test('bill-due: an amount by type 1 and a saved bill number; others have neither', async () => {
  const serviceId = '860a26ce-4828-f111-bc5a-0e7d952d79b7';
  const saved = (account: string) => caller.get(`/v1/bill-numbers?ServiceId=${serviceId}&AccountNumber=${account}`);
  expect(json(await caller.validate(accountOf('bill-due'), 1))['message']).toMatchObject({ dueAmount: 1074 });
  expect(json(await saved(accountOf('bill-due')))).toMatchObject({ lastKnownBalance: 2697 });
  expect(json(await caller.validate('1111111', 1))['message']).toMatchObject({ dueAmount: 0 });
  expect((await saved('1111111')).status).toBe(404);
});

test('an account outside the table pays', async () => {
  const id = randomUUID();
  await caller.pay(id, '1111111');
  await caller.sandbox.idle();
  expect(caller.receiver.for(id).map(({ body }) => claim(body))).toEqual([PAID]);
});
