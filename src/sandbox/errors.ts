import type { Body } from './answers';

/** The documented shapes of an error (`test/fixtures/almara/documented-error-*.json`). */

/** Shape 1, from ASP.NET's model validation: `errors` is an object of arrays. */
export function validationError(errors: Readonly<Record<string, readonly string[]>>, traceId: string): Body {
  return {
    errors,
    type: 'https://tools.ietf.org/html/rfc7231#section-6.5.1',
    title: 'One or more validation errors occurred.',
    status: 400,
    traceId,
  };
}

interface ErrorExchange {
  readonly originatorConversationId: string;
  readonly systemConversationId: string;
  readonly now: number;
}

const timestamp = ({ now }: ErrorExchange) => new Date(now).toISOString().replace('Z', '0000Z');

/** Shape 2: one flat reason. Even a refusal carries a system id. */
export function reasonError(exchange: ErrorExchange, reason: string): Body {
  const { systemConversationId, originatorConversationId } = exchange;
  return {
    appDomainName: 'TEST',
    timestamp: timestamp(exchange),
    systemConversationId,
    originatorConversationId,
    reason,
  };
}

/** Shape 3 with the one message known: `errors` is a list. */
export function duplicateError(exchange: ErrorExchange): Body {
  const { systemConversationId, originatorConversationId } = exchange;
  return {
    appDomainName: 'TEST',
    status: 'BadRequest',
    timestamp: timestamp(exchange),
    systemConversationId,
    originatorConversationId,
    errors: [
      {
        field: 'OriginatorConversationId',
        message: `duplicate originator conversation id '${originatorConversationId}'`,
      },
    ],
  };
}

/** Shape 4. Its HTTP status is documented nowhere; the sandbox sends 404. */
export function notFoundError(id: string, idType: string, message: string): Body {
  return { id, idType, message };
}
