import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { GUARD } from '../../dev/child';
import { freePort } from '../../dev/ports';
import { startTemporal, type TemporalOptions } from '../../dev/temporal';
import { findTemporal, WAYS, type Way } from '../../dev/temporal-binary';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import { howToAddSearchAttributes, missingSearchAttributes } from '../../src/worker/search-attributes';

const CACHE = path.resolve(__dirname, '../../.cache');
const silent = (): void => undefined;
const options: TemporalOptions = { cacheDir: CACHE, ui: false, searchAttributes: [], progress: silent };

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(path.join(tmpdir(), 'temporal-test-'));
  folders.push(made);
  return made;
};
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true, force: true })));

/** A `temporal` in a cache folder that ends with this code whatever it is asked. */
function fakeCommand(exitCode: number): string {
  const cacheDir = folder();
  mkdirSync(path.join(cacheDir, 'bin'));
  writeFileSync(path.join(cacheDir, 'bin/temporal'), `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(path.join(cacheDir, 'bin/temporal'), 0o755);
  return cacheDir;
}

describe('the dev server', () => {
  it('answers with the Web UI and the search attributes, and is gone after stop', async () => {
    const temporal = await startTemporal({ ...options, ui: true, searchAttributes: Object.values(SEARCH_ATTRIBUTES) });
    const connection = await Connection.connect(temporal.connectionOptions);
    expect(await missingSearchAttributes(connection, temporal.namespace)).toEqual([]);
    await connection.close();
    expect((await fetch(`${temporal.uiUrl}/namespaces/default/workflows`)).status).toBe(200);

    await temporal.stop();
    await expect(fetch(temporal.uiUrl ?? '')).rejects.toThrow('fetch failed');
    await expect(Connection.connect({ ...temporal.connectionOptions, connectTimeout: 200 })).rejects.toThrow();
    expect(readdirSync(CACHE).filter((name) => name.includes(temporal.address.split(':')[1] ?? ''))).toEqual([]);
  });

  it('keeps what it knows in a file, and starts again from it', async () => {
    const kept = {
      ...options,
      dbFilename: path.join(folder(), 'temporal.db'),
      searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    };
    const first = await startTemporal(kept);
    await first.stop();
    expect(existsSync(kept.dbFilename)).toBe(true);
    const second = await startTemporal(kept);
    await second.stop();
  });

  it('names the command for each search attribute that is missing or of another type', async () => {
    const state = defineSearchAttributeKey('BillPaymentState', 'TEXT');
    const temporal = await startTemporal({ ...options, searchAttributes: [state, SEARCH_ATTRIBUTES.service] });
    const connection = await Connection.connect(temporal.connectionOptions);
    const missing = await missingSearchAttributes(connection, 'default');
    await connection.close();
    await temporal.stop();
    expect(howToAddSearchAttributes(missing, 'default')).toBe(
      [
        'The namespace default lacks search attributes of this system. Add them, then start again:',
        '  # BillPaymentState is there as Text',
        '  temporal operator search-attribute remove --namespace default --name BillPaymentState --yes',
        '  temporal operator search-attribute create --namespace default --name BillPaymentState --type Keyword',
        '  temporal operator search-attribute create --namespace default --name BillPaymentReason --type Keyword',
      ].join('\n'),
    );
  });

  it('uses a given server, and leaves it running', async () => {
    const own = await startTemporal(options);
    const given = await startTemporal({ ...options, address: own.address });
    expect(given).toMatchObject({ kind: 'given', address: own.address, namespace: 'default' });
    await given.stop();
    const connection = await Connection.connect(own.connectionOptions);
    await connection.close();
    await own.stop();
  });

  it('says that nothing answers at a given address', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await expect(startTemporal({ ...options, address })).rejects.toThrow(/No Temporal server answers at/);
  });

  it('says how to go on when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(startTemporal({ ...options, port })).rejects.toThrow(`Port ${port} is taken`);
    await new Promise((resolve) => other.close(resolve));
  });

  it('tells the last words of a server that ends while it starts', async () => {
    const dbFilename = path.join(folder(), 'no such folder', 'temporal.db');
    await expect(startTemporal({ ...options, dbFilename })).rejects.toThrow(
      /ended while it was starting[^]*no such folder/,
    );
  });

  it('dies with the process that started it', async () => {
    // The kernel closes the pipe of a process that was killed; closing it here is the same to the shell between.
    const shell = spawn('/bin/sh', ['-c', GUARD, 'guard', 'TERM', '', 'sh', '-c', 'echo $$; exec sleep 600'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [pid] = (await once(shell.stdout, 'data')) as [Buffer];
    expect(() => process.kill(Number(pid), 0)).not.toThrow();
    shell.stdin.destroy();
    await once(shell, 'exit');
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });
});

describe('where the temporal command comes from', () => {
  const way = (name: string, found: string | undefined, asked: string[]): Way => ({
    name,
    find: async () => {
      asked.push(name);
      return found;
    },
  });
  const search = { cacheDir: folder(), progress: silent };

  it('is asked for in this order', () => {
    expect(WAYS.map(({ name }) => name)).toEqual([
      'temporal on the PATH',
      "an earlier run's copy",
      "the SDK's download",
      'a build with Go',
    ]);
  });

  it('is the first way that is open, and no further one is tried', async () => {
    const asked: string[] = [];
    const ways = [way('closed', undefined, asked), way('open', '/some/temporal', asked), way('never', '/other', asked)];
    expect(await findTemporal(search, ways)).toBe('/some/temporal');
    expect(asked).toEqual(['closed', 'open']);
  });

  it('is one message with the four ways out when all are closed', async () => {
    await expect(findTemporal(search, [way('closed', undefined, [])])).rejects.toThrow(
      /TEMPORAL_ADDRESS[^]*on the PATH[^]*download[^]*Go/,
    );
  });

  it("is an earlier run's copy only if that still runs", async () => {
    const inCache = WAYS.filter(({ name }) => name.includes('copy'));
    const working = fakeCommand(0);
    expect(await findTemporal({ ...search, cacheDir: working }, inCache)).toBe(path.join(working, 'bin/temporal'));
    await expect(findTemporal({ ...search, cacheDir: fakeCommand(1) }, inCache)).rejects.toThrow();
  });
});
