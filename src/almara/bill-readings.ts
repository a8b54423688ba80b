import { z } from 'zod';
import type { Bill, BillService, DueBill, SavedBillNumber, SavedBillNumberReceipt } from '../payment/inquiry';
import type { AccountReading } from '../payment/observation';
import { ProviderTrouble } from '../payment/provider';
import { isObject, isSuccess, readJson, saysNothing, type HttpAnswer } from './answers';
import { NAME, refusal, troubleFor, unreadable, WHAT, type What } from './errors';
import { readRefusal, reasonsForPeople, type FieldError } from './refusals';
import { readResultCode } from './result-codes';
import { decimal, dueAmount, dueDate, flag, idText, present, shownText } from './scalars';
import { forPeople } from './text';

/** How the answers about a bill or an account are read. They inform; none of them moves money. */

/** The name has two keys and the outcome two pairs of keys, by generation of the documents. */
const billSchema = z.object({
  message: z
    .object({
      customerName: shownText(128),
      accountCustomerName: shownText(128),
      active: shownText(20),
      statusCode: z.unknown(),
      statusDescription: shownText(200),
      responseCode: z.unknown(),
      responseDesc: shownText(200),
      dueDate,
      dueAmount,
      currency: shownText(10),
    })
    .partial(),
});

type BillAnswer = z.output<typeof billSchema>['message'];

/**
 * Type 3. Invalid needs an explicit word: `active`, a refusal code, or a 400 about the account or the service.
 * An answer that says neither is trouble, so that nothing is declined for lack of information (G2).
 */
export function readAccount(answer: HttpAnswer, personal: readonly string[]): AccountReading {
  if (answer.status === 400) return refusedAccount(answer, personal);
  const bill = readBill(answer, WHAT.validateAccount);
  const name = bill.accountCustomerName ?? bill.customerName;
  switch (validityOf(bill)) {
    case 'valid':
      return { kind: 'valid', ...present({ customerName: name }) };
    case 'invalid':
      return { kind: 'invalid', reason: refusalOf(bill, personal) };
    case 'unsaid':
      throw unreadable(answer, WHAT.validateAccount, 'it does not say whether the account is valid');
  }
}

/** Type 1. -1 stands for "not available" and is left out. */
export function readDueBill(answer: HttpAnswer, personal: readonly string[]): DueBill {
  if (answer.status === 400) throw refused(answer, WHAT.queryBill, personal);
  const bill = readBill(answer, WHAT.queryBill);
  if (validityOf(bill) === 'invalid') throw refusal(WHAT.queryBill, [refusalOf(bill, personal)]);
  return present({
    customerName: bill.accountCustomerName ?? bill.customerName,
    dueAmount: bill.dueAmount,
    dueDate: bill.dueDate,
    currency: bill.currency,
  });
}

function readBill(answer: HttpAnswer, what: What): BillAnswer {
  const parsed = billSchema.safeParse(readSuccess(answer, what));
  if (!parsed.success) throw unreadable(answer, what, 'it is not in the documented form');
  return parsed.data.message;
}

function validityOf(bill: BillAnswer): 'valid' | 'invalid' | 'unsaid' {
  const code = readResultCode(bill.statusCode) ?? readResultCode(bill.responseCode);
  const active = bill.active?.toLowerCase();
  if (active === 'invalid' || active === 'inactive') return 'invalid';
  if (code?.meaning === 'refusal') return active === 'valid' ? 'unsaid' : 'invalid';
  if (code !== undefined && code.meaning !== 'success') return 'unsaid';
  if (active === 'valid') return 'valid';
  return code?.meaning === 'success' && active === undefined ? 'valid' : 'unsaid';
}

function refusalOf(bill: BillAnswer, personal: readonly string[]): string {
  const said = forPeople(bill.statusDescription ?? bill.responseDesc ?? '', personal);
  const code = readResultCode(bill.statusCode) ?? readResultCode(bill.responseCode);
  return said || (code?.meaning === 'refusal' ? code.words : 'the account is not valid');
}

function refusedAccount(answer: HttpAnswer, personal: readonly string[]): AccountReading {
  const said = readRefusal(answer);
  if (said.kind === 'reason') return { kind: 'invalid', reason: forPeople(said.reason, personal) };
  // About anything else, such as the route, the refusal is about our configuration and not about the caller's account.
  if (said.kind === 'fields' && said.errors.every(isAboutTheBill)) {
    return { kind: 'invalid', reason: reasonsForPeople(said.errors, personal).join('; ') };
  }
  throw refused(answer, WHAT.validateAccount, personal);
}

function isAboutTheBill({ field: name }: FieldError): boolean {
  return /account|service/i.test(name);
}

/** These two are numbers in some answers, which name nothing. */
const cutText = z
  .string()
  .transform((text) => text.slice(0, 80))
  .optional()
  .catch(undefined);

