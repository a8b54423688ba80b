import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AttentionReason } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { ScriptedCallback } from '../../src/sandbox';
import { factsOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';
import {
  COMPLETED,
  createGates,
  ownRequest,
  PAID_ONCE,
  sent,
  SENT_AND_DECLINED,
  SENT_AND_OPEN,
  truthOf,
  type Gates,
} from '../support/gates';
import { countOf } from '../support/metrics';

/**
 * Providers that say what no document foresees, played by a script: codes in any order, states that turn, records that are not
 * what was sent, callbacks that lie. Nothing is guessed (G2, G3), and a contradiction is raised (G5).
 */
let flow: Flow;
let gates: Gates;
/** Of a deployment that cannot receive callbacks. */
let declining: Flow;

beforeAll(async () => {
  gates = createGates();
  [flow, declining] = await Promise.all([
    startFlow(gates.worker),
    startFlow({ settings: { failedWithoutCode: 'decline' } }),
  ]);
});

const FAILED = { status: 6 } as const;
const PENDING = { status: 1 } as const;
/** As in the provider's documents: it says that it was paid. */
const SAMPLE_CALLBACK = JSON.parse(
  readFileSync(path.join(__dirname, '../fixtures/almara/payment-callback.json'), 'utf8'),
) as object;
const failure = (code: string): ScriptedCallback => ({ status: 6, code });
const success: ScriptedCallback = { status: 4, code: '0' };

/** Its callbacks are waited for no longer than this; what is said by the record counts as soon as it is seen twice. */
const EAGER = { ...SHORT_POLICY, callbackGrace: '100 milliseconds', failureConfirmation: '300 milliseconds' };
/** Failed is not believed before the test is over. */
const PATIENT = { ...EAGER, failureConfirmation: '1 minute' };
/** The script goes on twice before failed is believed, also on a slow machine. */
const SLOW_TO_BELIEVE = { ...EAGER, failureConfirmation: '6 seconds' };

interface Scripted {
  readonly paymentId: string;
  record(patch: Parameters<Flow['sandbox']['setRecord']>[1]): void;
  /** Resolves when it is stored. */
  callback(callback: ScriptedCallback): Promise<void>;
  /** Waits until what look-ups say now is written down. */
  seen(said: string): Promise<void>;
}

/** A payment at the provider, pending until the script goes on. */
async function scripted(policy: BillPaymentRequest['policy'] = EAGER, on: Flow = flow): Promise<Scripted> {
  const paymentId = await sent(on, await ownRequest(on, 'pending-for-ever', { policy }));
  return {
    paymentId,
    record: (patch) => on.sandbox.setRecord(paymentId, patch),
    async callback(callback) {
      expect(await on.sandbox.sendCallback(paymentId, callback)).toMatchObject({ answered: 200 });
    },
    async seen(said) {
      const last = async () => (await factsOf(on, paymentId)).seen.last?.said;
      await until(`the answer "${said}" to be known`, last, (known) => known?.includes(said) === true);
    },
  };
}

/** A person is asked, for this reason; nothing is decided and the money is held. */
async function expectAttention({ paymentId }: Scripted, reason: AttentionReason): Promise<void> {
  expect(await needsAttention(flow, paymentId)).toMatchObject({ stage: 'needs-attention', reason });
  await expectOpen(paymentId);
}

async function expectOpen(paymentId: string): Promise<void> {
  expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_OPEN);
}

async function expectPaid({ paymentId }: Scripted): Promise<void> {
  expect(await outcomeOf(flow, paymentId)).toMatchObject({
    kind: 'paid',
    amount: 220,
    evidence: { source: 'provider' },
  });
  expect(await truthOf(flow, paymentId)).toEqual(PAID_ONCE);
}

async function expectFailed({ paymentId }: Scripted, code: string): Promise<void> {
  expect(await outcomeOf(flow, paymentId)).toMatchObject({ kind: 'declined', reason: 'failed', providerCode: code });
  expect(await truthOf(flow, paymentId)).toEqual(SENT_AND_DECLINED);
}

