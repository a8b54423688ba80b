import type { CheckedRequest } from './request';

/**
 * Tells whether two requests under one payment id are the same payment (G8). Kept in the run's memo by the client and in
 * the payment's row by `registerPayment`, for ever: what goes in must not change. Another rule gets another version.
 */
const VERSION = 'v1';

/** How a payment is carried out and shown, not what is paid: these may differ between two sendings of one payment. */
const NOT_CONTENT: ReadonlySet<string> = new Set(['policy', 'serviceName']);

/**
 * The defaults of v1, frozen here. A field at its default is left out, so a field that is added later with a default
 * changes no fingerprint of a request that does not use it.
 */
const DEFAULTS: Readonly<Record<string, unknown>> = { currency: 'KES', country: 'KE', saveBillerNumber: false };

/** `v1:` and the SHA-256, in hex, of the caller's content. The order of the keys is no content. */
export async function fingerprint(request: CheckedRequest): Promise<string> {
  const content = Object.entries(request).filter(
    ([field, value]) => !NOT_CONTENT.has(field) && value !== DEFAULTS[field],
  );
  const bytes = new TextEncoder().encode(canonicalJson(Object.fromEntries(content)));
  // Of the language's own globals and not of Node's modules: this folder imports nothing from Node.
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes);
  return `${VERSION}:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** JSON with sorted keys. Absent and `undefined` are the same, as they are on the wire. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${fields.join(',')}}`;
}
