import type { Violation } from '../guarantees';
import type { Ran } from './run';
import type { Stage } from './stage';
import { Tally } from './tally';
import { paymentIdOf, reasonOf } from './watch';
import type { Case } from './truth';

/** What a run did and found, for people and for machines. */
export interface Report {
  readonly seed: number;
  readonly payments: number;
  readonly seconds: number;
  readonly paymentsPerSecond: number;
  /** Of the provider: `look answer-429` → 12. */
  readonly providerFaults: Counts;
  readonly killed: Counts;
  readonly stalled: Counts;
  readonly connectionsCut: Counts;
  readonly resets: Counts;
  readonly terminated: Counts;
  /** Runs that stood still and were reset by people: see `rescue`. */
  readonly rescued: Counts;
  /** By the engine. */
  readonly forgotten: Counts;
  /** What callers and operators did, with the answers they got. */
  readonly people: Counts;
  /** Processes that ended although nobody killed them: they are started while a server they need is down. */
  readonly endedByThemselves: Counts;
  readonly restarted: Counts;
  /** What the plan wanted and could not do, such as a reset of a run that had just ended. */
  readonly notDone: Counts;
  readonly outcomes: Counts;
  readonly needAttention: Counts;
  /** By what raised them. */
  readonly disputes: Counts;
  readonly disputesResolved: number;
  readonly postsSeen: number;
  readonly postsCaptured: number;
  /** What had not come to rest in time. */
  readonly unsettled: readonly string[];
  readonly violations: readonly Violation[];
}

type Counts = Readonly<Record<string, number>>;

export async function makeReport(
  stage: Stage,
  ran: Ran,
  found: { readonly cases: readonly Case[]; readonly violations: readonly Violation[] },
  { seed, began }: { readonly seed: number; readonly began: number },
): Promise<Report> {
  const seconds = (performance.now() - began) / 1000;
  const outcomes = new Tally();
  let [postsSeen, postsCaptured] = [0, 0];
  for (const { truth } of found.cases) {
    const outcome = truth.stored?.outcome;
    postsSeen += truth.provider.postsSeen;
    postsCaptured += truth.provider.postsCaptured;
    outcomes.add('', outcome === undefined ? 'open' : nameOf(outcome));
  }
  const attention = new Tally();
  const query = 'BillPaymentState = "NeedsAttention" AND ExecutionStatus = "Running"';
  for await (const run of stage.client.workflow.list({ query, pageSize: 1000 }))
    if (!ran.watch.outcomes.has(paymentIdOf(run.workflowId))) attention.add('', reasonOf(run.searchAttributes));
  const disputes = new Tally();
  const raised = await stage.sql.query<{ by: string; resolved: boolean }>(
    'SELECT raised_by AS by, resolved_at IS NOT NULL AS resolved FROM disputes',
  );
  for (const { by } of raised.rows) disputes.add('', `raised by ${by}`);
  const { tally } = ran;
  return {
    seed,
    payments: ran.watch.started.size,
    seconds: rounded(seconds),
    paymentsPerSecond: rounded(ran.watch.started.size / (ran.drivenMs / 1000)),
    providerFaults: Object.fromEntries(Object.entries(stage.sandbox.ledger.faults()).sort()),
    killed: tally.of('killed'),
    stalled: tally.of('stalled'),
    connectionsCut: tally.of('connections to the store cut'),
    resets: tally.of('reset'),
    terminated: tally.of('terminated'),
    forgotten: tally.of('forgotten'),
    rescued: tally.of('rescued'),
    people: tally.of('people'),
    endedByThemselves: Object.fromEntries(
      Object.entries({ ...stage.workers, endpoint: stage.endpoint }).map(([name, { endedByItself }]) => [
        name,
        endedByItself,
      ]),
    ),
    restarted: tally.of('restarted'),
    notDone: tally.of('not done'),
    outcomes: outcomes.of(''),
    needAttention: attention.of(''),
    disputes: disputes.of(''),
    disputesResolved: raised.rows.filter(({ resolved }) => resolved).length,
    postsSeen,
    postsCaptured,
    unsettled: ran.missing,
    violations: found.violations,
  };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

type Outcome = NonNullable<NonNullable<Case['truth']['stored']>['outcome']>;

function nameOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'paid':
      return `paid by ${outcome.settledBy}`;
    case 'declined':
      return `declined: ${outcome.reason}`;
    case 'cancelled':
      return 'cancelled';
  }
}

