import { randomUUID } from 'node:crypto';
import { workflowIdOf } from '../../src/payment/contract';
import { WorkflowNotFoundError } from '@temporalio/common';
import { PaymentConflict, type BillPaymentOutcome, type BillPaymentRequest } from '../../src/client';
import type { Violation } from '../guarantees';
import type { Cut } from '../../dev/tcp-proxy';
import { pick } from '../../src/sandbox';
import { patiently } from './patience';
import type { PlannedPayment, ProcessName, Strike } from './plan';
import { rescue } from './rescue';
import type { Stage } from './stage';
import type { Tally } from './tally';
import type { Watch } from './watch';

/** Carries out what the plan has in store for the processes and the runs. */
export class Strikes {
  /** What is done to one process waits for what is done to it before. */
  readonly #turns = new Map<ProcessName, Promise<void>>();
  /** A payment that was forgotten by more than the engine (G8). */
  readonly violations: Violation[] = [];
  /** Payments that were not started again yet: those whose run was deleted, with its run id, and those whose run was terminated. */
  readonly #forgotten = new Map<string, string>();
  readonly #terminated = new Set<string>();
  readonly #busy = new Set<Promise<void>>();

  constructor(
    private readonly stage: Stage,
    private readonly planned: ReadonlyMap<string, PlannedPayment>,
    private readonly watch: Watch,
    private readonly tally: Tally,
  ) {}

