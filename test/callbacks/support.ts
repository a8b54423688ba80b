import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pino } from 'pino';
import { createAlmaraCallbacks, parseKeyRing } from '../../src/almara/callback';
import { createCallbackApp, type CallbackAppOptions } from '../../src/callbacks';
import type { Log } from '../../src/log';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Receipt } from '../../src/payment/observation';
import type { ProviderCallbacks } from '../../src/payment/provider';
import type { Store } from '../../src/store';
import {
  ACCEPTED,
  BY,
  CANCELLED,
  claim,
  claimOf,
  decided,
  end,
  endByPerson,
  FINGERPRINT,
  look,
  newPaymentId,
  NOT_FOUND,
  outcomeOf,
  PROVEN,
  recordOf,
  requestOf,
  rulesOf,
} from '../support/store';

export { newPaymentId } from '../support/store';

export const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
export const callbacksOf = (keys: string): ProviderCallbacks => createAlmaraCallbacks(parseKeyRing(keys));
export const CALLBACKS = callbacksOf(newKey('k1'));

/** Everything a component logs, as text: redaction is the second lock, and is not in the way here. */
export function capturedLog(): {
  readonly log: Log;
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
} {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  return { log, text: () => lines.join(''), lines: () => lines.map((line) => JSON.parse(line)) };
}

export interface TestEndpoint {
  readonly url: string;
  /** Path and token of a payment's callback address. */
  readonly pathOf: (paymentId: string) => string;
  readonly post: (where: string, body: string | Buffer, headers?: Record<string, string>) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** The app alone, listening on a port. */
export async function listen(
  options: Partial<CallbackAppOptions> & Pick<CallbackAppOptions, 'inbox'>,
): Promise<TestEndpoint> {
  const app = createCallbackApp({ callbacks: CALLBACKS, deliver: () => undefined, log: capturedLog().log, ...options });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    pathOf: (paymentId) => new URL((options.callbacks ?? CALLBACKS).urlOf(url, paymentId)).pathname,
    post: (where, body, headers = { 'content-type': 'application/json' }) =>
      send(url + where, { method: 'POST', body, headers }),
    close: () => app.close(),
  };
}

export async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/**
 * Writes bytes as they are and gives back all that comes until the server ends the connection.
 * @param onContinue called when the server has read the headers, if they expect `100-continue`
 */
export function sendRaw(url: string, bytes: string, onContinue?: (socket: net.Socket) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (answer === '' && chunk.startsWith('HTTP/1.1 100 ')) return onContinue?.(socket);
      answer += chunk;
    });
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer))).on('close', () => resolve(answer));
  });
}

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(__dirname, '../fixtures/almara', name), 'utf8'));

/** The documented nested callback, about this payment. */
export function nested(
  paymentId: string,
  outcome: Record<string, unknown> = {},
  rest: Record<string, unknown> = {},
): string {
  const body = fixture('payment-callback.json');
  const billRequestOutcome = { ...(body['billRequestOutcome'] as object), ...outcome };
  return JSON.stringify({ ...body, originatorConversationId: paymentId, ...rest, billRequestOutcome });
}

/** The documented older callback, about this payment. */
export function flat(paymentId: string, rest: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...fixture('payment-callback-flat.json'), OriginatorConversationId: paymentId, ...rest });
}

export const failedWith = (resultCode: string): Record<string, unknown> => ({
  status: 6,
  statusDesc: 'Failed',
  resultCode,
  thirdPartyPayload: null,
});

/** Of a completed callback. */
export const proof = (reference: string, token: string): Record<string, unknown> => ({
  thirdPartyPayload: { reference, extraData: { ResponseExtraData: { token } } },
});

/** What the documented callbacks tell of. */
const ACCOUNT = '111832';

export async function registerPayment(store: Store, paymentId = newPaymentId()): Promise<string> {
  const rules = rulesOf({ receiptGrace: 0 });
  await store.payments.register(requestOf(paymentId, { accountNumber: ACCOUNT }), FINGERPRINT, rules, BY);
  return paymentId;
}

/** As the endpoint stores it. */
export async function addCallback(store: Store, paymentId: string, body: string): Promise<number> {
  const read = CALLBACKS.read(JSON.parse(body));
  if (read.kind !== 'callback') throw new Error('the test callback cannot be read');
  const added = await store.inbox.add({ paymentId, digest: randomUUID(), body, reading: read.reading });
  if (added.kind !== 'stored') throw new Error(`the test callback was not stored: ${added.kind}`);
  return added.id;
}

export const factsOf = async (store: Store, paymentId: string) => (await store.payments.read(paymentId, BY)).facts;
export const closedOf = async (store: Store, paymentId: string) => (await factsOf(store, paymentId)).closed;

/** Ends a registered payment. */
export type End = (store: Store, paymentId: string) => Promise<BillPaymentOutcome>;

export async function submit(store: Store, paymentId: string): Promise<void> {
  const { nonce } = claimOf();
  await claim(store, paymentId, { nonce });
  await store.payments.answered(paymentId, nonce, ACCEPTED, BY);
}

/** By the provider's record, which says that it was paid with this receipt. */
export const completed = (paymentId: string, receipt: Receipt) =>
  recordOf(paymentId, 'completed', { accountNumber: ACCOUNT, receipt });

export const paidWith =
  (receipt: Receipt): End =>
  async (store, paymentId) => {
    await submit(store, paymentId);
    return await provenPaid(store, paymentId, receipt);
  };
export async function provenPaid(store: Store, paymentId: string, receipt: Receipt): ReturnType<End> {
  await look(store, paymentId, completed(paymentId, receipt));
  return outcomeOf(await end(store, paymentId, PROVEN));
}
export const paid = paidWith({ number: 'S575998' });

export const paidInPart =
  (amount: number): End =>
  async (store, paymentId) => {
    await submit(store, paymentId);
    return outcomeOf(await endByPerson(store, paymentId, { amount, receiptNumber: 'S575998' }));
  };

export const DECLINE = decided({ decision: 'declined', providerCase: 'C-1' });

/** Sent, and a person is asked, who has what a decline needs. */
export async function askToDecline(store: Store, paymentId: string): Promise<void> {
  await submit(store, paymentId);
  await look(store, paymentId, NOT_FOUND);
}

/** By a person, whatever callbacks say. */
export const declined: End = async (store, paymentId) => {
  await askToDecline(store, paymentId);
  return outcomeOf(await end(store, paymentId, DECLINE));
};

export const cancelled: End = async (store, paymentId) => outcomeOf(await end(store, paymentId, CANCELLED));