/** Lines for a terminal. */
export function inWords(report: Report): string {
  const list = (title: string, counts: Counts): string[] => {
    const entries = Object.entries(counts);
    return entries.length === 0
      ? []
      : [title, ...entries.map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`)];
  };
  return [
    '',
    `Chaos run, seed ${report.seed}: ${report.payments} payments in ${report.seconds} s, started at ${report.paymentsPerSecond} per second`,
    ...list('Faults of the provider', report.providerFaults),
    ...list('Killed (SIGKILL) and started again', report.killed),
    ...list('Stopped past their time-outs, and continued', report.stalled),
    ...list('Connections to the store cut', report.connectionsCut),
    ...list('Runs reset', report.resets),
    ...list('Runs terminated', report.terminated),
    ...list('Runs of closed payments deleted', report.forgotten),
    ...list('Callers and operators, with the answers they got', report.people),
    ...list('Processes that ended by themselves', report.endedByThemselves),
    ...list('Restarted by their supervisor', report.restarted),
    ...list('Planned and not done', report.notDone),
    ...list('Payments by outcome', report.outcomes),
    ...list('Still with a person, by reason', report.needAttention),
    ...list('Disputes', { ...report.disputes, resolved: report.disputesResolved }),
    `Payment requests at the provider: ${report.postsSeen} seen, ${report.postsCaptured} captured`,
    ...(report.unsettled.length === 0
      ? []
      : [
          '',
          `NOT AT REST IN TIME: ${report.unsettled.length}`,
          ...report.unsettled.slice(0, 20).map((line) => `  ${line}`),
        ]),
    ...rescueInWords(report.rescued),
    '',
    report.violations.length === 0
      ? `No violation of G1-G8 (seed ${report.seed})`
      : `VIOLATIONS: ${report.violations.length} (seed ${report.seed})`,
    ...report.violations.map(({ guarantee, paymentId, what }) => `  ${guarantee} ${paymentId}: ${what}`),
  ].join('\n');
}

/** No guarantee is violated, and yet nobody should read past it. */
function rescueInWords(rescued: Counts): string[] {
  const count = Object.values(rescued).reduce((sum, one) => sum + one, 0);
  return count === 0
    ? []
    : [
        '',
        `A FINDING: ${count} runs did not replay and had to be reset by hand (runbook: A workflow task keeps failing)`,
      ];
}

const SHOWN = 5;

/** Everything about the payments that violate something: what the provider saw, what the store says, what the runs did. */
export async function explain(stage: Stage, violations: readonly Violation[], cases: readonly Case[]): Promise<string> {
  const ids = [...new Set(violations.map(({ paymentId }) => paymentId))].slice(0, SHOWN);
  const parts: string[] = [];
  for (const id of ids) {
    const known = cases.find(({ truth }) => truth.paymentId === id);
    const { rows } = await stage.sql.query('SELECT * FROM payments WHERE payment_id = $1', [id]);
    const callbacks = await stage.sql.query(
      'SELECT id, reading, received_at, signalled_at, handled_as, handled_at FROM callback_inbox WHERE payment_id = $1 ORDER BY id',
      [id],
    );
    const ledger = stage.sandbox.payment(id);
    parts.push(
      `\n=== ${id}`,
      `as compared: ${JSON.stringify(known, undefined, 2)}`,
      `store: ${JSON.stringify(rows[0])}`,
      ...callbacks.rows.map((row) => `callback: ${JSON.stringify(row)}`),
      ...ledger.requests.map(
        ({ at, method, answered }) => `provider: ${new Date(at).toISOString()} ${method} ${answered}`,
      ),
      ...ledger.callbacksSent.map(
        ({ at, answered, failed }) => `callback sent: ${new Date(at).toISOString()} ${answered ?? failed}`,
      ),
      ...(await historyOf(stage, id)),
    );
  }
  return parts.join('\n');
}

async function historyOf({ client }: Stage, paymentId: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowId = "bill-payment-${paymentId}"` })) {
    lines.push(`run ${run.runId}: ${run.status.name}, started ${run.startTime.toISOString()}`);
    const { events } = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    for (const event of events ?? []) {
      const name = Object.keys(event)
        .find((key) => key.endsWith('Attributes'))
        ?.replace(/EventAttributes$/, '');
      const type =
        event.activityTaskScheduledEventAttributes?.activityType?.name ??
        event.markerRecordedEventAttributes?.markerName ??
        '';
      const at = new Date(Number(event.eventTime?.seconds ?? 0) * 1000).toISOString();
      lines.push(`  ${String(event.eventId)} ${at} ${name ?? ''} ${type}`);
    }
  }
  return lines;
}
