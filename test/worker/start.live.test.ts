import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { startTemporal } from '../../dev/temporal';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import { atEndOfFile } from '../support/at-end';
import { testDatabase } from '../support/postgres';
import { testTemporal } from '../support/temporal';
import { spawnGuarded } from '../support/worker-process';

/** What `worker/main` refuses to start without: it says the command that mends it, and ends. */
const CACHE = path.join(__dirname, '../../.cache');
const WORKER_MAIN = [
  path.join(__dirname, '../support/run-typescript.cjs'),
  path.join(__dirname, '../../src/worker/main.ts'),
];

async function start(environment: Record<string, string>): Promise<{ code: number; said: string }> {
  const { lines, ended } = await spawnGuarded(WORKER_MAIN, {
    ...process.env,
    ALMARA_API_URL: 'http://127.0.0.1:9',
    ALMARA_IDENTITY_URL: 'http://127.0.0.1:9',
    ALMARA_CLIENT_ID: 'id',
    ALMARA_CLIENT_SECRET: 'secret',
    ALMARA_ROUTE_ID: '068d89af-be67-f011-bb46-0e7d952d79b7',
    CALLBACK_BASE_URL: 'https://callbacks.example',
    CALLBACK_KEYS: `test:${'A'.repeat(43)}=`,
    HOST: '127.0.0.1',
    HEALTH_PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'warn',
    ...environment,
  });
  return { code: await ended, said: lines.join('\n') };
}

async function database(migrated: boolean): Promise<string> {
  const { url, drop } = await testDatabase({ migrated });
  atEndOfFile(drop);
  return url;
}

test('a database that is not migrated', async () => {
  const { address, namespace } = await testTemporal();
  const DATABASE_URL = await database(false);
  const { code, said } = await start({ DATABASE_URL, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace });
  expect(said).toMatch(/lacks 0001-schema.*`billpay migrate`/);
  expect(code).toBe(1);
});

test('a namespace without a search attribute: the command that adds it', async () => {
  const searchAttributes = [SEARCH_ATTRIBUTES.state, SEARCH_ATTRIBUTES.service];
  const bare = await startTemporal({ cacheDir: CACHE, ui: false, searchAttributes, progress: () => undefined });
  atEndOfFile(() => bare.stop());
  const { address, namespace } = bare;
  const environment = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const { code, said } = await start({ ...environment, DATABASE_URL: await database(true) });
  const command =
    'temporal operator search-attribute create --namespace default --name BillPaymentReason --type Keyword';
  expect(said).toContain(command);
  expect(said).not.toContain('--name BillPaymentState');
  expect(code).toBe(1);
});

test('a health port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  atEndOfFile(async () => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const { address, namespace } = await testTemporal();
  const environment = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HEALTH_PORT: String(port) };
  const { code, said } = await start({ ...environment, DATABASE_URL: await database(true) });
  expect(said).toContain('EADDRINUSE');
  expect(code).toBe(1);
});
