import { createHash } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Log } from '../log';
import type { CallbackReading } from '../payment/observation';
import type { ProviderCallbacks } from '../payment/provider';
import { paymentIdSchema } from '../payment/request';
import type { Inbox } from '../store';
import { within } from '../within';
import { createMetrics, type CallbackMetrics, type Refusal } from './metrics';
import { describeTrouble } from './trouble';

export interface CallbackAppOptions {
  readonly inbox: Pick<Inbox, 'add'>;
  /** Of the provider: the addresses that only we can make, and how a body is read. */
  readonly callbacks: ProviderCallbacks;
  /** Called for what is stored; must return at once and never throw. What it misses, the sweep delivers. */
  readonly deliver: (callback: { readonly paymentId: string; readonly id: number }) => void;
  readonly log: Log;
  readonly metrics?: CallbackMetrics;
  readonly clock?: () => Date;
}

type Answer = { readonly kind: 'received' } | { readonly kind: 'refused'; readonly cause: Refusal };

const BODY_LIMIT = 64 * 1024;
/** Longer than any provider should have to wait. It may have been stored after all: then the repetition is a duplicate. */
const STORE_WITHIN_MS = 8_000;
/** A request is one small body: whoever needs longer to send it holds a connection and nothing else. */
const REQUEST_WITHIN_MS = 10_000;
const HEADERS_WITHIN_MS = 5_000;

/** 404 says nothing: not whether the payment exists, nor whether only the token was wrong. */
const REFUSALS: Readonly<Record<Refusal, { readonly status: number; readonly error: string }>> = {
  'too-large': { status: 413, error: 'the body is too large' },
  'not-ours': { status: 404, error: 'not found' },
  'not-json': { status: 400, error: 'the body is not JSON' },
  unreadable: { status: 400, error: 'the body is not a callback' },
  'other-payment': { status: 400, error: 'the body is about another payment' },
  'not-stored': { status: 503, error: 'not stored, send it again' },
};

/**
 * The provider's door: size, token, JSON, schema, ids, stored, and only then 200. Each check comes before what is
 * costlier or says more; once stored it is 200 whatever the engine does, because delivery is ours and starts from the store.
 */
export function createCallbackApp(options: CallbackAppOptions): FastifyInstance {
  const { log, callbacks, metrics = createMetrics() } = options;
  /** Payment ids for the request log, only of requests with our token: anything else in a URL is a stranger's text. */
  const authentic = new WeakMap<FastifyRequest, string>();

  const refuse = (reply: FastifyReply, cause: Refusal): FastifyReply => {
    metrics.refused.inc({ cause });
    return reply.code(REFUSALS[cause].status).send({ error: REFUSALS[cause].error });
  };

  const app = Fastify({
    // Fastify logs URLs, and ours hold a token: the request log is written below.
    logger: false,
    bodyLimit: BODY_LIMIT,
    connectionTimeout: 15_000,
    keepAliveTimeout: 30_000,
    requestTimeout: REQUEST_WITHIN_MS,
    http: { headersTimeout: HEADERS_WITHIN_MS, connectionsCheckingInterval: 1_000 },
    // A URL that cannot be decoded, or with a part that is too long, is one more that is not ours.
    frameworkErrors: (_error, _request, reply) => void refuse(reply, 'not-ours'),
  });

  takeAnyBody(app);
  hangUpWhenClosing(app);
  app.addHook('onResponse', (request, reply, done) => {
    const paymentId = authentic.get(request);
    const ms = Math.round(reply.elapsedTime);
    metrics.requestSeconds.observe({ status: reply.statusCode }, reply.elapsedTime / 1_000);
    log.info({ method: request.method, status: reply.statusCode, ...(paymentId && { paymentId }), ms }, 'request');
    done();
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 'not-ours'));
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    if (error.statusCode === 413) return refuse(reply, 'too-large');
    // A body that ended early: nobody is there to read the answer.
    if (error.statusCode !== undefined && error.statusCode < 500) return refuse(reply, 'not-json');
    log.error(describeTrouble(error), 'a callback could not be handled');
    return refuse(reply, 'not-stored');
  });

  app.post<{ Params: { paymentId: string; token: string } }>(
    `${callbacks.path}/:paymentId/:token`,
    async (request, reply) => {
      const { paymentId, token } = request.params;
      const isOurs = paymentIdSchema.safeParse(paymentId).success && callbacks.isAuthentic(paymentId, token);
      if (!isOurs) return refuse(reply, 'not-ours');
      authentic.set(request, paymentId);
      const answer = await receive({ ...options, metrics }, request.params, request.body as Buffer);
      return answer.kind === 'refused' ? refuse(reply, answer.cause) : reply.send({ received: true });
    },
  );
  return app;
}

/**
 * Every body reaches the handler as bytes, whatever its type is said to be: otherwise a wrong content type would be answered
 * before the token is looked at. The header is overwritten because Fastify refuses one that it cannot parse.
 */
function takeAnyBody(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request.raw.headers['content-type'] = 'application/octet-stream';
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
}

/** A connection that is kept alive after its last answer would hold up the end of the process for as long. */
function hangUpWhenClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done();
  });
}

const REMOVED = '[removed]';

/** From here on the sender holds our token. */
async function receive(
  {
    inbox,
    callbacks,
    deliver,
    log,
    clock = () => new Date(),
    metrics,
  }: CallbackAppOptions & { readonly metrics: CallbackMetrics },
  { paymentId, token }: { readonly paymentId: string; readonly token: string },
  bytes: Buffer,
): Promise<Answer> {
  const body = parse(bytes);
  if (body === undefined) return { kind: 'refused', cause: 'not-json' };

  const callback = callbacks.read(body.value);
  if (callback.kind === 'unreadable') {
    log.warn({ paymentId }, 'a callback with our token cannot be read');
    return { kind: 'refused', cause: 'unreadable' };
  }
  // 400 and not 404: the token was right, so this is the provider's mistake and it may see it. Not stored: under this payment it
  // would be a hint about another. The provider may change the case of ids.
  if (callback.paymentId.toLowerCase() !== paymentId) {
    log.warn({ paymentId }, 'a callback with our token is about another payment');
    return { kind: 'refused', cause: 'other-payment' };
  }

  try {
    const digest = createHash('sha256').update(bytes).digest('hex');
    // The provider repeats our URL in the body. The token itself is replaced too, wherever else it was put.
    const withoutToken = (text: string): string => callbacks.withoutToken(text.replaceAll(token, REMOVED));
    const entry = {
      paymentId,
      digest,
      body: withoutToken(body.text),
      reading: JSON.parse(withoutToken(JSON.stringify(callback.reading))) as CallbackReading,
      receivedAt: clock(),
    };
    const stored = await within(STORE_WITHIN_MS, inbox.add(entry));
    metrics.received.inc({ result: stored.kind });
    // Also a duplicate: the first one may have been stored by an endpoint that died before it delivered.
    if (stored.kind !== 'overflow') deliver({ paymentId, id: stored.id });
    return { kind: 'received' };
  } catch (error) {
    log.error({ paymentId, ...describeTrouble(error) }, 'a callback could not be stored');
    return { kind: 'refused', cause: 'not-stored' };
  }
}

/** JSON is UTF-8; bytes that are not would be changed by reading them, and what is stored must be what came. */
function parse(bytes: Buffer): { readonly text: string; readonly value: unknown } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
