import type { RecordedActivation, RecordedTask } from './runs';
import type { Command, Job, WorkflowInstance } from './vm';

/** The workflow is wrong, or the simulation is. */
export class SimulationProblem extends Error {
  override readonly name = 'SimulationProblem';
}

/**
 * Builds a run again from its history, task by task. As core does: the first time the results of a task's local activities are told
 * one by one, on replay all those that the workflow waits for are told together. What it asks for must be the same all the same.
 */
export async function replay(
  instance: WorkflowInstance,
  history: readonly RecordedTask[],
  flags: readonly number[],
): Promise<void> {
  /** Local activities that were asked for, and whose result was not told. */
  const waiting = new Set<number>();
  for (const [index, { activations }] of history.entries()) {
    const said: Command[] = [];
    // Core looks ahead: a task hears first of all which patches it took.
    const patches = activations.flatMap(({ commands }) => commands.flatMap(asHasPatch));
    const activate = async ({ at, jobs }: Pick<RecordedActivation, 'at' | 'jobs'>): Promise<void> => {
      const again = [
        ...patches.splice(0),
        ...jobs.map((job) => (job.kind === 'update' ? { ...job, validate: false } : job)),
      ];
      const activation = { at, jobs: again, isReplaying: true, historyLength: 5 * index + 3, flags };
      const done = await instance.activate(activation);
      if (done.kind === 'failed') throw new SimulationProblem(`replay failed: ${done.message}`);
      said.push(...done.commands);
      for (const command of done.commands) if (command.kind === 'activity' && command.isLocal) waiting.add(command.seq);
    };
    const news = activations.filter(({ jobs }) => !jobs.some(isLocalResult));
    let results = activations.filter(({ jobs }) => jobs.some(isLocalResult));
    for (const one of news) await activate(one);
    while (results.length > 0) {
      const together = results.filter(({ jobs }) => jobs.every((job) => isLocalResult(job) && waiting.has(job.seq)));
      results = results.filter((one) => !together.includes(one));
      const jobs = together.flatMap((one) => one.jobs);
      if (jobs.length === 0) throw new SimulationProblem('replay does not ask for what was done');
      for (const job of jobs) if (isLocalResult(job)) waiting.delete(job.seq);
      await activate({ at: Math.max(...together.map(({ at }) => at)), jobs });
    }
    compare(
      activations.flatMap(({ commands }) => commands),
      said,
    );
  }
}

const asHasPatch = (command: Command): readonly Job[] =>
  command.kind === 'patched' ? [{ kind: 'has-patch', patch: command.patch }] : [];

const isLocalResult = (job: Job): job is Extract<Job, { kind: 'activity-done' }> =>
  job.kind === 'activity-done' && job.isLocal;

function compare(before: readonly Command[], after: readonly Command[]): void {
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  if (was !== is) throw new SimulationProblem(`replay is not what was: ${was} became ${is}`);
}
