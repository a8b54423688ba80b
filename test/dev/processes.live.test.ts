import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../dev/ports';
import { atEndOfFile } from '../support/at-end';
import { until } from '../support/flow';
import { testDatabase } from '../support/postgres';
import { ownNamespace, testTemporal } from '../support/temporal';
import { spawnGuarded, type WorkerProcess } from '../support/worker-process';

/** `npm start`, the demo and the benchmark end by themselves when they cannot start, and at a signal; nothing of them stays. */

const RUNNER = path.join(__dirname, '../support/run-typescript.cjs');
const run = (program: string, environment: NodeJS.ProcessEnv): Promise<WorkerProcess> =>
  spawnGuarded([RUNNER, path.join(__dirname, '../../dev', `${program}.ts`)], { ...process.env, ...environment });

/** More than a busy machine needs to load the sources; a process that hangs stays for ever. */
const ENDS_WITHIN_MS = 120_000;
const codeOf = ({ ended }: WorkerProcess): Promise<number | 'still there'> =>
  Promise.race([
    ended,
    new Promise<'still there'>((resolve) => setTimeout(() => resolve('still there'), ENDS_WITHIN_MS).unref()),
  ]);

/** Every process that has this one as its parent: Linux only, elsewhere nothing is seen. */
function childrenOf(pid: number): readonly string[] {
  const processes = (() => {
    try {
      return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    } catch {
      return [];
    }
  })();
  return processes.filter((name) => {
    try {
      return readFileSync(`/proc/${name}/status`, 'utf8').includes(`\nPPid:\t${pid}\n`);
    } catch {
      return false; // it has ended
    }
  });
}

async function servers(): Promise<Record<string, string>> {
  const { address } = await testTemporal();
  const { url, drop } = await testDatabase({ migrated: false });
  atEndOfFile(drop);
  return { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: await ownNamespace(), DATABASE_URL: url };
}

describe.each(['start', 'demo', 'bench/main'])('%s', (program) => {
  test('a database that does not answer: the sentence, and code 1', async () => {
    const DATABASE_URL = `postgresql://user:secret@127.0.0.1:${await freePort()}/billpay`;
    const process = await run(program, { DATABASE_URL });
    expect(await codeOf(process)).toBe(1);
    const said = process.lines.join('\n');
    expect(said).toContain('DATABASE_URL is set, but its server does not answer: connect ECONNREFUSED');
    expect(said).not.toContain('secret');
  });

  test('a Temporal server that does not answer, with the database in use already: the sentence, and code 1', async () => {
    const TEMPORAL_ADDRESS = `127.0.0.1:${await freePort()}`;
    const process = await run(program, { ...(await servers()), TEMPORAL_ADDRESS });
    expect(await codeOf(process)).toBe(1);
    expect(process.lines.join('\n')).toContain(`No Temporal server answers at ${TEMPORAL_ADDRESS}`);
  });
});

describe('start', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order, with code 0 and no child left', async (signal) => {
    const process = await run('start', await servers());
    await process.says('Stop with Ctrl-C');
    const children = childrenOf(process.pid);
    process.kill(signal);
    expect(await codeOf(process)).toBe(0);
    expect(process.lines.join('\n')).toMatch(/Stopping …(?!.*did not stop)/s);
    const alive = () => children.filter((pid) => isAlive(Number(pid)));
    expect(await until('its children end', alive, (left) => left.length === 0)).toEqual([]);
  });

  test('its ports are taken: it takes others, and says which', async () => {
    const one = await run('start', await servers());
    await one.says('Stop with Ctrl-C');
    const other = await run('start', await servers());
    await other.says('Stop with Ctrl-C');
    const sandboxOf = ({ lines }: WorkerProcess) => /simulated: (\S+)/.exec(lines.join('\n'))?.[1];
    expect(sandboxOf(one)).toMatch(/^http:/);
    expect(sandboxOf(other)).not.toBe(sandboxOf(one));
    for (const process of [one, other]) process.kill('SIGTERM');
    expect(await Promise.all([codeOf(one), codeOf(other)])).toEqual([0, 0]);
  });
});

test('a signal while it starts ends it too', async () => {
  const process = await run('start', await servers());
  await process.says('Temporal: using the server');
  process.kill('SIGTERM');
  expect(await codeOf(process)).toBe(1);
});

test('demo: a signal ends it while it pays, with code 1', async () => {
  const process = await run('demo', await servers());
  await process.says('Paying');
  process.kill('SIGTERM');
  expect(await codeOf(process)).toBe(1);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
