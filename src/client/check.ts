import type { SaveBillNumberRequest } from '../payment/inquiry';
import {
  billPaymentRequestSchema,
  billSchema,
  checkRequest,
  invalidFields,
  type BillPaymentRequest,
  type CheckedRequest,
} from '../payment/request';
import { InvalidRequest } from './errors';

/**
 * Durations below their minimum pass here: whether they are allowed is the worker's switch. Everything else is judged
 * before anything starts. @throws InvalidRequest with every wrong field
 */
export function checkPayment(request: BillPaymentRequest): CheckedRequest {
  const checked = checkRequest(request, { allowTestPolicy: true });
  if (!checked.ok) throw new InvalidRequest(checked.problems);
  return checked.request;
}

const { payer, description } = billPaymentRequestSchema.shape;
const saveBillNumberSchema = billSchema.extend({
  phoneNumber: payer.shape.msisdn.optional(),
  description: description.optional(),
});

/** @throws InvalidRequest */
export const checkBill = (bill: unknown) => parsed(billSchema, bill);
/** @throws InvalidRequest */
export const checkSaveBillNumber = (request: SaveBillNumberRequest) => parsed(saveBillNumberSchema, request);

type Parsed<Output> =
  | { readonly success: true; readonly data: Output }
  | { readonly success: false; readonly error: Parameters<typeof invalidFields>[0] };

function parsed<Output>(schema: { safeParse(input: unknown): Parsed<Output> }, input: unknown): Output {
  const result = schema.safeParse(input);
  if (!result.success) throw new InvalidRequest(invalidFields(result.error));
  return result.data;
}
