import { setTimeout as sleep } from 'node:timers/promises';
import { workflowIdOf } from '../../src/payment/contract';
import { newId, ROW_NAMES, rowsOn, type Row, type RowName } from './rows';
import { PARTS, type ByPart, type Stage } from './stage';

/** How much of everything. */
export interface Amounts {
  readonly rounds: number;
  /** In each round, of each row. */
  readonly payments: number;
  readonly atOnce: number;
  /** One at a time, for the latency. */
  readonly alone: number;
}

/** One row of one round. */
export interface Measured {
  readonly perSecond: number;
  /** Of each of those that ran alone, without what the provider took. */
  readonly aloneMs: readonly number[];
  readonly cpuMs: ByPart;
  readonly driverCpuMs: number;
  /** Of the history of one; none without an engine. */
  readonly events: number | null;
}

export type Round = Readonly<Partial<Record<RowName, Measured>>>;

export interface MeasureOptions extends Amounts {
  readonly rows: readonly RowName[];
  readonly providerMs: number;
  readonly progress: (line: string) => void;
}

/** What a run leaves to do after its end is counted as well: the servers still write it down. */
const SETTLE_MS = 400;

/**
 * Rounds in which each row has its turn, so that a machine that slows down slows all of them. Before them one that is not counted:
 * V8 takes a hundred runs to compile what they need, and connections are made.
 */
export async function measureRounds(stage: Stage, options: MeasureOptions): Promise<readonly Round[]> {
  const { rounds, progress } = options;
  const rows = rowsOn(stage);
  const names = ROW_NAMES.filter((name) => options.rows.includes(name));
  for (const name of names) await atOnce(rows[name], options.atOnce, options.payments);
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const entries: [RowName, Measured][] = [];
    for (const name of names) entries.push([name, await measureRow(stage, rows[name], options)]);
    measured.push(Object.fromEntries(entries));
    const words = entries.map(([name, { perSecond, cpuMs }]) => `${name} ${perSecond.toFixed(0)}/s ${ms(cpuMs)} ms`);
    progress(`Round ${round} of ${rounds}, a second and CPU: ${words.join(', ')}`);
  }
  return measured;
}

const ms = (cpu: ByPart): string => PARTS.reduce((sum, part) => sum + cpu[part], 0).toFixed(1);

async function measureRow(stage: Stage, row: Row, options: MeasureOptions): Promise<Measured> {
  const { payments } = options;
  const before = stage.cpu();
  const began = performance.now();
  const lastId = await atOnce(row, options.atOnce, payments);
  const seconds = (performance.now() - began) / 1000;
  await sleep(SETTLE_MS);
  const after = stage.cpu();

  const providerMs = row.waitsForProvider ? options.providerMs : 0;
  const aloneMs: number[] = [];
  for (let left = options.alone; left > 0; left -= 1) {
    const start = performance.now();
    await row.run(newId());
    aloneMs.push(performance.now() - start - providerMs);
  }
  return {
    perSecond: payments / seconds,
    aloneMs,
    cpuMs: Object.fromEntries(PARTS.map((part) => [part, (after[part] - before[part]) / payments])) as ByPart,
    driverCpuMs: (after.driver - before.driver) / payments,
    events: row.hasRun ? await eventsOf(stage, lastId) : null,
  };
}

/** The id of the one that was begun last. */
async function atOnce(row: Row, limit: number, count: number): Promise<string> {
  let left = count;
  let id = '';
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      id = newId();
      await row.run(id);
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return id;
}

async function eventsOf({ client }: Stage, paymentId: string): Promise<number> {
  return (await client.workflow.getHandle(workflowIdOf(paymentId)).describe()).historyLength;
}
