import type { BillPayments } from '../../src/client';
import { createProgram } from '../../src/cli/program';
import type { CliDependencies } from '../../src/cli/shell';

/** `billpay`, whole, inside the test's own process. */

export interface Begun {
  /** The exit code, once it has ended. */
  readonly code: Promise<number>;
  /** What was printed so far. */
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** Ctrl-C. */
  readonly interrupt: () => void;
  /** Until a line of the output is like this. */
  readonly printed: (pattern: RegExp) => Promise<void>;
}

/** Unless the test says otherwise there is no engine, no store and no input. */
export function beginBillpay(args: readonly string[], world: Partial<CliDependencies> = {}): Begun {
  const [out, err]: [string[], string[]] = [[], []];
  const waiting: (() => void)[] = [];
  let interrupt = (): void => undefined;
  const run = createProgram({
    version: '1.2.3',
    connect: () => Promise.reject<BillPayments>(new Error('connected')),
    loadStore: () => Promise.reject(new Error('loaded the store')),
    databaseUrl: () => undefined,
    out: (line) => {
      out.push(line);
      waiting.forEach((check) => check());
    },
    err: (line) => err.push(line),
    readInput: () => Promise.reject(new Error('ENOENT')),
    newPaymentId: () => 'made-by-the-cli',
    onInterrupt: (callback) => {
      interrupt = callback;
      return () => undefined;
    },
    colour: false,
    ...world,
  });
  const printed = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => void (out.some((line) => pattern.test(line)) && resolve());
      waiting.push(check);
      check();
    });
  return { code: run(args), out, err, interrupt: () => interrupt(), printed };
}

export interface Ended {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

export async function runBillpay(args: readonly string[], world: Partial<CliDependencies> = {}): Promise<Ended> {
  const { code, out, err } = beginBillpay(args, world);
  return { code: await code, out, err };
}
