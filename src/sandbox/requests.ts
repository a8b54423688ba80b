import { findService } from './catalogue';
import type { PaymentRequest } from './rules';

/** Reads the bodies that come in, as leniently about the case of keys as ASP.NET is, and as strictly as the field table. */

/** ASP.NET's word for each wrong field, as shape 1 wants them. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: FieldErrors };

/** Key in lower case → value. */
export type Fields = ReadonlyMap<string, unknown>;

export function fieldsOf(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return new Map();
  return new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
}

export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name.toLowerCase());
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const MANDATORY_TEXTS = [
  'AccountNumber',
  'OriginatorConversationId',
  'Msisdn',
  'TransactionDesc',
  'CustomerNames',
  'CountryCode',
  'CurrencyCode',
  'CallBackUrl',
] as const;

const required = (field: string) => [`The ${field} field is required.`];

/** Types 1 and 3 need these two. */
export function readBill(fields: Fields): Read<{ readonly serviceId: string; readonly accountNumber: string }> {
  const errors: Record<string, readonly string[]> = {};
  const service = serviceOf(fields, errors);
  const accountNumber = textOf(fields, 'AccountNumber');
  if (accountNumber === undefined) errors['AccountNumber'] = required('AccountNumber');
  return accountNumber === undefined || service === undefined
    ? { ok: false, errors }
    : { ok: true, value: { serviceId: service, accountNumber } };
}

/** Type 2: the field table calls everything but the narration mandatory. */
export function readPayment(fields: Fields): Read<PaymentRequest> {
  const errors: Record<string, readonly string[]> = {};
  const serviceId = serviceOf(fields, errors);
  for (const name of MANDATORY_TEXTS) if (textOf(fields, name) === undefined) errors[name] = required(name);
  const amount = fields.get('amount');
  if (typeof amount !== 'number' || !Number.isInteger(amount))
    errors['Amount'] = ['The Amount field must be an integer.'];
  const saveBillerNumber = fields.get('savebillernumber');
  if (typeof saveBillerNumber !== 'boolean') errors['SaveBillerNumber'] = required('SaveBillerNumber');
  if (Object.keys(errors).length > 0 || serviceId === undefined) return { ok: false, errors };
  const text = (name: (typeof MANDATORY_TEXTS)[number]) => textOf(fields, name) ?? '';
  return {
    ok: true,
    value: {
      id: text('OriginatorConversationId'),
      serviceId,
      accountNumber: text('AccountNumber'),
      amount: Number(amount),
      currency: text('CurrencyCode'),
      country: text('CountryCode'),
      msisdn: text('Msisdn'),
      customerNames: text('CustomerNames'),
      narration: textOf(fields, 'Narration') ?? null,
      saveBillerNumber: saveBillerNumber === true,
      callbackUrl: text('CallBackUrl'),
    },
  };
}

/** By GUID or by code; a name the catalogue lacks is refused, so that a wrong identifier scheme is noticed here. */
function serviceOf(fields: Fields, errors: Record<string, readonly string[]>): string | undefined {
  const given = textOf(fields, 'ServiceId') ?? textOf(fields, 'ServiceCode');
  const service = given === undefined ? undefined : findService(given);
  if (given === undefined) errors['ServiceId'] = required('ServiceId');
  else if (service === undefined) errors['ServiceId'] = ['The ServiceId field names no known service.'];
  return service?.serviceId;
}

/** What can be said about a POST whose body broke off: enough to count it as seen. */
export function readFragment(text: string): { readonly id?: string; readonly type?: number } {
  const id = /"originatorConversationId"\s*:\s*"([^"]+)"/i.exec(text)?.[1];
  const type = /"transactionType"\s*:\s*(\d)/i.exec(text)?.[1];
  return { ...(id !== undefined && { id }), ...(type !== undefined && { type: Number(type) }) };
}
