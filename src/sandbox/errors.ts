import { APP_DOMAIN, timestamp, type Body, type Exchange } from './answers';

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

/** In the order of these samples. */
const idsOf = ({ systemConversationId, originatorConversationId }: Exchange) => ({
  systemConversationId,
  originatorConversationId,
});

/** Shape 2: one flat reason. Even a refusal carries a system id. */
export function reasonError(exchange: Exchange, reason: string): Body {
  return { appDomainName: APP_DOMAIN, timestamp: timestamp(exchange.now), ...idsOf(exchange), reason };
}

/** Shape 3 with the one message known: `errors` is a list. */
export function duplicateError(exchange: Exchange): Body {
  return {
    appDomainName: APP_DOMAIN,
    status: 'BadRequest',
    timestamp: timestamp(exchange.now),
    ...idsOf(exchange),
    errors: [
      {
        field: 'OriginatorConversationId',
        message: `duplicate originator conversation id '${exchange.originatorConversationId}'`,
      },
    ],
  };
}

/** Shape 4. Its HTTP status is documented nowhere; the sandbox sends 404. */
export function notFoundError(id: string, idType: string, message: string): Body {
  return { id, idType, message };
}
