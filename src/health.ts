import Fastify from 'fastify';

export interface HealthSettings {
  readonly port: number;
  readonly host: string;
  /** What must work before traffic makes sense: each resolves when it does. None: ready as soon as the process is up. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Prometheus text. Without it there is no `/metrics`. */
  readonly metrics?: () => string;
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
    const named = Object.entries(checks);
    const passed = await Promise.all(named.map(([, check]) => passes(check)));
    const results = Object.fromEntries(named.map(([name], index) => [name, passed[index] === true ? 'ok' : 'failed']));
    const ready = !passed.includes(false);
    return reply.code(ready ? 200 : 503).send({ ready, checks: results });
  });
  if (metrics !== undefined) {
    app.get('/metrics', (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics()));
  }
  const url = await app.listen({ port, host });
  return { url, close: () => app.close() };
}

async function passes(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, CHECK_WITHIN_MS, false)));
  try {
    return await Promise.race([check().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
