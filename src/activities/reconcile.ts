import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { concurrently } from '../payment/concurrently';
import { FAILURES, WORKFLOWS } from '../payment/contract';
import type { PaymentDispute } from '../payment/dispute';
import {
  compare,
  PATIENCE_MS,
  type Difference,
  type ProviderAnswer,
  type StoredPayment,
} from '../payment/reconciliation';
import {
  askedAll,
  differencesIn,
  timeOf,
  type ReconcileRequest,
  type ReconciliationReport,
  type Unanswered,
  type Window,
} from '../payment/reconciliation-window';
import { checked, SHAPES } from './arguments';
import { askNobody, createInquiry, TROUBLES_IN_A_ROW, type Inquiry } from './ask-provider';
import { systemClock, type ReconcileDependencies } from './dependencies';
import { onlyFrom } from './own-run';
import { endOfDispute, isRegistered, paymentsWithRuns, runOf } from './payment-runs';

/** Small enough that a repeated page costs the provider little. */
const PAGE = 50;
/** A few look-ups at once: the provider's other work is payments. */
const LOOKS_AT_ONCE = 4;
/** The engine repeats a page that met trouble, as late as the provider asks; then it is told without what is missing. */
const ATTEMPTS = 5;
/** Of each kind that the store finds by itself, in one report; what waits beyond them is said by the next. */
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
  /** Those not asked. */
  readonly unanswered: readonly Unanswered[];
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
type Checked =
  | { readonly differences: readonly Difference[]; readonly asked: boolean; readonly isRaised: boolean }
  | { readonly trouble: string };
type Page = Readonly<Record<string, Checked>>;
type EndedDispute = PaymentDispute & { readonly how: 'completed' | 'lost' };

