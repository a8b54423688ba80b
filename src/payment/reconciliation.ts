import type { Observation, PaymentRecord } from './observation';
import type { BillPaymentOutcome } from './outcome';
import { mismatches } from './seen';

/** What reconciliation compares, and what it calls a difference. Pure: the same facts give the same differences. */

interface KindOfDifference {
  readonly means: string;
  /** What a person does about it. */
  readonly next: string;
}

/** Every kind, with its meaning and the next step: printed by `billpay reconcile` and in the runbook. */
export const DIFFERENCES = {
  'declined-but-completed': {
    means: 'Recorded as declined after it was sent, and Almara Pay now says completed.',
    next: 'Call finance. A dispute is open: settle it with resolveDispute once it is agreed what was true.',
  },
  'declined-but-pending': {
    means: 'Recorded as declined without a person, and Almara Pay is still working on it: it may yet be paid.',
    next: 'Ask Almara Pay to stop or to settle it. It is asked again 1 h, 1, 7 and 30 days after the close.',
  },
  'paid-but-failed': {
    means: 'Recorded as paid, and Almara Pay now says failed.',
    next: 'Call finance and the biller. A dispute is open: settle it with resolveDispute once it is agreed what was true.',
  },
  'paid-but-pending': {
    means: 'Recorded as paid, and Almara Pay says that it is still working on it.',
    next: 'Ask Almara Pay for the final state, with the payment id.',
  },
  'paid-but-unknown-to-provider': {
    means: 'Recorded as paid, and Almara Pay does not know the id.',
    next: 'Ask Almara Pay, with the payment id and the receipt. Check that this is the merchant account it was sent from.',
  },
  'paid-other-amount': {
    means: 'Recorded as paid, and the record of Almara Pay has another amount, account or currency.',
    next: 'Compare with the statement of Almara Pay. Unless a person decided it so, a dispute is open.',
  },
  'sealed-but-captured': {
    means: 'Closed without having been sent, and yet Almara Pay has a record under its id.',
    next: 'Find out who sends under our ids. If Almara Pay says completed a dispute is open: call finance.',
  },
  'record-of-another': {
    means: 'The record of Almara Pay under its id is not about it: it has another id, or is no payment.',
    next: 'Ask Almara Pay what its record is, with the payment id. Until then its outcome rests on what was seen before.',
  },
  'id-in-use': {
    means: 'Open and never sent from here, and yet Almara Pay has a record under its id.',
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

type WithoutReceipt<Outcome> = Outcome extends unknown ? Omit<Outcome, 'receipt'> : never;
/** A receipt may be added after the close: it is no part of what is compared. */
export type RecordedOutcome = WithoutReceipt<BillPaymentOutcome>;

/** A payment as the store has it. */
export interface StoredPayment {
  readonly paymentId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
  readonly claim:
    | { readonly kind: 'none' }
    /** Closed without having been sent. */
    | { readonly kind: 'sealed' }
    /** It may have been sent, from the merchant account of this hash. */
    | { readonly kind: 'taken'; readonly account: string };
  readonly closed?: { readonly at: string; readonly outcome: RecordedOutcome };
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
  | { readonly kind: 'not-found' }
  /** A readable record, and not of this payment. */
  | { readonly kind: 'of-another'; readonly said: string }
  | PaymentRecord;

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
export const isAsked = ({ closed, claim }: StoredPayment): boolean => closed !== undefined || claim.kind === 'none';

/**
 * What an observation says about this payment; undefined: nothing, asked again it may say more. A record of something else, or of
 * another id, stays what it is however often one asks: people must see it.
 */
export function answerAbout(paymentId: string, observation: Observation): ProviderAnswer | undefined {
  switch (observation.kind) {
    case 'unreadable':
      return undefined;
    case 'not-found':
      return { kind: 'not-found' };
    case 'record':
      if (!observation.isPayment) return { kind: 'of-another', said: 'its record is no payment' };
      if (observation.paymentId?.toLowerCase() !== paymentId)
        return { kind: 'of-another', said: 'its record does not have its id' };
      return observation;
  }
}

function withProvider(stored: StoredPayment, provider: ProviderAnswer): readonly Difference[] {
  const found = (kind: DifferenceKind, what: string, dispute = false): readonly Difference[] => [
    { kind, subject: stored.paymentId, what, ...(dispute && { dispute }) },
  ];
  if (provider.kind === 'not-asked') return [];
  if (provider.kind === 'another-account')
    return found('claim-of-another-account', 'it was sent with other credentials than this worker has');
  if (provider.kind === 'of-another') return found('record-of-another', provider.said);
  const outcome = stored.closed?.outcome;
  if (outcome?.kind === 'paid') return withPaid(stored, outcome, provider, found);
  if (provider.kind === 'not-found') return [];

  const says = `Almara Pay says ${provider.said}`;
  if (outcome === undefined) return stored.claim.kind === 'none' ? found('id-in-use', says) : [];
  const asItWas = differsFrom(stored, stored.amount, provider);
  const completed = provider.state === 'completed';
  const byPerson = outcome.kind === 'declined' && outcome.settledBy === 'operator';
  if (stored.claim.kind === 'sealed') {
    // Who declined somebody else's record had it before their eyes, and could not have declined one that is ours and completed.
    const isKnown = byPerson && (!completed || asItWas !== '');
    return isKnown ? [] : found('sealed-but-captured', `${outcome.kind}, never sent; ${says}${asItWas}`, completed);
  }
  if (completed) return found('declined-but-completed', `${says}${asItWas}`, true);
  return provider.state === 'pending' && !byPerson ? found('declined-but-pending', says) : [];
}

type Found = (kind: DifferenceKind, what: string, dispute?: boolean) => readonly Difference[];

function withPaid(
  stored: StoredPayment,
  outcome: Extract<RecordedOutcome, { kind: 'paid' }>,
  provider: Extract<ProviderAnswer, { kind: 'not-found' | 'record' }>,
  found: Found,
): readonly Difference[] {
  if (provider.kind === 'not-found')
    return found(
      'paid-but-unknown-to-provider',
      'Almara Pay does not know the id, and the payment is recorded as paid',
    );
  const says = `Almara Pay says ${provider.said}`;
  if (provider.state === 'failed') return found('paid-but-failed', says, true);
  if (provider.state === 'pending') return found('paid-but-pending', says);
  const differs = differsFrom(stored, outcome.amount, provider);
  // Who decided it had this record before their eyes: nothing new contradicts them.
  return differs === '' ? [] : found('paid-other-amount', `${says}${differs}`, outcome.settledBy !== 'operator');
}

/** In words, or empty. */
function differsFrom(stored: StoredPayment, amount: number, record: PaymentRecord): string {
  return mismatches({ ...stored, amount }, record)
    .map((difference) => `; ${difference}`)
    .join('');
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
