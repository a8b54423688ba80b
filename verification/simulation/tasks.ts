import type { Agenda } from './agenda';
import type { Random } from './random';
import { replay, SimulationProblem } from './replay';
import { openIn, type OpenTask, type RecordedActivation, type Run } from './runs';
import type { Command, Job, WorkflowInstance, WorkflowVm } from './vm';
import type { Worker, Workers } from './workers';

/** How the server and a worker get a run on: one workflow task after another, each on a worker that is there. */

const TASK_TIMEOUT = 10_000;
/** A task that waits for local activities is reported and goes on as the next one. */
const TASK_HEARTBEAT = 8_000;

export interface TaskParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly vm: WorkflowVm;
  readonly workers: Workers;
  readonly workflowId: string;
  readonly trace: (line: string) => void;
  /** Begins a local activity of this task. */
  readonly startLocal: (run: Run, task: OpenTask, command: Extract<Command, { kind: 'activity' }>) => void;
  /** What a completed task asks the server for. */
  readonly commit: (run: Run, commands: readonly Command[]) => void;
}

export class Tasks {
  constructor(private readonly parts: TaskParts) {}

  /** Something happened to the run: a worker should hear of it. */
  wake(run: Run): void {
    if (!run.isOpen || run.task !== undefined || run.isWaking || !hasNews(run)) return;
    run.isWaking = true;
    const { agenda, random } = this.parts;
    agenda.after(random.pick([0, 1, 5, 20, 200]), () => this.#begin(run));
  }

  /** Its result is told to the workflow, unless the task it belongs to was lost. */
  async localDone(run: Run, task: OpenTask, job: Extract<Job, { kind: 'activity-done' }>): Promise<void> {
    const newest = this.#newest(task);
    if (run.task !== newest || !newest.locals.delete(job.seq)) return;
    await this.#activate(run, newest, [job]);
  }

  /** Its cache is gone; what it was doing is missed only when the task times out. */
  forget(run: Run): void {
    const { cached } = run;
    run.cached = undefined;
    void cached?.instance.dispose();
  }

  async #begin(run: Run): Promise<void> {
    run.isWaking = false;
    if (!run.isOpen || run.task !== undefined || !hasNews(run)) return;
    const cached = run.cached?.worker;
    const worker = cached?.isUp === true ? cached : this.parts.workers.anyUp();
    if (worker === undefined) {
      run.isWaking = true;
      this.parts.agenda.after(1_000, () => this.#begin(run));
      return;
    }
    const jobs = inOrder(run.pending);
    run.pending = [];
    run.isRedone = false;
    const task = this.#open(run, worker, jobs, new Set());
    await this.#instanceOn(run, worker);
    // What an earlier task had begun and never recorded is begun again, although its effect may have happened.
    for (const command of openIn(run.history, []).locals.values()) this.#startLocal(run, task, command);
    if (jobs.length > 0) await this.#activate(run, task, jobs);
  }

  #startLocal(run: Run, task: OpenTask, command: Extract<Command, { kind: 'activity' }>): void {
    task.locals.add(command.seq);
    this.parts.startLocal(run, task, command);
  }

  #open(run: Run, worker: Worker, jobs: readonly Job[], locals: Set<number>): OpenTask {
    const task: OpenTask = { jobs, worker, activations: [], locals };
    run.task = task;
    const { agenda } = this.parts;
    agenda.after(TASK_HEARTBEAT, () => this.#heartbeat(run, task));
    agenda.after(TASK_TIMEOUT, () => this.#timeOut(run, task));
    return task;
  }

  async #activate(run: Run, task: OpenTask, jobs: readonly Job[]): Promise<void> {
    const { agenda, trace } = this.parts;
    const instance = run.cached?.instance;
    if (instance === undefined) throw new SimulationProblem('a workflow task without a workflow');
    const at = agenda.now;
    const done = await instance.activate({
      at,
      jobs,
      isReplaying: false,
      historyLength: 5 * run.history.length + 3,
      flags: [...run.flags],
    });
    if (done.kind === 'failed') throw new SimulationProblem(`a workflow task failed: ${done.message}`);
    for (const flag of done.flags) run.flags.add(flag);
    const activation = withoutRejected({ at, jobs, commands: done.commands });
    trace(`${run.runId} ${jobs.map(inWords).join(', ')} -> ${done.commands.map(inWords).join(', ') || 'nothing'}`);
    for (const command of done.commands)
      if (command.kind === 'update-rejected' && !activation.commands.includes(command))
        run.updates.set(command.id, 'rejected');
    if (activation.jobs.length > 0 || activation.commands.length > 0) task.activations.push(activation);
    for (const command of activation.commands)
      if (command.kind === 'activity' && command.isLocal) this.#startLocal(run, task, command);
    const isEnding = activation.commands.some(isEnd);
    if (task.locals.size > 0 && !isEnding) return;
    this.#complete(run, task, isEnding);
  }

