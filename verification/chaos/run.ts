import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '../../src/client';
import { People } from './people';
import type { Plan, PlannedPayment } from './plan';
import type { Stage } from './stage';
import { ENGINE_IS_DEAD_AFTER_MS, Strikes } from './strikes';
import { rescue } from './rescue';
import { Tally } from './tally';
import { Watch } from './watch';

export interface RunOptions {
  readonly plan: Plan;
  /** How many payments may be open at once. */
  readonly open: number;
  /** Aborted when the run has taken longer than it may. */
  readonly deadline: AbortSignal;
  readonly progress: (line: string) => void;
}

export interface Ran {
  readonly planned: ReadonlyMap<string, PlannedPayment>;
  readonly watch: Watch;
  readonly people: People;
  readonly strikes: Strikes;
  readonly tally: Tally;
  /** What had not come to rest when the time was up; empty when everything has. */
  readonly missing: readonly string[];
  /** From the first start to the last one. */
  readonly drivenMs: number;
}

const LANES = 12;
const LOOK_EVERY_MS = 400;
const TELL_EVERY_MS = 5_000;

/** Starts all payments while everything goes wrong, then lets everything come to rest. */
export async function run(stage: Stage, { plan, open, deadline, progress }: RunOptions): Promise<Ran> {
  const tally = new Tally();
  const planned = new Map(plan.payments.map((payment) => [payment.request.paymentId, payment]));
  const watch = new Watch(stage);
  const people = new People(stage, planned, tally);
  const strikes = new Strikes(stage, planned, watch, tally);
  const looking = lookAgainAndAgain({ watch, people, strikes, progress, of: plan.payments.length });
  const began = performance.now();
  await start(stage, { plan, open, deadline, watch, people, strikes, tally });
  const drivenMs = performance.now() - began;
  progress('Everything is started; waiting for the last strikes, then for everything to come to rest');
  await strikes.idle();
  stage.calm();
  const notStarted = await strikes.startAgain(deadline);
  await Promise.race([stage.sandbox.idle(), aborted(deadline)]);
  await untilAtRest(stage, { watch, tally, deadline, progress });
  await looking.stop();
  await people.idle();
  // What the last decisions have set in motion.
  const missing = [...notStarted, ...(await untilAtRest(stage, { watch, tally, deadline, progress }))];
  return { planned, watch, people, strikes, tally, missing, drivenMs };
}

interface Looking extends Pick<RunOptions, 'progress'> {
  readonly watch: Watch;
  readonly people: People;
  readonly strikes: Strikes;
  readonly of: number;
}

function lookAgainAndAgain({ watch, people, strikes, progress, of }: Looking) {
  let stopped = false;
  let toldAt = performance.now();
  let before = 0;
  const loop = (async () => {
    while (!stopped) {
      await watch.look();
      people.decide(watch);
      if (performance.now() - watch.engineAnsweredAt > ENGINE_IS_DEAD_AFTER_MS) strikes.restartDeadEngine();
      const now = performance.now();
      if (now - toldAt >= TELL_EVERY_MS) {
        const rate = ((watch.outcomes.size - before) / (now - toldAt)) * 1000;
        progress(
          `started ${watch.started.size} of ${of}, closed ${watch.outcomes.size}, needing attention ${watch.attention.size}, ${rate.toFixed(1)} closed/s`,
        );
        [toldAt, before] = [now, watch.outcomes.size];
      }
      await sleep(LOOK_EVERY_MS);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
    },
  };
}

interface Starting extends Pick<RunOptions, 'plan' | 'open' | 'deadline'> {
  readonly watch: Watch;
  readonly people: People;
  readonly strikes: Strikes;
  readonly tally: Tally;
}

async function start(stage: Stage, { plan, open, deadline, watch, people, strikes, tally }: Starting): Promise<void> {
  const payments = plan.payments.values();
  const due = [...plan.strikes];
  const lane = async (): Promise<void> => {
    for (const payment of payments) {
      while (watch.open >= open && !deadline.aborted) await sleep(50);
      if (deadline.aborted) return;
      await startOne(stage, payment, deadline, tally);
      watch.started.add(payment.request.paymentId);
      people.begin(payment);
      for (let next = due[0]; next !== undefined && next.at <= watch.started.size; next = due[0]) {
        due.shift();
        strikes.strike(next);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** A caller that does not know whether it was started asks again: the same id is the same payment. */
async function startOne(stage: Stage, { request }: PlannedPayment, deadline: AbortSignal, tally: Tally): Promise<void> {
  while (!deadline.aborted) {
    try {
      return void (await stage.payments.start(request));
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      tally.add('people', `start: ${error.code}`);
    }
  }
}

interface Resting extends Pick<RunOptions, 'deadline' | 'progress'> {
  readonly watch: Watch;
  readonly tally: Tally;
}

const RESCUES_AT_ONCE = 10;

const openOf = (watch: Watch): readonly string[] =>
  [...watch.started].filter((id) => !watch.outcomes.has(id) && !watch.attention.has(id));

/** Until every payment is closed or with a person, and every callback and dispute is dealt with. */
async function untilAtRest(stage: Stage, { watch, tally, deadline, progress }: Resting): Promise<readonly string[]> {
  let toldAt = 0;
  for (;;) {
    const missing = await whatIsMissing(stage, watch).catch((error: unknown) => [`the servers: ${String(error)}`]);
    if (missing.length === 0 || deadline.aborted) return missing;
    for (const id of openOf(watch).slice(0, RESCUES_AT_ONCE)) await rescue(stage, id, tally).catch(() => undefined);
    if (performance.now() - toldAt > TELL_EVERY_MS) {
      progress(`not at rest yet: ${missing.slice(0, 4).join('; ')}${missing.length > 4 ? '; …' : ''}`);
      toldAt = performance.now();
    }
    await sleep(LOOK_EVERY_MS);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function whatIsMissing(stage: Stage, watch: Watch): Promise<string[]> {
  await watch.lookAtStore();
  await watch.lookAtEngine();
  const { rows } = await stage.sql.query<{ payment_id: string }>(
    `SELECT DISTINCT c.payment_id
       FROM callback_inbox c JOIN payments p USING (payment_id)
      WHERE CASE WHEN p.outcome IS NULL THEN c.signalled_at IS NULL AND c.handled_as IS NULL ELSE c.handled_as IS NULL END`,
  );
  const disputes = await stage.sql.query<{ payment_id: string }>(
    'SELECT payment_id FROM disputes WHERE opened_at IS NULL',
  );
  return [
    ...openOf(watch).map((id) => `${id} is open`),
    ...disputes.rows.map(({ payment_id: id }) => `${id} is disputed and no workflow was started for it`),
    ...rows.map(({ payment_id: id }) => `${id} has a callback that nobody has dealt with`),
    ...(await runsOfClosed(stage, watch)),
  ];
}

/** A run goes on for a moment after its payment is closed; one that goes on for ever is lost. */
async function runsOfClosed(stage: Stage, watch: Watch): Promise<string[]> {
  const found: string[] = [];
  const query = 'WorkflowType = "billPayment" AND ExecutionStatus = "Running" AND BillPaymentState != "NeedsAttention"';
  for await (const { workflowId } of stage.client.workflow.list({ query, pageSize: 1000 })) {
    const id = workflowId.replace(/^bill-payment-/, '');
    if (watch.outcomes.has(id)) found.push(`${id} is closed and its run goes on`);
  }
  return found;
}
