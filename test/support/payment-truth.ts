import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import { compareWithOutcome } from '../../src/callbacks/compare';
import { isRequestOf, violations, type PaymentTruth } from '../../verification/guarantees';
import { factsOf, type Flow } from './flow';
import { runOf } from './gates';

/** The facts about one payment, from the provider's ledger, the store and the engine. */
export async function truthAbout(flow: Flow, request: BillPaymentRequest): Promise<PaymentTruth> {
  const { paymentId, amount, fundingAccount } = request;
  const callbacks = await flow.store.inbox.forPayment(paymentId);
  const { postsSeen, postsCaptured, status, said } = flow.sandbox.payment(paymentId);
  const captured = flow.sandbox.ledger.find(paymentId)?.state.captured;
  const stored = await storedTruth(flow, request, callbacks);
  return {
    paymentId,
    amount,
    isFunded: fundingAccount !== undefined,
    failedWithoutCode: 'ask',
    provider: {
      postsSeen,
      postsCaptured,
      capturedAfterClose:
        stored.outcome !== undefined && captured !== undefined && captured.at > Date.parse(stored.outcome.closedAt),
      capturedOther: captured !== undefined && !isRequestOf(request, captured.request),
      status,
      saidCompleted: said.completed,
      saidFailed: said.failed,
      saidRejected: said.rejected,
      refusalCallbacks: callbacks.filter(({ reading }) => reading.code?.meaning === 'refusal').length,
    },
    stored,
    results: await resultsOf(flow, paymentId),
  };
}

async function storedTruth(
  flow: Flow,
  { paymentId, accountNumber, amount, fundingAccount = '' }: BillPaymentRequest,
  callbacks: Awaited<ReturnType<Flow['store']['inbox']['forPayment']>>,
): Promise<NonNullable<PaymentTruth['stored']>> {
  const { claim, closed, seen } = await factsOf(flow, paymentId);
  const outcome = closed?.outcome;
  const decision = (await flow.store.operatorActions.list(paymentId)).find(({ action }) => action === 'resolvePayment');
  // Each payment has an account of its own.
  const account = await flow.store.funds.account(fundingAccount);
  const state = account?.reserved ? 'reserved' : account?.posted ? 'posted' : 'voided';
  const isHeld = claim.kind === 'taken' || account?.reserved !== 0 || account.posted !== 0;
  return {
    claim: claim.kind === 'free' ? 'none' : claim.kind,
    ...(outcome && { outcome }),
    disputed: closed?.disputed === true,
    // What comes after the end is disputed: the rest was known when it was recorded.
    knewCompleted: outcome !== undefined && seen.completedAt !== undefined && closed?.disputed !== true,
    doubtfulCodes: callbacks.filter(
      ({ handledAs, reading: { code } }) =>
        handledAs === 'close' && code !== undefined && code.meaning !== 'refusal' && code.meaning !== 'duplicate',
    ).length,
    ...(account && isHeld && { reservation: { state, amount, posted: account.posted } }),
    ...(decision && { decidedBy: decision.operator }),
    contradictions:
      outcome === undefined
        ? 0
        : callbacks.filter(({ reading, handledAs }) => {
            const { kind } = compareWithOutcome({ outcome, accountNumber }, reading);
            return handledAs !== 'close' && kind === 'contradicts';
          }).length,
  };
}

async function resultsOf(flow: Flow, paymentId: string): Promise<BillPaymentOutcome[]> {
  const run = runOf(flow, paymentId);
  const { status } = await run.describe();
  return status.name === 'COMPLETED' ? [(await run.result()) as BillPaymentOutcome] : [];
}

/** Nothing that G1-G8 forbid. */
export async function expectNoViolation(flow: Flow, request: BillPaymentRequest): Promise<PaymentTruth> {
  const truth = await truthAbout(flow, request);
  expect(violations(truth)).toEqual([]);
  return truth;
}
