import { randomBytes } from 'node:crypto';

export interface Tokens {
  issue(): string;
  isValid(authorization: string | undefined): boolean;
  /** Every token issued so far stops working. */
  expireAll(): void;
}

/** Bearer tokens with one lifetime. */
export function createTokens(lifetimeSeconds: number, now: () => number): Tokens {
  const expiries = new Map<string, number>();
  return {
    issue() {
      const token = randomBytes(32).toString('base64url');
      expiries.set(token, now() + lifetimeSeconds * 1000);
      return token;
    },
    isValid(authorization) {
      const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
      const expiry = token === undefined ? undefined : expiries.get(token);
      return expiry !== undefined && now() < expiry;
    },
    expireAll() {
      expiries.clear();
    },
  };
}
