import type { ProviderCallbacks } from '../payment/provider';
import { readCallback } from './callback-readings';
import { CALLBACK_PATH, callbackUrl, verifyCallbackToken, type CallbackKeyRing } from './callback-url';
import { stripCallbackToken } from './text';

export { parseKeyRing, type CallbackKeyRing } from './callback-url';
export { readCallback } from './callback-readings';

/** Almara Pay's callbacks: their signed addresses and how they are read. Pulls in no HTTP client. */
export function createAlmaraCallbacks(keyRing: CallbackKeyRing): ProviderCallbacks {
  return {
    path: CALLBACK_PATH,
    urlOf: (base, paymentId) => callbackUrl(base, paymentId, keyRing),
    isAuthentic: (paymentId, token) => verifyCallbackToken(paymentId, token, keyRing),
    read: readCallback,
    withoutToken: stripCallbackToken,
  };
}
