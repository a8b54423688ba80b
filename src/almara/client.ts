import { createHash } from 'node:crypto';
import type { Log } from '../log';
import type {
  BillService,
  SaveBillNumberRequest,
  SavedBillNumber,
  SavedBillNumberReceipt,
  TransactionRoute,
  WalletBalance,
} from '../payment/inquiry';
import type { AccountReading, Observation, Submission } from '../payment/observation';
import { isSuccess, type HttpAnswer } from './answers';
import {
  readAccount,
  readDueBill,
  readSavedNumber,
  readSavedReceipt,
  readServices,
  type DueBill,
} from './bill-readings';
import { troubleFor } from './errors';
import { createHttp, type HttpCall } from './http';
import { postOnce } from './payment-post';
import { readHealth, readRoutes, readWallet } from './platform-readings';
import { readLook, readSubmission } from './readings';
import { baseUrl, DEFAULT_TIMEOUTS, type AlmaraSettings } from './settings';
import { createTokens, type AccessToken } from './token';
import {
  billRequest,
  PATHS,
  paymentRequest,
  saveNumberRequest,
  WALLET_CURRENCY,
  type Bill,
  type PaymentOrder,
} from './wire';

/**
 * Almara Pay, one method per endpoint. Reads and saves throw `AlmaraTrouble` when nothing could be learnt and
 * `AlmaraRefusal` on a clear 400; a 401 renews the token and asks again once.
 */
export interface Almara {
  /** "Bill Request Validation" (type 3; the documents of early 2026). Advisory. Never carries a payment id. */
  validateAccount(bill: Bill, signal?: AbortSignal): Promise<AccountReading>;
  /** "Bill Request" of the older ZamuPay documents, type 1; still in the field table of "Bill Request Payment". */
  queryBill(bill: Bill, signal?: AbortSignal): Promise<DueBill>;
  /**
   * "Find Bill Request By Originator Converstion Id" (modified 2026-04-30): the look. An answer nobody can read is an
   * observation. The token is the one the look proved, for `submitPayment`.
   */
  findPayment(
    paymentId: string,
    signal?: AbortSignal,
  ): Promise<{ readonly observation: Observation; readonly token: AccessToken }>;
  /**
   * "Bill Request Payment" (type 2; modified 2026-04-30): the payment. Once, on a connection of its own, with the token given; never repeated, never throws.
   * @param mayStillSend asked once right before the first byte; false: nothing is sent, and the result says "not sent"
   */
  submitPayment(
    order: PaymentOrder,
    token: AccessToken,
    mayStillSend: () => boolean,
    signal?: AbortSignal,
  ): Promise<Submission>;
  /** "Find Bill Services"; the form of its answer is not documented. */
  listBillServices(signal?: AbortSignal): Promise<readonly BillService[]>;
  /** "Find Bill Number By Service Id and Account Number" (modified 2026-04-30). */
  findBillNumber(bill: Bill, signal?: AbortSignal): Promise<SavedBillNumber | undefined>;
  /** "Bill Number" (POST). */
  saveBillNumber(request: SaveBillNumberRequest, signal?: AbortSignal): Promise<SavedBillNumberReceipt>;
  /** "Find Transaction Routes". */
  listRoutes(signal?: AbortSignal): Promise<readonly TransactionRoute[]>;
  /** "Balance Check", in KES. */
  walletBalance(signal?: AbortSignal): Promise<WalletBalance>;
  /** "Health Check": no token, plain text. */
  health(signal?: AbortSignal): Promise<string>;
  /** Names the merchant account without telling it: SHA-256 of the API base and the client id. */
  readonly accountHash: string;
  close(): Promise<void>;
}

export interface AlmaraDependencies {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly log: Log;
}

