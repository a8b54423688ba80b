import { randomUUID } from 'node:crypto';
import { disputeWorkflowIdOf, QUERIES, SEARCH_ATTRIBUTES, UPDATES, WORKFLOWS } from '../../src/payment/contract';
import type { DisputeProgress, DisputeResolution, PaymentDispute } from '../../src/payment/dispute';
import * as support from '../support/disputes';
import { factsOf, outcomeOf, startFlow, until, type Flow } from '../support/flow';
import { createGates, ownRequest, resetRun, truthOf, type Gates } from '../support/gates';

/**
 * G5, G7: a contradiction of a closed payment is raised as a dispute, never ignored, never overwriting
 * (docs/technical-description.md#disputes).
 */

let flow: Flow;
let gates: Gates;
beforeAll(async () => {
  gates = createGates();
  flow = await startFlow(gates.worker);
});

const AGREED: DisputeResolution = {
  agreed: 'paid',
  operator: 'amina',
  note: 'finance has the receipt',
  providerCase: 'AP-1',
};

const disputeRun = (paymentId: string, runId?: string) => support.disputeRun(flow, paymentId, runId);
const declinedPayment = () => support.declinedPayment(flow);
const raise = (paymentId: string) => support.raise(flow, paymentId);
const disputed = () => support.disputed(flow);
const opened = (paymentId: string) => support.opened(flow, paymentId);
const progressOf = (paymentId: string): Promise<DisputeProgress> =>
  disputeRun(paymentId).query<DisputeProgress>(QUERIES.disputeProgress);
const resolve = (paymentId: string, resolution: unknown, updateId: string = randomUUID()): Promise<DisputeProgress> =>
  disputeRun(paymentId).executeUpdate<DisputeProgress, [unknown]>(UPDATES.resolveDispute, {
    args: [resolution],
    updateId,
  });
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.catch((refused: unknown) => refused);
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message : `not refused: ${JSON.stringify(error)}`;
};

const inputOf = async (paymentId: string): Promise<PaymentDispute> => {
  const dispute = await flow.store.disputes.find(paymentId);
  if (dispute === undefined) throw new Error(`${paymentId} is not disputed`);
  const { raisedBy, because, raisedAt } = dispute;
  return { paymentId, raisedBy, because, raisedAt };
};

