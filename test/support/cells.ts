import type { BillPaymentRequest } from '../../src/payment/request';
import { POSSIBLE, type Outcome, type Possible } from '../../verification/fault-matrix';
import type { Fault, Step } from '../../verification/faults';
import type { Flow } from './flow';
import { expectNoViolation } from './payment-truth';

/** A cell of the fault matrix with its outcome. What the matrix says otherwise cannot be shown. */
export type CellName = `${Fault} at ${Step}: ${Outcome}`;

/** Shows on real servers that the outcome is as the cell says; gives the payment, whose guarantees are then checked. */
export type Scenario = () => Promise<BillPaymentRequest>;

export const nameOf = ({ fault, step, outcome }: Possible): CellName => `${fault} at ${step}: ${outcome}`;

/** What takes time is waiting, so several go at once; all of them would be more than a small machine can take. */
const AT_ONCE = 12;

/** A test for each cell that is shown. The scenarios run side by side from the start on. */
export function testCells(start: () => Promise<Flow>, shown: Readonly<Partial<Record<CellName, Scenario>>>): void {
  const scenarios = Object.entries(shown);
  const runs = new Map<string, Promise<unknown>>();

  beforeAll(async () => {
    const flow = await start();
    const lanes: Promise<unknown>[] = [];
    for (const [index, [name, scenario]] of scenarios.entries()) {
      const lane = index % AT_ONCE;
      const show = async (): Promise<void> => void (await expectNoViolation(flow, await scenario()));
      const run = Promise.resolve(lanes[lane])
        .then(show)
        .catch((error: unknown) => error);
      lanes[lane] = run;
      runs.set(name, run);
    }
  });

  test.each(scenarios.map(([name]) => name))('%s', async (name) => {
    expect(POSSIBLE.map(nameOf)).toContain(name);
    const failed = await runs.get(name);
    if (failed instanceof Error) throw failed;
    expect(failed).toBeUndefined();
  });
}
