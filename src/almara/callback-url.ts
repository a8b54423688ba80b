import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/**
 * The address a payment's callback comes to. Callbacks are not signed by the provider: that the caller knows
 * the address is all we have, so it holds a token that only we can make.
 */

/** Before `/<payment id>/<token>`. */
export const CALLBACK_PATH = '/callbacks/almara';

/** The provider's bound for such an address in a sibling ("Express Deposit Request"). */
const MAX_URL = 256;
const MIN_KEY_BYTES = 32;

/** Newest first: the first signs, all verify. Keys are `KeyObject`s, which no log can print. */
export interface CallbackKeyRing {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
}

interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * @param text `id:base64,id:base64`, newest first; ids are 1 to 16 of a-z and 0-9, keys at least 32 bytes
 * @throws Error that says what to do and repeats no key
 */
export function parseKeyRing(text: string): CallbackKeyRing {
  const keys = text.split(',').map((entry, index) => parseKey(entry.trim(), index + 1));
  const repeated = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) !== index);
  if (repeated !== undefined) throw new Error(`the key id "${repeated.id}" is used twice: give every key its own id`);
  const [newest, ...older] = keys;
  if (newest === undefined) throw new Error(HOW_TO);
  return { keys: [newest, ...older] };
}

const HOW_TO = 'write the keys as id:base64,id:base64 (newest first); make one with: openssl rand -base64 32';

function parseKey(entry: string, place: number): SigningKey {
  const colon = entry.indexOf(':');
  const [id, base64] = [entry.slice(0, Math.max(colon, 0)), entry.slice(colon + 1)];
  if (colon < 0) throw new Error(`key ${place} has no id: ${HOW_TO}`);
  if (!/^[a-z0-9]{1,16}$/.test(id)) throw new Error(`the id of key ${place} must be 1 to 16 of a-z and 0-9: ${HOW_TO}`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Error(`key ${place} is not base64: ${HOW_TO}`);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < MIN_KEY_BYTES) throw new Error(`key ${place} is shorter than ${MIN_KEY_BYTES} bytes: ${HOW_TO}`);
  return { id, key: createSecretKey(bytes) };
}

/**
 * The signed address of one payment.
 * @throws Error when the base is unusable or the whole would be longer than the provider takes
 */
export function callbackUrl(base: string, paymentId: string, ring: CallbackKeyRing): string {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new Error('the callback base must be an http(s) address without user, query and fragment');
  }
  const signed = `${url.href.replace(/\/+$/, '')}${CALLBACK_PATH}/${encodeURIComponent(paymentId)}/${tokenOf(paymentId, ring.keys[0])}`;
  if (signed.length > MAX_URL) {
    throw new Error(
      `the callback address would have ${signed.length} characters, the provider takes ${MAX_URL}: use a shorter base`,
    );
  }
  return signed;
}

/** Whether the token was made by us for this payment. Takes the same time wherever it differs. */
export function verifyCallbackToken(paymentId: string, token: string, ring: CallbackKeyRing): boolean {
  const given = Buffer.from(token.slice(0, MAX_URL));
  let verified = false;
  // Every key is tried, so that the time does not tell which ids exist.
  for (const key of ring.keys) {
    const expected = Buffer.from(tokenOf(paymentId, key));
    if (given.length === expected.length && timingSafeEqual(given, expected)) verified = true;
  }
  return verified && token.length <= MAX_URL;
}

function tokenOf(paymentId: string, { id, key }: SigningKey): string {
  return `${id}.${createHmac('sha256', key).update(paymentId).digest('base64url')}`;
}
