/** How people write a duration, everywhere: a whole number and a unit, such as `20 seconds`, `5m` or `7d`. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  s: SECOND,
  second: SECOND,
  m: MINUTE,
  minute: MINUTE,
  h: HOUR,
  hour: HOUR,
  d: DAY,
  day: DAY,
};
const DURATION = /^(\d{1,9}) ?(?:(ms|[smhd])|(millisecond|second|minute|hour|day)s?)$/;

export type ParsedDuration =
  | { readonly kind: 'duration'; readonly ms: number }
  /** It is none. In words, to follow the name of the field. */
  | { readonly kind: 'problem'; readonly problem: string };

export function parseDuration(text: string): ParsedDuration {
  const [, number, short, word] = DURATION.exec(text) ?? [];
  const unit = UNITS[short ?? word ?? ''];
  return unit === undefined
    ? { kind: 'problem', problem: 'must be a duration such as "20 seconds" or 5m' }
    : { kind: 'duration', ms: Number(number) * unit };
}
