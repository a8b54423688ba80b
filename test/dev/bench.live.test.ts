import { execFile } from 'node:child_process';
import path from 'node:path';
import { Worker } from '@temporalio/worker';
import { Client } from 'pg';
import type { Results } from '../../dev/bench/results';
import { TASK_QUEUE } from '../../src/payment/contract';
import { quickBuild, type Build } from '../support/build';
import { until } from '../support/flow';
import { testDatabase } from '../support/postgres';
import { ownNamespace, testTemporal } from '../support/temporal';

/** The bench on real processes, tiny: every row pays, the object has the documented shape, and nothing of it stays. */
const onLinux = process.platform === 'linux' ? describe : describe.skip;
/** `TaskQueueType` of Temporal's API. */
const ACTIVITY_QUEUE = 2;
const NODE_PARTS = ['worker', 'endpoint', 'sandbox'] as const;
const PARTS = [...NODE_PARTS, 'temporal', 'postgres'] as const;

interface Given {
  readonly options?: readonly string[];
  /** Default: a fresh one. */
  readonly namespace?: string;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

onLinux('the bench', () => {
  let build: Build;
  let databaseUrl: string;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    build = await quickBuild('bench', /^verification\//);
    ({ url: databaseUrl, drop } = await testDatabase({ migrated: false }));
  });
  afterAll(async () => {
    await drop();
    await build.remove();
  });

  async function bench({ options = [], namespace }: Given): Promise<Ended> {
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: (await testTemporal()).address,
      TEMPORAL_NAMESPACE: namespace ?? (await ownNamespace()),
      DATABASE_URL: databaseUrl,
    };
    return await new Promise((resolve) => {
      const main = path.join(build.folder, 'dev/bench/main.js');
      execFile(process.execPath, [main, ...options], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });
  }

  it('measures every row, and waiting payments, into one object', async () => {
    const amounts = ['--rounds', '1', '--payments', '3', '--at-once', '2', '--alone', '1'];
    const { code, stdout, stderr } = await bench({ options: ['--json', '--parked', '3', ...amounts] });
    expect({ code, said: code === 0 ? '' : stderr }).toEqual({ code: 0, said: '' });
    const { rows, ratios, rounds, parked } = JSON.parse(stdout) as Results;
    expect(rows.map(({ name }) => name)).toEqual(['payment', 'raw', 'skeleton', 'bare', 'samples']);
    for (const { perSecond, p50Ms, cpuMs } of rows) {
      expect(perSecond).toBeGreaterThan(0);
      expect(p50Ms).toEqual(expect.any(Number));
      expect(Object.keys(cpuMs)).toEqual([...PARTS, 'total']);
      expect(cpuMs.total).toBeCloseTo(
        PARTS.reduce((sum, part) => sum + cpuMs[part], 0),
        0,
      );
    }
    const events = Object.fromEntries(rows.map((row) => [row.name, row.events]));
    expect(events).toMatchObject({ raw: null, bare: 11 });
    // Or it would be another payment's skeleton.
    // A slow machine makes one task of what are two elsewhere.
    expect(Math.abs((events['skeleton'] ?? NaN) - (events['payment'] ?? NaN))).toBeLessThanOrEqual(3);
    expect(ratios['cpu payment/(raw+skeleton)']).toBeGreaterThan(0);
    expect(rounds).toHaveLength(1);
    expect(parked).toMatchObject({ payments: 3, woken: 3 });
    expect(Object.keys(parked?.bytesEach ?? {})).toEqual([...PARTS]);
    expect(Object.keys(parked?.heapBytesEach ?? {})).toEqual([...NODE_PARTS]);
    expect(await databasesOfTheBench()).toEqual([]);
  });

  it('pays nothing where another worker would send it', async () => {
    const { connection } = await testTemporal();
    const namespace = await ownNamespace();
    const activities = { sendIt: () => Promise.resolve() };
    const worker = await Worker.create({ connection, namespace, taskQueue: TASK_QUEUE, activities });
    const { code, stderr } = await worker.runUntil(async () => {
      await until(
        'it asks for work',
        () => pollersIn(namespace),
        (pollers) => pollers > 0,
      );
      return await bench({ namespace });
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`A worker takes payments from the task queue ${TASK_QUEUE} of the namespace ${namespace}`);
  });

  test.each([
    [['--rounds', 'some'], 'It must be a whole number.'],
    [['--payments', '0'], 'It must be at least 1.'],
    [['--rows', 'payment,all'], 'There is no row "all": payment, raw, skeleton, bare, samples.'],
  ])('%j is refused', async (options, sentence) => {
    const { code, stdout, stderr } = await bench({ options });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
  });

  /** Of activities: it has no workflows. */
  async function pollersIn(namespace: string): Promise<number> {
    const { workflowService } = (await testTemporal()).client.connection;
    const { pollers } = await workflowService.describeTaskQueue({
      ...{ namespace, taskQueue: { name: TASK_QUEUE }, taskQueueType: ACTIVITY_QUEUE },
    });
    return pollers?.length ?? 0;
  }

  async function databasesOfTheBench(): Promise<readonly unknown[]> {
    const sql = new Client({ connectionString: databaseUrl });
    await sql.connect();
    const { rows } = await sql.query("SELECT datname FROM pg_database WHERE datname LIKE 'billpay_bench_%'");
    await sql.end();
    return rows;
  }
});
