import { Activities, type Attempt, type AttemptOrder } from './activities';
import type { Agenda } from './agenda';
import type { Random } from './random';
import { cancelAll, openIn, Run } from './runs';
import { Tasks } from './tasks';
import type { Command, Job, WorkflowVm } from './vm';
import type { Worker, Workers } from './workers';

/** A Temporal server with its workers, for one workflow id: runs, their histories, and what people and programs ask of them. */

export interface EngineParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly vm: WorkflowVm;
  readonly workers: Workers;
  readonly workflowId: string;
  readonly trace: (line: string) => void;
  readonly execute: (order: AttemptOrder) => Attempt;
  /** A run has ended. */
  readonly onEnd: (run: Run) => void;
}

export class Engine {
  readonly runs: Run[] = [];
  readonly #tasks: Tasks;
  readonly #activities: Activities;
  #updates = 0;

  constructor(private readonly parts: EngineParts) {
    const { agenda, random, workers, trace, execute, vm, workflowId } = parts;
    this.#activities = new Activities({
      agenda,
      random,
      workers,
      trace,
      execute,
      onDone: (run, job) => this.#happened(run, job),
      onLocalDone: (run, task, job) => this.#tasks.localDone(run, task, job),
    });
    this.#tasks = new Tasks({
      agenda,
      random,
      vm,
      workers,
      workflowId,
      trace,
      startLocal: (run, task, command) => this.#activities.startLocal(run, task, command),
      commit: (run, commands) => {
        for (const command of commands) this.#commit(run, command);
      },
    });
  }

  get current(): Run | undefined {
    return this.runs.at(-1);
  }

  get open(): Run | undefined {
    return this.current?.isOpen === true ? this.current : undefined;
  }

  /** A new run of this id; false: one is open already. */
  start(input: unknown): boolean {
    if (this.open !== undefined) return false;
    const { agenda, random, trace } = this.parts;
    const runId = `run-${this.runs.length + 1}`;
    trace(`${runId} is started`);
    const run = new Run(runId, runId, agenda.now, random.int(2 ** 31), input);
    this.runs.push(run);
    this.#happened(run, { kind: 'start', input });
    return true;
  }

  signal(name: string, input: unknown): 'sent' | 'no-run' {
    const run = this.open;
    if (run === undefined) return 'no-run';
    this.#happened(run, { kind: 'signal', name, input });
    return 'sent';
  }

  update(name: string, input: unknown): string | undefined {
    const run = this.open;
    if (run === undefined) return undefined;
    this.#updates += 1;
    const id = `update-${this.#updates}`;
    run.updates.set(id, 'asked');
    this.#happened(run, { kind: 'update', id, name, input, validate: true });
    return id;
  }

  requestCancel(): void {
    const run = this.open;
    if (run !== undefined) this.#happened(run, { kind: 'cancel' });
  }

  terminate(): void {
    const run = this.open;
    if (run === undefined) return;
    this.parts.trace(`${run.runId} is terminated`);
    this.#close(run, { kind: 'terminated' });
  }

  /**
   * Goes back to before the end of a workflow task, in a new run. What was signalled and asked since is offered again; what ran
   * for the old run goes on for nobody.
   */
  reset(): boolean {
    const old = this.current;
    if (old === undefined || old.history.length === 0) return false;
    const { agenda, random, trace } = this.parts;
    const at = random.int(old.history.length);
    const runId = `run-${this.runs.length + 1}`;
    trace(`${old.runId} is reset to task ${at} of ${old.history.length}, as ${runId}`);
    if (old.isOpen) this.#close(old, { kind: 'terminated' });

    const run = new Run(runId, old.originalRunId, old.startTime, old.seed, old.input);
    run.history.push(...old.history.slice(0, at));
    for (const flag of old.flags) run.flags.add(flag);
    const kept = old.history[at]?.jobs.filter(({ kind }) => kind !== 'update') ?? [];
    this.runs.push(run);
    const { timers, activities } = openIn(run.history, kept);
    for (const [seq, due] of timers) this.#startTimer(run, seq, due - agenda.now);
    for (const { command, at: since } of activities.values()) this.#activities.schedule(run, command, since);
    for (const { activations } of run.history)
      for (const { commands } of activations) for (const command of commands) this.#show(run, command);
    const since = old.history.slice(at).flatMap(({ jobs }, index) => jobs.filter((job) => isOffered(job, index === 0)));
    const seed: Job = { kind: 'new-seed', seed: random.int(2 ** 31) };
    run.pending.push(...kept, seed, ...since, ...old.pending.filter((job) => isOffered(job, false)));
    this.#tasks.wake(run);
    return true;
  }

  workerDied(worker: Worker): void {
    for (const run of this.runs) if (run.cached?.worker === worker) this.#tasks.forget(run);
  }

  workerSilent(worker: Worker): void {
    this.#activities.silent(worker);
  }

  /** The server is another process: no cache is believed any more. */
  restart(): void {
    for (const run of this.runs) if (run.isOpen && run.task === undefined) this.#tasks.forget(run);
  }

  /** @throws SimulationProblem if the history of a run cannot be replayed */
  async proveReplays(): Promise<void> {
    for (const run of this.runs) await this.#tasks.prove(run);
  }

  forgetAll(): void {
    for (const run of this.runs) this.#tasks.forget(run);
  }

  #happened(run: Run, job: Job): void {
    if (!run.isOpen) return;
    run.pending.push(job);
    this.#tasks.wake(run);
  }

  #commit(run: Run, command: Command): void {
    this.#show(run, command);
    switch (command.kind) {
      case 'activity':
        if (!command.isLocal) this.#activities.schedule(run, command, this.parts.agenda.now);
        return;
      case 'start-timer':
        return this.#startTimer(run, command.seq, command.ms);
      case 'cancel-timer':
        cancelAll([run.timers.get(command.seq)].filter((timer) => timer !== undefined));
        run.timers.delete(command.seq);
        run.pending = run.pending.filter((job) => job.kind !== 'timer-fired' || job.seq !== command.seq);
        return;
      case 'complete':
        return this.#close(run, { kind: 'completed', value: command.value });
      case 'fail':
        return this.#close(run, { kind: 'failed', type: command.type, message: command.message });
      case 'attributes':
      case 'patched':
      case 'update-accepted':
      case 'update-rejected':
      case 'update-completed':
        return;
    }
  }

  #show(run: Run, command: Command): void {
    if (command.kind === 'attributes') run.visible = { ...run.visible, ...command.values };
    if (command.kind === 'update-accepted') run.updates.set(command.id, 'accepted');
    if (command.kind === 'update-completed' || command.kind === 'update-rejected')
      run.updates.set(command.id, 'completed');
  }

  #startTimer(run: Run, seq: number, ms: number): void {
    const timer = this.parts.agenda.after(ms, () => {
      run.timers.delete(seq);
      this.#happened(run, { kind: 'timer-fired', seq });
    });
    run.timers.set(seq, timer);
  }

  #close(run: Run, end: NonNullable<Run['end']>): void {
    run.end = end;
    run.task = undefined;
    for (const [id, state] of run.updates) if (state === 'asked' || state === 'accepted') run.updates.set(id, 'lost');
    cancelAll(run.timers.values());
    this.#activities.abandon(run);
    this.#tasks.forget(run);
    this.parts.onEnd(run);
  }
}

/** What a reset offers again: signals since, and updates, whose validators are asked anew. */
const isOffered = ({ kind }: Job, isFirst: boolean): boolean =>
  kind === 'update' || kind === 'cancel' || (kind === 'signal' && !isFirst);
