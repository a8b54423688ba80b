/** Callbacks: their signed address and how they are read. Pulls in no HTTP client. */
export { callbackUrl, parseKeyRing, verifyCallbackToken, type CallbackKeyRing } from './callback-url';
export { readCallback, type ReadCallback } from './callback-readings';
export { stripCallbackToken } from './text';
