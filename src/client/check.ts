import type { z } from 'zod';
import type { SaveBillNumberRequest } from '../payment/inquiry';
import { billPaymentRequestSchema, billSchema, checkRequest, invalidFields, type BillPaymentRequest, type CheckedRequest } from '../payment/request';
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
export const checkBill = (bill: unknown): z.output<typeof billSchema> => parsed(billSchema, bill);
/** @throws InvalidRequest */
export const checkSaveBillNumber = (request: SaveBillNumberRequest): z.output<typeof saveBillNumberSchema> => parsed(saveBillNumberSchema, request);

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw new InvalidRequest(invalidFields(result.error));
  return result.data;
}
