import { z } from 'zod';
import type { CallbackReading } from '../payment/observation';
import type { ReadCallback } from '../payment/provider';
import { field, isObject, type JsonObject } from './answers';
import { saidOf, STATUS } from './readings';
import { readResultCode, type ResultCode } from './result-codes';
import { decimal, idText, listNumber, present, proofOf, proofText, shownText } from './scalars';

/** How a callback is read: a hint to look, never proof. Both documented shapes, told apart by how they spell the id. */

/** "Bill Request Payment" (modified 2026-04-30). Everything beyond the id may be absent. */
const nestedSchema = z
  .object({
    originatorConversationId: idText,
    systemConversationId: idText,
    accountNumber: idText,
    amount: decimal,
    currencyCode: idText,
    billRequestOutcome: z.unknown(),
  })
  .partial();

const outcomeSchema = z
  .object({ status: listNumber, resultCode: z.unknown(), thirdPartyPayload: z.unknown() })
  .partial();

/** The older "Bill Request" page: no amount, no status, and a code without a list. */
const flatSchema = z
  .object({
    OriginatorConversationId: idText,
    SystemConversationId: idText,
    StatusCode: shownText(20),
    ReceiptNumber: proofText,
    ReceiverNarration: shownText(200),
    ResponseExtraData: z.unknown(),
  })
  .partial();

/** Reads a callback's parsed body. Total: whatever came, it answers. */
export function readCallback(body: unknown): ReadCallback {
  if (!isObject(body)) return { kind: 'unreadable', because: 'not an object' };
  const nested = field(body, 'originatorConversationId') !== undefined;
  const flat = field(body, 'OriginatorConversationId') !== undefined;
  if (nested && flat) return { kind: 'unreadable', because: 'both shapes at once' };
  if (nested) return readNested(body);
  if (flat) return readFlat(body);
  return { kind: 'unreadable', because: 'no payment id' };
}

function readNested(body: JsonObject): ReadCallback {
  const parsed = nestedSchema.safeParse(body);
  const paymentId = parsed.data?.originatorConversationId;
  if (!parsed.success || paymentId === undefined) return { kind: 'unreadable', because: 'no readable payment id' };
  const outcome = outcomeSchema.safeParse(parsed.data.billRequestOutcome).data ?? {};
  const code = codeOf(outcome.status, readResultCode(outcome.resultCode));
  const extraData = field(outcome.thirdPartyPayload, 'extraData');
  const reading: CallbackReading = {
    tells: 'result',
    claims: claimsOf(outcome.status, code),
    said: [saidOf(outcome.status), code === undefined ? 'no code' : `code ${code.value} (${code.words})`].join(', '),
    receipt: present({
      number: proofOf(field(outcome.thirdPartyPayload, 'reference')),
      token: tokenOf(field(extraData, 'ResponseExtraData')),
    }),
    ...present({
      code: code === undefined ? undefined : { value: code.value, meaning: code.meaning },
      amount: parsed.data.amount,
      accountNumber: parsed.data.accountNumber,
      currency: parsed.data.currencyCode,
      providerId: parsed.data.systemConversationId,
    }),
  };
  return { kind: 'callback', paymentId, reading };
}

function readFlat(body: JsonObject): ReadCallback {
  const parsed = flatSchema.safeParse(body);
  const paymentId = parsed.data?.OriginatorConversationId;
  if (!parsed.success || paymentId === undefined) return { kind: 'unreadable', because: 'no readable payment id' };
  const { data } = parsed;
  const reading: CallbackReading = {
    tells: 'receipt',
    // Its code has no documented list and it names no status: it says that there is something to look at, and no more.
    claims: 'unclear',
    said: data.StatusCode === undefined ? 'older callback without a code' : `older callback, code ${data.StatusCode}`,
    receipt: present({
      number: data.ReceiptNumber,
      narration: data.ReceiverNarration,
      token: tokenOf(data.ResponseExtraData),
    }),
    ...present({ providerId: data.SystemConversationId }),
  };
  return { kind: 'callback', paymentId, reading };
}

/** A code that its own callback's status contradicts proves nothing, whichever of the two is wrong. */
function codeOf(status: number | undefined, code: ResultCode | undefined): ResultCode | undefined {
  if (code === undefined) return undefined;
  const contradicted =
    (code.meaning === 'refusal' && status !== STATUS.failed) ||
    (code.meaning === 'success' && status === STATUS.failed);
  return contradicted ? { ...code, meaning: 'ambiguous' } : code;
}

function claimsOf(status: number | undefined, code: ResultCode | undefined): CallbackReading['claims'] {
  if (status === STATUS.completed && code?.meaning === 'success') return 'paid';
  return status === STATUS.failed ? 'failed' : 'unclear';
}

/**
 * The prepaid token. Where it comes is not documented; this slot is the only plausible one: the token itself, an object
 * with it, or such an object as JSON text. A number too long to be exact gives none: a wrong token is worse.
 */
function tokenOf(extra: unknown): string | undefined {
  const value = typeof extra === 'string' && extra.trimStart().startsWith('{') ? parsed(extra) : extra;
  if (!isObject(value)) return value === 'null' ? undefined : proofOf(value);
  const key = Object.keys(value).find((name) => name.toLowerCase() === 'token');
  return key === undefined ? undefined : proofOf(value[key]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
