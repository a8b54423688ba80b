import { setTimeout as sleep } from 'node:timers/promises';
import { BillPaymentError, PaymentConflict, type BillPayments, type Decision, type Resolution } from '../../src/client';
import { workflowIdOf } from '../../src/payment/contract';
import { STATUS } from '../../src/sandbox';
import type { Violation } from '../guarantees';
import type { Deed, PlannedPayment } from './plan';
import type { Stage } from './stage';
import type { Tally } from './tally';
import type { Watch } from './watch';

/** What callers and operators do beside the flow. Refusals are answers; what nobody expects goes into the report by name. */
export class People {
  /** A conflict that was taken for the same payment (G8), a decline against a completed record (G2). */
  readonly violations: Violation[] = [];
  readonly #busy = new Set<Promise<void>>();
  readonly #decisions = new Map<string, number>();

  constructor(
    private readonly stage: Pick<Stage, 'payments' | 'client' | 'sandbox'>,
    private readonly planned: ReadonlyMap<string, PlannedPayment>,
    private readonly tally: Tally,
  ) {}

  begin(payment: PlannedPayment): void {
    for (const deed of payment.deeds) this.#inBackground(`deed ${deed.kind}`, () => this.#do(deed, payment));
  }

  /** Decides what waits, by what the provider's own ledger says. Each payment a few times at most. */
  decide(watch: Watch): void {
    for (const paymentId of watch.attention.keys()) {
      const payment = this.planned.get(paymentId);
      const tries = this.#decisions.get(paymentId) ?? 0;
      if (payment === undefined || payment.operator === 'leaves-it' || watch.outcomes.has(paymentId)) continue;
      if (tries >= TRIES || this.#busy.size > AT_ONCE) continue;
      this.#decisions.set(paymentId, tries + 1);
      this.#inBackground('decision', () => this.#decide(payment));
    }
    for (const paymentId of watch.disputes) {
      const payment = this.planned.get(paymentId);
      const key = `dispute of ${paymentId}`;
      const tries = this.#decisions.get(key) ?? 0;
      if (payment === undefined || payment.operator === 'leaves-it' || tries >= TRIES || this.#busy.size > AT_ONCE)
        continue;
      this.#decisions.set(key, tries + 1);
      this.#inBackground('dispute', () => this.#agree(paymentId));
    }
  }

  /** Resolves when nobody is doing anything. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    const done = work()
      .then(
        () => this.tally.add('people', `${what}: done`),
        (error: unknown) => this.tally.add('people', `${what}: ${nameOf(error)}`),
      )
      .finally(() => this.#busy.delete(done));
    this.#busy.add(done);
  }

  async #do({ kind, afterMs }: Deed, { request }: PlannedPayment): Promise<void> {
    await sleep(afterMs);
    const payment = this.stage.payments.payment(request.paymentId);
    const by = { operator: 'operator-1', note: 'asked for by the chaos run' };
    switch (kind) {
      case 'start-again':
        return void (await this.stage.payments.start(request));
      case 'start-other-content':
        return await this.#startOtherContent(request);
      case 'cancel':
        return void (await payment.cancel({ ...by, requestId: 'one' }));
      case 'request-cancellation':
        return void (await this.stage.client.workflow.getHandle(workflowIdOf(request.paymentId)).cancel());
      case 'check-now':
        return void (await payment.checkNow(by));
      case 'decide-too-early':
        return void (await payment.resolve({ ...by, decision: this.#truthOf(request.paymentId) ?? 'declined' }));
    }
  }

  async #startOtherContent(request: Parameters<BillPayments['start']>[0]): Promise<void> {
    const other = { ...request, amount: request.amount + 1 };
    try {
      // Started at all only after a run that was terminated, and written down before: the worker's own check refuses it.
      const answer = await this.stage.payments.pay(other, { waitMs: 20_000 });
      this.violations.push({
        guarantee: 'G8',
        paymentId: request.paymentId,
        what: `started with another amount, and the answer was ${answer.kind}`,
      });
    } catch (error) {
      if (error instanceof PaymentConflict) return;
      throw error;
    }
  }

  async #decide({ request, operator }: PlannedPayment): Promise<void> {
    const { paymentId } = request;
    const decision = this.#truthOf(paymentId);
    const payment = this.stage.payments.payment(paymentId);
    const by = { operator: 'operator-1', note: 'as the ledger of the provider says' };
    // Not known to the provider, or pending: only with their written word, and only when nothing can still arrive.
    if (decision === undefined)
      return void (await payment.resolve({ ...by, decision: 'declined', providerCase: 'CASE-1' }));
    const first = payment.resolve({ ...by, decision, requestId: 'one' });
    if (operator === 'decides') return void (await first);
    const other = { ...by, operator: 'operator-2', requestId: 'two' } as const;
    const second =
      operator === 'decides-twice'
        ? payment.resolve({ ...by, decision, requestId: 'one' })
        : decision === 'paid'
          ? this.#declineWrongly(paymentId, { ...other, note: 'wrongly', decision: 'declined', providerCase: 'CASE-2' })
          : payment.resolve({ ...other, decision });
    const [one, two] = await Promise.allSettled([first, second]);
    if (one.status === 'rejected' && two.status === 'rejected') throw one.reason;
  }

  /** Refused, because the provider says completed: by a look, or else because a request so young may still arrive. */
  async #declineWrongly(paymentId: string, by: Decision & Resolution): Promise<void> {
    const takenAt = this.stage.sandbox.ledger.find(paymentId)?.state.captured?.at ?? 0;
    await this.stage.payments.payment(paymentId).resolve(by);
    if (Date.now() - takenAt > YOUNG_MS) return;
    this.violations.push({
      guarantee: 'G2',
      paymentId,
      what: 'a person could decline it while the provider said completed',
    });
  }

  async #agree(paymentId: string): Promise<void> {
    const agreed = this.#truthOf(paymentId) === 'paid' ? 'paid' : 'not-paid';
    await this.stage.payments
      .dispute(paymentId)
      .resolve({ agreed, operator: 'operator-1', note: 'as the ledger of the provider says', requestId: 'one' });
  }

  #truthOf(paymentId: string): 'paid' | 'declined' | undefined {
    const { status } = this.stage.sandbox.payment(paymentId);
    if (status === STATUS.completed) return 'paid';
    return status === STATUS.failed ? 'declined' : undefined;
  }
}

/** As long as that its token may be alive by some clock. */
const YOUNG_MS = 5 * 60_000;
/** Of decisions on one payment. A refusal is repeated: what stood against it may be gone. */
const TRIES = 3;
const AT_ONCE = 24;

/** The cause a caller can tell apart, or the error's first words. */
function nameOf(error: unknown): string {
  if (error instanceof BillPaymentError) return error.code;
  return error instanceof Error ? `${error.name}: ${error.message.slice(0, 60)}` : String(error);
}
