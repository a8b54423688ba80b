import { z } from 'zod';
import type { DisputeResolution, ResolveDisputeRequest } from '../payment/dispute';
import type { Cancelled, Ending, GaveUp } from '../payment/ending';
import type { Resolution } from '../payment/progress';
import { DIFFERENCES, type DifferenceKind } from '../payment/reconciliation';
import type { ReconciliationReport } from '../payment/reconciliation-window';
import { billSchema, checkRequest, invalidFields, paymentIdSchema, type CheckedRequest } from '../payment/request';
import type { PollInput, RecordRequest } from '../payment/steps';
import { MOST_CHARACTERS } from '../payment/update-forms';
import { invalidRequest } from './failures';

/**
 * What an activity is called with may be anybody's: any workflow in the namespace can call it. A wrong shape fails at once, for good,
 * and changes nothing.
 */

const text = (max: number) => z.string().min(1).max(max);
const durationMs = z.number().finite().min(0);
const person = { operator: text(MOST_CHARACTERS.operator), note: text(MOST_CHARACTERS.note) };
const providerCase = text(MOST_CHARACTERS.providerCase).optional();
/** Of the engine: no longer than it allows. */
const updateId = z.string().max(1_000).optional();

const gaveUp = z.strictObject({
  kind: z.literal('gave-up'),
  step: z.enum(['validation', 'funds', 'submission']),
  reason: z.enum(['account-invalid', 'insufficient-funds', 'unknown-funding-account', 'rejected', 'expired']),
  said: z.string().max(10_000),
}) satisfies z.ZodType<GaveUp>;
const cancelled = z.strictObject({
  kind: z.literal('cancelled'),
  ...person,
  updateId,
});
const resolution = z.strictObject({
  decision: z.enum(['paid', 'declined']),
  ...person,
  receiptNumber: text(MOST_CHARACTERS.receiptNumber).optional(),
  token: text(MOST_CHARACTERS.token).optional(),
  amount: z.int().positive().optional(),
  providerCase,
});
const ending = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('proven') }),
  z.strictObject({ kind: z.literal('decided'), resolution, updateId, lookFailed: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal('unsent'), why: z.discriminatedUnion('kind', [gaveUp, cancelled]) }),
]);

const time = z.iso.datetime();
const count = z.int().min(0);
const window = z.strictObject({ since: time, until: time, again: z.array(paymentIdSchema).readonly().optional() });
const words = z.string().max(100_000);
const differenceKind = z.enum(Object.keys(DIFFERENCES) as [DifferenceKind]);

export const SHAPES = {
  paymentId: paymentIdSchema,
  bill: z.strictObject(billSchema.shape),
  billNumber: z.strictObject({
    ...billSchema.shape,
    phoneNumber: text(20).optional(),
    description: text(100).optional(),
  }),
  poll: z.strictObject({
    paymentId: paymentIdSchema,
    reason: text(100).optional(),
    firstLookIn: durationMs.optional(),
    storeWithin: durationMs.optional(),
  }),
  record: z.strictObject({ paymentId: paymentIdSchema, ending }),
  dispute: z.strictObject({ paymentId: paymentIdSchema }),
  resolveDispute: z.strictObject({
    paymentId: paymentIdSchema,
    resolution: z.strictObject({
      agreed: z.enum(['paid', 'not-paid']),
      ...person,
      providerCase,
    }),
    updateId,
  }),
  window,
  reconcilePage: z.strictObject({ window, after: z.union([z.literal(''), paymentIdSchema]), askProvider: z.boolean() }),
  limit: z.int().min(1).max(1_000),
  report: z.strictObject({
    ...window.shape,
    ...{ complete: z.boolean(), startedAt: time, finishedAt: time, trouble: words.optional() },
    ...{ payments: count, asked: count, notAsked: count, runs: count, disputesRaised: count, moreDifferences: count },
    unanswered: z
      .array(z.strictObject({ paymentId: paymentIdSchema, because: words }))
      .readonly()
      .optional(),
    differences: z
      .array(z.strictObject({ kind: differenceKind, subject: words, what: words, dispute: z.literal(true).optional() }))
      .readonly(),
  }),
} as const;

/** What each of these is, as the flow has it: a field that one side knows alone is a compile error. */
type Same<One, Other> = [Exact<One>] extends [Exact<Other>]
  ? [Exact<Other>] extends [Exact<One>]
    ? true
    : never
  : never;
type Exact<T> = T extends object ? { [Field in keyof T]-?: Exact<Exclude<T[Field], undefined>> } : T;
const _sameShapes: {
  poll: Same<z.output<typeof SHAPES.poll>, PollInput>;
  record: Same<z.output<typeof SHAPES.record>, RecordRequest>;
  ending: Same<z.output<typeof ending>, Ending>;
  cancelled: Same<z.output<typeof cancelled>, Cancelled>;
  resolution: Same<z.output<typeof resolution>, Resolution>;
  dispute: Same<z.output<typeof SHAPES.resolveDispute>['resolution'], DisputeResolution>;
  resolveDispute: Same<z.output<typeof SHAPES.resolveDispute>, ResolveDisputeRequest>;
  report: Same<z.output<typeof SHAPES.report>, ReconciliationReport>;
} = {
  poll: true,
  record: true,
  ending: true,
  cancelled: true,
  resolution: true,
  dispute: true,
  resolveDispute: true,
  report: true,
};

/** @throws ApplicationFailure `InvalidRequest`, not retryable, with every wrong field */
export function checked<T>(shape: z.ZodType<unknown>, argument: T): T {
  const parsed = shape.safeParse(argument);
  if (!parsed.success) throw invalidRequest(invalidFields(parsed.error));
  return argument;
}

/** @throws ApplicationFailure `InvalidRequest`, not retryable */
export function requestOf(input: unknown, options: { readonly allowTestPolicy: boolean }): CheckedRequest {
  const result = checkRequest(input, options);
  if (!result.ok) throw invalidRequest(result.problems);
  return result.request;
}
