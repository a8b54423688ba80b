import { createHash } from 'node:crypto';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { concurrently } from '../../src/payment/concurrently';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import { readCallback } from '../../src/almara/callback';
import type { SentCallback } from '../../src/sandbox';
import { disputeWorkflowIdOf, WORKFLOWS } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import {
  isRequestOf,
  violationsAtRest,
  type PaymentTruth,
  type ProviderTruth,
  type RunAtRest,
  type StoredTruth,
  type Violation,
} from '../guarantees';
import type { Stage } from './stage';
import { paymentIdOf } from './watch';
import type { Ran } from './run';

/** One payment as every source tells it at the end. */
export interface Case {
  readonly truth: PaymentTruth;
  readonly run: RunAtRest;
}

/** Compares the provider's ledger, the store, the funds and the runs' results with G1-G8. */
export async function findViolations(
  stage: Stage,
  ran: Ran,
): Promise<{ cases: readonly Case[]; violations: Violation[] }> {
  await ran.watch.lookAtStore(true);
  const rows = await readStore(stage);
  const runs = await readRuns(stage);
  const cases: Case[] = [];
  const violations: Violation[] = [
    ...ran.watch.changes,
    ...ran.people.violations,
    ...ran.strikes.violations,
    ...(await checkFunds(stage)),
    ...(await checkDisputes(stage)),
  ];
  for (const paymentId of ran.watch.started) {
    const row = rows.get(paymentId);
    const own = runs.get(paymentId) ?? [];
    const request = ran.planned.get(paymentId)?.request;
    if (request === undefined) continue;
    const truth: PaymentTruth = {
      paymentId,
      amount: request.amount,
      isFunded: request.fundingAccount !== undefined,
      failedWithoutCode: 'ask',
      provider: providerTruth(stage, request, row),
      ...(row !== undefined && { stored: storedTruth(row) }),
      results: own.flatMap(({ result }) => (result === undefined ? [] : [result])),
    };
    const run = own.at(-1)?.at ?? { kind: 'none' };
    cases.push({ truth, run });
    violations.push(...violationsAtRest(truth, run), ...checkCallbacks(stage, paymentId, row?.digests ?? []));
    if (row === undefined) violations.push({ guarantee: 'G4', paymentId, what: 'started and never registered' });
    for (const { failure } of own)
      if (failure !== undefined) violations.push({ guarantee: 'G4', paymentId, what: `a run has failed: ${failure}` });
  }
  return { cases, violations };
}

/** The ledger alone; the row only says when it was closed, for what was taken after that. */
function providerTruth({ sandbox }: Stage, request: BillPaymentRequest, row: StoredRow | undefined): ProviderTruth {
  const { postsSeen, postsCaptured, status, said, callbacksSent } = sandbox.payment(request.paymentId);
  const captured = sandbox.ledger.find(request.paymentId)?.state.captured;
  const closedAt = row?.closed_at?.getTime() ?? Infinity;
  return {
    postsSeen,
    postsCaptured,
    // Both clocks are this machine's.
    capturedAfterClose: captured !== undefined && captured.at > closedAt,
    capturedOther: captured !== undefined && !isRequestOf(request, captured.request),
    status,
    saidCompleted: said.completed,
    saidFailed: said.failed,
    saidRejected: said.rejected,
    refusalCallbacks: callbacksSent.filter((sent) => sent.forged === undefined && isRefusal(sent)).length,
  };
}

function isRefusal({ body }: SentCallback): boolean {
  const read = readCallback(JSON.parse(body));
  return read.kind === 'callback' && read.reading.code?.meaning === 'refusal';
}

