import { Refused } from '../../src/client';
import { SIGNALS, UPDATES } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import {
  factsOf,
  needsAttention,
  outcomeOf,
  SHORT_POLICY,
  stageOf,
  startFlow,
  until,
  type Flow,
} from '../support/flow';
import {
  COMPLETED,
  createGates,
  FUNDS,
  NEVER_SENT,
  ownRequest,
  PAID_ONCE,
  PRICE,
  runOf,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
} from '../support/gates';
import { plant } from '../support/reconcile';

/**
 * G2, G3, G6: What people may decide, when, and what becomes of it (docs/technical-description.md#a-persons-decision). A refusal is a
 * sentence, and changes nothing.
 */
let flow: Flow;
let gates: Gates;

beforeAll(async () => {
  gates = createGates();
  flow = await startFlow(gates.worker);
});

const BY = { operator: 'op-1', note: 'biller confirmed by phone' };
const EAGER = {
  ...SHORT_POLICY,
  callbackGrace: '100 milliseconds',
  failureConfirmation: '1 millisecond',
} as const;
/** Nothing but messages makes it look. */
const DEAF = { ...EAGER, callbackGrace: '10 minutes', pollInterval: '10 minutes', pollMaxInterval: '1 hour' } as const;

const NOBODY_ASKED = 'There is nothing to decide: nobody was asked. Decisions are for payments that need attention.';

const FAILED = { status: 6 } as const;
const PENDING = { status: 1 } as const;

/** The token with which it was sent. */
const SESSION_ENDED = 'UPDATE payments SET session_expires_at = now() - $2::interval WHERE payment_id = $1';
const ASKED_LONG_AGO = `UPDATE payments
  SET seen = jsonb_set(seen, '{last,askedAt}', to_jsonb((seen #>> '{last,askedAt}')::bigint - 61000)) WHERE payment_id = $1`;

const of = (paymentId: string) => flow.payments.payment(paymentId);
const pending = async (policy: BillPaymentRequest['policy'] = EAGER): Promise<string> =>
  await sent(flow, await ownRequest(flow, 'pending-for-ever', { policy }));

/** A payment that failed without a code: a person is asked. */
async function asked(): Promise<string> {
  const paymentId = await pending();
  flow.sandbox.setRecord(paymentId, FAILED);
  expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
  return paymentId;
}

async function refusal(update: Promise<unknown>): Promise<string> {
  const error: unknown = await update.then(
    () => undefined,
    (refused: unknown) => refused,
  );
  expect(error).toBeInstanceOf(Refused);
  return (error as Refused).message;
}

async function expectUndecided(paymentId: string): Promise<void> {
  expect(await stageOf(flow, paymentId)).toBe('needs-attention');
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
}

describe('only what needs attention can be decided', () => {
  test.concurrent('not while the account is checked', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const validation = gates.hold('validate', request.accountNumber);
    await flow.payments.start(request);
    await validation.reached;
    const said = await refusal(of(request.paymentId).resolve({ decision: 'paid', ...BY }));
    expect(said).toContain(NOBODY_ASKED);
    expect(await truthOf(flow, request.paymentId)).toEqual(NEVER_SENT);
    validation.open();
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
  });

  test.concurrent('not while it is being sent', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const { paymentId } = request;
    const post = gates.hold('send', paymentId);
    await flow.payments.start(request);
    await post.reached;
    for (const decision of [{ decision: 'paid' }, { decision: 'declined', providerCase: 'C-1' }] as const)
      expect(await refusal(of(paymentId).resolve({ ...decision, ...BY }))).toContain(
        'It is being sent right now. Decide when its answer is there, 30 seconds after that at the latest.',
      );
    expect(await truthOf(flow, paymentId)).toEqual({ ...SENT_AND_OPEN, seen: 0, captured: 0 });
    post.open();
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('not while its result is awaited', async () => {
    const paymentId = await pending();
    await until(
      'the stage',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'awaiting-result',
    );
    const said = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' }));
    expect(said).toContain(NOBODY_ASKED);
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
  });

  test.concurrent('not once it is closed', async () => {
    const request = await ownRequest(flow, 'paid-with-callback');
    const outcome = await flow.payments.pay(request);
    const said = await refusal(of(request.paymentId).resolve({ decision: 'declined', ...BY }));
    expect(said).toContain('it is closed already as paid.');
    expect(await of(request.paymentId).outcome()).toEqual(outcome);
    expect(await truthOf(flow, request.paymentId)).toEqual(PAID_ONCE);
  });
});

