import { z } from 'zod';
import type { Observation, PaymentRecord, Submission } from '../payment/observation';
import { field, isObject, isSuccess, readJson, saysNothing, type HttpAnswer, type JsonObject } from './answers';
import { mayConcernAnotherRequest, readRefusal, reasonsForPeople } from './refusals';
import { decimal, idText, listNumber, present, proofText, shownText } from './scalars';
import { forPeople } from './text';

/** How the provider's answers about a payment are read: pure, total, and never a guess. */

/** Everything of a payment's record that means something to us. `statusCode` does not: it is 0 on failed payments too. */
const recordSchema = z
  .object({
    originatorConversationId: idText,
    systemConversationId: idText,
    status: listNumber,
    transactionType: listNumber,
    amount: decimal,
    accountNumber: idText,
    currencyCode: idText,
    receiptNumber: proofText,
    receiverNarration: shownText(200),
  })
  .partial();

/** The numbers of `status` that are known: "Bill Request Payment" has 4, "Find Bill Request" 6, a sibling's page 7. */
export const STATUS = { completed: 4, failed: 6, rejected: 7 } as const;

export function stateOf(status: number | undefined): PaymentRecord['state'] {
  if (status === STATUS.completed) return 'completed';
  // 7 is documented for payouts only: seen on a bill it is failed but unconfirmed, and so pending.
  return status === STATUS.failed ? 'failed' : 'pending';
}

export function saidOf(status: number | undefined): string {
  if (status === undefined) return 'pending (no readable status)';
  return `${status === STATUS.rejected ? 'rejected' : stateOf(status)} (status ${status})`;
}

/**
 * The answer to a look ("Find Bill Request By Originator Converstion Id", modified 2026-04-30). What an unknown id gives is not documented: 404, 400,
 * `{}` and `null` all read as not found. Statuses other than 2xx, 400 and 404 are trouble and do not come here.
 */
export function readLook(answer: HttpAnswer): Observation {
  const { status } = answer;
  if (status === 404 || status === 400) {
    // A page is no answer of the API: the address is wrong, or something stands in between.
    return isPage(answer) ? unreadable(status, 'a web page') : { kind: 'not-found', said: `not found (${status})` };
  }
  if (!isSuccess(status)) return unreadable(status, 'unexpected status');
  const json = readJson(answer);
  if (json.kind === 'unreadable') return unreadable(status, json.because);
  const record = unwrapped(json.value);
  if (record === 'several') return unreadable(status, 'more than one record');
  if (saysNothing(record)) return { kind: 'not-found', said: 'not found (empty record)' };
  if (!isObject(record)) return unreadable(status, 'not a record');
  if (isNotFoundNote(record)) return { kind: 'not-found', said: 'not found (so it says)' };
  return readRecord(record) ?? unreadable(status, 'not a payment record');
}

const isPage = ({ text }: HttpAnswer): boolean => /^\s*</.test(text);

function unreadable(status: number, because: string): Observation {
  return { kind: 'unreadable', said: `unreadable answer (${status}: ${because})` };
}

/** The record bare, in the `message` envelope of its siblings, or alone in a list. */
function unwrapped(value: unknown): unknown {
  const inner = isObject(value) && !isRecord(value) && isEnvelope(value) ? value.message : value;
  if (!Array.isArray(inner)) return inner;
  return inner.length > 1 ? 'several' : (inner[0] ?? null);
}

function isEnvelope(value: JsonObject): boolean {
  const message = field(value, 'message');
  return message === null || typeof message === 'object';
}

function isRecord(value: JsonObject): boolean {
  return field(value, 'originatorConversationId') !== undefined || field(value, 'systemConversationId') !== undefined;
}

/** "Not found" of the payment orders' look-up, whose HTTP status nobody states: `{ id, idType, message }`. */
function isNotFoundNote(value: JsonObject): boolean {
  return !isRecord(value) && ['id', 'idType', 'message'].every((key) => typeof field(value, key) === 'string');
}

/** A record names itself by an id of its own; an error body that repeats the ids is none. */
function readRecord(value: JsonObject): PaymentRecord | undefined {
  if (field(value, 'errors') !== undefined || field(value, 'reason') !== undefined) return undefined;
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { originatorConversationId, systemConversationId, status } = parsed.data;
  if (originatorConversationId === undefined && systemConversationId === undefined) return undefined;
  return {
    kind: 'record',
    state: stateOf(status),
    said: saidOf(status),
    isPayment: parsed.data.transactionType === 2,
    receipt: present({ number: parsed.data.receiptNumber, narration: parsed.data.receiverNarration }),
    ...present({
      paymentId: originatorConversationId,
      amount: parsed.data.amount,
      accountNumber: parsed.data.accountNumber,
      currency: parsed.data.currencyCode,
      providerId: systemConversationId,
    }),
  };
}

/** Only the ids count. `statusCode` is -1 on an acceptance, which the code list calls a time-out. */
const acceptanceSchema = z.object({
  message: z.object({ originatorConversationId: idText, systemConversationId: idText }).partial(),
});

/**
 * The answer to the payment POST ("Bill Request Payment", modified 2026-04-30). A refusal is believed only where nothing can
 * have been taken: a 400 in one of the two documented lists of field errors, none of them about our id or a duplicate.
 * @param personal values of the order that must not come back in the texts
 */
export function readSubmission(answer: HttpAnswer, paymentId: string, personal: readonly string[]): Submission {
  if (isSuccess(answer.status)) return readAcceptance(answer, paymentId);
  if (answer.status === 400) return readRejection(answer, paymentId, personal);
  return unknown(`the provider answered ${answer.status}`);
}

function readAcceptance(answer: HttpAnswer, paymentId: string): Submission {
  const json = readJson(answer);
  if (json.kind === 'unreadable') return unknown(`the provider answered ${answer.status}, ${json.because}`);
  const parsed = acceptanceSchema.safeParse(json.value);
  const ids = parsed.success ? parsed.data.message : undefined;
  if (ids?.systemConversationId === undefined || ids.originatorConversationId === undefined) {
    return unknown(`the provider answered ${answer.status} without its ids`);
  }
  return sameId(ids.originatorConversationId, paymentId)
    ? { kind: 'accepted', providerId: ids.systemConversationId }
    : unknown(`the provider answered ${answer.status} about another payment id`);
}

function readRejection(answer: HttpAnswer, paymentId: string, personal: readonly string[]): Submission {
  const refusal = readRefusal(answer);
  switch (refusal.kind) {
    case 'unclear':
      return unknown('the provider answered 400 without a clear reason');
    case 'reason':
      return unknown(
        `the provider answered 400 with a reason that decides nothing: ${forPeople(refusal.reason, personal)}`,
      );
    case 'fields':
      if (mayConcernAnotherRequest(answer, refusal.errors)) {
        return unknown('the provider answered 400 about the payment id: it may know an earlier request');
      }
      return concernsOtherId(answer, paymentId)
        ? unknown('the provider answered 400 about another payment id')
        : { kind: 'rejected', reasons: reasonsForPeople(refusal.errors, personal) };
  }
}

function concernsOtherId(answer: HttpAnswer, paymentId: string): boolean {
  const json = readJson(answer);
  const id = json.kind === 'json' ? field(json.value, 'originatorConversationId') : undefined;
  return id !== undefined && id !== null && !(typeof id === 'string' && sameId(id, paymentId));
}

/** The provider may compare ids without case; ours are lower case. */
function sameId(theirs: string, ours: string): boolean {
  return theirs.toLowerCase() === ours.toLowerCase();
}

function unknown(because: string): Submission {
  return { kind: 'unknown', because };
}
