import { inspect } from 'node:util';
import { z } from 'zod';
import { ProviderTrouble, type ProviderSession } from '../payment/provider';
import { isObject, isSuccess, readJson, type HttpAnswer } from './answers';
import { NAME, troubleFor, unreadable, WHAT } from './errors';
import { decimal } from './scalars';

/** A token that cannot be printed by accident. To everybody but the client it is the session that a look has proven. */
export class AccessToken implements ProviderSession {
  readonly #value: string;

  /** @param expiresAt epoch milliseconds, counted from before it was asked for: it lives at least as long */
  constructor(
    value: string,
    readonly expiresAt: number,
  ) {
    this.#value = value;
  }

  /** The header that sends it. */
  header(): { readonly authorization: string } {
    return { authorization: `Bearer ${this.#value}` };
  }

  toString(): string {
    return '[access token]';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

export interface Tokens {
  /** A token with some life left. */
  current(signal?: AbortSignal): Promise<AccessToken>;
  /** Another one than `refused`: a newer one if it is already there. */
  renew(refused: AccessToken, signal?: AbortSignal): Promise<AccessToken>;
}

/** Where the token in use is kept. Clients of one account in one process may share it. */
export interface TokenCache {
  kept?: { readonly token: AccessToken; readonly useUntil: number } | undefined;
}

/** A token near its end is not used for a call that may take half a minute. Never more than half a token's life. */
const SKEW_MS = 60_000;
const MAX_LIFETIME_S = 31 * 24 * 3600;

const tokenSchema = z.object({
  /** Printable without spaces, or it could not stand in a header. */
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  // No documented token lacks it, and a guess would let a decision rest on a token that still works.
  expires_in: decimal.pipe(z.number().positive().max(MAX_LIFETIME_S)),
});

/** @param ask sends one token request */
export function createTokens(ask: () => Promise<HttpAnswer>, cache: TokenCache, now: () => number): Tokens {
  let fetching: Promise<AccessToken> | undefined;

  async function fetchToken(): Promise<AccessToken> {
    const askedAt = now();
    const { value, lifetimeMs } = readToken(await ask());
    const token = new AccessToken(value, askedAt + lifetimeMs);
    cache.kept = { token, useUntil: token.expiresAt - Math.min(SKEW_MS, lifetimeMs / 2) };
    return token;
  }

  /** One at a time for everybody; a failed one is nobody's any more. No caller's signal ends it for the others. */
  function fetchShared(signal: AbortSignal | undefined): Promise<AccessToken> {
    if (fetching === undefined) {
      fetching = fetchToken().finally(() => {
        fetching = undefined;
      });
      // Everybody may have given up by the time it fails.
      fetching.catch(() => undefined);
    }
    return orAborted(fetching, signal);
  }

  return {
    async current(signal) {
      const { kept } = cache;
      return kept !== undefined && now() < kept.useUntil ? kept.token : await fetchShared(signal);
    },
    async renew(refused, signal) {
      if (cache.kept?.token === refused) cache.kept = undefined;
      return await this.current(signal);
    },
  };
}

function readToken(answer: HttpAnswer): { readonly value: string; readonly lifetimeMs: number } {
  const { status } = answer;
  const json = readJson(answer);
  if (isSuccess(status)) {
    const parsed = json.kind === 'json' ? tokenSchema.safeParse(json.value) : undefined;
    if (parsed?.success) return { value: parsed.data.access_token, lifetimeMs: parsed.data.expires_in * 1000 };
    throw unreadable(answer, WHAT.token);
  }
  const refused =
    status === 401 || (status === 400 && json.kind === 'json' && isObject(json.value) && 'error' in json.value);
  if (!refused) throw troubleFor(answer, WHAT.token);
  throw new ProviderTrouble(
    'unauthorized',
    `${NAME} refused our client id, secret or scope (${status} to ${WHAT.token})`,
    { status },
  );
}

async function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
