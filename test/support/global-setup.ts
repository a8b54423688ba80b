import { postgresServer, temporalServer, workflowBundle, type Started } from './servers';

export interface ServersGlobal {
  startedServers?: readonly Started[];
}

export default async function startServers(): Promise<void> {
  const starting = await Promise.allSettled([temporalServer(), postgresServer(), workflowBundle()]);
  const started = starting.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = starting.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (failed.length > 0) {
    await Promise.all(started.map((server) => server.stop())); // Jest runs no teardown after a failed setup
    throw new Error(failed.map((error) => error.message).join('\n\n'));
  }
  for (const { environment } of started) Object.assign(process.env, environment);
  (globalThis as ServersGlobal).startedServers = started;
}
