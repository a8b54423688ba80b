import { parseDuration } from './duration';

/**
 * How long a payment waits for what. Defaults and bounds live here and nowhere else; all in milliseconds. Written down at the first
 * registration, and kept by every later run.
 */
export interface Policy {
  /** After this, a payment that was not sent is declined as expired. From the registration; never later than `attentionAfter`. */
  readonly submitWithin: number;
  /** How long a payment waits for money on its funding account, from the registration; 0: it does not. Never longer than `submitWithin`. */
  readonly fundsWithin: number;
  /** How long the callback alone is waited for, before the first poll. */
  readonly callbackGrace: number;
  /** Between the first polls; doubles up to `pollMaxInterval`. */
  readonly pollInterval: number;
  readonly pollMaxInterval: number;
  /** How long the provider may not know a payment that was sent, before a person is asked. */
  readonly notFoundGrace: number;
  /** How long a failed payment must stay failed before it is believed. */
  readonly failureConfirmation: number;
  /** After this without a verdict a person is asked. From the registration. */
  readonly attentionAfter: number;
  /** How long a paid payment waits for its receipt. */
  readonly receiptGrace: number;
}

export type PolicyField = keyof Policy;

interface Bound {
  readonly default: string;
  readonly min: string;
  readonly max: string;
}

export const POLICY_BOUNDS: { readonly [Field in PolicyField]: Bound } = {
  submitWithin: { default: '15 minutes', min: '1 minute', max: '24 hours' },
  fundsWithin: { default: '0 seconds', min: '0 seconds', max: '24 hours' },
  callbackGrace: { default: '20 seconds', min: '1 second', max: '10 minutes' },
  pollInterval: { default: '10 seconds', min: '2 seconds', max: '10 minutes' },
  pollMaxInterval: { default: '5 minutes', min: '10 seconds', max: '1 hour' },
  notFoundGrace: { default: '10 minutes', min: '2 minutes', max: '24 hours' },
  failureConfirmation: { default: '2 minutes', min: '30 seconds', max: '24 hours' },
  attentionAfter: { default: '30 minutes', min: '2 minutes', max: '48 hours' },
  receiptGrace: { default: '30 seconds', min: '1 second', max: '10 minutes' },
};

const FIELDS = Object.keys(POLICY_BOUNDS) as PolicyField[];
/** Even the test switch allows nothing shorter where something must pass: a zero duration means "no limit" to the engine. */
const SHORTEST = 1;

const known = (duration: string): number => {
  const parsed = parseDuration(duration);
  return parsed.kind === 'duration' ? parsed.ms : NaN;
};

/** What is wrong with one duration, in words, or undefined. */
export function policyProblem(
  field: PolicyField,
  value: string,
  { allowTestPolicy }: { allowTestPolicy: boolean },
): string | undefined {
  const { min, max } = POLICY_BOUNDS[field];
  const parsed = parseDuration(value);
  if (parsed.kind === 'problem') return parsed.problem;
  const duration = parsed.ms;
  if (duration > known(max)) return `must be at most ${max}`;
  if (duration < Math.min(SHORTEST, known(min))) return `must be at least ${min}`;
  if (duration < known(min) && !allowTestPolicy) return `must be at least ${min}`;
  return undefined;
}

/** Defaults filled in. The durations must have passed `policyProblem`. */
export function resolvePolicy(policy: { readonly [Field in PolicyField]?: string | undefined } | undefined): Policy {
  const resolved = Object.fromEntries(
    FIELDS.map((field) => [field, known(policy?.[field] ?? POLICY_BOUNDS[field].default)]),
  ) as Record<PolicyField, number>;
  // Nothing waits unseen: what was not sent by the time that a person would be asked has expired.
  const submitWithin = Math.min(resolved.submitWithin, resolved.attentionAfter);
  return { ...resolved, submitWithin, fundsWithin: Math.min(resolved.fundsWithin, submitWithin) };
}
