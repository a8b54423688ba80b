import { compareAfterEnd, type RecordedOutcome } from './after-end';
import { isOfAnother, type Answer } from './seen';

/** What reconciliation compares, and what it calls a difference. Pure: the same facts give the same differences. */

interface KindOfDifference {
  readonly means: string;
  /** What a person does about it. */
  readonly next: string;
}

/** Every kind, with its meaning and the next step: printed by `billpay reconcile` and in the runbook. */
export const DIFFERENCES = {
  'declined-but-completed': {
    means: 'Recorded as declined after it was sent, and the provider now says completed.',
    next: 'Call finance. A dispute is open: settle it with resolveDispute once it is agreed what was true.',
  },
  'declined-but-pending': {
    means: 'Recorded as declined without a person, and the provider is still working on it: it may yet be paid.',
    next: 'Ask the provider to stop or to settle it. It is asked again 1 h, 1, 7 and 30 days after the close.',
  },
  'paid-but-failed': {
    means: 'Recorded as paid, and the provider now says failed.',
    next: 'Call finance and the biller. A dispute is open: settle it with resolveDispute once it is agreed what was true.',
  },
  'paid-but-pending': {
    means: 'Recorded as paid, and the provider says that it is still working on it.',
    next: 'Ask the provider for the final state, with the payment id.',
  },
  'paid-but-unknown-to-provider': {
    means: 'Recorded as paid, and the provider does not know the id.',
    next: 'Ask the provider, with the payment id and the receipt. Check that this is the merchant account it was sent from.',
  },
  'paid-other-amount': {
    means: 'Recorded as paid, and the record of the provider has another amount, account or currency.',
    next: 'Compare with the statement of the provider. Unless a person decided it so, a dispute is open.',
  },
  'sealed-but-captured': {
    means: 'Closed without having been sent, and yet the provider has a record under its id.',
    next: 'Find out who sends under our ids. If the provider says completed a dispute is open: call finance.',
  },
  'record-of-another': {
    means: 'The record of the provider under its id is not about it: it has another id, or is no payment.',
    next: 'Ask the provider what its record is, with the payment id. Until then its outcome rests on what was seen before.',
  },
  'id-in-use': {
    means: 'Open and never sent from here, and yet the provider has a record under its id.',
    next: 'Find out who sends under our ids. The payment will ask for a person by itself (id-in-use).',
  },
  'open-without-run': {
    means: 'Open in the store, and Temporal knows no run of it.',
    next: 'Start it again with the same id and content: it goes on from what is recorded and is never sent twice.',
  },
  'run-failed': {
    means: 'Open in the store, and its last run ended without an outcome.',
    next: 'Start it again with the same id and content. Report a failed run as a bug; never terminate one.',
  },
  'run-without-row': {
    means: 'Temporal has a run of it, and the store has never heard of it: usually a restore from a backup.',
    next: 'Stop the workers and follow the page on restoring from a backup. Nothing of this id may be sent before.',
  },
  'result-differs': {
    means: 'The result of the run is not what the store has recorded: usually a restore from a backup.',
    next: 'Follow the page on restoring from a backup. What the caller was told is the result of the run.',
  },
  'closed-but-still-running': {
    means: 'Closed in the store for more than a minute, and its run is still open.',
    next: 'Look at its pending tasks in the Web UI: no worker may be there for it. Never terminate it.',
  },
  'run-stuck': {
    means: 'Open, and its run does not go on: its workflow task fails again and again.',
    next: 'Look at the failure in the Web UI. One run: reset it, that is safe. Many: go back to the worker version before this one.',
  },
  'overdue-open': {
    means: 'Open beyond the time at which a person should have been asked, and nobody was asked.',
    next: 'Look at its pending tasks in the Web UI: no worker may be there for it, or its task fails.',
  },
  'claim-of-another-account': {
    means: 'Sent from another merchant account than this worker has: it cannot be asked about here.',
    next: 'Run the reconciliation with a worker that has the credentials of that account.',
  },
  'posted-amount-differs': {
    means: 'The money posted for it is not the amount that is recorded as paid.',
    next: 'Call finance. The database refuses this, so somebody has written to it by hand.',
  },
  'reservation-open-after-close': {
    means: 'Closed, and money is still held for it.',
    next: 'Call finance. The database refuses this, so somebody has written to it by hand.',
  },
  'account-does-not-add-up': {
    means: 'A funding account holds or has posted another sum than its reservations say.',
    next: 'Call finance. The database refuses most of this, so somebody has written to it by hand.',
  },
  'callback-undelivered': {
    means: 'A callback has been waiting for more than five minutes.',
    next: 'Check that the callback endpoint runs and reaches Temporal, and that the payment has a run.',
  },
  'dispute-not-opened': {
    means: 'A dispute was raised more than five minutes ago, and its workflow was not started.',
    next: 'This run starts it. Check that the callback endpoint, which would have, is running.',
  },
  'dispute-without-run': {
    means: 'A dispute that nobody has resolved does not wait any more: its workflow was ended by hand, or is gone.',
    next: 'This run starts it again, unless it had completed: then reset it, and send resolveDispute again. Never terminate one.',
  },
} as const satisfies Readonly<Record<string, KindOfDifference>>;

