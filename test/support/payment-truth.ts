import type { Almara } from '../../src/almara';
import { mismatches } from '../../src/payment/look';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { BillPaymentRequest } from '../../src/payment/request';
import { compareWithOutcome } from '../../src/callbacks/compare';
import { violations, type PaymentTruth } from '../../src/verification/guarantees';
import { FLOAT, type Flow } from './flow';
import { runOf } from './gates';

/** What the provider has told us, as the adapter read it: the ledger knows what is true, not what was said. */
export interface Hearsay {
  listen(real: Almara): Almara;
  said(paymentId: string): { readonly completed: boolean; readonly failed: boolean; readonly rejected: boolean };
}

export function createHearsay(requests: ReadonlyMap<string, BillPaymentRequest>): Hearsay {
  const heard = new Set<string>();
  return {
    listen: (real) => ({
      ...real,
      async findPayment(paymentId, signal) {
        const look = await real.findPayment(paymentId, signal);
        const { observation } = look;
        const request = requests.get(paymentId);
        if (observation.kind === 'record' && request !== undefined) {
          const matches =
            mismatches({ ...request, currency: request.currency ?? FLOAT.currency }, observation).length === 0;
          if (observation.state !== 'completed' || matches) heard.add(`${observation.state} ${paymentId}`);
        }
        return look;
      },
      async submitPayment(order, ...rest) {
        const submission = await real.submitPayment(order, ...rest);
        heard.add(`${submission.kind} ${order.paymentId}`);
        return submission;
      },
    }),
    said: (paymentId) => ({
      completed: heard.has(`completed ${paymentId}`),
      failed: heard.has(`failed ${paymentId}`),
      rejected: heard.has(`rejected ${paymentId}`),
    }),
  };
}

/** The facts about one payment, from the provider's ledger, the store and the engine. */
export async function truthAbout(flow: Flow, hearsay: Hearsay, request: BillPaymentRequest): Promise<PaymentTruth> {
  const { paymentId, amount } = request;
  const { postsSeen, postsCaptured, status } = flow.sandbox.payment(paymentId);
  const said = hearsay.said(paymentId);
  const callbacks = await flow.store.inbox.forPayment(paymentId);
  return {
    paymentId,
    amount,
    provider: {
      postsSeen,
      postsCaptured,
      status,
      saidCompleted: said.completed,
      saidFailed: said.failed,
      saidRejected: said.rejected,
      refusalCallbacks: callbacks.filter(({ reading }) => reading.code?.meaning === 'refusal').length,
    },
    stored: await storedTruth(flow, request, callbacks),
    results: await resultsOf(flow, paymentId),
  };
}

async function storedTruth(
  flow: Flow,
  { paymentId, amount, fundingAccount = '' }: BillPaymentRequest,
  callbacks: Awaited<ReturnType<Flow['store']['inbox']['forPayment']>>,
): Promise<NonNullable<PaymentTruth['stored']>> {
  const { claim, outcome, disputed } = await flow.store.payments.facts(paymentId);
  const decision = (await flow.store.operatorActions.list(paymentId)).find(({ action }) => action === 'resolvePayment');
  // Each payment has an account of its own.
  const account = await flow.store.reservations.account(fundingAccount);
  const state = account?.reserved ? 'reserved' : account?.posted ? 'posted' : 'voided';
  const held = claim !== undefined || outcome !== undefined || account?.reserved !== 0;
  return {
    claim: claim !== undefined ? 'taken' : outcome !== undefined ? 'sealed' : 'none',
    ...(outcome && { outcome }),
    disputed,
    ...(account && held && { reservation: { state, amount, posted: account.posted } }),
    ...(decision && { decidedBy: decision.operator }),
    contradictions:
      outcome === undefined
        ? 0
        : callbacks.filter(({ reading, namedBy }) => {
            return namedBy !== 'close' && compareWithOutcome(outcome, reading).kind === 'contradicts';
          }).length,
  };
}

async function resultsOf(flow: Flow, paymentId: string): Promise<BillPaymentOutcome[]> {
  const run = runOf(flow, paymentId);
  const { status } = await run.describe();
  return status.name === 'COMPLETED' ? [(await run.result()) as BillPaymentOutcome] : [];
}

/** Nothing that G1-G8 forbid. */
export async function expectNoViolation(
  flow: Flow,
  hearsay: Hearsay,
  request: BillPaymentRequest,
): Promise<PaymentTruth> {
  const truth = await truthAbout(flow, hearsay, request);
  expect(violations(truth)).toEqual([]);
  return truth;
}
