import { STATUS, type CallbackContent } from './behaviour';
import { findService } from './catalogue';
import type { PaymentRequest, RecordFacts } from './rules';

/**
 * The bodies on the wire, equal to the documented samples (`test/fixtures/almara`) up to ids, times and what the request said.
 * `appDomainName` is always `TEST`: the mark by which a client can tell which environment answered.
 */

export type Body = Readonly<Record<string, unknown>>;

export interface Exchange {
  readonly originatorConversationId: string;
  readonly systemConversationId: string;
  readonly now: number;
}

/** Seven fractional digits, as the provider writes them. */
export const timestamp = (now: number) => new Date(now).toISOString().replace('Z', '0000Z');
/** Without a zone, as the provider writes it; UTC. */
const zoneless = (now: number) => new Date(now).toISOString().slice(0, 19).replace('T', ' ');

export const APP_DOMAIN = 'TEST';
/** With the trailing space of the sample: a client must cope. */
const VALIDATED_NAME = 'Githithu ';

export function accepted({ now, ...ids }: Exchange, currency: string): Body {
  return {
    message: {
      appDomainName: APP_DOMAIN,
      remarks: 'Bill Payment submission accepted',
      ...ids,
      timestamp: timestamp(now),
      dueDate: null,
      dueAmount: 0,
      currency,
      accountCustomerName: '',
      active: 'Unknown',
      responseCode: null,
      responseDesc: null,
    },
  };
}

/** Type 1. Only the older page prints an answer to it. */
export function billQueried({ now, ...ids }: Exchange, billDue: boolean): Body {
  return {
    message: {
      appDomainName: APP_DOMAIN,
      remarks: 'Bill Number balance query accepted',
      ...ids,
      timestamp: timestamp(now),
      dueDate: billDue ? '2021-10-26 00:00:00' : '-1',
      dueAmount: billDue ? 1074.0 : 0.0,
      currency: 'KES',
      customerName: 'JOSEPH GITHITHU',
      active: 'Valid',
      statusCode: 0,
      statusDescription: 'Bill information is available',
    },
  };
}

/** Type 3. Only the older page prints an answer to it. */
export function accountValidated({ now, ...ids }: Exchange): Body {
  return {
    message: {
      appDomainName: APP_DOMAIN,
      remarks: 'Bill Number account validation accepted',
      ...ids,
      timestamp: timestamp(now),
      dueDate: null,
      dueAmount: 0.0,
      currency: null,
      customerName: VALIDATED_NAME,
      active: 'Valid',
      statusCode: 0,
      statusDescription: 'Account number provided is valid',
    },
  };
}

const DESCRIPTIONS = {
  [STATUS.pending]: 'Pending',
  [STATUS.completed]: 'Completed',
  [STATUS.failed]: 'Failed',
} as const;

export function statusDescription(status: unknown): string {
  return Object.entries(DESCRIPTIONS).find(([known]) => known === String(status))?.[1] ?? 'Unknown';
}

/** The same in the callback and in the look-up. */
const receiptNumber = (systemId: string) =>
  `S${String(Number.parseInt(systemId.slice(0, 8), 16) % 1_000_000).padStart(6, '0')}`;

/** A look-up's answer. As in the sample `statusCode` is 0 whatever happened, and both names are the account holder's. */
export function record(id: string, facts: RecordFacts): Body {
  const holder = 'IRENE MWAURA MUTHONI';
  return {
    systemConversationId: facts.systemId,
    originatorConversationId: id,
    serviceCode: null,
    accountNumber: facts.accountNumber,
    msisdn: facts.request?.msisdn ?? '254710000000',
    amount: facts.amount,
    datePaymentReceived: zoneless(facts.receivedAt),
    accountCustomerName: holder,
    customerNames: holder,
    countryCode: facts.request?.country ?? 'KE',
    currencyCode: facts.request?.currency ?? 'KES',
    transactionType: 2,
    dueAmount: 0,
    dueDate: null,
    narration: facts.request?.narration ?? null,
    receiptNumber: facts.status === STATUS.completed ? receiptNumber(facts.systemId) : null,
    receiverNarration: null,
    status: facts.status,
    transactionStatusDescription: statusDescription(facts.status),
    statusCode: 0,
    statusDescription: null,
    totalRecordsPendingAck: '0',
    totalRecordsPendingQuery: '0',
    active: null,
    callbackURL: facts.request?.callbackUrl ?? null,
    byPassCustomerValidation: false,
  };
}

