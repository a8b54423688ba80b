import { z } from 'zod';
import { field, isObject, readJson, type HttpAnswer } from './answers';
import { forPeople } from './text';

/**
 * The provider's three error shapes. None is documented for bill payments itself; these are its sibling endpoints'
 * ("Bill Number", "Account Number Validation Request", "Express Deposit Request").
 */

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** ASP.NET model validation: `errors` is an object of lists. */
const modelValidation = z.object({
  errors: z.record(z.string().min(1), z.array(z.string().min(1)).min(1)),
  title: z.string(),
  status: z.literal(400),
});

/** A list of field errors: `errors` is a list of objects, `status` a word or absent. */
const fieldErrorList = z.object({
  errors: z.array(z.object({ field: z.string().min(1), message: z.string().min(1) })).min(1),
  status: z
    .string()
    .regex(/^bad ?request$/i)
    .nullish(),
});

/** A business reason, flat; the account validation's `errorMessage` is its cousin. */
const flatReason = z.union([
  z.object({ reason: z.string().trim().min(1) }).transform((body) => body.reason),
  z.object({ errorMessage: z.string().trim().min(1) }).transform((body) => body.errorMessage),
]);

const MAX_REASONS = 10;

/**
 * Words of a refusal that may be about an earlier request under the same id, and so about a payment that exists. The field
 * itself is spelled `OriginatorConversationId`, `$.originatorConversationId`, `originator_conversation_id`: one word finds all.
 */
const ABOUT_ANOTHER_REQUEST =
  /duplic|already|\bexists\b|\bunique\b|re-?used|repeat|in use|in progress|originator|conversation[\s_-]*id/i;

export type Refusal =
  | { readonly kind: 'fields'; readonly errors: readonly FieldError[] }
  | { readonly kind: 'reason'; readonly reason: string }
  | { readonly kind: 'unclear' };

/** What a 400 says, by its shape alone. */
export function readRefusal(answer: HttpAnswer): Refusal {
  const json = readJson(answer);
  if (answer.status !== 400 || json.kind !== 'json' || !isObject(json.value)) return { kind: 'unclear' };
  const errors = fieldErrors(json.value);
  if (errors !== undefined) return { kind: 'fields', errors };
  const reason = flatReason.safeParse(json.value);
  return reason.success && field(json.value, 'errors') === undefined
    ? { kind: 'reason', reason: reason.data }
    : { kind: 'unclear' };
}

function fieldErrors(body: Readonly<Record<string, unknown>>): readonly FieldError[] | undefined {
  // A body that is two shapes at once is none.
  if (field(body, 'reason') !== undefined || field(body, 'errorMessage') !== undefined) return undefined;
  const model = modelValidation.safeParse(body);
  if (model.success) {
    const errors = Object.entries(model.data.errors).flatMap(([name, messages]) =>
      messages.map((message) => ({ field: name, message })),
    );
    // The parser leaves out keys such as `__proto__`: a refusal with one is no clear one.
    return errors.length > 0 && Object.keys(body.errors as object).length === Object.keys(model.data.errors).length
      ? errors
      : undefined;
  }
  const list = fieldErrorList.safeParse(body);
  return list.success ? list.data.errors : undefined;
}

/** Whether a refusal may be about an earlier request under the same id: then it refuses nothing that we can be sure of. */
export function mayConcernAnotherRequest(answer: HttpAnswer, errors: readonly FieldError[]): boolean {
  // The raw text too: JSON allows the same key twice, and the parser keeps only the last.
  if (/duplic/i.test(answer.text)) return true;
  const title = field((readJson(answer) as { value?: unknown }).value, 'title');
  const said = [typeof title === 'string' ? title : '', ...errors.flatMap((error) => [error.field, error.message])];
  return said.some((text) => ABOUT_ANOTHER_REQUEST.test(text));
}

/** The errors as sentences for operators. */
export function reasonsForPeople(errors: readonly FieldError[], personal: readonly string[]): string[] {
  return errors.slice(0, MAX_REASONS).map((error) => forPeople(`${error.field}: ${error.message}`, personal));
}
