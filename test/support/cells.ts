import { concurrently } from '../../src/payment/concurrently';
import type { BillPaymentRequest } from '../../src/payment/request';
import { POSSIBLE, type Outcome, type Possible } from '../../verification/fault-matrix';
import type { Fault, Step } from '../../verification/faults';
import type { Flow } from './flow';
import { later } from './later';
import { expectNoViolation } from './payment-truth';

/** A cell of the fault matrix with its outcome. What the matrix says otherwise cannot be shown. */
export type CellName = `${Fault} at ${Step}: ${Outcome}`;

/** Shows on real servers that the outcome is as the cell says; gives the payment, whose guarantees are then checked. */
export type Scenario = () => Promise<BillPaymentRequest>;

export const nameOf = ({ fault, step, outcome }: Possible): CellName => `${fault} at ${step}: ${outcome}`;

/** What takes time is waiting, so many go at once; all of them would be more than a small machine can take. */
const AT_ONCE = 16;

/** A test for each cell that is shown. The scenarios run side by side from the start on. */
export function testCells(start: () => Promise<Flow>, shown: Readonly<Partial<Record<CellName, Scenario>>>): void {
  const scenarios = Object.entries(shown).map(([name, scenario]) => ({ name, scenario, failed: later<unknown>() }));

  beforeAll(async () => {
    const flow = await start();
    void concurrently(scenarios, AT_ONCE, async ({ scenario, failed }) => {
      const show = async () => void (await expectNoViolation(flow, await scenario()));
      failed.resolve(await show().catch((error: unknown) => error));
    });
  });

  test.each(scenarios)('$name', async ({ name, failed }) => {
    expect(POSSIBLE.map(nameOf)).toContain(name);
    const error = await failed.promise;
    if (error instanceof Error) throw error;
    expect(error).toBeUndefined();
  });
}
