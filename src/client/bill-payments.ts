import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, type SearchAttributePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, TASK_QUEUE, WORKFLOWS, workflowIdOf, type BillPaymentState } from '../payment/contract';
import { fingerprint } from '../payment/fingerprint';
import type {
  BillInquiry,
  BillService,
  ProviderReport,
  SaveBillNumberRequest,
  SavedBillNumberReceipt,
} from '../payment/inquiry';
import type { BillPaymentOutcome } from '../payment/outcome';
import type { BillPaymentRequest, CheckedRequest } from '../payment/request';
import { listAttention, type AttentionItem } from './attention';
import { checkBill, checkPayment, checkSaveBillNumber } from './check';
import { CALL_TIMEOUT_MS, openClient, type ConnectOptions } from './connection';
import { Engine, isOutOfTime } from './engine';
import { PaymentConflict, ProviderFailed } from './errors';
import { contentOf } from './existing-run';
import { failedQuestion } from './failures';
import { DisputeHandle } from './dispute-handle';
import { PaymentHandle } from './handle';
import { Reconciliation } from './reconciliation';
import { summaryOf } from './summary';
import type { BillDisputeHandle, BillPaymentHandle, StillOpen, WaitOptions } from './types';

/** A question asks the provider up to three things, each of which may be repeated. */
const QUESTION_MS = 60_000;
/** The engine forgets a question that nobody waits for any more. */
const QUESTION_ENDS_MS = QUESTION_MS + 10_000;

/**
 * Pays bills, by way of Temporal alone: it holds an address and starts workflows by name. Make one and share it.
 * Every call is bounded in time and may be repeated: the payment id makes it the same payment.
 */
export class BillPayments {
  /** For operators: does what was recorded agree with the runs and with the provider? */
  readonly reconciliation: Reconciliation;
  readonly #engine: Engine;
  readonly #callTimeoutMs: number;
  #release: () => Promise<void> = () => Promise.resolve();

