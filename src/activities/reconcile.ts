import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { concurrently } from '../payment/concurrently';
import { FAILURES } from '../payment/contract';
import type { PaymentDispute } from '../payment/dispute';
import {
  compare,
  PATIENCE_MS,
  type Difference,
  type ProviderAnswer,
  type StoredPayment,
} from '../payment/reconciliation';
import type { ReconcileRequest, ReconciliationReport, Window } from '../payment/reconciliation-window';
import { askingNobody, createAsking, type Asking } from './ask-provider';
import { systemClock, type ReconcileDependencies } from './dependencies';
import { endOfDispute, isRegistered, paymentsWithRuns, runOf } from './payment-runs';

/** Small enough that a repeated page costs the provider little. */
const PAGE = 50;
/** A few look-ups at once: the provider's other work is payments. */
const LOOKS_AT_ONCE = 4;
/** The engine repeats a page that met trouble, as late as the provider asks; then it is told without what is missing. */
const ATTEMPTS = 5;
/** Callbacks and disputes of one report; what waits beyond them is said by the next. */
const MOST_WAITING = 500;

export interface PageRequest {
  readonly window: Window;
  /** The last payment of the page before; '' at first. */
  readonly after: string;
  /** False when it has not answered for pages: the rest is compared without it. */
  readonly askProvider: boolean;
}

export interface PageResult {
  readonly differences: readonly Difference[];
  /** Absent: this was the last page. */
  readonly next?: string;
  readonly payments: number;
  readonly asked: number;
  readonly notAsked: number;
  readonly trouble?: string;
  readonly disputesRaised: number;
}

export interface RunsResult {
  readonly differences: readonly Difference[];
  readonly runs: number;
  /** Absent: this was the last page. */
  readonly next?: string;
}

/** What was learnt about one payment. Kept in the heartbeat, so that a repeated page does not ask again; holds nothing personal. */
type Checked = { readonly differences: readonly Difference[]; readonly asked: boolean } | { readonly trouble: string };
type Page = Readonly<Record<string, Checked>>;
type EndedDispute = PaymentDispute & { readonly how: 'completed' | 'lost' };

