import type { BillPaymentOutcome } from '../../src/payment/outcome';
import { violations, violationsAtRest, type PaymentTruth, type RunAtRest, type Violation } from '../guarantees';
import type { StoreModel } from '../store-model';
import { needsAttention } from './people';
import type { Provider } from './provider';
import type { Run } from './runs';
import type { Scenario } from './scenario';

/** Holds what is against G1-G8: after every step, when a run ends, and when nothing moves any more. */

export interface WitnessParts {
  readonly scenario: Scenario;
  readonly model: StoreModel;
  readonly provider: () => Pick<Provider, 'truth'>;
  /** Oldest first. */
  readonly runs: () => readonly Run[];
}

export class Witness {
  readonly found: Violation[] = [];
  /** Authentic callbacks whose code means a refusal. */
  refusals = 0;
  #firstOutcome: string | undefined;
  #knewCompleted = false;

  constructor(private readonly parts: WitnessParts) {}

  look(): void {
    const snapshot = this.parts.model.snapshot(this.#paymentId);
    const outcome = snapshot?.outcome;
    if (outcome !== undefined && this.#firstOutcome === undefined)
      this.#knewCompleted = snapshot?.completedSeen === true;
    this.found.push(...violations(this.#truth()));
    if (outcome !== undefined) {
      const final = JSON.stringify([outcome.kind, outcome.closedAt, outcome.kind === 'paid' && outcome.amount]);
      this.#firstOutcome ??= final;
      if (final !== this.#firstOutcome) this.report('G7', `${this.#firstOutcome} became ${final}`);
    } else if (this.#firstOutcome !== undefined) this.report('G7', 'an outcome has gone');
    this.#lookAtFunds(outcome !== undefined);
  }

  /** @param unrest what still moves, when it should not */
  atRest(unrest: string | undefined): void {
    if (this.found.length > 0) return;
    if (unrest !== undefined) return this.report('G4', `it never comes to rest: ${unrest}`);
    this.found.push(...violationsAtRest(this.#truth(), this.#runAtRest()));
  }

  ended(run: Run): void {
    const { end } = run;
    const isOwn = this.#isOwn(run);
    if (end?.kind === 'failed' && (isOwn || end.type !== 'PaymentConflict'))
      this.report('G4', `a run failed: ${end.type}: ${end.message}`);
    if (end?.kind === 'completed' && !isOwn) this.report('G8', 'another content was taken for the same payment');
  }

  report(guarantee: Violation['guarantee'], what: string): void {
    this.found.push({ guarantee, paymentId: this.#paymentId, what });
  }

  /** The newest run of this payment's own content. */
  get lastOwnRun(): Run | undefined {
    return this.parts.runs().findLast((run) => this.#isOwn(run));
  }

  get #paymentId(): string {
    return this.parts.scenario.request.paymentId;
  }

  /** Runs with other content are refused, and say nothing about the payment. */
  #isOwn({ input }: Run): boolean {
    return input === this.parts.scenario.request;
  }

  #lookAtFunds(isClosed: boolean): void {
    for (const { deposited, available, reserved, posted } of this.parts.model.accounts()) {
      if (deposited !== available + reserved + posted || available < 0)
        this.report('G6', `funds do not add up: ${JSON.stringify({ deposited, available, reserved, posted })}`);
      if (isClosed && reserved !== 0) this.report('G6', `closed, and ${reserved} is still reserved`);
    }
  }

  #truth(): PaymentTruth {
    const { scenario, model, provider, runs } = this.parts;
    const { request, failedWithoutCode } = scenario;
    const { paymentId, amount } = request;
    const snapshot = model.snapshot(paymentId);
    return {
      paymentId,
      amount,
      isFunded: request.fundingAccount !== undefined,
      failedWithoutCode,
      provider: { ...provider().truth(), refusalCallbacks: this.refusals },
      results: runs().flatMap(({ end }) => (end?.kind === 'completed' ? [end.value as BillPaymentOutcome] : [])),
      ...(snapshot && { stored: { ...snapshot, knewCompleted: this.#knewCompleted } }),
    };
  }

  #runAtRest(): RunAtRest {
    const run = this.lastOwnRun;
    if (run === undefined) return { kind: 'none' };
    if (run.end !== undefined) return { kind: run.end.kind === 'completed' ? 'completed' : 'failed' };
    if (!needsAttention(run.visible)) return { kind: 'running' };
    return { kind: 'needs-attention', hasReason: [run.visible['BillPaymentReason'] ?? []].flat().length > 0 };
  }
}
