import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { strikesBefore, type Endpoint, type FaultPlan, type RequestFault } from './faults';
import type { AppParts } from './replies';
import { fieldsOf, textOf } from './requests';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its answer meets on the way. */
    fault: RequestFault | null;
  }
}

interface Target {
  readonly endpoint: Endpoint;
  readonly subject: string;
}

/** Puts the faults of a plan between the endpoints and the wire. */
export function disturbRequests(app: FastifyInstance, faults: FaultPlan, { ledger, provider }: AppParts): void {
  const asked = new Map<string, number>();
  const nth = (key: string): number => {
    const count = (asked.get(key) ?? 0) + 1;
    asked.set(key, count);
    return count;
  };

  app.server.on('connection', (socket) => {
    if (!faults.refuses(nth('connection'))) return;
    ledger.noteFault('connection', 'connection-refused');
    socket.resetAndDestroy();
  });
  app.addHook('preHandler', async (request, reply) => {
    const target = targetOf(request);
    if (target === undefined) return undefined;
    const { endpoint, subject } = target;
    const fault = faults.request(endpoint, subject, nth(`${endpoint} ${subject}`));
    if (fault === undefined) return undefined;
    ledger.noteFault(endpoint, fault.kind);
    if (!strikesBefore(fault)) {
      request.fault = fault;
      return undefined;
    }
    if (endpoint === 'pay') provider.turnAway(subject);
    return answerInstead(request, reply, fault);
  });
  app.addHook('onSend', async (request, reply, payload) =>
    request.fault === null ? payload : await spoil(request, reply, request.fault, payload),
  );
}

/** Whether the caller may read the whole answer, fault or not. */
export const arrives = (fault: RequestFault | null): boolean => fault === null || fault.kind === 'body-slow';

function targetOf(request: FastifyRequest): Target | undefined {
  const path = request.url.split('?')[0];
  if (path === '/connect/token') return { endpoint: 'token', subject: '' };
  if (path !== '/v1/bill-payments') return undefined;
  const fields = fieldsOf(request.method === 'GET' ? request.query : request.body);
  const id = textOf(fields, 'OriginatorConversationId') ?? '';
  if (request.method === 'GET') return { endpoint: 'look', subject: id };
  const type = fields.get('transactiontype');
  if (type === 3) return { endpoint: 'validate', subject: textOf(fields, 'AccountNumber') ?? '' };
  return type === 2 ? { endpoint: 'pay', subject: id } : undefined;
}

const STATUS_OF: Readonly<Partial<Record<RequestFault['kind'], number>>> = {
  'answer-401': 401,
  'answer-403': 403,
  'answer-429': 429,
  'answer-5xx': 503,
};

/** The rules never see it. */
function answerInstead(request: FastifyRequest, reply: FastifyReply, { kind, holdMs }: RequestFault): FastifyReply {
  const status = STATUS_OF[kind];
  if (status === 429) reply.header('retry-after', '1');
  if (status !== undefined) return reply.code(status).send();
  reply.hijack();
  const { socket } = request.raw;
  if (request.seen !== null) request.seen.answered = kind === 'reset-before-capture' ? 'reset' : 'no answer';
  if (kind === 'reset-before-capture') socket.resetAndDestroy();
  else hangUpAfter(holdMs, socket);
  return reply;
}

function hangUpAfter(ms: number, socket: FastifyRequest['raw']['socket']): void {
  const giveUp = setTimeout(() => socket.destroy(), ms);
  socket.once('close', () => clearTimeout(giveUp));
}

/** The rules have answered, and the answer does not arrive as it is. */
async function spoil(
  request: FastifyRequest,
  reply: FastifyReply,
  { kind, holdMs }: RequestFault,
  payload: unknown,
): Promise<unknown> {
  const { socket } = request.raw;
  const text = typeof payload === 'string' ? payload : '';
  const half = Math.ceil(text.length / 2);
  switch (kind) {
    case 'reset-after-capture':
      if (request.seen !== null) request.seen.answered = 'reset';
      socket.resetAndDestroy();
      return payload;
    case 'timeout-after-capture':
      if (request.seen !== null) request.seen.answered = 'no answer';
      await hangs(holdMs, socket);
      socket.destroy();
      return payload;
    case 'body-unreadable':
      reply.header('content-type', 'text/html');
      return '<html><head><title>Just a moment</title></head><body>Please try again.</body></html>';
    case 'body-truncated':
      // The length of the whole is announced, and the connection ends half-way.
      reply.header('content-length', Buffer.byteLength(text) + 1);
      return Readable.from(inParts([text.slice(0, half)], () => void socket.destroy()));
    case 'body-slow':
      return Readable.from(inParts([text.slice(0, half), text.slice(half)], () => hangs(holdMs, socket)));
    case 'answer-401':
    case 'answer-403':
    case 'answer-429':
    case 'answer-5xx':
    case 'reset-before-capture':
    case 'timeout-before-capture':
      return payload; // answered before
  }
}

/** Until then, or until the caller has had enough. */
async function hangs(ms: number, socket: FastifyRequest['raw']['socket']): Promise<void> {
  const left = new AbortController();
  const leave = () => left.abort();
  socket.once('close', leave);
  await sleep(ms, undefined, { ref: false, signal: left.signal }).catch(() => undefined);
  socket.off('close', leave);
}

async function* inParts(parts: readonly string[], afterFirst: () => Promise<void> | void): AsyncGenerator<string> {
  for (const [index, part] of parts.entries()) {
    yield part;
    if (index === 0) await afterFirst();
  }
}
