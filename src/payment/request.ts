import { z } from 'zod';
import { POLICY_BOUNDS, policyProblem, type PolicyField } from './policy';
import type { InvalidField } from './contract';

/**
 * What a caller sends. The one check of a request: the client runs it before it starts anything, and `registerPayment`
 * runs it again, so that neither a caller in another language nor the Web UI's Start button can skip it.
 * Bounds of names and texts: docs/almara-pay.md#open-questions, Q15. Amounts are whole currency units: docs/almara-pay.md#the-request,
 * Q14.
 */

const currencies = new Set(Intl.supportedValuesOf('currency'));
const plainText = /^[^\p{Cc}\p{Cs}]*$/u;

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .regex(plainText, 'must not hold control characters');

/** Shapes both the id and, with `bill-payment-` before it, the workflow id. */
export const paymentIdSchema = z
  .string()
  .regex(/^[a-z0-9-]{8,36}$/, 'must be 8 to 36 characters of a-z, 0-9 and "-", unique for ever');

export const billSchema = z.strictObject({
  /** The provider's id of the service (`billServices` lists them). */
  serviceId: text(64),
  /** Meter, smartcard or customer number at the biller. */
  accountNumber: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 ./_-]{0,49}$/, 'must be 1 to 50 letters, digits, spaces or . / _ -'),
});

const policySchema = z
  .strictObject(
    Object.fromEntries(Object.keys(POLICY_BOUNDS).map((field) => [field, z.string().optional()])) as Record<
      PolicyField,
      z.ZodOptional<z.ZodString>
    >,
  )
  .readonly();

export const billPaymentRequestSchema = z.strictObject({
  /** The caller's idempotency key, and the provider's `originatorConversationId` (docs/words.md#what-is-paid). */
  paymentId: paymentIdSchema.refine(
    // `bill-payment-dispute-…` is the workflow id of a dispute: such a payment would keep another one's dispute from opening.
    (id) => !id.startsWith('dispute-'),
    'must not begin with "dispute-"',
  ),
  ...billSchema.shape,
  /** Whole units of the currency. */
  amount: z
    .number('must be a whole number of currency units')
    .refine((amount) => Number.isSafeInteger(amount), 'must be a whole number of currency units')
    .refine((amount) => amount > 0, 'must be more than zero'),
  /** ISO 4217, for example `KES`. */
  currency: z
    .string()
    .refine((code) => currencies.has(code), 'must be an ISO 4217 code in capitals, such as KES (KSH is not one)')
    .default('KES'),
  /** ISO 3166-1 alpha-2. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code of two capitals, such as KE')
    .default('KE'),
  payer: z.strictObject({
    name: text(128),
    /** International digits without `+`, for example `254712345678`. */
    msisdn: z
      .string()
      .regex(/^[1-9][0-9]{9,14}$/, 'must be 10 to 15 digits with the country code and no "+", such as 254712345678'),
  }),
  description: text(100),
  narration: text(100).optional(),
  /** Asks the provider to keep the biller account for the payer. */
  saveBillerNumber: z.boolean().default(false),
  /** The account whose money is reserved first; without it nothing is reserved. */
  fundingAccount: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 characters of a-z, 0-9 and "-"')
    .optional(),
  /** A readable name of the service, such as `KPLC POSTPAID`, shown to operators. No part of the payment's content. */
  serviceName: text(40).optional(),
  /** Durations such as `20 seconds`, each within its bounds (`POLICY_BOUNDS`). No part of the payment's content. */
  policy: policySchema.optional(),
});

/** As a caller writes it: defaults may be left out. */
export type BillPaymentRequest = z.input<typeof billPaymentRequestSchema>;
/** As it is after the check: defaults filled in. */
export type CheckedRequest = z.output<typeof billPaymentRequestSchema>;

/**
 * Every wrong field at once, or the checked request.
 * @param allowTestPolicy durations below their minimum pass (the worker's test switch; the client leaves it to the worker)
 */
export function checkRequest(
  input: unknown,
  { allowTestPolicy }: { allowTestPolicy: boolean },
):
  | { readonly ok: true; readonly request: CheckedRequest }
  | { readonly ok: false; readonly problems: readonly InvalidField[] } {
  const parsed = billPaymentRequestSchema.safeParse(input);
  const problems: InvalidField[] = parsed.success ? [] : invalidFields(parsed.error);
  const policy: unknown = (input as { policy?: unknown } | null | undefined)?.policy;
  if (typeof policy === 'object' && policy !== null) {
    for (const field of Object.keys(POLICY_BOUNDS) as PolicyField[]) {
      const value = (policy as Record<string, unknown>)[field];
      const problem = typeof value === 'string' ? policyProblem(field, value, { allowTestPolicy }) : undefined;
      if (problem !== undefined) problems.push({ field: `policy.${field}`, problem });
    }
  }
  return parsed.success && problems.length === 0 ? { ok: true, request: parsed.data } : { ok: false, problems };
}

/** zod's issues as fields and sentences. Values are never repeated: they may be personal. */
export function invalidFields(error: z.ZodError): InvalidField[] {
  return error.issues.flatMap((issue) => {
    const field = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: [field, key].filter(Boolean).join('.'),
        problem: 'is not a field of this request',
      }));
    }
    const missing =
      issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('received undefined');
    return [
      { field: field || 'request', problem: missing ? 'is missing' : issue.message.replace(/^Invalid input: /, '') },
    ];
  });
}
