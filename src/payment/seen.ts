import type { Observation, PaymentRecord, Receipt } from './observation';
import { holds, isLeftOut } from './planted';

/**
 * What is known of a payment from the provider's own answers. It only grows: merging goes by least, greatest and once-true alone, so
 * that it is the same in whatever order answers arrive. All times are epoch ms by the database's clock.
 */
export interface Seen {
  /** When a completed record, and any record at all, was first told. */
  readonly completedAt?: number;
  readonly recordAt?: number;
  /** Since when a completed record has agreed with what was asked for. */
  readonly paidSince?: number;
  /** The first answer that our record has failed, and the last. */
  readonly failedFirstAskedAt?: number;
  readonly failedFirstAnsweredAt?: number;
  readonly failedLastAskedAt?: number;
  /** The last readable answer that did not say so. */
  readonly otherLastAskedAt?: number;
  /** The last answer, by the time it was asked for. */
  readonly last?: Answer;
}

/** One readable answer, compared with what was asked for: it holds nothing of the account. */
export interface Answer {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly state: 'not-found' | PaymentRecord['state'];
  /** For people, without personal data. */
  readonly said: string;
  /** In what the record is not what was asked for, in words. Empty: it may prove something. */
  readonly differs: readonly string[];
  readonly amount?: number;
  readonly providerId?: string;
  readonly receipt: Receipt;
}

/** What the provider's record and callbacks must agree with. */
export interface Expected {
  readonly paymentId: string;
  readonly accountNumber: string;
  readonly amount: number;
  readonly currency: string;
}

/** When something was asked and answered. */
export interface AskedAndAnswered {
  readonly askedAt: number;
  readonly answeredAt: number;
}

/**
 * The answer in an observation, or undefined when it says nothing about this payment.
 * @param isAnotherAccount asked with the credentials of another merchant account than it was sent from
 */
export function answerIn(
  observation: Observation,
  expected: Expected,
  when: AskedAndAnswered,
  isAnotherAccount: boolean,
): Answer | undefined {
  if (observation.kind === 'unreadable') return undefined;
  if (observation.kind === 'not-found')
    return isAnotherAccount && !isLeftOut('an answer from another account')
      ? undefined
      : { ...when, state: 'not-found', said: observation.said, differs: [], receipt: {} };
  const { state, said, amount, providerId, receipt } = observation;
  const differs = mismatches(expected, observation);
  // Somebody else's record under the same id there is nothing about ours here.
  if (isAnotherAccount && differs.length > 0) return undefined;
  return {
    ...when,
    ...{ state, said, differs, receipt },
    ...(amount !== undefined && { amount }),
    ...(providerId !== undefined && { providerId }),
  };
}

export function merge(seen: Seen, answer: Answer): Seen {
  const { state, askedAt, answeredAt, differs } = answer;
  // Only our own record says that ours has failed, and since when.
  const isFailed = state === 'failed' && holds('a record must agree', differs.length === 0);
  const isCompleted = state === 'completed';
  const only = (holds: boolean, time: number): number | undefined => (holds ? time : undefined);
  return withoutUndefined({
    completedAt: least(forgettable(seen.completedAt), only(isCompleted, answeredAt)),
    recordAt: least(seen.recordAt, only(state !== 'not-found', answeredAt)),
    paidSince: least(seen.paidSince, only(isCompleted && differs.length === 0, answeredAt)),
    failedFirstAskedAt: least(seen.failedFirstAskedAt, only(isFailed, askedAt)),
    failedFirstAnsweredAt: least(seen.failedFirstAnsweredAt, only(isFailed, answeredAt)),
    failedLastAskedAt: greatest(seen.failedLastAskedAt, only(isFailed, askedAt)),
    otherLastAskedAt: greatest(seen.otherLastAskedAt, only(!isFailed, askedAt)),
    last: later(seen.last, answer),
  });
}

const NO_PAYMENT = 'it does not say that it is a payment';
const OTHER_ID = 'the payment id is not ours';

/** A readable record under its id that is about something else. */
export const isOfAnother = ({ differs }: Answer): boolean => differs.includes(NO_PAYMENT) || differs.includes(OTHER_ID);

/** Where a record differs from what was asked for, in words without personal data. Empty: it is evidence. */
export function mismatches(expected: Expected, record: PaymentRecord): string[] {
  const differs: string[] = [];
  if (!record.isPayment) differs.push(NO_PAYMENT);
  if (record.paymentId?.toLowerCase() !== expected.paymentId) differs.push(OTHER_ID);
  if (record.amount !== expected.amount) {
    const answer = record.amount === undefined ? 'no amount' : `${expected.currency} ${record.amount}`;
    differs.push(`answer: ${answer}, sent: ${expected.currency} ${expected.amount}`);
  }
  if (record.accountNumber?.trim() !== expected.accountNumber.trim())
    differs.push('the account is not the one we sent');
  if (record.currency?.toUpperCase() !== expected.currency) differs.push('the currency is not the one we sent');
  return differs;
}

/**
 * What an answer that comes too late to be merged still tells: that there was a record, and that it was completed, is true for ever
 * and only ever keeps something from being done.
 */
export function remember(seen: Seen, { state, answeredAt }: Answer): Seen {
  if (isLeftOut('an old answer tells what is true for ever')) return seen;
  const only = (holds: boolean): number | undefined => (holds ? answeredAt : undefined);
  return withoutUndefined({
    ...seen,
    completedAt: least(seen.completedAt, only(state === 'completed')),
    recordAt: least(seen.recordAt, only(state !== 'not-found')),
  });
}

/** An answer that is older than this when it is written says nothing any more: look again. */
const WRITTEN_WITHIN_MS = 60_000;

export const isTooOld = ({ askedAt }: AskedAndAnswered, now: number): boolean =>
  now - askedAt > WRITTEN_WITHIN_MS && !isLeftOut('old answers are not written');

const least = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || (other !== undefined && other < one) ? other : one;

const greatest = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

const forgettable = (time: number | undefined): number | undefined =>
  isLeftOut('completed is never forgotten') ? undefined : time;

/** By the time it was asked; of two asked at once, the same one whichever came first. */
function later(known: Answer | undefined, answer: Answer): Answer {
  if (known === undefined || isLeftOut('older answers displace nothing')) return answer;
  if (known.askedAt !== answer.askedAt) return known.askedAt > answer.askedAt ? known : answer;
  return contentOf(known) > contentOf(answer) ? known : answer;
}

/** In an order of its own: what the database keeps has none. */
const contentOf = ({ state, said, differs, amount, providerId, receipt, answeredAt }: Answer): string =>
  JSON.stringify([
    ...[state, said, differs, amount, providerId, answeredAt],
    ...[receipt.number, receipt.narration, receipt.token],
  ]);

function withoutUndefined(fields: { readonly [Field in keyof Seen]?: Seen[Field] | undefined }): Seen {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
