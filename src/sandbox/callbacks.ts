import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Log } from '../log';

export type Delivery = { readonly answered: number } | { readonly failed: string };

export interface CallbackSender {
  /** Never throws: a callback that does not arrive is a fact, not a fault. */
  send(url: string, body: string): Promise<Delivery>;
  /** Breaks off what is under way. */
  close(): void;
}

/** A receiver that takes longer is taken for dead. */
const TIMEOUT_MS = 10_000;

/**
 * Posts callbacks as the provider does: unsigned, JSON, each on a connection of its own (one kept alive would be stale after
 * the receiver was restarted, and the callback lost for a reason that is ours). Only to this machine, or to hosts named by the
 * settings: a simulated provider must not be talked into calling strangers.
 */
export function createCallbackSender(options: {
  readonly allowedHosts: readonly string[];
  readonly log: Log | undefined;
}): CallbackSender {
  const { allowedHosts, log } = options;
  const closing = new AbortController();
  return {
    async send(url, body) {
      const target = URL.canParse(url) ? new URL(url) : null;
      if (target === null || !isAllowed(target, allowedHosts)) {
        log?.warn(
          { host: target?.hostname ?? 'not a URL' },
          'callback refused: the sandbox calls this machine only; name another host in callbackHosts to allow it',
        );
        return { failed: 'refused: not this machine and not among callbackHosts' };
      }
      const delivery = await deliver(target, body, AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]));
      if ('failed' in delivery) log?.warn({ host: target.hostname, failed: delivery.failed }, 'callback not delivered');
      return delivery;
    },
    close: () => closing.abort(),
  };
}

function deliver(target: URL, body: string, signal: AbortSignal): Promise<Delivery> {
  const request = target.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const options: RequestOptions = { method: 'POST', agent: false, signal, headers };
  return new Promise((resolve) => {
    const outgoing = request(target, options, (answer) => {
      answer.on('close', () => resolve({ answered: answer.statusCode ?? 0 }));
      answer.resume();
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? 'no answer' }));
    outgoing.end(body);
  });
}

function isAllowed({ protocol, hostname }: URL, allowedHosts: readonly string[]): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  return loopback || allowedHosts.includes(hostname);
}