  /** @param client yours: `close` leaves its connection open */
  constructor(client: Client, { callTimeoutMs = CALL_TIMEOUT_MS }: Pick<ConnectOptions, 'callTimeoutMs'> = {}) {
    this.#engine = new Engine(client, callTimeoutMs);
    this.reconciliation = new Reconciliation(this.#engine);
    this.#callTimeoutMs = callTimeoutMs;
  }

  /**
   * With Temporal's usual settings: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API key, `temporal.toml`.
   * A server that is away is told by the first call, as `EngineUnavailable`.
   */
  static connect(options: ConnectOptions = {}): Promise<BillPayments> {
    return Promise.resolve().then(() => {
      const { client, close } = openClient(options);
      const payments = new BillPayments(client, options);
      payments.#release = close;
      return payments;
    });
  }

  /**
   * Starts the payment, or finds it: idempotent by `paymentId`, for ever. One call to the server, when it is new.
   * @throws InvalidRequest | PaymentConflict | EngineUnavailable
   */
  async start(request: BillPaymentRequest): Promise<BillPaymentHandle> {
    return await this.#start(request);
  }

  /**
   * Starts, then waits at most `waitMs` (25 s) for the outcome. `open` is no failure: ask again with the same id.
   * @throws InvalidRequest | PaymentConflict | RunEnded | EngineUnavailable
   */
  async pay(request: BillPaymentRequest, options: WaitOptions = {}): Promise<BillPaymentOutcome | StillOpen> {
    const payment = await this.#start(request, options.signal);
    return await payment.outcome(options);
  }

  /** A payment by its id. Asks nothing: an unknown id is told by the first call, as `PaymentNotFound`. */
  payment(paymentId: string): BillPaymentHandle {
    return new PaymentHandle(paymentId, this.#engine);
  }

  /** What contradicts the outcome of a payment. Asks nothing: without a dispute the first call says so, as `DisputeNotFound`. */
  dispute(paymentId: string): BillDisputeHandle {
    return new DisputeHandle(paymentId, this.#engine);
  }

  /** Whether an account can be paid, and what is due. Pays nothing. @throws InvalidRequest | ProviderFailed | EngineUnavailable */
  async inquire(bill: { readonly serviceId: string; readonly accountNumber: string }): Promise<BillInquiry> {
    return await this.#ask<BillInquiry>(WORKFLOWS.billInquiry, checkBill(bill));
  }

  /** What the provider can pay. @throws ProviderFailed | EngineUnavailable */
  async services(): Promise<readonly BillService[]> {
    return await this.#ask<readonly BillService[]>(WORKFLOWS.billServices);
  }

  /** Has the provider keep a biller account for later. @throws InvalidRequest | ProviderFailed | EngineUnavailable */
  async saveBillNumber(request: SaveBillNumberRequest): Promise<SavedBillNumberReceipt> {
    return await this.#ask<SavedBillNumberReceipt>(WORKFLOWS.saveBillNumber, checkSaveBillNumber(request));
  }

  /** The provider's health, our routes and our wallet there, in one report. @throws ProviderFailed | EngineUnavailable */
  async checkProvider(): Promise<ProviderReport> {
    return await this.#ask<ProviderReport>(WORKFLOWS.providerCheck);
  }

  /** What needs attention: payments and open disputes, oldest first. @throws EngineUnavailable */
  async attention(): Promise<readonly AttentionItem[]> {
    return await listAttention(this.#engine);
  }

  /** Closes the connection that `connect` has opened. Payments go on. */
  async close(): Promise<void> {
    await this.#release();
  }

  async #start(request: BillPaymentRequest, signal?: AbortSignal): Promise<PaymentHandle> {
    const checked = checkPayment(request);
    const content = await fingerprint(checked);
    try {
      await this.#engine.bounded(() => this.#startRun(checked, content), { signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw this.#engine.trouble(error);
      const known = await contentOf(this.#engine, checked.paymentId, signal);
      if (known !== content) throw new PaymentConflict(checked.paymentId, { cause: error });
    }
    return new PaymentHandle(checked.paymentId, this.#engine);
  }

  /**
   * Fails when there is a run of this id that is open or has an outcome. Not USE_EXISTING, which would not tell whether the
   * run is new: another request's run would be taken for this one, or every start would need a second call to compare.
   * After a run that ended without an outcome (a bug, a termination) the same id starts again, and `registerPayment`
   * compares the content with the store's.
   */
  async #startRun(request: CheckedRequest, content: string): Promise<unknown> {
    return await this.#engine.client.workflow.start(WORKFLOWS.billPayment, {
      taskQueue: TASK_QUEUE,
      workflowId: workflowIdOf(request.paymentId),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: [request],
      memo: { fingerprint: content },
      typedSearchAttributes: searchAttributesOf(request),
      staticSummary: summaryOf(request),
    });
  }

  /** Runs a workflow that pays nothing, under an id of its own, and waits for its answer. */
  async #ask<Answer>(workflow: string, ...args: object[]): Promise<Answer> {
    const options = {
      taskQueue: TASK_QUEUE,
      workflowId: `${workflow}-${randomUUID()}`,
      args,
      workflowExecutionTimeout: QUESTION_ENDS_MS,
    };
    try {
      const run = await this.#engine.bounded(() => this.#engine.client.workflow.start(workflow, options));
      return (await this.#answerOf(run)) as Answer;
    } catch (error) {
      throw error instanceof WorkflowFailedError ? failedQuestion(error) : this.#engine.trouble(error);
    }
  }

  /** Looks on the way whether any worker has taken the question up, to say so soon and not after a minute. */
  async #answerOf(run: WorkflowHandle): Promise<unknown> {
    const answer = await this.#answerWithin(this.#callTimeoutMs, run);
    if (answer.kind === 'answer') return answer.value;
    if (!(await this.#engine.isTakenUp(run))) throw this.#engine.trouble(answer.error, 'worker');
    const late = await this.#answerWithin(QUESTION_MS - this.#callTimeoutMs, run);
    if (late.kind === 'answer') return late.value;
    throw new ProviderFailed(`No answer from the provider within ${QUESTION_MS / 1000} s.`, { cause: late.error });
  }

  async #answerWithin(
    ms: number,
    run: WorkflowHandle,
  ): Promise<{ kind: 'answer'; value: unknown } | { kind: 'none'; error: unknown }> {
    try {
      return { kind: 'answer', value: await this.#engine.bounded<unknown>(() => run.result(), { ms }) };
    } catch (error) {
      if (isOutOfTime(error)) return { kind: 'none', error };
      throw error;
    }
  }
}

function searchAttributesOf({ serviceName }: CheckedRequest): SearchAttributePair[] {
  const state: BillPaymentState = 'InProgress';
  return [
    { key: SEARCH_ATTRIBUTES.state, value: state },
    ...(serviceName === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.service, value: serviceName }]),
  ];
}