  #complete(run: Run, task: OpenTask, isEnding: boolean): void {
    // The server takes no end while there is news that the workflow has not seen: the whole task is done again.
    if (isEnding && run.pending.some(({ kind }) => kind !== 'update')) {
      this.parts.trace(`${run.runId} the end is not taken: there is news`);
      for (const job of task.jobs) if (job.kind === 'update') run.updates.set(job.id, 'lost');
      this.#redo(
        run,
        task.jobs.filter(({ kind }) => kind !== 'update'),
      );
      return;
    }
    run.task = undefined;
    this.#record(run, task);
    if (run.isOpen) this.wake(run);
    else this.forget(run);
  }

  #record(run: Run, task: OpenTask): void {
    if (task.activations.length === 0) return;
    const { activations } = task;
    const jobs = task.jobs.filter((job) => job.kind !== 'update' || run.updates.get(job.id) !== 'rejected');
    run.history.push({ jobs, activations });
    this.parts.commit(
      run,
      activations.flatMap(({ commands }) => commands),
    );
  }

  /** Local activities take long: what is known so far is recorded, and the next task begins with what came meanwhile. */
  async #heartbeat(run: Run, task: OpenTask): Promise<void> {
    if (run.task !== task || !task.worker.isUp) return;
    this.parts.trace(`${run.runId} the task goes on as another`);
    this.#record(run, task);
    const jobs = inOrder(run.pending);
    run.pending = [];
    const next = this.#open(run, task.worker, jobs, task.locals);
    this.#successors.set(task, next);
    if (jobs.length > 0) await this.#activate(run, next, jobs);
  }

  /** Whoever holds a task that was carried over means the newest. */
  readonly #successors = new WeakMap<OpenTask, OpenTask>();

  /** The task that a local activity of this task reports to by now. */
  #newest(task: OpenTask): OpenTask {
    let newest = task;
    for (let next = this.#successors.get(newest); next !== undefined; next = this.#successors.get(newest))
      newest = next;
    return newest;
  }

  #timeOut(run: Run, task: OpenTask): void {
    if (run.task !== task) return;
    this.parts.trace(`${run.runId} the task timed out`);
    this.#redo(run, task.jobs);
  }

  #redo(run: Run, jobs: readonly Job[]): void {
    run.task = undefined;
    this.forget(run);
    run.pending = [...jobs, ...run.pending];
    run.isRedone = true;
    this.wake(run);
  }

  /** On another worker than before the workflow is built again from its history, and must do again what it did. */
  async #instanceOn(run: Run, worker: Worker): Promise<void> {
    if (run.cached?.worker === worker) return;
    this.forget(run);
    run.cached = { instance: await this.#instanceOf(run), worker };
  }

  /** Whether its history can be replayed, also when nobody had to. */
  async prove(run: Run): Promise<void> {
    await (await this.#instanceOf(run)).dispose();
  }

  async #instanceOf(run: Run): Promise<WorkflowInstance> {
    const { runId, originalRunId, startTime, seed } = run;
    const { workflowId, vm } = this.parts;
    const instance = await vm.create({
      workflowId,
      workflowType: 'billPayment',
      runId,
      originalRunId,
      startTime,
      seed,
    });
    try {
      await replay(instance, run.history, [...run.flags]);
    } catch (error) {
      await instance.dispose();
      throw error;
    }
    return instance;
  }
}

/** A task that failed is done again, also when there is nothing new in it. */
const hasNews = (run: Run): boolean => run.pending.length > 0 || run.isRedone;

const isEnd = ({ kind }: Command): boolean => kind === 'complete' || kind === 'fail';

/** An update that its validator refused leaves no trace in the history. */
function withoutRejected({ at, jobs, commands }: RecordedActivation): RecordedActivation {
  const asked = new Set(jobs.flatMap((job) => (job.kind === 'update' ? [job.id] : [])));
  const refused = new Set<string>();
  const accepted = new Set<string>();
  for (const command of commands) {
    if (command.kind === 'update-accepted') accepted.add(command.id);
    if (command.kind === 'update-rejected' && asked.has(command.id) && !accepted.has(command.id))
      refused.add(command.id);
  }
  return {
    at,
    jobs: jobs.filter((job) => job.kind !== 'update' || !refused.has(job.id)),
    commands: commands.filter((command) => command.kind !== 'update-rejected' || !refused.has(command.id)),
  };
}

/** As core sorts them: signals and updates first, in their order. */
function inOrder(jobs: readonly Job[]): readonly Job[] {
  const rank = ({ kind }: Job): number =>
    (({ start: 0, 'new-seed': 1, signal: 2, update: 2 }) as const)[kind as 'start'] ?? 3;
  return [...jobs].sort((one, other) => rank(one) - rank(other));
}

function inWords(what: Job | Command): string {
  switch (what.kind) {
    case 'activity':
      return `${what.type}#${what.seq}`;
    case 'activity-done':
      return `#${what.seq} ${what.result.kind}`;
    case 'signal':
    case 'update':
      return what.name;
    case 'fail':
      return `fail ${what.type}`;
    case 'has-patch':
    case 'patched':
      return `${what.kind} ${what.patch}`;
    case 'attributes':
      return Object.values(what.values).flat().join(' ');
    case 'update-rejected':
      return `refused: ${what.message}`;
    case 'start':
    case 'cancel':
    case 'timer-fired':
    case 'new-seed':
    case 'start-timer':
    case 'cancel-timer':
    case 'complete':
    case 'update-accepted':
    case 'update-completed':
      return what.kind;
  }
}