/** Compares store, runs and provider. Writes nothing but disputes and the report. */
export function createReconcileActivities({ almara, store, log, clock = systemClock }: ReconcileDependencies) {
  return {
    async beginReconciliation({ since }: ReconcileRequest): Promise<Window> {
      const from = since === undefined ? undefined : new Date(since);
      if (from !== undefined && !(from.getTime() <= clock.now()))
        throw ApplicationFailure.nonRetryable(
          `Reconcile since when? "${since}" is no time in the past, such as 2026-01-31T12:00:00Z.`,
          FAILURES.invalidRequest,
          [{ field: 'since', problem: 'must be a time in the past, such as 2026-01-31T12:00:00Z' }],
        );
      return await store.reconciliations.window(from);
    },

    /** The next payments of the window: asks about each, compares, raises the disputes. */
    async reconcilePage({ window, after, askProvider }: PageRequest): Promise<PageResult> {
      const payments = await store.reconciliations.page(window, after, PAGE);
      const checked = await checkAll(payments, askProvider ? createAsking(almara) : askingNobody);
      const all = Object.values(checked);
      const done = all.flatMap((one) => ('differences' in one ? [one] : []));
      const differences = done.flatMap((one) => one.differences);
      const next = payments.length === PAGE ? payments.at(-1)?.paymentId : undefined;
      const trouble = all.find((one) => 'trouble' in one)?.trouble;
      return {
        differences,
        payments: payments.length,
        asked: done.filter(({ asked }) => asked).length,
        notAsked: all.length - done.length,
        disputesRaised: await raise(differences),
        ...(next !== undefined && { next }),
        ...(trouble !== undefined && { trouble }),
      };
    },

    /** Runs of payments that the store has never heard of. */
    async reconcileRuns(window: Window, page?: string): Promise<RunsResult> {
      const { paymentIds, next } = await paymentsWithRuns(window, clock.now(), page);
      // The store is asked last: who registers does so before anything else, and is never forgotten.
      const written: string[] = [];
      await concurrently(await store.reconciliations.unknown(paymentIds), LOOKS_AT_ONCE, async (paymentId) => {
        if (await isRegistered(paymentId)) written.push(paymentId);
      });
      const unknown = await store.reconciliations.unknown(written);
      const what = 'a run of it is there, and the store has no such payment';
      return {
        differences: unknown.map((subject) => ({ kind: 'run-without-row', subject, what })),
        runs: paymentIds.length,
        ...(next !== undefined && { next }),
      };
    },

    /** What the store finds by itself: what waits for too long, and accounts that do not add up. */
    async reconcileStore(): Promise<readonly Difference[]> {
      const longAgo = new Date(clock.now() - PATIENCE_MS);
      const [callbacks, disputes, ended, accounts] = await Promise.all([
        store.inbox.pending(MOST_WAITING, longAgo),
        store.disputes.toOpen(MOST_WAITING),
        endedDisputes(),
        store.reconciliations.accountsOff(),
      ]);
      const waiting = new Map(callbacks.map(({ paymentId, receivedAt }) => [paymentId, receivedAt.toISOString()]));
      return [
        ...[...waiting].map(([subject, at]) => difference('callback-undelivered', subject, `received ${at}`)),
        ...disputes
          .filter(({ raisedAt }) => Date.parse(raisedAt) < longAgo.getTime())
          .map(({ paymentId, raisedAt }) => difference('dispute-not-opened', paymentId, `raised ${raisedAt}`)),
        ...ended.map(({ paymentId, how }) =>
          difference(
            'dispute-without-run',
            paymentId,
            how === 'completed' ? 'its run has completed, and no resolution is recorded' : 'no run of it waits',
          ),
        ),
        ...accounts.map(({ id, reserved, posted }) =>
          difference(
            'account-does-not-add-up',
            id,
            `reserved ${reserved.account}, by its reservations ${reserved.reservations}; posted ${posted.account}, by its reservations ${posted.reservations}`,
          ),
        ),
      ];
    },

    /** Raised, and nobody has started their workflows yet; and those whose run was ended before anybody resolved them. */
    async disputesToOpen(limit: number): Promise<readonly PaymentDispute[]> {
      const [never, ended] = await Promise.all([store.disputes.toOpen(limit), endedDisputes()]);
      // What has completed is not started again: a reset lets it read the store once more.
      const again = ended.filter(({ how }) => how === 'lost').map(({ how: _, ...dispute }) => dispute);
      return [...never, ...again].slice(0, limit);
    },

    async markDisputeOpened(paymentId: string): Promise<void> {
      await store.disputes.markOpened(paymentId);
    },

    /** Once for each reconciliation, whatever is repeated. */
    async recordReconciliation(runId: string, report: ReconciliationReport): Promise<void> {
      await store.reconciliations.record(runId, report);
      const { complete, payments, asked, notAsked, differences, moreDifferences } = report;
      log.info(
        { complete, payments, asked, notAsked, differences: differences.length + moreDifferences },
        'reconciled',
      );
    },
  };

  /** All that could be learnt. @throws AlmaraTrouble while another attempt may learn more */
  async function checkAll(payments: readonly StoredPayment[], asking: Asking): Promise<Page> {
    const info = activityInfo();
    const checked: Record<string, Checked> = { ...(info.heartbeatDetails as Page | undefined) };
    const left = payments.filter(({ paymentId }) => !('differences' in (checked[paymentId] ?? {})));
    await concurrently(left, LOOKS_AT_ONCE, async (payment) => {
      const answer = await asking.ask(payment);
      checked[payment.paymentId] =
        answer instanceof Error ? { trouble: answer.message } : await checkOne(payment, answer);
      heartbeat(checked);
    });
    if (asking.trouble !== undefined && info.attempt < ATTEMPTS) throw asking.trouble;
    return checked;
  }

  /** Compares only what stood still: what moves while it is looked at belongs to the next reconciliation. */
  async function checkOne(payment: StoredPayment, answer: ProviderAnswer): Promise<Checked> {
    const run = await runOf(payment, clock.now());
    const [after] = await store.reconciliations.read([payment.paymentId]);
    const stoodStill = JSON.stringify(after) === JSON.stringify(payment);
    return {
      differences: stoodStill ? compare(payment, run, answer, clock.now()) : [],
      asked: answer.kind === 'not-found' || answer.kind === 'record',
    };
  }

  /** Opened, not resolved, and yet no run waits for people: the list of disputes would not show them. */
  async function endedDisputes(): Promise<readonly EndedDispute[]> {
    const found: EndedDispute[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: readonly PaymentDispute[] = await store.disputes.unresolved(after, PAGE);
      await concurrently(page, LOOKS_AT_ONCE, async (dispute) => {
        const how = await endOfDispute(dispute.paymentId);
        if (how === undefined) return;
        // It may have been resolved just now, and have ended by that.
        const { resolution } = (await store.disputes.find(dispute.paymentId)) ?? {};
        if (resolution === undefined) found.push({ ...dispute, how });
      });
      after = page.length === PAGE ? page.at(-1)?.paymentId : undefined;
    }
    return found.sort((a, b) => a.raisedAt.localeCompare(b.raisedAt));
  }

  async function raise(differences: readonly Difference[]): Promise<number> {
    let raised = 0;
    for (const { subject, kind, what } of differences.filter(({ dispute }) => dispute)) {
      const { isNew } = await store.disputes.raise(subject, { by: 'reconciliation', because: `${kind}: ${what}` });
      if (isNew) raised += 1;
    }
    return raised;
  }
}

const difference = (kind: Difference['kind'], subject: string, what: string): Difference => ({ kind, subject, what });
