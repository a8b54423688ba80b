import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { readLocalConfig } from '../../src/config';
import { startPostgres } from '../../dev/postgres';
import { startTemporal } from '../../dev/temporal';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';

/** What a run of the tests stands on, started once and shared. The tests' processes learn of it by `TEST_*` variables. */

const ROOT = path.resolve(__dirname, '../..');
const CACHE = path.join(ROOT, '.cache');
const silent = (): void => undefined;
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

type Stop = () => Promise<void>;

export interface Started {
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: Stop;
}

export async function temporalServer(): Promise<Started> {
  const temporal = await startTemporal({
    address: readLocalConfig().temporalAddress,
    cacheDir: CACHE,
    ui: false,
    searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    progress,
  });
  return {
    environment: {
      TEST_TEMPORAL_KIND: temporal.kind,
      TEST_TEMPORAL_ADDRESS: temporal.address,
      TEST_TEMPORAL_NAMESPACE: temporal.namespace,
    },
    stop: () => temporal.stop(),
  };
}

export async function postgresServer(): Promise<Started> {
  const { databaseUrl } = readLocalConfig();
  const postgres = await startPostgres({ databaseUrl, cacheDir: CACHE, progress, ephemeral: true, fsync: false });
  return { environment: { TEST_DATABASE_URL: postgres.url }, stop: () => postgres.stop() };
}

/** A bundle that cannot be made fails the tests that want it, and no others: see `workflowBundle`. */
export async function workflowBundle(): Promise<Started> {
  const folder = path.join(CACHE, `test-${process.pid}`);
  const file = path.join(folder, 'workflow-bundle.js');
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: console.warn, error: silent };
  try {
    const payloads = path.join(ROOT, 'src/workflows/payloads.ts');
    const { code } = await bundleWorkflowCode({
      workflowsPath: path.join(ROOT, 'src/workflows/index.ts'),
      payloadConverterPath: payloads,
      workflowInterceptorModules: [payloads],
      preloadModules: [path.join(ROOT, 'src/workflows/index.ts'), payloads],
      logger,
    });
    await mkdir(folder, { recursive: true });
    await writeFile(file, code);
    return { environment: { TEST_WORKFLOW_BUNDLE: file }, stop: () => rm(folder, { recursive: true, force: true }) };
  } catch (error) {
    return { environment: { TEST_WORKFLOW_BUNDLE_ERROR: String(error) }, stop: () => Promise.resolve() };
  }
}
