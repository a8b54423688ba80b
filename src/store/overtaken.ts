import { AlwaysOvertaken } from './errors';

/**
 * Every decision about a payment is made on its row as it was read, and is written only if the row is still that one
 * (`WHERE version = …`): no lock is held between the two. Who was overtaken reads and decides again.
 */

/** Each time somebody else has got through: so many in a row that something is wrong. */
const ATTEMPTS = 20;

/** @param attempt answers undefined when the row had changed, and has written nothing then */
export async function untilNotOvertaken<Result>(
  paymentId: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new AlwaysOvertaken(paymentId);
}