/** What the endpoint has taken is stored, what strangers sent is not, and nothing else is (G5). */
function checkCallbacks({ sandbox }: Stage, paymentId: string, stored: readonly string[]): Violation[] {
  const { callbacksSent } = sandbox.payment(paymentId);
  const digestOf = ({ body }: SentCallback): string => createHash('sha256').update(body).digest('hex');
  const genuine = callbacksSent.filter(({ forged }) => forged === undefined);
  const sent = new Set(genuine.map(digestOf));
  const lost = genuine.filter((one) => one.answered === 200 && !stored.includes(digestOf(one)));
  const strange = stored.filter((digest) => !sent.has(digest));
  const believed = callbacksSent.filter(({ forged, answered }) => forged === true && answered === 200);
  const wrong = [
    ...(lost.length === 0 ? [] : [`${lost.length} callbacks were answered with 200 and are not stored`]),
    ...(strange.length === 0 ? [] : [`${strange.length} stored callbacks are none that the provider sent`]),
    ...(believed.length === 0 ? [] : [`${believed.length} forged callbacks were answered with 200`]),
  ];
  return wrong.map((what): Violation => ({ guarantee: 'G5', paymentId, what }));
}

interface StoredRow {
  readonly payment_id: string;
  readonly claimed_by: string | null;
  readonly outcome: BillPaymentOutcome | null;
  readonly closed_at: Date | null;
  readonly knew_completed: boolean | null;
  readonly disputed: boolean;
  readonly reservation: 'reserved' | 'posted' | 'voided' | null;
  readonly reserved: string | null;
  readonly posted: string | null;
  readonly decided_by: string | null;
  readonly digests: readonly string[];
  readonly doubtful: string;
  readonly contradictions: string;
}

/** In plain SQL, and not by the store's own code: it is the store that is checked. */
async function readStore({ sql }: Stage): Promise<ReadonlyMap<string, StoredRow>> {
  const { rows } = await sql.query<StoredRow>(
    `SELECT p.payment_id, p.claimed_by, p.outcome, p.disputed_at IS NOT NULL AS disputed,
            r.state AS reservation, r.amount AS reserved, r.posted,
            (SELECT operator FROM operator_actions a
              WHERE a.payment_id = p.payment_id AND a.action = 'resolvePayment' ORDER BY id LIMIT 1) AS decided_by,
            p.closed_at, k.completed AS knew_completed,
            coalesce(array_agg(c.digest) FILTER (WHERE c.id IS NOT NULL), '{}') AS digests,
            count(c.id) FILTER (WHERE c.handled_as = 'close'
                                  AND c.reading #>> '{code,meaning}' NOT IN ('refusal', 'duplicate')) AS doubtful,
            count(c.id) FILTER (WHERE c.handled_as IS DISTINCT FROM 'close'
                                  AND c.reading #>> '{code,meaning}' IS DISTINCT FROM 'duplicate'
                                  AND c.reading ->> 'claims' = CASE p.state WHEN 'paid' THEN 'failed' ELSE 'paid' END
                                  AND p.outcome IS NOT NULL) AS contradictions
       FROM payments p
       LEFT JOIN reservations r USING (payment_id)
       LEFT JOIN chaos_known k USING (payment_id)
       LEFT JOIN callback_inbox c USING (payment_id)
      GROUP BY p.payment_id, r.payment_id, k.completed`,
  );
  return new Map(rows.map((row) => [row.payment_id, row]));
}

function storedTruth(row: StoredRow): StoredTruth {
  return {
    claim: row.claimed_by === null ? 'none' : row.claimed_by === 'sealed' ? 'sealed' : 'taken',
    disputed: row.disputed,
    contradictions: Number(row.contradictions),
    knewCompleted: row.knew_completed ?? false,
    doubtfulCodes: Number(row.doubtful),
    ...(row.outcome !== null && { outcome: row.outcome }),
    ...(row.decided_by !== null && { decidedBy: row.decided_by }),
    ...(row.reservation !== null && {
      reservation: { state: row.reservation, amount: Number(row.reserved), posted: Number(row.posted ?? 0) },
    }),
  };
}

