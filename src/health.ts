import Fastify from 'fastify';
import { within } from './within';

export interface HealthSettings {
  readonly port: number;
  readonly host: string;
  /** What must work before traffic makes sense: each resolves when it does. None: ready as soon as the process is up. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Without it there is no `/metrics`. A registry of prom-client is one. */
  readonly metrics?: { readonly contentType: string; metrics(): Promise<string> };
}

export interface Health {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A later answer is none: whoever asks, asks again in a few seconds. */
const CHECK_WITHIN_MS = 2_000;

/**
 * Tells an orchestrator how a process is: `/healthz` (it runs), `/readyz` (what it needs answers; else 503, naming what does
 * not) and `/metrics`. On a port of its own, for inside the network. Why a check failed is not said: an error may name hosts.
 */
export async function startHealth({ port, host, checks, metrics }: HealthSettings): Promise<Health> {
  const app = Fastify({ logger: false, forceCloseConnections: true, requestTimeout: 10_000 });
  app.get('/healthz', () => ({ status: 'up' }));
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await resultOf(check)] as const),
    );
    const ready = results.every(([, result]) => result === 'ok');
    return reply.code(ready ? 200 : 503).send({ ready, checks: Object.fromEntries(results) });
  });
  if (metrics !== undefined) {
    app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  }
  const url = await app.listen({ port, host });
  return { url, close: () => app.close() };
}

async function resultOf(check: () => Promise<void>): Promise<'ok' | 'failed'> {
  try {
    await within(CHECK_WITHIN_MS, check());
    return 'ok';
  } catch {
    return 'failed';
  }
}
