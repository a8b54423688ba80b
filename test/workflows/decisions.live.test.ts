import { Refused } from '../../src/client';
import { SIGNALS, UPDATES } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import { needsAttention, outcomeOf, SHORT_POLICY, stageOf, startFlow, until, type Flow } from '../support/flow';
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

/**
 * G2, G3, G6: What people may decide, when, and what becomes of it (docs/technical-description.md#a-persons-decision). A refusal is a
 * sentence, and changes nothing.
 */
let flow: Flow;
let gates: Gates;

beforeAll(async () => {
  gates = createGates();
  // However short a token lives: the margin after its end is what a decline without proof waits for.
  flow = await startFlow({ ...gates.worker, sandbox: { tokenLifetimeSeconds: 4 } });
});

const BY = { operator: 'op-1', note: 'biller confirmed by phone' };
const EAGER = {
  ...SHORT_POLICY,
  callbackGrace: '100 milliseconds',
  failureConfirmation: '1 millisecond',
} as const;
/** Nothing but messages makes it look. */
const DEAF = { ...EAGER, callbackGrace: '10 minutes', pollInterval: '10 minutes', pollMaxInterval: '1 hour' } as const;

const FAILED = { status: 6 } as const;
const PENDING = { status: 1 } as const;

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
  expect((await flow.store.payments.facts(paymentId)).outcome).toBeUndefined();
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
    expect(said).toContain('There is nothing to decide: the payment is being checked.');
    expect(await truthOf(flow, request.paymentId)).toEqual(NEVER_SENT);
    validation.open();
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
  });

  test.concurrent('not while its result is awaited', async () => {
    const paymentId = await pending();
    await until(
      'the stage',
      () => stageOf(flow, paymentId),
      (stage) => stage === 'awaiting-result',
    );
    const said = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' }));
    expect(said).toContain('the payment is waiting for its result. Decisions are for payments that need attention.');
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
    { what: 'nobody', args: [{ decision: 'paid', note: BY.note }], says: '"operator" must say who you are' },
    { what: 'an empty note', args: [{ decision: 'paid', ...BY, note: ' ' }], says: '"note" must say why' },
    { what: 'too much', args: [{ decision: 'paid', ...BY, amount: PRICE + 1 }], says: '"amount" must be a whole number from 1 to 220' },
    { what: 'a fraction', args: [{ decision: 'paid', ...BY, amount: 0.5 }], says: '"amount" must be a whole number' },
    { what: 'an amount of a decline', args: [{ decision: 'declined', ...BY, amount: 1 }], says: '"amount" goes with "paid" only' },
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
      expect(await flow.store.payments.facts(paymentId)).toMatchObject({ outcome, disputed: false });
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
          }) as object,
        }),
      ]);
      expect(actions[0]?.at.getTime()).toBeGreaterThan(before - 1_000);
      // Why a person was asked, and what the provider said last.
      expect(JSON.stringify(actions)).toContain('failed-without-code');
      expect(JSON.stringify(actions)).toContain('failed (status 6)');
    },
  );

  test.concurrent('paid, but less: that much is posted, the rest released', async () => {
    const paymentId = await asked();
    await of(paymentId).resolve({ decision: 'paid', ...BY, amount: 200 });
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', amount: 200 });
    expect(await truthOf(flow, paymentId)).toMatchObject({ funds: [FUNDS - 200, 0, 200] });
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

  test.concurrent('declined while nothing is clear: needs the case, and waits for the token to be dead', async () => {
    const paymentId = await asked();
    flow.sandbox.setRecord(paymentId, PENDING);
    const bare = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY }));
    expect(bare).toContain('Almara Pay does not say that it failed (pending (status 1)).');
    const { claim } = await flow.store.payments.facts(paymentId);
    await until(
      'the end of the token',
      () => Date.now(),
      (now) => now > (claim?.tokenExpiresAt.getTime() ?? Infinity),
    );
    const named = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY, providerCase: 'C-1' }));
    expect(named).toMatch(/may still be on its way until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    await expectUndecided(paymentId);
  });

  test.concurrent('declined by what was seen earlier, when it cannot be looked now: refused', async () => {
    const paymentId = await asked();
    const look = gates.hold('lookNow', paymentId);
    look.fail();
    flow.sandbox.setRecord(paymentId, COMPLETED);
    const said = await refusal(of(paymentId).resolve({ decision: 'declined', ...BY }));
    expect(said).toMatch(/does not say that it failed \(no answer\)|has ended by itself|closed already/);
    expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'paid', settledBy: 'poll' });
    expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
  });
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
    const decision = of(paymentId).resolve({ decision: 'paid', ...BY, receiptNumber: 'BY-HAND' });
    await look.reached;
    flow.sandbox.setRecord(paymentId, COMPLETED);
    look.open();
    const told = await decision.then(
      ({ outcome }) => outcome,
      () => undefined,
    );
    const outcome = await outcomeOf(flow, paymentId);
    expect(outcome).toMatchObject({ kind: 'paid', settledBy: 'poll', receipt: { number: COMPLETED.receiptNumber } });
    expect([outcome, undefined]).toContainEqual(told);
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
  });

  test.concurrent('the provider turns to completed while a person declines: proof wins', async () => {
    const paymentId = await asked();
    const look = gates.hold('lookNow', paymentId);
    const decision = refusal(of(paymentId).resolve({ decision: 'declined', ...BY }));
    await look.reached;
    flow.sandbox.setRecord(paymentId, COMPLETED);
    look.open();
    await decision;
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
    const hint = { receivedAt: new Date().toISOString(), claims: 'failed', code: '1' };
    for (let look = 1; look <= 3; look += 1) await run.signal(SIGNALS.providerCallback, hint);
    expect(await needsAttention(flow, paymentId)).toMatchObject({ reason: 'failed-without-code' });
    await expectUndecided(paymentId);
  });
});