/** What the code table calls each code; no failed callback is documented, so the wording of the rest is ours. */
const CODE_MEANINGS: Readonly<Record<string, string>> = {
  '0': 'Success',
  '1': 'Insufficient funds',
  '9': 'Duplicate transaction',
  '14': 'Inconclusive',
  '22': 'Partner timeout',
};
const describeCode = (code: string) => `${code.padStart(3, '0')} - ${CODE_MEANINGS[code] ?? 'Failed'}`;

export function callback(request: PaymentRequest, systemId: string, content: CallbackContent): Body {
  return content.shape === 'nested'
    ? nestedCallback(request, systemId, content)
    : flatCallback(request, systemId, content);
}

function nestedCallback(request: PaymentRequest, systemId: string, { status, code, token }: CallbackContent): Body {
  const description = describeCode(code);
  const service = findService(request.serviceId);
  return {
    originatorConversationId: request.id,
    systemConversationId: systemId,
    accountNumber: request.accountNumber,
    accountCustomerName: null,
    msisdn: request.msisdn,
    amount: request.amount,
    currencyCode: request.currency,
    countryCode: request.country,
    narration: request.narration,
    dueDate: null,
    dueAmount: 0.0,
    savebillNumber: request.saveBillerNumber,
    callbackUrl: request.callbackUrl,
    billService: service && {
      serviceId: service.serviceId,
      serviceCategory: service.serviceCategory,
      serviceCategoryDescription: service.serviceCategoryDescription,
      serviceType: service.serviceType,
      serviceTypeDescription: service.serviceTypeDescription,
    },
    billRequestOutcome: {
      status,
      statusDesc: statusDescription(status),
      responseCode: code,
      responseDesc: description,
      resultCode: code,
      resultDesc: description,
      thirdPartyPayload: {
        responseCode: code,
        responseDesc: description,
        reference: status === STATUS.completed ? receiptNumber(systemId) : null,
        extraData: { RequestExtraData: null, ResponseExtraData: token ?? null },
      },
    },
  };
}

/** The older shape. Spelling as in the sample. */
function flatCallback(request: PaymentRequest, systemId: string, { status, code, token }: CallbackContent): Body {
  const completed = status === STATUS.completed;
  return {
    OriginatorConversationId: request.id,
    SystemConversationId: systemId,
    StatusCode: Number(code),
    StatusDescription: completed ? 'Transaction acknowledged successfully' : 'Transaction failed',
    ReceiptNumber: completed ? receiptNumber(systemId) : null,
    ReceiverNarration: completed ? 'Payment accepted successfuly' : null,
    CustomerName: VALIDATED_NAME,
    CustomerNames: request.customerNames,
    ResponseExtraData: token ?? null,
  };
}

export function savedBillNumber(
  serviceId: string,
  accountNumber: string,
  saved: { phoneNumber?: string; remarks?: string },
): Body {
  const service = findService(serviceId);
  return {
    serviceId,
    customerName: 'EXECUTIVE CONCEPTS',
    accountNumber,
    phoneNumber: saved.phoneNumber ?? '254718621991',
    enabled: true,
    verified: true,
    dueDate: '2021-10-18 00:00:00',
    lastKnownBalance: 2697.0,
    remindMeDueDate: true,
    remarks: saved.remarks ?? "Test Benson's DSTV",
    serviceType: service?.serviceTypeDescription ?? null,
    serviceCategory: service?.serviceCategoryDescription ?? null,
  };
}

export function billNumberSaved({ now, systemConversationId }: Exchange): Body {
  return {
    message: {
      appDomainName: APP_DOMAIN,
      remarks: 'Bill Number submission accepted',
      serviceCode: null,
      accountCustomerName: 'EXECUTIVE CONCEPTS',
      systemConversationId,
      lastKnownBalance: 231.56,
      dueDate: '2020-07-03',
      verified: true,
      timestamp: timestamp(now),
    },
  };
}
