import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BEHAVIOURS } from './behaviours';
import { ROUTES, SERVICES, WALLET } from './catalogue';
import { billPaymentEndpoints } from './bill-payments';
import { billNumberEndpoints } from './bill-numbers';
import { arrives, disturbRequests } from './disturb';
import type { SeenRequest } from './ledger';
import { refuseFields, type AppParts } from './replies';
import { fieldsOf, readFragment, textOf } from './requests';

declare module 'fastify' {
  interface FastifyRequest {
    /** This request in the ledger, where its answer is noted. */
    seen: SeenRequest | null;
    /** Notes what its answer says, once it is clear that the answer leaves whole. */
    says: (() => void) | null;
  }
}

/** A body longer than this is no request of ours. */
const BODY_LIMIT = 64 * 1024;

/** The HTTP side of the simulated provider: the endpoints of the documents, and its ledger under `/sandbox`. */
export function createApp(parts: AppParts): FastifyInstance {
  // Requests are not logged: their URLs and bodies hold ids, names and callback tokens.
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: BODY_LIMIT });
  app.decorateRequest('seen', null);
  app.decorateRequest('says', null);
  app.decorateRequest('fault', null);
  readBodies(app, parts);
  noteRequests(app, parts);
  if (parts.settings.faults !== undefined) disturbRequests(app, parts.settings.faults, parts);

  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status !== 400) return reply.code(status).send();
    return refuseFields(reply, { $: ['The request body could not be read as JSON.'] });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());

  identityEndpoint(app, parts);
  app.get('/api_health_check', (_request, reply) => reply.type('text/plain').send('Healthy'));
  app.register(async (secured) => {
    secured.addHook('preHandler', async (request, reply) => requireToken(request, reply, parts));
    billPaymentEndpoints(secured, parts);
    billNumberEndpoints(secured, parts);
    secured.get('/v1/bill-services', () => SERVICES);
    secured.get('/v1/transaction-routes/assigned-routes', () => ROUTES);
    secured.get('/v1/customer-accounts/get-wallet-balance', (request, reply) =>
      textOf(fieldsOf(request.query), 'ccy') === '404'
        ? WALLET
        : refuseFields(reply, { ccy: ['The ccy field is required.'] }),
    );
  });
  ledgerEndpoints(app, parts);
  return app;
}

/** Our own JSON reader: a body that breaks off half-way must be counted as seen. */
function readBodies(app: FastifyInstance, { ledger, provider, now }: AppParts): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) => {
    let text = '';
    payload.setEncoding('utf8');
    try {
      for await (const chunk of payload) {
        text += String(chunk);
        if (text.length > BODY_LIMIT) throw Object.assign(new Error('body too large'), { statusCode: 413 });
      }
    } catch (error) {
      noteBroken(request, text);
      throw error;
    }
    try {
      return JSON.parse(text) as unknown;
    } catch {
      noteBroken(request, text);
      throw Object.assign(new Error('not JSON'), { statusCode: 400 });
    }
  });

  function noteBroken(request: FastifyRequest, text: string): void {
    const { id, type } = readFragment(text);
    const path = pathOf(request);
    if (path === '/v1/bill-payments' && (type === undefined || type === 2)) {
      if (id === undefined) ledger.noteBrokenPost();
      else provider.turnAway(id);
    }
    ledger.note({
      at: now(),
      method: request.method,
      path,
      body: text,
      ...(id !== undefined && { originatorConversationId: id }),
      answered: 'broken off by the client',
    });
  }
}

/** Every request but the ledger's own goes into the ledger, with the status of its answer. */
function noteRequests(app: FastifyInstance, { ledger, now }: AppParts): void {
  app.addHook('preHandler', async (request) => {
    const path = pathOf(request);
    if (path.startsWith('/sandbox')) return;
    const id = textOf(fieldsOf(request.method === 'GET' ? request.query : request.body), 'OriginatorConversationId');
    if (id !== undefined && path === '/v1/bill-payments' && !isInquiry(request.body)) ledger.entry(id);
    request.seen = ledger.note({
      at: now(),
      method: request.method,
      path,
      ...(path !== '/connect/token' && request.body !== undefined && { body: request.body }),
      ...(id !== undefined && { originatorConversationId: id }),
    });
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.seen !== null) request.seen.answered ??= reply.statusCode;
    if (arrives(request.fault)) request.says?.();
  });
}

const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? '';

function isInquiry(body: unknown): boolean {
  const type = fieldsOf(body).get('transactiontype');
  return type === 1 || type === 3;
}

/** Expired and missing look the same: an empty 401. A payment POST that is turned away was still seen. */
async function requireToken(
  request: FastifyRequest,
  reply: FastifyReply,
  { tokens, provider }: AppParts,
): Promise<FastifyReply | undefined> {
  if (tokens.isValid(request.headers.authorization)) return undefined;
  const fields = fieldsOf(request.body);
  const id = textOf(fields, 'OriginatorConversationId');
  if (id !== undefined && fields.get('transactiontype') === 2) provider.turnAway(id);
  return await reply.code(401).header('www-authenticate', 'Bearer error="invalid_token"').send();
}

/** Client credentials, form-encoded. Errors in the style of IdentityServer. */
function identityEndpoint(app: FastifyInstance, { settings, tokens, tokenLifetimeSeconds }: AppParts): void {
  app.post('/connect/token', (request, reply) => {
    const form = fieldsOf(request.body);
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      return reply.code(400).send({ error: 'invalid_request' });
    }
    if (form.get('client_id') !== settings.clientId || form.get('client_secret') !== settings.clientSecret) {
      return reply.code(400).send({ error: 'invalid_client' });
    }
    if (form.get('grant_type') !== 'client_credentials')
      return reply.code(400).send({ error: 'unsupported_grant_type' });
    return {
      access_token: tokens.issue(),
      expires_in: tokenLifetimeSeconds,
      token_type: 'Bearer',
      scope: textOf(form, 'scope') ?? 'PyPay_api',
    };
  });
}

/** What the provider itself knows. Nothing real has such endpoints. */
function ledgerEndpoints(app: FastifyInstance, { ledger }: AppParts): void {
  app.get('/sandbox/payments', () => ({ payments: ledger.payments(), brokenPosts: ledger.brokenPosts }));
  app.get<{ Params: { id: string } }>('/sandbox/payments/:id', (request) => ledger.payment(request.params.id));
  app.get('/sandbox/requests', () => ({ requests: ledger.requests() }));
  app.get('/sandbox/behaviours', () => ({
    behaviours: BEHAVIOURS.map(({ account, name, description }) => ({ account, name, description })),
  }));
}
