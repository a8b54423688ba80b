import { Agent, request } from 'undici';
import type { Log } from '../log';

export interface CallbackSender {
  /** Never throws: a callback that does not arrive is a fact, not a fault. */
  send(url: string, body: string): Promise<{ readonly answered: number } | { readonly failed: string }>;
  close(): Promise<void>;
}

/** A receiver that takes longer is taken for dead. */
const TIMEOUT_MS = 10_000;

/**
 * Posts callbacks as the provider does: unsigned, JSON, each on a connection of its own. Only to this machine, or to hosts
 * named by the settings: a simulated provider must not be talked into calling strangers.
 */
export function createCallbackSender({
  allowedHosts,
  log,
}: {
  allowedHosts: readonly string[];
  log: Log;
}): CallbackSender {
  const dispatcher = new Agent({
    pipelining: 0,
    connectTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    async send(url, body) {
      const target = URL.parse(url);
      if (target === null || !isAllowed(target, allowedHosts)) {
        log.warn(
          { host: target?.hostname ?? 'not a URL' },
          'callback refused: the sandbox calls this machine only; name another host in callbackHosts to allow it',
        );
        return { failed: 'refused: not this machine and not among callbackHosts' };
      }
      try {
        const answer = await request(target, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          dispatcher,
        });
        await answer.body.dump();
        return { answered: answer.statusCode };
      } catch (error) {
        const failed = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
        log.warn({ host: target.hostname, failed }, 'callback not delivered');
        return { failed };
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function isAllowed({ protocol, hostname }: URL, allowedHosts: readonly string[]): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  return loopback || allowedHosts.includes(hostname);
}