  strike(strike: Strike): void {
    switch (strike.kind) {
      case 'kill':
        return this.#inTurn(strike.process, async () => {
          await this.stage.parts[strike.process].kill(strike.downMs);
          this.tally.add('killed', strike.process);
        });
      case 'stall':
        return this.#inTurn(strike.process, async () => {
          await this.stage.workers[strike.process].stall(strike.forMs);
          this.tally.add('stalled', strike.process);
        });
      case 'lose-commit-answer':
        return this.#loseAnswer(strike.words, pick(CUTS, strike.chance));
      case 'reset':
        return this.#inBackground(() => this.#reset(strike));
      case 'terminate':
        return this.#inBackground(() => this.#terminate(strike.chance));
      case 'forget':
        return this.#inBackground(() => this.#forget(strike.chance));
    }
  }

  /**
   * On a starved machine the development server's SQLite connection stays interrupted for ever ("interrupted (9)") and the server
   * answers nothing any more: a supervisor restarts it, as it would in production.
   */
  restartDeadEngine(): void {
    this.#inTurn('engine', async () => {
      if (performance.now() - this.watch.engineAnsweredAt < ENGINE_IS_DEAD_AFTER_MS) return;
      await this.stage.parts.engine.kill(0);
      this.watch.engineAnsweredAt = performance.now();
      this.tally.add('restarted', 'the engine, which had stopped answering by itself');
    });
  }

  /** Resolves when everything that was begun is done: whatever was killed is up again. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  #inTurn(process: ProcessName, work: () => Promise<void>): void {
    const mine = (this.#turns.get(process) ?? Promise.resolve()).then(work);
    this.#turns.set(
      process,
      mine.catch(() => undefined),
    );
    this.#inBackground(() => mine);
  }

  #inBackground(work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => this.tally.add('not done', error instanceof Error ? error.message : String(error)))
      .finally(() => this.#busy.delete(done));
    this.#busy.add(done);
  }

  /** Not waited for: only the next connection that says these words meets it, and another one may be armed before. */
  #loseAnswer(words: string, cut: Cut): void {
    void this.stage.proxy.cut(cut, words).then(() => this.tally.add('connections to the store cut', `${cut} ${words}`));
  }

  /** To the end of any of its workflow tasks. */
  async #reset({ which, chance }: Extract<Strike, { kind: 'reset' }>): Promise<void> {
    const { client } = this.stage;
    await patiently(async () => {
      const run = client.workflow.getHandle(workflowIdOf(this.#choose(which, chance)));
      const { runId } = await run.describe();
      const { events } = await client.workflow.getHandle(run.workflowId, runId).fetchHistory();
      const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
      const task = tasks[Math.floor(((chance * 1e6) % 1) * tasks.length)];
      if (task === undefined) throw new Error('no workflow task of this run is done yet');
      await client.workflowService.resetWorkflowExecution({
        namespace: client.options.namespace,
        workflowExecution: { workflowId: run.workflowId, runId },
        reason: 'chaos',
        requestId: randomUUID(),
        workflowTaskFinishEventId: task.eventId ?? null,
      });
      this.tally.add('reset', which);
    });
  }

  /** As nobody should; and then its caller starts it again, with the same content. */
  async #terminate(chance: number): Promise<void> {
    const paymentId = await patiently(async () => {
      const id = this.#choose('running', chance);
      // Before that nobody would remember its content, and whoever starts it next decides what it is.
      const { rowCount } = await this.stage.sql.query('SELECT FROM payments WHERE payment_id = $1', [id]);
      if (rowCount === 0) throw new Error('it is not written down yet');
      await this.stage.client.workflow.getHandle(workflowIdOf(id)).terminate('chaos');
      this.#terminated.add(id);
      return id;
    });
    const planned = this.planned.get(paymentId);
    if (planned === undefined) return;
    this.tally.add('terminated', 'and started again');
    // Also when another start, with other content, has come in between: its run fails, and then this one is started.
    await patiently(() => this.#startTerminated(planned.request));
  }

  /** The store remembers: other content is a conflict still, and the same content is the same payment with the same end (G8). */
  async #forget(chance: number): Promise<void> {
    const { client, payments } = this.stage;
    const paymentId = await patiently(async () => {
      const id = this.#choose('closed', chance);
      const run = client.workflow.getHandle(workflowIdOf(id));
      const { runId, status } = await run.describe();
      if (status.name !== 'COMPLETED') throw new Error('its run is about to end');
      const execution = {
        namespace: client.options.namespace,
        workflowExecution: { workflowId: run.workflowId, runId },
      };
      await client.workflowService.deleteWorkflowExecution(execution);
      this.#forgotten.set(id, runId);
      return id;
    });
    const planned = this.planned.get(paymentId);
    if (planned === undefined) return;
    await patiently(() => this.#isForgotten(paymentId));
    const { request } = planned;
    const report = (what: string): void => void this.violations.push({ guarantee: 'G8', paymentId, what });
    await patiently(async () => {
      const answer = await answerOf(payments.pay({ ...request, amount: request.amount + 1 }, { waitMs: WAIT_MS }));
      if (answer !== 'conflict' && answer.kind === 'open') throw new Error('not answered yet');
      if (answer !== 'conflict') report(`forgotten, started with another amount, and the answer was ${answer.kind}`);
    });
    await patiently(() => this.#startForgotten(paymentId, request));
    this.tally.add('forgotten', 'and started again');
  }

  async #startTerminated(request: BillPaymentRequest): Promise<void> {
    await this.stage.payments.start(request);
    this.#terminated.delete(request.paymentId);
  }

  /** What could not be started again while servers were down: nobody but us has ended its run. Gives what still could not be. */
  async startAgain(deadline: AbortSignal): Promise<readonly string[]> {
    const missing: string[] = [];
    const again = async (id: string, start: (request: BillPaymentRequest) => Promise<void>): Promise<void> => {
      const planned = this.planned.get(id);
      if (planned === undefined) return;
      for (;;) {
        const failure = await patiently(() => start(planned.request)).catch((error: unknown) => String(error));
        if (typeof failure !== 'string') return;
        if (deadline.aborted) return void missing.push(`${id} could not be started again: ${failure}`);
        // A run of it with other content may stand still, and is then never refused.
        await rescue(this.stage, id, this.tally).catch(() => undefined);
      }
    };
    for (const id of [...this.#terminated]) await again(id, (request) => this.#startTerminated(request));
    for (const id of [...this.#forgotten.keys()])
      await again(id, async (request) => {
        // On a starved machine a deletion takes minutes. A start before it came through would be answered by the run that it takes away.
        await this.#isForgotten(id);
        await this.#startForgotten(id, request);
      });
    return missing;
  }

  async #startForgotten(paymentId: string, request: BillPaymentRequest): Promise<void> {
    const before = JSON.parse(this.watch.outcomes.get(paymentId) ?? '{}') as Partial<BillPaymentOutcome>;
    const ask = () => answerOf(this.stage.payments.pay(request, { waitMs: WAIT_MS }));
    let answer = await ask();
    if (answer === 'conflict') {
      // Right as long as a run with other content, started beside this one, is still being refused.
      if (await this.#runs(paymentId)) throw new Error('other content is still being refused');
      answer = await ask();
    }
    if (answer !== 'conflict' && answer.kind === 'open') throw new Error('not answered yet');
    this.#forgotten.delete(paymentId);
    if (answer === 'conflict' || answer.kind !== before.kind || answer.closedAt !== before.closedAt) {
      const what = `forgotten and started again: it was ${before.kind}, and now the answer is ${JSON.stringify(answer)}`;
      this.violations.push({ guarantee: 'G8', paymentId, what });
    }
  }

  async #runs(paymentId: string): Promise<boolean> {
    const { status } = await this.stage.client.workflow.getHandle(workflowIdOf(paymentId)).describe();
    return status.name === 'RUNNING';
  }

  /** The run itself: another of the same payment may have been started since. */
  async #isForgotten(paymentId: string): Promise<void> {
    try {
      await this.stage.client.workflow.getHandle(workflowIdOf(paymentId), this.#forgotten.get(paymentId)).describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return;
      throw error;
    }
    throw new Error('the engine still knows it');
  }

  #choose(which: 'running' | 'closed', chance: number): string {
    const ids =
      which === 'closed'
        ? [...this.watch.outcomes.keys()]
        : [...this.watch.started].filter((id) => !this.watch.outcomes.has(id));
    const id = ids[Math.floor(chance * ids.length)];
    if (id === undefined) throw new Error(`no payment is ${which} yet`);
    return id;
  }
}

/** A conflict may be told by the worker only, once it has looked into the store. */
async function answerOf<Answer>(asked: Promise<Answer>): Promise<Answer | 'conflict'> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PaymentConflict) return 'conflict';
    throw error;
  }
}

/** More than the longest time for which the plan keeps it down. */
export const ENGINE_IS_DEAD_AFTER_MS = 25_000;
const WAIT_MS = 20_000;
const CUTS: readonly [Cut, ...Cut[]] = ['after-forwarding', 'after-the-answer', 'in-the-answer', 'before-forwarding'];
