import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import { atEndOfFile } from './at-end';

export interface TestTemporal {
  /** For workers. The client shares it, so that a first workflow task may come with the start. */
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
}

let opened: Promise<TestTemporal> | undefined;

/** The run's Temporal server: one connection for each test file, closed when the file is done. */
export function testTemporal(): Promise<TestTemporal> {
  return (opened ??= open());
}

/** A task queue nobody else uses: a worker of another test must not take this one's tasks. */
export function randomQueue(): string {
  return `test-${randomUUID()}`;
}

/** `IndexedValueType` of Temporal's API. */
const KEYWORD = 2;

/** A namespace nobody else uses, with the search attributes: there the task queue of the wire contract is free. */
export async function ownNamespace(): Promise<string> {
  const { workflowService, operatorService } = (await testTemporal()).client.connection;
  const namespace = `test-${randomUUID()}`;
  await workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(names.map((name) => [name, KEYWORD])),
  });
  return namespace;
}

/** For `Worker.create({ workflowBundle })`: the workflows of src/, bundled once for the run. */
export function workflowBundle(): { codePath: string } {
  const { TEST_WORKFLOW_BUNDLE: codePath, TEST_WORKFLOW_BUNDLE_ERROR: error } = process.env;
  if (codePath === undefined)
    throw new Error(`the workflows could not be bundled: ${error ?? 'the global setup did not run'}`);
  return { codePath };
}

/** The same as text, for a worker that takes code. */
export async function workflowBundleCode(): Promise<string> {
  return await readFile(workflowBundle().codePath, 'utf8');
}

async function open(): Promise<TestTemporal> {
  const { TEST_TEMPORAL_ADDRESS: address, TEST_TEMPORAL_NAMESPACE: namespace, TEST_TEMPORAL_KIND: kind } = process.env;
  if (address === undefined || namespace === undefined) throw new Error('the global setup did not run');
  // Jest ends on a signal by itself; without this the runtime would take it.
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  const settings = kind === 'given' ? loadClientConnectConfig().connectionOptions : {};
  const connection = await NativeConnection.connect({ ...settings, address });
  atEndOfFile(async () => {
    await connection.close();
    // Its threads would keep this process alive.
    await Runtime.instance().shutdown();
  });
  return { connection, client: new Client({ connection, namespace }), address, namespace };
}
