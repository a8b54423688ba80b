import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { notFoundError, validationError } from './errors';
import type { Ledger } from './ledger';
import type { Provider } from './provider';
import type { FieldErrors } from './requests';
import type { SandboxSettings } from './settings';
import type { Tokens } from './tokens';

/** What every endpoint works with. */
export interface AppParts {
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly provider: Provider;
  readonly tokens: Tokens;
  readonly tokenLifetimeSeconds: number;
  readonly slowMs: number;
  readonly now: () => number;
}

/** Shape 1. */
export function refuseFields(reply: FastifyReply, errors: FieldErrors): FastifyReply {
  const traceId = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
  return reply.code(400).send(validationError(errors, traceId));
}

/** Shape 4. */
export function refuseAbsent(reply: FastifyReply, id: string, idType: string, message: string): FastifyReply {
  return reply.code(404).send(notFoundError(id, idType, message));
}

/** The ids of an exchange; the gateway makes one up where the caller sent none. */
export function exchange(
  parts: AppParts,
  originatorConversationId?: string,
  systemConversationId: string = randomUUID(),
) {
  return { originatorConversationId: originatorConversationId ?? randomUUID(), systemConversationId, now: parts.now() };
}
