import { isIP } from 'node:net';

export interface AlmaraSettings {
  /** Two separate hosts: the documents name them apart. https, unless loopback; a path before `/v1` is kept. */
  readonly apiUrl: string;
  readonly identityUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `PyPay_api` in every known client. */
  readonly scope: string;
  readonly routeId: string;
  /** The key that names the service: `ServiceId` with a GUID in the current documents. Only one scheme is ever sent. */
  readonly serviceField: 'ServiceId' | 'serviceId' | 'serviceCode';
  readonly timeouts?: Partial<Timeouts>;
}

/** Milliseconds. */
export interface Timeouts {
  /** Until TCP and TLS stand. */
  readonly connectMs: number;
  /** A whole read, connecting included. */
  readonly readMs: number;
  /** The whole payment POST, connecting included. */
  readonly payMs: number;
}

/**
 * Connecting ends before the 5 seconds do that a claim has to the first byte. A payment is acknowledged in under a
 * second in the samples and a validation in four; a time-out decides nothing, so the payment's is generous.
 */
export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 4_000, readMs: 10_000, payMs: 30_000 };

/**
 * A base address without its trailing slash.
 * @throws Error that names the setting and what to do
 */
export function baseUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error(`${name} must be an https address`);
  if (url.username || url.password || url.search || url.hash) {
    throw new Error(`${name} must be an address without user, query and fragment`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new Error(
      `${name} must use https: plain http would show the credentials to everyone on the way (allowed for loopback only)`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
