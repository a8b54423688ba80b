import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { exchange, refuseAbsent, refuseFields, type AppParts } from './replies';
import { accepted, accountValidated, billQueried, record, statusDescription, type Body } from './answers';
import { STATUS, type PostAnswer } from './behaviour';
import { ANY_OTHER_ACCOUNT, listedBehaviour } from './behaviours';
import { duplicateError, reasonError } from './errors';
import type { LedgerEntry } from './ledger';
import { fieldsOf, readBill, readPayment, textOf, type Fields } from './requests';
import type { LookAnswer, PaymentRequest, RecordFacts } from './rules';

/** `/v1/bill-payments`: one path, three transaction types, and the look-up. */
export function billPaymentEndpoints(app: FastifyInstance, parts: AppParts): void {
  app.post('/v1/bill-payments', async (request, reply) => {
    const fields = fieldsOf(request.body);
    const type = fields.get('transactiontype');
    if (type === 2) return await receivePayment(request, reply, fields, parts);
    if (type === 1 || type === 3) return answerInquiry(reply, type, fields, parts);
    return refuseFields(reply, { TransactionType: ['The TransactionType field is required.'] });
  });
  app.get('/v1/bill-payments', (request, reply) => {
    const id = textOf(fieldsOf(request.query), 'OriginatorConversationId');
    if (id === undefined) {
      return refuseFields(reply, { OriginatorConversationId: ['The OriginatorConversationId field is required.'] });
    }
    const { answer, entry } = parts.provider.findPayment(id);
    return answerLook(request, reply, id, answer, entry);
  });
}

/** Types 1 and 3: the biller's answer, at once. No document prints a refusal; the wording is a sibling endpoint's. */
function answerInquiry(reply: FastifyReply, type: 1 | 3, fields: Fields, parts: AppParts): FastifyReply {
  const bill = readBill(fields);
  if (!bill.ok) return refuseFields(reply, bill.errors);
  const ids = exchange(parts, textOf(fields, 'OriginatorConversationId'));
  const { accountValid, billDue } = listedBehaviour(bill.value.accountNumber) ?? ANY_OTHER_ACCOUNT;
  if (!accountValid) return reply.code(400).send(reasonError(ids, 'Account number number is invalid.'));
  if (type === 1) return reply.send(billQueried(ids, billDue));
  parts.ledger.announce(bill.value.accountNumber);
  return reply.send(accountValidated(ids));
}

async function receivePayment(
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields,
  parts: AppParts,
): Promise<FastifyReply> {
  const payment = readPayment(fields);
  if (!payment.ok) {
    const id = textOf(fields, 'OriginatorConversationId');
    if (id === undefined) parts.ledger.noteBrokenPost();
    else parts.provider.turnAway(id);
    return refuseFields(reply, payment.errors);
  }
  const { answer, entry } = await parts.provider.receive(payment.value);
  if (answer.kind === 'accepted' && (parts.settings.answerDelayMs ?? 0) > 0)
    await sleep(parts.settings.answerDelayMs, undefined, { ref: false });
  return answerPayment(request, reply, answer, payment.value, entry, parts);
}

function answerPayment(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: PostAnswer,
  payment: PaymentRequest,
  entry: LedgerEntry,
  parts: AppParts,
): FastifyReply {
  const ids = exchange(parts, payment.id, entry.state.systemId);
  switch (answer.kind) {
    case 'accepted':
      return reply.send(accepted(ids, payment.currency));
    case 'invalid-field':
      request.says = () => (entry.said = { ...entry.said, rejected: true });
      return refuseFields(reply, { [answer.field]: [answer.problem] });
    case 'duplicate-id':
      return reply.code(400).send(duplicateError(ids));
    case 'error':
      return reply.code(answer.status).send();
    case 'unreadable': {
      const whole = JSON.stringify(accepted(ids, payment.currency));
      return reply.type('application/json; charset=utf-8').send(whole.slice(0, whole.length / 2));
    }
    case 'reset':
      if (request.seen !== null) request.seen.answered = 'reset';
      reply.hijack();
      request.raw.socket.resetAndDestroy();
      return reply;
    case 'hang': {
      if (request.seen !== null) request.seen.answered = 'no answer';
      reply.hijack();
      const { socket } = request.raw;
      const giveUp = setTimeout(() => socket.destroy(), parts.slowMs);
      socket.once('close', () => clearTimeout(giveUp));
      return reply;
    }
  }
}

function answerLook(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  answer: LookAnswer,
  entry: LedgerEntry,
): FastifyReply {
  const { state, patch } = entry;
  if (answer.kind === 'refused') {
    return answer.status === 429
      ? reply.code(429).header('retry-after', String(answer.retryAfterSeconds)).send()
      : reply.code(401).header('www-authenticate', 'Bearer error="invalid_token"').send();
  }
  if (patch === null || (patch === undefined && answer.kind === 'not-found')) {
    return refuseAbsent(reply, id, 'OriginatorConversationId', 'Bill payment not found.');
  }
  const facts: RecordFacts =
    answer.kind === 'record'
      ? answer.record
      : {
          status: STATUS.pending,
          systemId: state.systemId,
          receivedAt: state.captured?.at ?? 0,
          accountNumber: state.captured?.request.accountNumber ?? '999999',
          amount: state.captured?.request.amount ?? 0,
          ...(state.captured && { request: state.captured.request }),
        };
  const body = scripted(state.id, facts, patch);
  request.says = () => noteSaid(entry, body);
  return reply.send(body);
}

/** What this record tells its reader about the payment; kept, because a later one may say something else. */
function noteSaid(entry: LedgerEntry, body: Body): void {
  const request = entry.state.captured?.request;
  const completed =
    request !== undefined &&
    body['status'] === STATUS.completed &&
    body['transactionType'] === 2 &&
    body['originatorConversationId'] === request.id &&
    body['amount'] === request.amount &&
    body['accountNumber'] === request.accountNumber &&
    body['currencyCode'] === request.currency;
  const { said } = entry;
  entry.said = {
    ...said,
    completed: said.completed || completed,
    failed: said.failed || body['status'] === STATUS.failed,
  };
}

/** A scripted field replaces ours; what hangs on the status follows a scripted status. */
function scripted(id: string, facts: RecordFacts, patch: Body | undefined): Body {
  if (patch === undefined) return record(id, facts);
  const status = Object.values(STATUS).find((known) => known === patch['status']) ?? facts.status;
  const description = 'status' in patch ? { transactionStatusDescription: statusDescription(patch['status']) } : {};
  return { ...record(id, { ...facts, status }), ...description, ...patch };
}