describe('a failed record, and the codes that callbacks give it', () => {
  test.concurrent.each<{ codes: readonly string[]; reason: AttentionReason }>([
    { codes: ['22', '1'], reason: 'ambiguous-code' },
    { codes: ['1', '22'], reason: 'ambiguous-code' },
    { codes: ['9'], reason: 'failed-without-code' },
    { codes: ['1', '9', '14'], reason: 'ambiguous-code' },
    { codes: ['no code at all'], reason: 'ambiguous-code' },
    { codes: [], reason: 'failed-without-code' },
  ])('$codes: a person is asked, $reason', async ({ codes, reason }) => {
    const payment = await scripted();
    for (const code of codes) await payment.callback(failure(code));
    payment.record(FAILED);
    await expectAttention(payment, reason);
  });

  test.concurrent.each([
    { codes: ['1'], code: '1' },
    { codes: ['9', '018', '9'], code: '18' },
    { codes: ['2', '17'], code: '2' },
  ])('$codes: declined with $code', async ({ codes, code }) => {
    const payment = await scripted();
    for (const one of codes) await payment.callback(failure(one));
    payment.record(FAILED);
    await expectFailed(payment, code);
  });

  test.concurrent('the code may come after a person was asked', async () => {
    const payment = await scripted();
    payment.record(FAILED);
    await expectAttention(payment, 'failed-without-code');
    await payment.callback(failure('1'));
    await expectFailed(payment, '1');
  });

  test.concurrent(
    'the ambiguous code may come in the last moment, when the decline is being written down',
    async () => {
      const payment = await scripted();
      const record = gates.hold('record:proven', payment.paymentId);
      await payment.callback(failure('1'));
      payment.record(FAILED);
      await record.reached;
      await payment.callback(failure('22'));
      record.open();
      expect(await record.passed).toMatchObject({
        kind: 'open',
        look: { verdict: { ask: { reason: 'ambiguous-code' } }, facts: { callbacks: { count: 2 } } },
      });
      await expectAttention(payment, 'ambiguous-code');
    },
  );

  test.concurrent('while it is pending, codes change nothing', async () => {
    const payment = await scripted();
    for (const code of ['9', '1', '22']) await payment.callback(failure(code));
    const progress = () => flow.payments.payment(payment.paymentId).progress();
    await until('the callbacks to be known', progress, ({ callbacks }) => callbacks === 3);
    expect(await progress()).toMatchObject({ stage: 'awaiting-result' });
    await expectOpen(payment.paymentId);
    payment.record(COMPLETED);
    await expectPaid(payment);
  });
});

describe('a record that turns', () => {
  test.concurrent(
    'completed with another amount, then failed with code 1: a person is asked, and told of both',
    async () => {
      const payment = await scripted({ ...EAGER, failureConfirmation: '1 millisecond' });
      payment.record({ ...COMPLETED, amount: 2_200 });
      await expectAttention(payment, 'evidence-mismatch');
      await payment.callback(failure('1'));
      payment.record(FAILED);
      await payment.seen('failed');
      // Two more looks confirm the failure.
      for (const operator of ['op-1', 'op-2']) await flow.payments.payment(payment.paymentId).checkNow({ operator });
      await expectAttention(payment, 'contradictory-answers');
      expect(await flow.payments.payment(payment.paymentId).progress()).toMatchObject({
        because: 'completed before, and now failed (status 6)',
      });
    },
  );

  test.concurrent('failed with a refusal code, pending, and failed for good: a person is asked', async () => {
    const payment = await scripted(SLOW_TO_BELIEVE);
    await payment.callback(failure('1'));
    payment.record(FAILED);
    await payment.seen('failed');
    payment.record(PENDING);
    await payment.seen('pending');
    payment.record(FAILED);
    await expectAttention(payment, 'contradictory-answers');
    expect(await flow.payments.payment(payment.paymentId).progress()).toMatchObject({
      because: 'failed (status 6) before, then something else, and now failed (status 6) again',
    });
    payment.record(COMPLETED);
    await expectPaid(payment);
  });

  test.concurrent('failed, pending again, then completed: paid', async () => {
    const payment = await scripted(PATIENT);
    payment.record(FAILED);
    await payment.seen('failed');
    payment.record(PENDING);
    await payment.seen('pending');
    payment.record(COMPLETED);
    await expectPaid(payment);
  });

  test.concurrent('failed with a refusal code, and completed before it was confirmed: paid', async () => {
    const payment = await scripted(PATIENT);
    await payment.callback(failure('1'));
    payment.record(FAILED);
    await payment.seen('failed');
    payment.record(COMPLETED);
    await expectPaid(payment);
  });

  test.concurrent('failed and asked for, then completed: paid without a person', async () => {
    const payment = await scripted();
    payment.record(FAILED);
    await expectAttention(payment, 'failed-without-code');
    payment.record(COMPLETED);
    await expectPaid(payment);
  });
});

describe('G3: a completed record that is not what was sent', () => {
  // prettier-ignore
  test.concurrent.each([
    { what: 'no currency', patch: { currencyCode: null } },
    { what: 'another currency', patch: { currencyCode: 'USD' } },
    { what: 'another account', patch: { accountNumber: '999999' } },
    { what: 'no account', patch: { accountNumber: '' } },
    { what: 'another id', patch: { originatorConversationId: 'somebody-elses' } },
    { what: 'no id', patch: { originatorConversationId: null } },
    { what: 'a validation, and no payment', patch: { transactionType: 3 } },
    { what: 'a query', patch: { transactionType: 1 } },
    { what: 'no type', patch: { transactionType: null } },
    { what: 'a fraction less', patch: { amount: 219.99 } },
    { what: 'no amount', patch: { amount: null } },
  ])('$what: a person is asked, and a corrected record ends it', async ({ patch }) => {
    const payment = await scripted();
    await payment.callback(success);
    payment.record({ ...COMPLETED, ...patch });
    await expectAttention(payment, 'evidence-mismatch');
    payment.record(COMPLETED);
    await expectPaid(payment);
  });
});

