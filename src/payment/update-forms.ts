import type { DisputeResolution } from './dispute';
import type { Cancellation, Resolution, StatusCheck } from './progress';

/**
 * The form of what people send in an update, field by field: an unknown field is refused, because what it meant would be lost for ever.
 * Whether the facts allow it is decided with them (`decide`). Each problem is a sentence for the dialog it is read in.
 */

/** What a field must be, in words that follow its name, or undefined when it is that. */
type Check = (value: unknown) => string | undefined;

type Form<Fields> = {
  readonly [Field in keyof Required<Fields>]: undefined extends Fields[Field]
    ? { readonly check: Check; readonly isOptional: true }
    : { readonly check: Check; readonly isOptional?: false };
};

const text =
  (max: number, what: string): Check =>
  (value) =>
    typeof value === 'string' && value.trim() !== '' && value.length <= max
      ? undefined
      : `must be ${what} (1 to ${max} characters)`;

const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string) ? undefined : `must be ${values.map((one) => `"${one}"`).join(' or ')}`;

const wholeAmount: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0
    ? undefined
    : 'must be a whole number from 1 on: what was really paid';

/** How long a text of a person may be, in characters. */
export const MOST_CHARACTERS = { operator: 100, note: 500, receiptNumber: 100, token: 200, providerCase: 100 } as const;

const operator = { check: text(MOST_CHARACTERS.operator, 'your name') };
const note = { check: text(MOST_CHARACTERS.note, 'why') };
const providerCase = {
  check: text(MOST_CHARACTERS.providerCase, "the provider's written confirmation"),
  isOptional: true,
} as const;

const STATUS_CHECK: Form<StatusCheck> = { operator };
const CANCELLATION: Form<Cancellation> = { operator, note };
const RESOLUTION: Form<Resolution> = {
  decision: { check: oneOf('paid', 'declined') },
  operator,
  note,
  receiptNumber: { check: text(MOST_CHARACTERS.receiptNumber, 'a text'), isOptional: true },
  token: { check: text(MOST_CHARACTERS.token, 'a text'), isOptional: true },
  amount: { check: wholeAmount, isOptional: true },
  providerCase,
};
const DISPUTE_RESOLUTION: Form<DisputeResolution> = {
  agreed: { check: oneOf('paid', 'not-paid') },
  operator,
  note,
  providerCase,
};

export const statusCheckProblem = (argument: unknown): string | undefined =>
  problemIn(argument, STATUS_CHECK, '{"operator":"YOUR NAME"}');

export const cancellationProblem = (argument: unknown): string | undefined =>
  problemIn(argument, CANCELLATION, '{"operator":"YOUR NAME","note":"WHY"}');

export function resolutionProblem(argument: unknown): string | undefined {
  const example = '{"decision":"paid","operator":"YOUR NAME","note":"WHO CONFIRMED, HOW","receiptNumber":"…"}';
  const problem = problemIn(argument, RESOLUTION, example);
  if (problem !== undefined) return problem;
  const { decision, ...rest } = argument as Resolution;
  if (decision === 'paid') return undefined;
  const misplaced = (['amount', 'receiptNumber', 'token'] as const).filter((field) => rest[field] !== undefined);
  return misplaced.length === 0
    ? undefined
    : `${quoted(misplaced)} only with "paid": a declined payment gives everything back.`;
}

export const disputeResolutionProblem = (argument: unknown): string | undefined =>
  problemIn(argument, DISPUTE_RESOLUTION, '{"agreed":"paid","operator":"YOUR NAME","note":"WHO AGREED, WHAT FOLLOWS"}');

function problemIn(
  argument: unknown,
  form: Readonly<Record<string, { readonly check: Check; readonly isOptional?: boolean }>>,
  example: string,
): string | undefined {
  if (typeof argument !== 'object' || argument === null || Array.isArray(argument))
    return `Send one JSON object, such as ${example}.`;
  const fields = argument as Readonly<Record<string, unknown>>;
  const known = Object.keys(form);
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return `${quoted(unknown)} ${unknown.length === 1 ? 'is' : 'are'} not known here, and nothing was changed. Known are ${known.join(', ')}.`;
  for (const [name, { check, isOptional = false }] of Object.entries(form)) {
    if (fields[name] === undefined && isOptional) continue;
    const problem = check(fields[name]);
    if (problem !== undefined) return `"${name}" ${problem}${isOptional ? ', or be left out' : ''}.`;
  }
  return undefined;
}

const MOST_NAMED = 5;
const LONGEST_NAME = 40;

/** People's own words are repeated within bounds. */
function quoted(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map((name) => JSON.stringify(name.slice(0, LONGEST_NAME)));
  return [...shown, ...(names.length > MOST_NAMED ? [`${names.length - MOST_NAMED} more`] : [])].join(' and ');
}