describe('what a person writes into the dialog', () => {
  // prettier-ignore
  const BAD: readonly { readonly what: string; readonly args: readonly unknown[]; readonly says: string }[] = [
    { what: 'nothing', args: [], says: 'Send one JSON object' },
    { what: 'null', args: [null], says: 'Send one JSON object' },
    { what: 'a list', args: [[{ decision: 'paid', ...BY }]], says: 'Send one JSON object' },
    { what: 'a word', args: ['paid'], says: 'Send one JSON object' },
    { what: 'JSON as text', args: [JSON.stringify({ decision: 'paid', ...BY })], says: 'Send one JSON object' },
    { what: 'an unknown decision', args: [{ decision: 'refund', ...BY }], says: '"decision" must be "paid" or "declined".' },
    { what: 'nobody', args: [{ decision: 'paid', note: BY.note }], says: '"operator" must be your name (1 to 100 characters).' },
    { what: 'an empty note', args: [{ decision: 'paid', ...BY, note: ' ' }], says: '"note" must be why (1 to 500 characters).' },
    { what: 'too much', args: [{ decision: 'paid', ...BY, amount: PRICE + 1 }], says: '"amount" must be a whole number from 1 to 220: what was really paid.' },
    { what: 'a fraction', args: [{ decision: 'paid', ...BY, amount: 0.5 }], says: '"amount" must be a whole number from 1 on: what was really paid, or be left out.' },
    { what: 'an amount of a decline', args: [{ decision: 'declined', ...BY, amount: 1 }], says: '"amount" only with "paid": a declined payment gives everything back.' },
    { what: 'an unknown field', args: [{ decision: 'paid', ...BY, receipt: 'R-77' }], says: '"receipt" is not known here, and nothing was changed. Known are decision, operator, note, receiptNumber, token, amount, providerCase.' },
  ];

  test.concurrent('what cannot be understood is refused with a sentence, and nothing is decided', async () => {
    const paymentId = await asked();
    for (const { args, says } of BAD) {
      const update = runOf(flow, paymentId).executeUpdate(UPDATES.resolvePayment, { args: args as [unknown] });
      const error = await update.catch((refused: unknown) => refused);
      expect(error).toMatchObject({ cause: { message: expect.stringContaining(says) as string } });
    }
    await expectUndecided(paymentId);
  });
});