/** Accounts add up, and hold exactly what open reservations hold (G6). */
async function checkFunds({ sql }: Stage): Promise<Violation[]> {
  const { rows } = await sql.query<
    Record<'id' | 'deposited' | 'available' | 'reserved' | 'posted' | 'held' | 'paid', string>
  >(
    `SELECT a.id, a.deposited, a.available, a.reserved, a.posted,
            coalesce(sum(r.amount) FILTER (WHERE r.settled_at IS NULL), 0) AS held,
            coalesce(sum(r.posted), 0) AS paid
       FROM funding_accounts a LEFT JOIN reservations r ON r.funding_account = a.id
      GROUP BY a.id`,
  );
  return rows.flatMap(({ id, deposited, available, reserved, posted, held, paid }) => {
    const wrong = [
      ...(Number(deposited) === Number(available) + Number(reserved) + Number(posted) ? [] : ['it does not add up']),
      ...(reserved === held ? [] : [`${reserved} is reserved and open reservations hold ${held}`]),
      ...(posted === paid ? [] : [`${posted} is posted and reservations say ${paid}`]),
    ];
    return wrong.map((what): Violation => ({ guarantee: 'G6', paymentId: `account ${id}`, what }));
  });
}

/** Whoever is disputed has a dispute that people see, and the other way round (G5). */
async function checkDisputes({ sql, client }: Stage): Promise<Violation[]> {
  const visible = new Set<string>();
  for await (const run of client.workflow.list({
    query: `WorkflowType = "${WORKFLOWS.paymentDispute}"`,
    pageSize: 1000,
  }))
    if (run.status.name === 'RUNNING' || run.status.name === 'COMPLETED') visible.add(run.workflowId);
  const { rows } = await sql.query<{ payment_id: string; marked: boolean; raised: boolean }>(
    `SELECT payment_id, p.disputed_at IS NOT NULL AS marked, d.payment_id IS NOT NULL AS raised
       FROM payments p LEFT JOIN disputes d USING (payment_id)
      WHERE p.disputed_at IS NOT NULL OR d.payment_id IS NOT NULL`,
  );
  return rows.flatMap(({ payment_id: paymentId, marked, raised }) => {
    const wrong = [
      ...(marked ? [] : ['it has a dispute and is not marked as disputed']),
      ...(raised ? [] : ['it is marked as disputed and has no dispute']),
      ...(visible.has(disputeWorkflowIdOf(paymentId)) ? [] : ['it is disputed and no workflow shows it to people']),
    ];
    return wrong.map((what): Violation => ({ guarantee: 'G5', paymentId, what }));
  });
}

interface SeenRun {
  readonly at: RunAtRest;
  readonly result?: BillPaymentOutcome;
  readonly failure?: string;
}

const AT_ONCE = 16;

/** Every run of every payment, oldest first, with what it ended as. */
async function readRuns({ client }: Stage): Promise<ReadonlyMap<string, readonly SeenRun[]>> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const run of client.workflow.list({ query: 'WorkflowType = "billPayment"', pageSize: 1000 }))
    found.push(run);
  found.sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
  const seen = new Map<WorkflowExecutionInfo, SeenRun>();
  await concurrently(found, AT_ONCE, async (run) => void seen.set(run, await readRun(client, run)));
  const runs = new Map<string, SeenRun[]>();
  for (const run of found) {
    const id = paymentIdOf(run.workflowId);
    const one = seen.get(run);
    if (one !== undefined) runs.set(id, [...(runs.get(id) ?? []), one]);
  }
  return runs;
}

async function readRun(client: Stage['client'], run: WorkflowExecutionInfo): Promise<SeenRun> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId, { followRuns: false });
  const status = run.status.name;
  if (status === 'RUNNING') {
    const [state] = (run.searchAttributes['BillPaymentState'] ?? []) as readonly unknown[];
    if (state !== 'NeedsAttention') return { at: { kind: 'running' } };
    const reasons = (run.searchAttributes['BillPaymentReason'] ?? []) as readonly unknown[];
    return { at: { kind: 'needs-attention', hasReason: reasons.length > 0 } };
  }
  if (status === 'COMPLETED')
    return { at: { kind: 'completed' }, result: (await handle.result()) as BillPaymentOutcome };
  // By a reset, or by the plan: the payment goes on in another run, or is started again.
  if (status === 'TERMINATED') return { at: { kind: 'none' } };
  const failure = await handle.result().then(
    () => 'no failure',
    (error: unknown) => describe(error),
  );
  // A start with other content after a termination: that its run fails is what G8 asks for.
  return failure.includes('exists with other content') ? { at: { kind: 'none' } } : { at: { kind: 'failed' }, failure };
}

const describe = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message : String(error);
};
