import { setImmediate, setTimeout } from 'node:timers/promises';
import { createBackground, createMetrics, startSweeper } from '../../src/callbacks';
import { startHealth } from '../../src/health';
import { later } from '../support/later';
import { send } from './support';

describe('delivery in the background', () => {
  test('runs so many payments at a time, one never twice, and joins what waits', async () => {
    const first = later<void>();
    const runs: [string, number[]][] = [];
    let running = 0;
    let most = 0;
    const background = createBackground({
      concurrency: 2,
      onFailure: () => undefined,
      run: async (paymentId, ids) => {
        runs.push([paymentId, [...ids]]);
        most = Math.max(most, (running += 1));
        await first.promise;
        running -= 1;
      },
    });
    background.offer({ paymentId: 'a', id: 1 });
    for (const id of [2, 3, 3]) background.offer({ paymentId: 'a', id });
    background.offer({ paymentId: 'b', id: 4 });
    background.offer({ paymentId: 'c', id: 5 });
    await setImmediate();
    expect(runs).toEqual([
      ['a', [1]],
      ['b', [4]],
    ]);
    first.resolve();
    await background.idle();
    expect(runs.slice(2)).toEqual([
      ['a', [2, 3]],
      ['c', [5]],
    ]);
    expect(most).toBe(2);
  });

  test('what does not fit is dropped, what fails is reported, and it goes on', async () => {
    const runs: string[] = [];
    const failures: [string, unknown][] = [];
    const error = new Error('broken');
    const background = createBackground({
      concurrency: 1,
      mayWait: 2,
      onFailure: (...failure) => void failures.push(failure),
      run: (paymentId) => {
        runs.push(paymentId);
        return paymentId === 'a' ? Promise.reject(error) : Promise.resolve();
      },
    });
    for (const paymentId of ['a', 'b', 'c', 'd']) background.offer({ paymentId, id: 1 });
    await background.idle();
    expect(runs).toEqual(['a', 'b', 'c']);
    expect(failures).toEqual([['a', error]]);
    background.offer({ paymentId: 'd', id: 1 });
    await background.idle();
    expect(runs).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('the sweeper', () => {
  test('sweeps at once and again, never twice at a time, and closing waits for the running sweep', async () => {
    const fourth = later<void>();
    const reachedFourth = later<void>();
    let [sweeps, running, most] = [0, 0, 0];
    const failures: unknown[] = [];
    const sweeper = startSweeper({
      everyMs: 1,
      onFailure: (error) => void failures.push(error),
      sweep: async () => {
        sweeps += 1;
        most = Math.max(most, (running += 1));
        if (sweeps === 4) {
          reachedFourth.resolve();
          await fourth.promise;
        }
        await setTimeout(5); // longer than the pause: a timer that did not wait for it would overlap
        running -= 1;
        if (sweeps === 2) throw new Error('second');
      },
    });
    expect(sweeps).toBe(1);
    await reachedFourth.promise;
    let closed = false;
    const closing = sweeper.close().then(() => (closed = true));
    await setTimeout(20);
    expect(closed).toBe(false);
    fourth.resolve();
    await closing;
    await setTimeout(20);
    expect([sweeps, most, failures.length]).toEqual([4, 1, 1]);
  });
});

describe('health', () => {
  test('tells what runs and what is ready, and names what is not without saying why', async () => {
    let isUp = false;
    createMetrics().refused.inc({ cause: 'not-ours' }); // another endpoint's, in the same process
    const metrics = createMetrics();
    metrics.refused.inc({ cause: 'not-ours' });
    const health = await startHealth({
      host: '127.0.0.1',
      port: 0,
      checks: {
        store: () => (isUp ? Promise.resolve() : Promise.reject(new Error('postgresql://user:secret@host'))),
        engine: () => Promise.resolve(),
        hangs: () => (isUp ? Promise.resolve() : new Promise(() => undefined)),
      },
      metrics: metrics.registry,
    });
    const get = (path: string) => send(`${health.url}${path}`, { method: 'GET' });
    expect((await get('/healthz')).status).toBe(200);
    const notReady = await get('/readyz');
    expect(notReady.status).toBe(503);
    expect(JSON.parse(notReady.text)).toEqual({
      ready: false,
      checks: { store: 'failed', engine: 'ok', hangs: 'failed' },
    });
    isUp = true;
    expect((await get('/readyz')).status).toBe(200);
    const served = await get('/metrics');
    expect(served.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(served.text).toContain('\nalmara_callbacks_refused_total{cause="not-ours"} 1\n');
    expect(served.text).toContain('\nalmara_callbacks_refused_total{cause="not-stored"} 0\n');
    expect(served.text).toContain('\nalmara_callbacks_contradictions_total 0\n');
    expect(served.text).toContain('\n# TYPE almara_callbacks_undelivered gauge\nalmara_callbacks_undelivered 0\n');
    await health.close();
    await expect(get('/healthz')).rejects.toThrow();
  });
});