export type DifferenceKind = keyof typeof DIFFERENCES;

export interface Difference {
  readonly kind: DifferenceKind;
  /** The payment id; of `account-does-not-add-up` the funding account. */
  readonly subject: string;
  /** For people, without personal data. */
  readonly what: string;
  /** It contradicts an outcome about money: a dispute is raised. */
  readonly dispute?: true;
}

/** A payment as the store has it. */
export interface StoredPayment {
  readonly paymentId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
  readonly claim:
    | { readonly kind: 'free' }
    /** Closed without having been sent. */
    | { readonly kind: 'sealed' }
    /** It may have been sent, from the merchant account of this hash. */
    | { readonly kind: 'taken'; readonly account: string };
  readonly closed?: { readonly at: string; readonly outcome: RecordedOutcome; readonly disputed: boolean };
  readonly reservation?: { readonly settled: boolean; readonly posted: number };
}

/** Its latest run, as Temporal has it. */
export type PaymentRun =
  /** Never started, or forgotten. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'running';
      readonly startedAt: string;
      /** When a person should be asked; only while nobody is. */
      readonly attentionAt?: string;
      /** Which attempt at its next workflow task this is. Absent: it has none to do. */
      readonly taskAttempt?: number;
    }
  | { readonly kind: 'completed'; readonly result: unknown }
  | { readonly kind: 'ended'; readonly how: string };

/** What the provider says about it. */
export type ProviderAnswer =
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'another-account' }
  /** Compared with what was asked for, and written down. */
  | { readonly kind: 'answer'; readonly answer: Answer };

/** A close answers its run at once: what takes longer than this is stuck. */
const CLOSE_SETTLES_MS = 60_000;
/** What is due takes a moment to happen, also on a busy day. */
export const PATIENCE_MS = 5 * 60_000;
/** Attempts are lost with the workers that die. A task that always fails has come to the fifth after half a minute. */
const STUCK_FROM_ATTEMPT = 5;

/** It does not go on, and answers no query. */
export const isStuck = ({ taskAttempt = 0 }: { readonly taskAttempt?: number }): boolean =>
  taskAttempt >= STUCK_FROM_ATTEMPT;

/**
 * What does not agree. The store's facts must have stood still while run and provider were asked: see the activity.
 * @param now epoch ms
 */
export function compare(
  stored: StoredPayment,
  run: PaymentRun,
  provider: ProviderAnswer,
  now: number,
): readonly Difference[] {
  return [...withProvider(stored, provider), ...withRun(stored, run, now), ...withFunds(stored)];
}

/** Nothing is asked about what a run is waiting for anyhow: it asks by itself. */
export const isAsked = ({ closed, claim }: StoredPayment): boolean => closed !== undefined || claim.kind === 'free';

function withProvider(stored: StoredPayment, provider: ProviderAnswer): readonly Difference[] {
  if (provider.kind === 'not-asked') return [];
  const found = (kind: DifferenceKind, what: string): readonly Difference[] => [
    { kind, subject: stored.paymentId, what, ...(isContradicted && { dispute: true }) },
  ];
  const outcome = stored.closed?.outcome;
  const isContradicted =
    provider.kind === 'answer' &&
    outcome !== undefined &&
    compareAfterEnd(outcome, provider.answer).kind === 'contradicts';
  if (provider.kind === 'another-account')
    return found('claim-of-another-account', 'it was sent with other credentials than this worker has');
  const { answer } = provider;
  if (isOfAnother(answer)) return found('record-of-another', answer.differs.join('; '));
  if (outcome?.kind === 'paid') return withPaid(outcome, answer, isContradicted, found);
  if (answer.state === 'not-found') return [];

  const says = [`the provider says ${answer.said}`, ...answer.differs].join('; ');
  if (outcome === undefined) return stored.claim.kind === 'free' ? found('id-in-use', says) : [];
  const byPerson = outcome.kind === 'declined' && outcome.settledBy === 'operator';
  if (stored.claim.kind === 'sealed') {
    // Who declined somebody else's record had it before their eyes.
    const isKnown = byPerson && !isContradicted;
    return isKnown ? [] : found('sealed-but-captured', `${outcome.kind}, never sent; ${says}`);
  }
  if (answer.state === 'completed') return found('declined-but-completed', says);
  return answer.state === 'pending' && !byPerson ? found('declined-but-pending', says) : [];
}