describe('a decision', () => {
  test.concurrent(
    'paid, with its receipt: posted, and kept with who, what, why, when and what it was before',
    async () => {
      const paymentId = await asked();
      const before = Date.now();
      const progress = await of(paymentId).resolve({ decision: 'paid', ...BY, receiptNumber: 'R-77' });
      expect(progress).toMatchObject({ stage: 'closed', outcome: { kind: 'paid', receipt: { number: 'R-77' } } });
      const outcome = await outcomeOf(flow, paymentId);
      expect(outcome).toMatchObject({ amount: PRICE, settledBy: 'operator', evidence: { source: 'operator', ...BY } });
      // A poll that was under way may have heard once more that it failed: that is disputed.
      expect((await factsOf(flow, paymentId)).closed?.outcome).toEqual(outcome);
      expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);

      const actions = await flow.store.operatorActions.list(paymentId);
      expect(actions).toEqual([
        expect.objectContaining({
          ...BY,
          action: 'resolvePayment',
          before: expect.objectContaining({
            state: 'open',
            callbacks: 0,
            claimedAt: expect.any(String) as string,
            attentionSince: expect.any(String) as string,
            // What the provider said last.
            seen: expect.objectContaining({
              last: expect.objectContaining({ state: 'failed', said: 'failed (status 6)' }) as object,
            }) as object,
          }) as object,
        }),
      ]);
      expect(actions[0]?.at.getTime()).toBeGreaterThan(before - 1_000);
    },
  );

  test.concurrent('paid, but less: that much is posted, the rest released', async () => {
    const paymentId = await asked();
    await of(paymentId).resolve({ decision: 'paid', ...BY, amount: 200 });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount: 200 });
    expect(await truthOf(flow, paymentId)).toMatchObject({ funds: [FUNDS - 200, 0, 200] });
  });

  test.concurrent('paid, with the token that came another way: all of it, as the record says', async () => {
    const paymentId = await sent(flow, await ownRequest(flow, 'prepaid-callback-lost', { policy: EAGER }));
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'paid-without-token' });
    const token = '1234-5678-9012';
    const said = await refusal(of(paymentId).resolve({ decision: 'paid', ...BY, token, amount: 200 }));
    expect(said).toContain('The record says that KES 220 were paid: "amount" must be that, or be left out.');
    await expectUndecided(paymentId);
    await of(paymentId).resolve({ decision: 'paid', ...BY, token });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({
      kind: 'paid',
      amount: PRICE,
      settledBy: 'operator',
      receipt: { number: expect.any(String) as string, token },
    });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });

  test.concurrent('declined, as the provider says that it failed: everything is given back', async () => {
    const paymentId = await asked();
    await of(paymentId).resolve({ decision: 'declined', ...BY });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({
      kind: 'declined',
      reason: 'operator',
      retryable: false,
      settledBy: 'operator',
    });
    expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
  });

  test.concurrent('declined although the provider says completed: refused', async () => {
    const paymentId = await pending();
    flow.sandbox.setRecord(paymentId, { ...COMPLETED, amount: 2_200 });
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'evidence-mismatch' });
    const said = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' }));
    expect(said).toContain('Almara Pay says completed (status 4): it cannot be declined.');
    await expectUndecided(paymentId);
  });

  test.concurrent(
    'declined while nothing is clear: needs the case, and waits until the token is dead for sure',
    async () => {
      const paymentId = await asked();
      flow.sandbox.setRecord(paymentId, PENDING);
      const bare = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY }));
      expect(bare).toContain('Almara Pay does not say that it failed (pending (status 1)).');
      const named = () => of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' });
      for (const endedAgo of ['-1 hour', '4 minutes']) {
        await plant(flow, SESSION_ENDED, [paymentId, endedAgo]);
        expect(await refusal(named())).toMatch(/may still be on its way until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
      }
      await expectUndecided(paymentId);
      await plant(flow, SESSION_ENDED, [paymentId, '6 minutes']);
      expect(await named()).toMatchObject({ outcome: { kind: 'declined', evidence: { providerCase: 'C-1' } } });
      expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
    },
  );

  test.concurrent(
    'declined by what was seen long ago, when it cannot be looked now: refused, until it can',
    async () => {
      const paymentId = await pending(DEAF);
      await until(
        'the stage',
        () => stageOf(flow, paymentId),
        (stage) => stage === 'awaiting-result',
      );
      flow.sandbox.setRecord(paymentId, FAILED);
      // The second look confirms the failure.
      for (const operator of ['op-1', 'op-2']) await of(paymentId).checkNow({ operator });
      expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
      const declines = () => of(paymentId).resolve({ decision: 'declined', ...BY });

      await plant(flow, ASKED_LONG_AGO, [paymentId]);
      gates.hold('lookNow', paymentId).fail();
      expect(await refusal(declines())).toContain(
        'What the provider says could not be written down just now, and a decline rests on that. Nothing was changed: try again in a moment.',
      );
      await expectUndecided(paymentId);

      gates.hold('lookNow', paymentId).open();
      expect(await declines()).toMatchObject({ outcome: { kind: 'declined', settledBy: 'operator' } });
      expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
    },
  );
});

