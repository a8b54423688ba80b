import {
  ApplicationFailure,
  ParentClosePolicy,
  continueAsNew,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { FAILURES, WORKFLOWS } from '../payment/contract';
import { disputeStart, type PaymentDispute } from '../payment/dispute';
import type { Difference } from '../payment/reconciliation';
import {
  differencesIn,
  type ReconcileRequest,
  type ReconciliationReport,
  type Window,
} from '../payment/reconciliation-window';
import { reconcilePage, reconciling } from './activities';

/** A report is read by people, and carried from run to run: beyond this, differences are counted. */
const MOST_DIFFERENCES = 1_000;
/** After so many pages in a row without one answer the provider is down, and the rest is compared without it. */
const SILENT_PAGES = 2;
/** Among those the provider is tried once more: it may be back. */
const TRIED_AGAIN_EVERY_PAGES = 10;
/** So many payments without an answer do not hold the window back: the next run asks about them again. */
const MOST_CARRIED_OVER = 20;
const DISPUTES_AT_ONCE = 50;
/** A report does not wait for more: the next run goes on. */
const DISPUTE_ROUNDS = 20;

/** What a run that continues as new takes along. */
export interface Carried {
  readonly reportId: string;
  readonly at:
    | { readonly kind: 'payments'; readonly after: string }
    | { readonly kind: 'runs'; readonly page?: string }
    | { readonly kind: 'end' };
  readonly silentPages: number;
  readonly report: Omit<ReconciliationReport, 'complete' | 'finishedAt'>;
}

/**
 * Compares store, runs and provider (docs/guarantees.md#what-is-not-covered), page by page, and writes a report. It changes no
 * payment: what contradicts an outcome about money becomes a dispute.
 */
export async function reconcilePayments(
  request: ReconcileRequest = {},
  carried?: Carried,
): Promise<ReconciliationReport> {
  if (carried !== undefined && workflowInfo().continuedFromExecutionRunId === undefined)
    throw ApplicationFailure.nonRetryable(
      'A reconciliation takes one argument, such as {"since":"2026-01-31T12:00:00Z"}: what was compared it finds out itself.',
      FAILURES.invalidRequest,
    );
  let work = carried ?? (await begin(request));
  while (work.at.kind !== 'end') {
    setCurrentDetails(details(work));
    work = work.at.kind === 'payments' ? await nextPayments(work, work.at) : await nextRuns(work, work.at);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof reconcilePayments>(request, work);
  }
  await openDisputes();
  const report: ReconciliationReport = {
    ...work.report,
    complete: isComplete(work.report),
    finishedAt: new Date().toISOString(),
  };
  await reconciling.recordReconciliation(work.reportId, report);
  return report;
}

/** A provider that is down, which answers nothing or leaves many open, holds the window back: all of it is asked again. */
const isComplete = ({ asked, notAsked, unanswered = [] }: Carried['report']): boolean =>
  notAsked === 0 || (asked > 0 && unanswered.length === notAsked);

async function begin(request: ReconcileRequest): Promise<Carried> {
  const window: Window = await reconciling.beginReconciliation(request);
  // First of all: disputes that this run raises do not wait for anybody yet.
  const differences = await reconciling.reconcileStore();
  return {
    reportId: workflowInfo().firstExecutionRunId,
    at: { kind: 'payments', after: '' },
    silentPages: 0,
    report: {
      ...window,
      startedAt: new Date().toISOString(),
      payments: 0,
      asked: 0,
      notAsked: 0,
      runs: 0,
      disputesRaised: 0,
      ...withDifferences({ differences: [], moreDifferences: 0 }, differences),
    },
  };
}

async function nextPayments(work: Carried, { after }: { readonly after: string }): Promise<Carried> {
  const { report, silentPages } = work;
  const askProvider = silentPages < SILENT_PAGES || silentPages % TRIED_AGAIN_EVERY_PAGES === 0;
  const page = await reconcilePage({ window: windowOf(report), after, askProvider });
  const trouble = report.trouble ?? page.trouble;
  const unanswered = [...(report.unanswered ?? []), ...(page.unanswered ?? [])].slice(0, MOST_CARRIED_OVER);
  return {
    ...work,
    at: page.next === undefined ? { kind: 'runs' } : { kind: 'payments', after: page.next },
    silentPages: page.asked > 0 ? 0 : page.notAsked > 0 ? silentPages + 1 : silentPages,
    report: {
      ...withDifferences(report, page.differences),
      payments: report.payments + page.payments,
      asked: report.asked + page.asked,
      notAsked: report.notAsked + page.notAsked,
      disputesRaised: report.disputesRaised + page.disputesRaised,
      ...(unanswered.length > 0 && { unanswered }),
      ...(trouble !== undefined && { trouble }),
    },
  };
}

async function nextRuns(work: Carried, { page }: { readonly page?: string }): Promise<Carried> {
  const { report } = work;
  const { differences, runs, next } = await reconciling.reconcileRuns(windowOf(report), page);
  return {
    ...work,
    at: next === undefined ? { kind: 'end' } : { kind: 'runs', page: next },
    report: { ...withDifferences(report, differences), runs: report.runs + runs },
  };
}

const windowOf = ({ since, until, again }: Window): Window => ({ since, until, ...(again && { again }) });

function withDifferences<Report extends Pick<ReconciliationReport, 'differences' | 'moreDifferences'>>(
  report: Report,
  found: readonly Difference[],
): Report {
  const all = [...report.differences, ...found];
  const differences = all.slice(0, MOST_DIFFERENCES);
  return { ...report, differences, moreDifferences: report.moreDifferences + all.length - differences.length };
}

/** Also those that others have raised: where no callback endpoint runs, nobody else opens them. */
async function openDisputes(): Promise<void> {
  for (let round = 0; round < DISPUTE_ROUNDS; round += 1) {
    const disputes = await reconciling.disputesToOpen(DISPUTES_AT_ONCE);
    await Promise.all(disputes.map(open));
    if (disputes.length < DISPUTES_AT_ONCE) return;
  }
}

async function open(dispute: PaymentDispute): Promise<void> {
  try {
    // It waits for people, long after this run has ended.
    await startChild(WORKFLOWS.paymentDispute, {
      ...disputeStart(dispute),
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  await reconciling.markDisputeOpened(dispute.paymentId);
}

function details({ report, at }: Carried): string {
  const { since, until, payments, asked, notAsked } = report;
  const step = at.kind === 'payments' ? 'Comparing payments' : 'Looking for runs that the store does not know';
  return [
    `### ${step}`,
    `Payments closed from ${since} to ${until}, open ones, and those whose time to be asked again has come.`,
    `${payments} payments so far, ${asked} answered by Almara Pay, ${notAsked} not; ${differencesIn(report)} differences.`,
    'Nothing is changed by this: terminating it only means that the next one does the same work.',
  ].join('\n\n');
}
