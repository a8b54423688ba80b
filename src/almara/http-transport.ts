import { Agent } from 'undici';
import { noAnswer, readAnswer, startDeadline } from './http';
import { createPostOnce } from './payment-post';
import type { Timeouts } from './settings';
import type { Transport } from './transport';

/** The documents name no rate limit but 429: few connections keep a worker with thousands of polls polite. */
const MAX_CONNECTIONS = 16;

/**
 * Real HTTP. Reads go over one pool of kept-alive connections, without redirects, retries, HTTP/2 and proxy; the payment has a
 * connection of its own.
 */
export function createHttpTransport(timeouts: Timeouts, now: () => number): Transport {
  const { connectMs, readMs } = timeouts;
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    // Certificates are checked whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    connect: { timeout: connectMs, rejectUnauthorized: true },
    headersTimeout: readMs,
    bodyTimeout: readMs,
  });

  return {
    async ask({ method, url, headers, body }, signal) {
      const deadline = startDeadline(readMs, signal);
      try {
        const { origin, pathname, search } = new URL(url);
        const response = await agent.request({
          origin,
          path: pathname + search,
          method,
          headers: { ...headers },
          body: body ?? null,
          signal: deadline.signal,
        });
        return { kind: 'answer', answer: await readAnswer(response, now) };
      } catch (error) {
        signal?.throwIfAborted();
        return noAnswer(error, deadline, readMs);
      } finally {
        deadline.stop();
      }
    },
    postOnce: createPostOnce(timeouts, now),
    close: () => agent.destroy(),
  };
}