describe('decisions beside each other, and beside proof', () => {
  test.concurrent('two people at once: one acts, the other is told', async () => {
    const paymentId = await asked();
    const [first, second] = await Promise.allSettled([
      of(paymentId).resolve({ decision: 'paid', ...BY }),
      of(paymentId).resolve({ decision: 'declined', operator: 'op-2', note: 'case C-1' }),
    ]);
    const refused = [first, second].filter(({ status }) => status === 'rejected');
    expect(refused).toEqual([{ status: 'rejected', reason: expect.any(Refused) as Refused }]);
    const outcome = await outcomeOf(flow, paymentId);
    const actions = await flow.store.operatorActions.list(paymentId);
    expect(actions).toHaveLength(1);
    expect(outcome.kind).toBe(actions[0]?.operator === 'op-1' ? 'paid' : 'declined');
    expect(await truthOf(flow, paymentId)).toEqual(outcome.kind === 'paid' ? PAID_ONCE : SENT_AND_DECLINED);
  });

  test.concurrent('a double click acts once, and both get the answer', async () => {
    const paymentId = await asked();
    const click = () => of(paymentId).resolve({ decision: 'paid', ...BY, requestId: 'click-1' });
    const [first, second] = await Promise.all([click(), click()]);
    expect(second).toEqual(first);
    expect(await click()).toEqual(first);
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test.concurrent('the provider answers while a person decides: proof wins', async () => {
    const paymentId = await asked();
    const look = gates.hold('lookNow', paymentId);
    const told = refusal(of(paymentId).resolve({ decision: 'paid', ...BY, receiptNumber: 'BY-HAND' }));
    await look.reached;
    flow.sandbox.setRecord(paymentId, COMPLETED);
    look.open();
    expect(await told).toContain('it is closed already as paid. Paid.');
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({ kind: 'paid', settledBy: 'poll', receipt: { number: COMPLETED.receiptNumber } });
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
  });

  test.concurrent('the provider turns to completed while a person declines: proof wins', async () => {
    const paymentId = await asked();
    const look = gates.hold('lookNow', paymentId);
    const told = refusal(of(paymentId).resolve({ decision: 'declined', ...BY }));
    await look.reached;
    flow.sandbox.setRecord(paymentId, COMPLETED);
    look.open();
    expect(await told).toContain('it is closed already as paid. Paid.');
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });
});

describe('messages that decide nothing', () => {
  test.concurrent('checkStatusNow looks at once', async () => {
    const paymentId = await pending(DEAF);
    await until(
      'the stage',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'awaiting-result',
    );
    expect(await of(paymentId).checkNow({ operator: 'op-1' })).toMatchObject({
      provider: { said: 'pending (status 1)' },
    });
    flow.sandbox.setRecord(paymentId, COMPLETED);
    await of(paymentId).checkNow({ operator: 'op-1' });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
  });

  test.concurrent('G3: signals sent by hand do no harm and are no evidence', async () => {
    const paymentId = await pending(DEAF);
    const run = runOf(flow, paymentId);
    const odd: readonly unknown[][] = [
      [],
      [null],
      ['paid'],
      [[1, 2]],
      [{ claims: {}, code: [] }],
      [{}, 'one too many'],
    ];
    for (const args of odd) await run.signal(SIGNALS.providerCallback, ...args);
    await run.signal('thereIsNoSuchSignal', {});
    const said = async () => (await of(paymentId).progress()).provider?.said;
    await until('the look', said, (seen) => seen === 'pending (status 1)');
    expect(await of(paymentId).progress()).toMatchObject({ stage: 'awaiting-result', callbacks: 0 });

    // Only the inbox gives codes: an authentic callback would be there.
    flow.sandbox.setRecord(paymentId, FAILED);
    const notice = { receivedAt: new Date().toISOString(), claims: 'failed', code: '1' };
    for (let look = 1; look <= 3; look += 1) await run.signal(SIGNALS.providerCallback, notice);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
    await expectUndecided(paymentId);
  });
});