/** Compares store, runs and provider. Writes nothing but disputes and the report. */
export function createReconcileActivities(dependencies: ReconcileDependencies) {
  const { store, log, clock = systemClock } = dependencies;
  return {
    /** @param request whatever somebody has typed in the Web UI */
    async beginReconciliation(request: ReconcileRequest): Promise<Window> {
      const since = sinceOf(request);
      const from = timeOf(since);
      if (since !== undefined && from === undefined) throw notInThePast(since);
      const window = await store.reconciliations.window(from);
      // By the database's clock, as its own check of the report: that one would come after all the work.
      if (window.since > window.until) throw notInThePast(since);
      return window;
    },

    /** The next payments of the window: a look at each, which raises what contradicts its outcome, then the comparison. */
    async reconcilePage(request: PageRequest): Promise<PageResult> {
      const { window, after, askProvider } = checked(SHAPES.reconcilePage, request);
      const payments = await store.reconciliations.page(window, after, PAGE);
      const learnt = await checkAll(payments, askProvider ? createInquiry(dependencies) : askNobody);
      const all = Object.values(learnt);
      const done = all.flatMap((one) => ('differences' in one ? [one] : []));
      const unanswered = Object.entries(learnt).flatMap(([paymentId, one]) =>
        'trouble' in one ? [{ paymentId, because: one.trouble }] : [],
      );
      const differences = done.flatMap((one) => one.differences);
      const next = payments.length === PAGE ? payments.at(-1)?.paymentId : undefined;
      const trouble = unanswered[0]?.because;
      return {
        differences,
        payments: payments.length,
        asked: done.filter(({ asked }) => asked).length,
        notAsked: unanswered.length,
        unanswered,
        disputesRaised: done.filter(({ isRaised }) => isRaised).length,
        ...(next !== undefined && { next }),
        ...(trouble !== undefined && { trouble }),
      };
    },

    /** Runs of payments that the store has never heard of. */
    async reconcileRuns(window: Window, page?: string): Promise<RunsResult> {
      checked(SHAPES.window, window);
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
        endedDisputes(MOST_WAITING, ['completed', 'lost']),
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
        ...accounts
          .slice(0, MOST_WAITING)
          .map(({ id, reserved, posted }) =>
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
      checked(SHAPES.limit, limit);
      const never = await store.disputes.toOpen(limit);
      if (never.length === limit) return never;
      // What has completed is not started again: a reset lets it read the store once more.
      const again = (await endedDisputes(limit, ['lost'])).map(({ how: _, ...dispute }) => dispute);
      return [...never, ...again].slice(0, limit);
    },

    /** Unless no run of it waits: it stays among those to be opened. */
    async markDisputeOpened(paymentId: string): Promise<void> {
      if ((await endOfDispute(checked(SHAPES.paymentId, paymentId))) === 'lost') return;
      await store.disputes.markOpened(paymentId);
    },

    /** Once for each reconciliation, whatever is repeated. */
    async recordReconciliation(reportId: string, report: ReconciliationReport): Promise<void> {
      onlyFrom(WORKFLOWS.reconcilePayments);
      checked(SHAPES.report, report);
      await store.reconciliations.record(reportId, report);
      const { complete, payments, asked, notAsked } = report;
      const found = differencesIn(report);
      const fine = askedAll(report) && found === 0;
      // Nobody reads the report of a schedule unless something calls them.
      log[fine ? 'info' : 'warn']({ complete, payments, asked, notAsked, differences: found }, 'reconciled');
    },
  };

  /** All that could be learnt. @throws ProviderTrouble while another attempt may learn more */
  async function checkAll(payments: readonly StoredPayment[], inquiry: Inquiry): Promise<Page> {
    const info = activityInfo();
    const known: Record<string, Checked> = { ...(info.heartbeatDetails as Page | undefined) };
    const left = payments.filter(({ paymentId }) => !('differences' in (known[paymentId] ?? {})));
    await concurrently(rotated(left, (info.attempt - 1) * TROUBLES_IN_A_ROW), LOOKS_AT_ONCE, async (payment) => {
      const answer = await inquiry.ask(payment);
      known[payment.paymentId] =
        answer instanceof Error ? { trouble: answer.message } : await checkOne(payment, answer);
      heartbeat(known);
    });
    if (inquiry.trouble !== undefined && info.attempt < ATTEMPTS) throw inquiry.trouble;
    return known;
  }

  /** Compares only what stood still: what moves while it is looked at belongs to the next reconciliation. */
  async function checkOne(payment: StoredPayment, answer: ProviderAnswer): Promise<Checked> {
    const run = await runOf(payment, clock.now());
    const [after] = await store.reconciliations.read([payment.paymentId]);
    const isRaised = after?.closed?.disputed === true && payment.closed?.disputed === false;
    return {
      differences: isSame(payment, after) ? compare(payment, run, answer, clock.now()) : [],
      asked: answer.kind === 'answer',
      isRaised,
    };
  }

  /** Opened, not resolved, and yet no run waits for people: the list of disputes would not show them. */
  async function endedDisputes(
    limit: number,
    wanted: readonly EndedDispute['how'][],
  ): Promise<readonly EndedDispute[]> {
    const found: EndedDispute[] = [];
    for (let after: string | undefined = ''; after !== undefined && found.length < limit;) {
      const page: readonly PaymentDispute[] = await store.disputes.unresolved(after, PAGE);
      await concurrently(page, LOOKS_AT_ONCE, async (dispute) => {
        const how = await endOfDispute(dispute.paymentId);
        if (how === undefined || !wanted.includes(how)) return;
        // It may have been resolved just now, and have ended by that.
        const { resolution } = (await store.disputes.find(dispute.paymentId)) ?? {};
        if (resolution === undefined) found.push({ ...dispute, how });
      });
      after = page.length === PAGE ? page.at(-1)?.paymentId : undefined;
    }
    return found.sort((a, b) => a.raisedAt.localeCompare(b.raisedAt)).slice(0, limit);
  }
}

/** A look may have raised a dispute: nothing else may have changed. */
const isSame = (before: StoredPayment, after: StoredPayment | undefined): boolean => {
  const standing = (payment: StoredPayment | undefined): string =>
    JSON.stringify(payment, (key, value: unknown) => (key === 'disputed' ? undefined : value));
  return standing(before) === standing(after);
};

/** Begins elsewhere on each attempt: broken records that lie beside each other do not hide what comes behind them. */
const rotated = <Item>(items: readonly Item[], by: number): readonly Item[] => {
  const from = by % Math.max(items.length, 1);
  return [...items.slice(from), ...items.slice(0, from)];
};

const EXAMPLE = '2026-01-31T12:00:00Z';
const shown = (given: unknown): string => (JSON.stringify(given) ?? 'nothing').slice(0, 100);

function sinceOf(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    throw invalid(
      `A reconciliation takes {} or {"since":"${EXAMPLE}"}, and not ${shown(request)}.`,
      `must be in an object, such as {"since":"${EXAMPLE}"}`,
    );
  const { since, ...unknown } = request as { readonly since?: unknown };
  const names = Object.keys(unknown).map((name) => `"${name}"`);
  if (names.length > 0)
    throw invalid(
      `A reconciliation does not know ${names.join(', ').slice(0, 200)}. It takes {} or {"since":"${EXAMPLE}"}.`,
      'is all that there may be',
    );
  return since;
}

const notInThePast = (since: unknown): ApplicationFailure =>
  invalid(
    `Reconcile since when? ${shown(since)} is no time in the past, such as ${EXAMPLE}.`,
    `must be a time in the past, such as ${EXAMPLE}`,
  );

const invalid = (message: string, problem: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, FAILURES.invalidRequest, [{ field: 'since', problem }]);

const difference = (kind: Difference['kind'], subject: string, what: string): Difference => ({ kind, subject, what });
