import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Measured, Round } from '../../dev/bench/measure';
import { cpuOfTrees, listenerOn, memoryOfTrees } from '../../dev/bench/proc';
import { median, resultsOf } from '../../dev/bench/results';
import { PARTS, type ByPart } from '../../dev/bench/stage';
import { inWords } from '../../dev/bench/table';

const SETTINGS = { rounds: 3, payments: 10, atOnce: 2, alone: 1, providerMs: 300 };

const each = (ms: number): ByPart => Object.fromEntries(PARTS.map((part) => [part, ms])) as ByPart;
const measured = (cpuMs: number, perSecond: number): Measured => ({
  ...{ perSecond, aloneMs: [perSecond], cpuMs: each(cpuMs), driverCpuMs: 1, events: 27 },
});
/** The machine is `slow` times as slow: what is compared within a round stays as it is. */
const round = (slow: number): Round => ({
  payment: measured(6 * slow, 30 / slow),
  raw: { ...measured(1 * slow, 100 / slow), events: null },
  skeleton: measured(4 * slow, 40 / slow),
  bare: measured(2 * slow, 90 / slow),
  samples: measured(8 * slow, 20 / slow),
});

describe('results', () => {
  const results = resultsOf([round(1), round(4), round(2)], SETTINGS, undefined);

  it('are medians over the rounds, and a row adds up', () => {
    expect(results.rows.map(({ name }) => name)).toEqual(['payment', 'raw', 'skeleton', 'bare', 'samples']);
    expect(results.rows[0]).toEqual({
      ...{ name: 'payment', perSecond: 15, p50Ms: 15, driverCpuMs: 1, events: 27 },
      cpuMs: { ...each(12), total: 60 },
    });
    expect(results.rows[1]?.events).toBeNull();
  });

  it('compare within a round', () => {
    expect(results.ratios).toEqual({
      'cpu payment/(raw+skeleton)': 1.2,
      'cpu payment/samples': 0.75,
      'cpu payment/bare': 3,
      'cpu payment/raw': 6,
      'perSecond payment/bare': 0.333,
      'perSecond payment/samples': 1.5,
    });
  });

  it('leave out what was not measured', () => {
    const { payment, samples } = round(1);
    const some = resultsOf([{ ...(payment && { payment }), ...(samples && { samples }) }], SETTINGS, undefined);
    expect(some.rows.map(({ name }) => name)).toEqual(['payment', 'samples']);
    expect(Object.keys(some.ratios)).toEqual(['cpu payment/samples', 'perSecond payment/samples']);
  });

  it('read as a table', () => {
    const said = inWords(results);
    expect(said).toMatch(/^ +per second +p50 ms +worker +endpoint +sandbox +temporal +postgres +total +events/m);
    expect(said).toMatch(/^payment +15\.0 +15\.0 +12\.0 +12\.0 +12\.0 +12\.0 +12\.0 +60\.0 +27 +1\.0$/m);
    expect(said).toMatch(/^cpu payment\/\(raw\+skeleton\) +1\.20 +from 1\.20 to 1\.20$/m);
  });

  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
    [[], NaN],
  ])('the median of %j is %d', (numbers, expected) => expect(median(numbers)).toBe(expected));
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('what a process uses', () => {
  it('grows with what it does', () => {
    const [before = NaN] = cpuOfTrees([[process.pid]]);
    const until = performance.now() + 100;
    while (performance.now() < until);
    const [after = NaN] = cpuOfTrees([[process.pid]]);
    // It may have had to share: some of that time it has had, in hundredths of a second.
    expect(after - before).toBeGreaterThanOrEqual(10);
  });

  it('is the memory that it has written', () => {
    const [before = NaN] = memoryOfTrees([[process.pid]]);
    const held = Buffer.alloc(64 << 20, 1);
    const [after = NaN] = memoryOfTrees([[process.pid]]);
    expect(after - before).toBeGreaterThan(held.length * 0.9);
  });

  it('is found by the port that it listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(listenerOn(port)).toBe(process.pid);
    server.close();
    await once(server, 'close');
    expect(listenerOn(port)).toBeUndefined();
  });
});
