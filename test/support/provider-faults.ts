import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { almaraAt } from '../../dev/almara';
import { createAlmara } from '../../src/almara';
import { createLog } from '../../src/log';
import type { Provider } from '../../src/payment/provider';
import type { Fault } from '../../verification/faults';
import { atEndOfFile } from './at-end';
import { CREDENTIALS } from './flow';

/** What a provider, or the network before it, can do to one request. */
export type AnswerFault = Extract<
  Fault,
  'connection-refused' | `${'reset' | 'timeout'}-${'before' | 'after'}-capture` | `answer-${string}` | `body-${string}`
>;

/** The whole of a read or of the payment. Whoever meets a fault need not wait long for it. */
const GIVES_UP_AFTER = 1_000;

/** The real adapter with the real provider behind a fault: every request of it meets that one. Tokens come without. */
export async function almaraBehind(fault: AnswerFault, providerUrl: string): Promise<Provider> {
  const almara = createAlmara(
    {
      ...almaraAt(providerUrl, CREDENTIALS),
      apiUrl: await faultyUrl(fault, providerUrl),
      timeouts: { readMs: GIVES_UP_AFTER, payMs: GIVES_UP_AFTER },
    },
    { log: createLog('test', 'silent') },
  );
  atEndOfFile(() => almara.close());
  return almara;
}

async function faultyUrl(fault: AnswerFault, providerUrl: string): Promise<string> {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(fault, { request, response, body, providerUrl }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((closed) => server.close(closed));
  };
  if (fault === 'connection-refused') await close();
  else atEndOfFile(close);
  return `http://127.0.0.1:${port}`;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly providerUrl: string;
}

async function answer(fault: AnswerFault, { request, response, body, providerUrl }: Exchange): Promise<void> {
  const forwarded = async () => {
    const { method = 'GET', headers } = request;
    const answered = await fetch(`${providerUrl}${request.url ?? ''}`, {
      method,
      headers: { authorization: headers.authorization ?? '', 'content-type': 'application/json' },
      ...(method === 'POST' && { body: new Uint8Array(body) }),
    });
    return { status: answered.status, text: await answered.text() };
  };
  const refuse = (status: number) => void response.writeHead(status, JSON_CONTENT).end('{"message":"not now"}');
  /** The head and half of the body; `then` says what becomes of the rest. */
  const half = async (then: () => void): Promise<void> => {
    const { status, text } = await forwarded();
    response.writeHead(status, { ...JSON_CONTENT, 'content-length': Buffer.byteLength(text) });
    response.write(text.slice(0, text.length / 2), then);
  };
  const silence = (): void => undefined;
  switch (fault) {
    case 'connection-refused':
    case 'timeout-before-capture':
      return;
    case 'reset-before-capture':
      return void request.socket.resetAndDestroy();
    case 'reset-after-capture':
      await forwarded();
      return void request.socket.resetAndDestroy();
    case 'timeout-after-capture':
      return void (await forwarded());
    case 'answer-401':
    case 'answer-403':
    case 'answer-429':
      return refuse(Number(fault.slice(-3)));
    case 'answer-5xx':
      return refuse(503);
    case 'body-truncated':
      return await half(() => request.socket.destroy());
    case 'body-slow':
      return await half(silence);
    case 'body-unreadable':
      return void response.writeHead((await forwarded()).status, JSON_CONTENT).end('<html>Service Portal</html>');
  }
}

const JSON_CONTENT = { 'content-type': 'application/json' };

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
