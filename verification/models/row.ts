import type { Claim, Closed } from '../../src/payment/facts';
import type { Seen } from '../../src/payment/seen';
import { TICKS } from './moments';

/** The payment's row, with its reservation, as the product's own values. */
export interface RowParts {
  readonly claim: Claim;
  readonly seen: Seen;
  readonly attentionSince?: number;
  readonly closed?: Closed;
  /** A number: so much was posted, the rest given back. */
  readonly money: 'free' | 'held' | number;
}

/** There is one of each: rows that need not be told apart are the same. */
export interface Row extends RowParts {
  readonly id: number;
}

const rows = new Map<string, Row>();

export function rowOf(parts: RowParts): Row {
  const key = `${parts.closed === undefined ? openKey(parts) : closedKey(parts, parts.closed)}${parts.money}`;
  const known = rows.get(key);
  if (known !== undefined) return known;
  const row = { ...parts, id: rows.size };
  rows.set(key, row);
  return row;
}

export const changedRow = (row: Row, parts: Partial<RowParts>): Row => rowOf({ ...row, ...parts });

const moment = (time: number | undefined): number | string => {
  if (time === undefined) return '';
  const tick = (TICKS as readonly number[]).indexOf(time);
  return tick < 0 ? time : tick;
};

/** Of some times only whether there is one makes a difference. */
function openKey({ claim, seen, attentionSince }: RowParts): string {
  const { last } = seen;
  return [
    claim.kind === 'taken' ? `${claim.at}-${claim.sessionExpiresAt}${claim.answer?.kind ?? ''}` : claim.kind[0],
    ...[seen.completedAt === undefined ? '' : 'c', seen.recordAt === undefined ? '' : 'r', moment(seen.paidSince)],
    ...[moment(seen.failedFirstAskedAt), moment(seen.failedFirstAnsweredAt), moment(seen.failedLastAskedAt)],
    ...[moment(seen.otherLastAskedAt), last?.said, moment(last?.askedAt), attentionSince === undefined ? '' : 'a'],
  ].join();
}

function closedKey({ claim }: RowParts, { outcome, disputed }: Closed): string {
  const how = outcome.kind === 'cancelled' ? '' : outcome.settledBy;
  const what = outcome.kind === 'paid' ? outcome.amount : outcome.kind === 'declined' ? outcome.step : '';
  return `${claim.kind[0]}${outcome.kind}${what}${how}${moment(Date.parse(outcome.closedAt))}${disputed ? 'd' : ''}`;
}
