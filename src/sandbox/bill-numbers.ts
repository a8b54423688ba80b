import type { FastifyInstance } from 'fastify';
import { exchange, refuseAbsent, refuseFields, type AppParts } from './replies';
import { billNumberSaved, savedBillNumber } from './answers';
import { ANY_OTHER_ACCOUNT, listedBehaviour } from './behaviours';
import { reasonError } from './errors';
import { fieldsOf, readBill, textOf } from './requests';

/** `/v1/bill-numbers`: biller accounts that were saved. One is there from the start, that of the behaviour with a bill due. */
export function billNumberEndpoints(app: FastifyInstance, parts: AppParts): void {
  const saved = new Map<string, { phoneNumber?: string; remarks?: string }>();
  const keyOf = (serviceId: string, accountNumber: string) => `${serviceId} ${accountNumber}`;

  app.get('/v1/bill-numbers', (request, reply) => {
    const bill = readBill(fieldsOf(request.query));
    if (!bill.ok) return refuseFields(reply, bill.errors);
    const { serviceId, accountNumber } = bill.value;
    const known =
      saved.get(keyOf(serviceId, accountNumber)) ?? (listedBehaviour(accountNumber)?.billDue === true ? {} : undefined);
    return known === undefined
      ? refuseAbsent(reply, accountNumber, 'AccountNumber', 'Bill number not found.')
      : reply.send(savedBillNumber(serviceId, accountNumber, known));
  });

  app.post('/v1/bill-numbers', (request, reply) => {
    const fields = fieldsOf(request.body);
    const bill = readBill(fields);
    if (!bill.ok) return refuseFields(reply, bill.errors);
    const { serviceId, accountNumber } = bill.value;
    const ids = exchange(parts);
    if (!(listedBehaviour(accountNumber) ?? ANY_OTHER_ACCOUNT).accountValid) {
      return reply.code(400).send(reasonError(ids, 'Account number number is invalid.'));
    }
    const phoneNumber = textOf(fields, 'PhoneNumber');
    const remarks = textOf(fields, 'TransactionDesc');
    saved.set(keyOf(serviceId, accountNumber), {
      ...(phoneNumber !== undefined && { phoneNumber }),
      ...(remarks !== undefined && { remarks }),
    });
    return reply.send(billNumberSaved(ids));
  });
}
