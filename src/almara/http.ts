import type { Dispatcher } from 'undici';
import { BODY_LIMIT, type HttpAnswer } from './answers';
import type { Reply } from './transport';

/** What reads and the payment share of HTTP: a deadline, how an answer is taken in, and what is said when there is none. */

const MAX_RETRY_AFTER_MS = 3_600_000;

export interface Deadline {
  readonly signal: AbortSignal;
  passed(): boolean;
  stop(): void;
}

/** Aborts after `ms` or with the caller's signal, whichever is first. Stopped, it holds nothing. */
export function startDeadline(ms: number, signal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    controller.abort();
  }, ms);
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    passed: () => passed,
    stop: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/** The body as text, cut at 64 kB: the rest is never read, and the connection is given up. */
export async function readAnswer(response: Dispatcher.ResponseData, now: () => number): Promise<HttpAnswer> {
  const { body, statusCode, headers } = response;
  // Giving a body up half-way makes it emit an error nobody needs to hear.
  body.on('error', () => undefined);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) break;
  }
  const retryAfterMs = readRetryAfter(headers['retry-after'], now);
  return {
    status: statusCode,
    // Like a browser: a byte order mark is dropped, bytes that are no UTF-8 become replacement characters.
    text: new TextDecoder().decode(Buffer.concat(chunks).subarray(0, BODY_LIMIT)),
    truncated: size > BODY_LIMIT,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Seconds or a date; at most an hour, whatever is asked. */
function readRetryAfter(header: string | string[] | undefined, now: () => number): number | undefined {
  if (typeof header !== 'string') return undefined;
  // `Date.parse` takes much for a date that is none, such as "-5".
  const date = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : NaN;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : date - now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/** The library's own time-outs are as long as our deadline, and may be noticed first. */
export function noAnswer(error: unknown, deadline: Deadline, ms: number): Reply {
  const code = codeOf(error);
  const isLate = deadline.passed() || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
  return isLate ? { kind: 'timeout', afterMs: ms } : { kind: 'broken', code };
}

/** An error's code or kind, fit for people. Messages are not: they may repeat what the other side sent. */
export function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
  return typeof name === 'string' && /^[A-Za-z]{1,40}$/.test(name) ? name : 'no code';
}
