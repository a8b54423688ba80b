import type { ServersGlobal } from './global-setup';

export default async function stopServers(): Promise<void> {
  const started = (globalThis as ServersGlobal).startedServers ?? [];
  await Promise.all(started.map((server) => server.stop()));
}
