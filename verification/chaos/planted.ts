import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A bug put in on purpose: something between the worker and the provider that sends each payment request twice, as a client
 * library with retries would. A run with it must fail.
 */
export async function startRepeatingProvider(
  provider: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    void forward(provider, incoming)
      .then(
        async (answer) => {
          outgoing.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
          outgoing.end(await answer.text());
        },
        () => outgoing.destroy(),
      )
      .catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function forward(provider: string, incoming: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const headers: Record<string, string> = {};
  for (const name of ['authorization', 'content-type'] as const) {
    const value = incoming.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  const ask = () =>
    fetch(`${provider}${incoming.url ?? ''}`, {
      method: incoming.method ?? 'GET',
      headers,
      ...(incoming.method === 'POST' && { body }),
    });
  if (/"transactionType"\s*:\s*2/i.test(body)) await ask().catch(() => undefined);
  return await ask();
}