/** @throws Error that names the setting when an address is unusable or not https */
export function createAlmara(settings: AlmaraSettings, { now = Date.now, log }: AlmaraDependencies): Almara {
  const api = baseUrl('ALMARA_API_URL', settings.apiUrl);
  const identity = baseUrl('ALMARA_IDENTITY_URL', settings.identityUrl);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...settings.timeouts };
  const http = createHttp(timeouts, now);
  const tokens = createTokens(settings, identity, http, now);

  /** The answer with the token it was given for. Statuses not expected are trouble. */
  async function askWithToken(call: HttpCall, expected: readonly number[], signal: AbortSignal | undefined) {
    const withToken = (token: AccessToken) =>
      logged(call, () =>
        http.ask({ ...call, headers: { ...call.headers, authorization: token.authorization() } }, signal),
      );
    let token = await tokens.current(signal);
    let answer = await withToken(token);
    if (answer.status === 401) {
      token = await tokens.renew(token, signal);
      answer = await withToken(token);
    }
    if (!isSuccess(answer.status) && !expected.includes(answer.status)) throw troubleFor(answer, call.what);
    return { answer, token };
  }

  async function ask(
    call: HttpCall,
    expected: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    return (await askWithToken(call, expected, signal)).answer;
  }

  /** What and how it went, never an address or a body: both hold account numbers. */
  async function logged(call: HttpCall, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const startedAt = now();
    const answer = await send();
    const { status, text, truncated } = answer;
    log.debug(
      { call: call.what, status, characters: text.length, truncated, ms: now() - startedAt },
      'Almara Pay answered',
    );
    return answer;
  }

  const get = (what: string, path: string, query?: Readonly<Record<string, string>>): HttpCall => ({
    method: 'GET',
    url: `${api}${path}${query === undefined ? '' : `?${new URLSearchParams(query).toString()}`}`,
    what,
  });
  const post = (what: string, path: string, body: string): HttpCall => ({
    method: 'POST',
    url: `${api}${path}`,
    headers: JSON_CONTENT,
    body,
    what,
  });

  return {
    async validateAccount(bill, signal) {
      const call = post('the account validation', PATHS.billPayments, billRequest('validateAccount', bill, settings));
      return readAccount(await ask(call, [400], signal), [bill.accountNumber]);
    },
    async queryBill(bill, signal) {
      const call = post('the bill query', PATHS.billPayments, billRequest('queryBill', bill, settings));
      return readDueBill(await ask(call, [400], signal), [bill.accountNumber]);
    },
    async findPayment(paymentId, signal) {
      const call = get('the look-up', PATHS.billPayments, { OriginatorConversationId: paymentId });
      const { answer, token } = await askWithToken(call, [400, 404], signal);
      return { observation: readLook(answer), token };
    },
    async submitPayment(order, token, mayStillSend, signal) {
      const submission = await submit(order, token, mayStillSend, signal);
      log.debug(
        { call: 'the payment', paymentId: order.paymentId, kind: submission.kind },
        'Almara Pay was asked to pay',
      );
      return submission;
    },
    async listBillServices(signal) {
      return readServices(await ask(get('the list of services', PATHS.billServices), [], signal));
    },
    async findBillNumber(bill, signal) {
      const query = { ServiceId: bill.serviceId, AccountNumber: bill.accountNumber };
      const call = get('the look-up of the saved bill number', PATHS.billNumbers, query);
      return readSavedNumber(await ask(call, [400, 404], signal), bill);
    },
    async saveBillNumber(request, signal) {
      const call = post('saving the bill number', PATHS.billNumbers, saveNumberRequest(request, settings));
      return readSavedReceipt(await ask(call, [400], signal), [request.accountNumber, request.phoneNumber ?? '']);
    },
    async listRoutes(signal) {
      return readRoutes(await ask(get('the list of routes', PATHS.assignedRoutes), [], signal));
    },
    async walletBalance(signal) {
      return readWallet(
        await ask(get('the wallet balance', PATHS.walletBalance, { ccy: WALLET_CURRENCY }), [], signal),
      );
    },
    async health(signal) {
      const call = { ...get('the health check', PATHS.health), headers: { accept: 'text/plain' } };
      return readHealth(await logged(call, () => http.ask(call, signal)));
    },
    accountHash: createHash('sha256').update(`${api}\n${settings.clientId}`).digest('hex'),
    close: () => http.close(),
  };

  async function submit(
    order: PaymentOrder,
    token: AccessToken,
    mayStillSend: () => boolean,
    signal: AbortSignal | undefined,
  ): Promise<Submission> {
    try {
      const result = await postOnce({
        url: `${api}${PATHS.billPayments}`,
        headers: { ...JSON_CONTENT, accept: 'application/json', authorization: token.authorization() },
        body: paymentRequest(order, settings),
        connectMs: timeouts.connectMs,
        payMs: timeouts.payMs,
        mayStillSend,
        signal,
        now,
      });
      switch (result.kind) {
        case 'answer':
          return readSubmission(result.answer, order.paymentId, personalOf(order));
        case 'not-sent':
          return { kind: 'unknown', because: `not sent: ${result.because}` };
        case 'no-answer':
          return { kind: 'unknown', because: result.because };
      }
    } catch {
      // No fault of ours may look like an answer of theirs, and none may make the engine try again.
      return { kind: 'unknown', because: 'a fault of our own while sending' };
    }
  }
}

const JSON_CONTENT = { 'content-type': 'application/json' } as const;

function personalOf(order: PaymentOrder): readonly string[] {
  return [order.payer.name, order.payer.msisdn, order.accountNumber, order.callbackUrl];
}