type Found = (kind: DifferenceKind, what: string) => readonly Difference[];

function withPaid(
  outcome: Extract<RecordedOutcome, { kind: 'paid' }>,
  answer: Answer,
  isContradicted: boolean,
  found: Found,
): readonly Difference[] {
  const says = `the provider says ${answer.said}`;
  switch (answer.state) {
    case 'not-found':
      return found(
        'paid-but-unknown-to-provider',
        'the provider does not know the id, and the payment is recorded as paid',
      );
    case 'failed':
      return found('paid-but-failed', says);
    case 'pending':
      return found('paid-but-pending', says);
    case 'completed': {
      if (isContradicted) return found('paid-other-amount', [says, ...answer.differs].join('; '));
      const isOther = answer.amount !== undefined && answer.amount !== outcome.amount;
      return isOther ? found('paid-other-amount', `${says}; ${answer.amount}, recorded ${outcome.amount}`) : [];
    }
  }
}

function withRun({ paymentId, closed }: StoredPayment, run: PaymentRun, now: number): readonly Difference[] {
  const found = (kind: DifferenceKind, what: string): readonly Difference[] => [{ kind, subject: paymentId, what }];
  const longAgo = (time: string, ms: number): boolean => now - Date.parse(time) > ms;
  if (closed === undefined) {
    switch (run.kind) {
      case 'none':
        return found('open-without-run', 'no run is known under its workflow id');
      case 'ended':
        return found('run-failed', `its last run ${run.how}`);
      case 'completed':
        return found('result-differs', `the run ended as ${kindOf(run.result)}, and the store has it open`);
      case 'running':
        if (isStuck(run)) return found('run-stuck', `attempt ${run.taskAttempt} at its workflow task`);
        return run.attentionAt !== undefined && longAgo(run.attentionAt, PATIENCE_MS)
          ? found('overdue-open', `a person should have been asked at ${run.attentionAt}`)
          : [];
    }
  }
  if (run.kind === 'running' && longAgo(closed.at, CLOSE_SETTLES_MS) && longAgo(run.startedAt, CLOSE_SETTLES_MS))
    return found('closed-but-still-running', `${closed.outcome.kind} since ${closed.at}, and its run is open`);
  if (run.kind === 'completed' && !isSame(run.result, closed.outcome))
    return found('result-differs', `the run ended as ${kindOf(run.result)}, recorded is ${kindOf(closed.outcome)}`);
  return [];
}

function withFunds({ paymentId, closed, reservation }: StoredPayment): readonly Difference[] {
  if (closed === undefined || reservation === undefined) return [];
  if (!reservation.settled)
    return [
      { kind: 'reservation-open-after-close', subject: paymentId, what: `${closed.outcome.kind}, and still held` },
    ];
  const paid = closed.outcome.kind === 'paid' ? closed.outcome.amount : 0;
  return reservation.posted === paid
    ? []
    : [{ kind: 'posted-amount-differs', subject: paymentId, what: `posted ${reservation.posted}, paid ${paid}` }];
}

/** For people: what a result says, without trusting its form. */
function kindOf(result: unknown): string {
  const { kind, amount, reason } = (result ?? {}) as Partial<Record<'kind' | 'amount' | 'reason', unknown>>;
  const detail = [amount, reason].filter((part) => typeof part === 'number' || typeof part === 'string').join(' ');
  return [typeof kind === 'string' ? kind : 'something else', detail].filter((part) => part !== '').join(' ');
}

const isSame = (result: unknown, outcome: RecordedOutcome): boolean => canonical(result) === canonical(outcome);

/** The store's JSON keeps no order of fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'receipt') return undefined;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