describe('G3: a callback is a hint, never proof', () => {
  test.concurrent('a forged success under our own token brings a look, and nothing else', async () => {
    const payment = await scripted();
    await payment.callback(success);
    const progress = () => flow.payments.payment(payment.paymentId).progress();
    await until('the callback to be known', progress, ({ callbacks }) => callbacks === 1);
    expect(await progress()).toMatchObject({ stage: 'awaiting-result', provider: { said: 'pending (status 1)' } });
    await expectOpen(payment.paymentId);

    // It does no harm to a real failure, either, but that a person looks at it.
    await payment.callback(failure('1'));
    payment.record(FAILED);
    await expectAttention(payment, 'ambiguous-code');
  });
});

describe('a request that the provider refuses', () => {
  test.concurrent('while a callback claims that it is paid: a person is asked, and nothing is declined', async () => {
    const request = await ownRequest(flow, 'rejected', { policy: EAGER });
    const { paymentId, accountNumber } = request;
    const answer = gates.hold('answer', paymentId);
    await flow.payments.start(request);
    await answer.reached;
    const body = { ...SAMPLE_CALLBACK, originatorConversationId: paymentId, accountNumber };
    const callback = { raw: JSON.stringify(body), url: flow.callbackUrl(paymentId) };
    expect(await flow.sandbox.sendCallback(paymentId, callback)).toMatchObject({ answered: 200 });
    answer.open();
    expect(await needsAttention(flow, paymentId)).toMatchObject({
      reason: 'not-found',
      submission: { kind: 'rejected' },
    });
    expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    expect(await truthOf(flow, paymentId)).toEqual({ ...SENT_AND_OPEN, captured: 0 });
  });
});

describe('FAILED_WITHOUT_CODE=decline, for deployments that cannot receive callbacks', () => {
  test.concurrent('failed, confirmed, without a code: declined, and no second try is advised', async () => {
    const payment = await scripted(EAGER, declining);
    payment.record(FAILED);
    expect(await outcomeOf(declining, payment.paymentId)).toMatchObject({
      kind: 'declined',
      reason: 'failed',
      settledBy: 'poll',
      retryable: false,
    });
    expect(await truthOf(declining, payment.paymentId)).toEqual(SENT_AND_DECLINED);
  });

  test.concurrent('with an ambiguous code a person is asked all the same', async () => {
    const payment = await scripted(EAGER, declining);
    await payment.callback(failure('22'));
    payment.record(FAILED);
    expect(await needsAttention(declining, payment.paymentId)).toMatchObject({ reason: 'ambiguous-code' });
  });
});

describe('G5: a callback that contradicts a closed payment', () => {
  /** It is closed; then this comes. Stored, raised, and nothing is overwritten. */
  async function expectDispute(paymentId: string, contradicts: () => Promise<unknown>): Promise<void> {
    const truth = await truthOf(flow, paymentId);
    const closed = async () => (await factsOf(flow, paymentId)).closed;
    const recorded = await closed();
    expect(recorded).toBeDefined();
    await contradicts();
    await until('the dispute', closed, (seen) => seen?.disputed === true);
    const last = async () => (await flow.store.inbox.forPayment(paymentId)).at(-1)?.handledAs;
    await until('the callback to be named', last, (named) => named === 'dispute');
    expect((await closed())?.outcome).toEqual(recorded?.outcome);
    expect(await flow.payments.payment(paymentId).outcome()).toEqual(recorded?.outcome);
    expect(await truthOf(flow, paymentId)).toEqual(truth);
  }

  const counted = () => countOf(flow.callbacks.metrics.contradictions);

  test('failed, and completed after all: disputed, counted, still declined', async () => {
    const before = await counted();
    const request = await ownRequest(flow, 'failed-then-completed', { policy: EAGER });
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'declined', providerCode: '1' });
    await expectDispute(request.paymentId, async () => undefined); // the provider's own second callback
    await until('the count', counted, (count) => count === before + 1);
  });

  test('paid, and called failed afterwards: disputed, counted, still paid', async () => {
    const before = await counted();
    const payment = await scripted();
    payment.record(COMPLETED);
    await expectPaid(payment);
    await expectDispute(payment.paymentId, () => payment.callback(failure('1')));
    // The same once more is the same callback; another one is another.
    await payment.callback(failure('1'));
    await payment.callback(failure('22'));
    await until('the count', counted, (count) => count === before + 2);
  });

  test('what agrees, and code 9, is no dispute', async () => {
    const before = await counted();
    const payment = await scripted();
    payment.record(COMPLETED);
    await expectPaid(payment);
    await payment.callback(success);
    await payment.callback(failure('9'));
    const named = async () => (await flow.store.inbox.forPayment(payment.paymentId)).map(({ handledAs }) => handledAs);
    await until('the callbacks to be named', named, (names) => names.join() === 'agreed,agreed');
    expect((await factsOf(flow, payment.paymentId)).closed?.disputed).toBe(false);
    expect(await counted()).toBe(before);
  });
});