const startDispute = (paymentId: string, input: unknown, options = {}) =>
  flow.client.workflow.start(WORKFLOWS.paymentDispute, {
    ...options,
    taskQueue: flow.taskQueue,
    workflowId: disputeWorkflowIdOf(paymentId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [input],
  });

describe('a dispute', () => {
  test('says what is recorded and what contradicts it, waits, records what was agreed, and changes nothing', async () => {
    const paymentId = await disputed();
    const truth = await truthOf(flow, paymentId);
    const outcome = await outcomeOf(flow, paymentId);
    const described = await disputeRun(paymentId).describe();
    expect(described.typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('Disputed');
    expect(described.typedSearchAttributes.get(SEARCH_ATTRIBUTES.reason)).toBe('disputed');
    expect(await described.staticSummary()).toBe('Disputed · Recorded as declined; Almara Pay says completed');
    expect(await progressOf(paymentId)).toEqual({ ...(await inputOf(paymentId)), recorded: outcome });

    expect(await resolve(paymentId, AGREED)).toMatchObject({ resolution: AGREED, recorded: outcome });
    expect(await disputeRun(paymentId).result()).toEqual({
      paymentId,
      agreed: 'paid',
      operator: 'amina',
      note: AGREED.note,
      resolvedAt: expect.any(String) as string,
      summary: 'Resolved as paid. By amina: "finance has the receipt". Case AP-1. Recorded as declined, which stays.',
    });
    expect((await factsOf(flow, paymentId)).closed).toEqual({ outcome, disputed: true });
    expect(await truthOf(flow, paymentId)).toEqual(truth);
    expect(await flow.store.operatorActions.list(paymentId)).toMatchObject([
      { operator: 'amina', action: 'resolveDispute', note: AGREED.note, updateId: expect.any(String) as string },
    ]);
  });

  test('its details tell the night operator what to do', async () => {
    const paymentId = await disputed();
    const details = await disputeRun(paymentId).query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(details.currentDetails).toContain(`Payment ${paymentId} · KES 220`);
    expect(details.currentDetails).toContain('### Disputed: recorded as declined; Almara Pay says completed');
    expect(details.currentDetails).toContain(
      'the hold was given back. Nothing is changed by itself. **Call finance.**',
    );
    const lines = /```json\n([\s\S]*?)\n```/.exec(details.currentDetails)?.[1]?.split('\n') ?? [];
    expect(lines.map((line) => (JSON.parse(line) as DisputeResolution).agreed)).toEqual(['paid', 'not-paid']);
    await disputeRun(paymentId).cancel();
    await until(
      'the cancellation to be answered',
      () => disputeRun(paymentId).query<{ currentDetails: string }>('__temporal_workflow_metadata'),
      ({ currentDetails }) => currentDetails.includes('a dispute is not cancelled'),
    );
    expect((await disputeRun(paymentId).describe()).status.name).toBe('RUNNING');
    await resolve(paymentId, AGREED);
    expect(await disputeRun(paymentId).result()).toMatchObject({ agreed: 'paid' });
  });

  test.each([
    ['nothing', undefined, /^Send one JSON object/],
    ['an empty note', { ...AGREED, note: ' ' }, /^"note" must be why/],
    ['no operator', { agreed: 'paid', note: 'x' }, /^"operator" must be your name/],
    ['an operator that is no text', { ...AGREED, operator: ['amina'] }, /^"operator"/],
    ['another word for paid', { ...AGREED, agreed: 'declined' }, /^"agreed" must be "paid" or "not-paid"/],
    ['a case that is no text', { ...AGREED, providerCase: 7 }, /^"providerCase"/],
  ])('refuses %s with a sentence, and nothing is half done', async (_what, argument, sentence) => {
    const paymentId = await shared();
    expect(await refusal(resolve(paymentId, argument))).toMatch(sentence);
    expect(await flow.store.operatorActions.list(paymentId)).toEqual([]);
    expect((await flow.store.disputes.find(paymentId))?.resolution).toBeUndefined();
  });
  let sharedDispute: Promise<string> | undefined;
  const shared = () => (sharedDispute ??= disputed());

  test('twice at once: one is recorded, the other hears who was first; one update id acts once', async () => {
    const paymentId = await disputed();
    // While its local activity is at the gate a run hears of nothing else until its task reports: sooner than after 8 s.
    await disputeRun(paymentId).terminate();
    await startDispute(paymentId, await inputOf(paymentId), { workflowTaskTimeout: '3 seconds' });
    await opened(paymentId);
    const writing = gates.hold('resolveDispute', paymentId);
    const first = resolve(paymentId, AGREED, 'one');
    await writing.reached;
    const again = resolve(paymentId, AGREED, 'one');
    const second = refusal(resolve(paymentId, { ...AGREED, agreed: 'not-paid', operator: 'juma' }, 'two'));
    expect(await second).toBe('amina has decided already; it is being written down.');
    writing.open();
    expect(await again).toEqual(await first);
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
    expect(await disputeRun(paymentId).result()).toMatchObject({ agreed: 'paid', operator: 'amina' });
  });

  test('a resolution whose answer was lost is recorded once, and is the answer', async () => {
    const paymentId = await disputed();
    const lost = gates.hold('resolved', paymentId);
    const asked = resolve(paymentId, AGREED);
    await lost.reached;
    lost.failOnce();
    expect(await asked).toMatchObject({ resolution: AGREED });
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('another run was first: its resolution stands, ends this one, and who decided here is told', async () => {
    const paymentId = await disputed();
    const writing = gates.hold('resolveDispute', paymentId);
    const late = refusal(resolve(paymentId, AGREED));
    await writing.reached;
    const earlier: DisputeResolution = { agreed: 'not-paid', operator: 'juma', note: 'finance has looked' };
    const { operator, note } = earlier;
    await flow.store.disputes.resolve(paymentId, earlier, { operator, note, action: 'resolveDispute' });
    writing.open();
    expect(await late).toMatch(/^It was resolved already: juma has recorded "not-paid" at .* UTC\.$/);
    expect(await disputeRun(paymentId).result()).toMatchObject({ agreed: 'not-paid', operator: 'juma' });
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('only those whom BILLPAY_OPERATORS names may decide', async () => {
    const own = await startFlow({ settings: { operators: ['Amina'] } });
    const request = await ownRequest(own, 'rejected');
    await own.payments.start(request);
    await outcomeOf(own, request.paymentId);
    await own.store.disputes.raise(request.paymentId, { by: 'look', because: 'x' });
    const run = own.client.workflow.getHandle(disputeWorkflowIdOf(request.paymentId));
    const ask = (argument: DisputeResolution) =>
      run.executeUpdate<DisputeProgress, [DisputeResolution]>(UPDATES.resolveDispute, { args: [argument] });
    await until(
      'the record to be read',
      () => run.query<DisputeProgress>(QUERIES.disputeProgress).catch(() => undefined),
      (progress) => progress?.recorded !== undefined,
    );
    expect(await refusal(ask({ ...AGREED, operator: 'mallory' }))).toMatch(/^mallory may not decide here/);
    expect((await own.store.disputes.find(request.paymentId))?.resolution).toBeUndefined();
    expect(await ask(AGREED)).toMatchObject({ resolution: AGREED });
  });
});

describe('what the engine can be made to do with a dispute', () => {
  test('reset after its end: completes with what is recorded', async () => {
    const paymentId = await disputed();
    await resolve(paymentId, AGREED);
    const outcome: unknown = await disputeRun(paymentId).result();
    expect(await disputeRun(paymentId, await reset(paymentId)).result()).toEqual(outcome);
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);
  });

  test('reset while it waits: waits again', async () => {
    const paymentId = await disputed();
    await reset(paymentId);
    await opened(paymentId);
    expect(await resolve(paymentId, AGREED)).toMatchObject({ resolution: AGREED });
  });

  test('terminated, and started again by hand: waits again, and the record is the store’s', async () => {
    const paymentId = await disputed();
    await disputeRun(paymentId).terminate();
    await startDispute(paymentId, { ...(await inputOf(paymentId)), because: 'something else', raisedBy: 'callback' });
    await opened(paymentId);
    expect(await progressOf(paymentId)).toMatchObject({ raisedBy: 'look', because: /Almara Pay says/ });
    await resolve(paymentId, AGREED);
    expect(await disputeRun(paymentId).result()).toMatchObject({ agreed: 'paid' });
  });

  test('started again after its end: completes with what is recorded', async () => {
    const paymentId = await disputed();
    await resolve(paymentId, AGREED);
    const outcome: unknown = await disputeRun(paymentId).result();
    const again = await startDispute(paymentId, await inputOf(paymentId));
    expect(await again.result()).toEqual(outcome);
  });

  test('a start by hand with nonsense fails at once, and does not keep the real one from opening', async () => {
    const paymentId = await declinedPayment();
    const causeOf = async (input: unknown): Promise<string> =>
      await refusal(startDispute(paymentId, input).then((run) => run.result()));
    expect(await causeOf('nonsense')).toMatch(/^input must be one JSON object/);
    expect(await causeOf({ paymentId: 'other-payment' })).toMatch(
      /^paymentId must match the workflow id.*raisedBy must be one of.*because.*raisedAt must be a time/,
    );
    const well = { paymentId, raisedBy: 'callback', because: 'x', raisedAt: new Date().toISOString() };
    expect(await causeOf(well)).toMatch(/is not disputed: nothing was raised/);
    await raise(paymentId);
    await opened(paymentId);
    expect((await disputeRun(paymentId).describe()).status.name).toBe('RUNNING');
  });

  const reset = (paymentId: string): Promise<string> => resetRun(flow, disputeWorkflowIdOf(paymentId));
});