const serviceSchema = z
  .object({
    serviceId: idText,
    serviceID: idText,
    id: idText,
    serviceTypeDescription: shownText(80),
    serviceName: shownText(80),
    name: shownText(80),
    description: shownText(80),
    serviceType: cutText,
    serviceCategoryDescription: shownText(80),
    serviceCategory: cutText,
  })
  .partial();

/** The form of this answer is not documented: a list, or an object with a list in it. */
export function readServices(answer: HttpAnswer): readonly BillService[] {
  const what = WHAT.services;
  const list = listIn(readSuccess(answer, what));
  const services = list?.flatMap((item) => {
    const parsed = serviceSchema.safeParse(item);
    const service = parsed.success ? parsed.data : {};
    const serviceId = service.serviceId ?? service.serviceID ?? service.id;
    if (serviceId === undefined) return [];
    const name = service.serviceTypeDescription ?? service.serviceName ?? service.name ?? service.description;
    const category = service.serviceCategoryDescription ?? service.serviceCategory;
    return [{ serviceId, name: name ?? service.serviceType ?? serviceId, ...present({ category }) }];
  });
  if (services === undefined || (services.length === 0 && list?.length !== 0)) {
    throw unreadable(answer, what, 'it holds no list of services');
  }
  return services;
}

/** The list itself, or the only list inside an object (also inside its `message`). */
export function listIn(value: unknown, depth = 2): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (!isObject(value) || depth === 0) return undefined;
  const found = Object.values(value).flatMap((part) => {
    const list = listIn(part, depth - 1);
    return list === undefined ? [] : [list];
  });
  return found.length === 1 ? found[0] : undefined;
}

const savedNumberSchema = z
  .object({
    serviceId: idText,
    serviceID: idText,
    accountNumber: idText,
    customerName: shownText(128),
    accountCustomerName: shownText(128),
    phoneNumber: shownText(30),
    lastKnownBalance: decimal,
    dueDate,
    verified: flag,
    serviceType: shownText(80),
    serviceCategory: shownText(80),
  })
  .partial();

/** "Find Bill Number": what an unknown number gives is not documented, so whatever reads as "nothing there" does. */
export function readSavedNumber(answer: HttpAnswer, bill: Bill): SavedBillNumber | undefined {
  const what = WHAT.findBillNumber;
  if (answer.status === 404) return undefined;
  if (answer.status === 400) {
    if (readRefusal(answer).kind !== 'fields') return undefined;
    throw refused(answer, what, [bill.accountNumber]);
  }
  const value = readSuccess(answer, what, 'empty-is-nothing');
  if (saysNothing(value)) return undefined;
  const parsed = savedNumberSchema.safeParse(value);
  if (!parsed.success || parsed.data.accountNumber === undefined)
    throw unreadable(answer, what, 'it is not a saved bill number');
  const { data } = parsed;
  return {
    serviceId: data.serviceId ?? data.serviceID ?? bill.serviceId,
    accountNumber: data.accountNumber ?? bill.accountNumber,
    verified: data.verified ?? false,
    ...present({
      customerName: data.customerName ?? data.accountCustomerName,
      phoneNumber: data.phoneNumber,
      lastKnownBalance: data.lastKnownBalance,
      dueDate: data.dueDate,
      serviceName: data.serviceType,
      category: data.serviceCategory,
    }),
  };
}

const savedReceiptSchema = z.object({ message: savedNumberSchema });

export function readSavedReceipt(answer: HttpAnswer, personal: readonly string[]): SavedBillNumberReceipt {
  const what = WHAT.saveBillNumber;
  if (answer.status === 400) throw refused(answer, what, personal);
  const parsed = savedReceiptSchema.safeParse(readSuccess(answer, what));
  if (!parsed.success) throw unreadable(answer, what, 'it is not in the documented form');
  const { accountCustomerName, customerName, lastKnownBalance, dueDate: due, verified } = parsed.data.message;
  return {
    verified: verified ?? false,
    ...present({ customerName: accountCustomerName ?? customerName, lastKnownBalance, dueDate: due }),
  };
}

/** The parsed body of a 2xx, or trouble. */
export function readSuccess(
  answer: HttpAnswer,
  what: What,
  empty: 'empty-is-trouble' | 'empty-is-nothing' = 'empty-is-trouble',
): unknown {
  if (!isSuccess(answer.status)) throw troubleFor(answer, what);
  if (empty === 'empty-is-nothing' && !answer.truncated && answer.text.trim() === '') return null;
  const json = readJson(answer);
  if (json.kind === 'unreadable') throw unreadable(answer, what, json.because);
  return json.value;
}

/** A 400 that says why is a refusal; one that does not may be anything between the provider and us. */
function refused(answer: HttpAnswer, what: What, personal: readonly string[]): Error {
  const said = readRefusal(answer);
  switch (said.kind) {
    case 'fields':
      return refusal(what, reasonsForPeople(said.errors, personal));
    case 'reason':
      return refusal(what, [forPeople(said.reason, personal)]);
    case 'unclear':
      return new ProviderTrouble('unexpected-status', `${NAME} answered 400 to ${what} without a clear reason`, answer);
  }
}
