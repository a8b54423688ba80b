import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Provider } from '../../src/payment/provider';
import type { Store } from '../../src/store';
import type { BehaviourName } from '../../src/sandbox';
import type { BillPaymentRequest } from '../../src/payment/request';
import { FLOAT, type Flow, type FlowWorker } from './flow';
import { later } from './later';

/**
 * Puts faults into the steps of `submitPayment`, payment by payment: the real adapter and the real store are called by the
 * fault, or not, or with something lost. Everything that other activities do stays as it is.
 */
export interface Faults {
  /** What the store knows, the first step of an attempt, and once more when its claim is not given. */
  readonly read?: Fault<Store['payments']['read']>;
  readonly look?: Fault<Provider['findPayment']>;
  readonly claim?: Fault<Store['payments']['claim']>;
  readonly send?: Fault<Provider['submitPayment']>;
  /** What was heard, written down. */
  readonly answered?: Fault<Store['payments']['answered']>;
  /** From its first step on, this attempt tells the engine nothing more, as a worker that hangs. */
  readonly silentAttempt?: number;
}

type Step = (...args: never[]) => Promise<unknown>;
export type Fault<Real extends Step> = (attempt: number, real: Real, args: Parameters<Real>) => ReturnType<Real>;

export interface FaultyWorker {
  readonly worker: Pick<FlowWorker, 'provider' | 'store'>;
  arm(paymentId: string, faults: Faults): void;
  /** How many attempts of `submitPayment` have begun. */
  attempts(paymentId: string): number;
  /** Which attempts have come to the send. */
  senders(paymentId: string): readonly number[];
}

/** Benign: the log of a run of the tests is for what nobody expects. */
export const broken = (): ApplicationFailure =>
  ApplicationFailure.create({ message: 'broken by the test', category: ApplicationFailureCategory.BENIGN });

/** The fault in the first attempt only. */
export function first<Real extends Step>(fault: (real: () => ReturnType<Real>) => ReturnType<Real>): Fault<Real> {
  return (attempt, real, args) => {
    const run = () => real(...args) as ReturnType<Real>;
    return attempt === 1 ? fault(run) : run();
  };
}

export function createFaultyWorker(): FaultyWorker {
  const armed = new Map<string, Faults>();
  const attempts = new Map<string, number>();
  const senders = new Map<string, number[]>();

  const isSubmitting = () => activityInfo().activityType === 'submitPayment';

  function put<Real extends Step>(paymentId: string, name: keyof Faults, real: Real, args: Parameters<Real>) {
    const fault = armed.get(paymentId)?.[name] as Fault<Real> | undefined;
    return fault === undefined || !isSubmitting()
      ? (real(...args) as ReturnType<Real>)
      : fault(activityInfo().attempt, real, args);
  }

  function begin(paymentId: string): void {
    if (!isSubmitting()) return;
    const { attempt } = activityInfo();
    attempts.set(paymentId, attempt);
    if (armed.get(paymentId)?.silentAttempt === attempt) fallSilent();
  }

  return {
    arm: (paymentId, faults) => void armed.set(paymentId, faults),
    attempts: (paymentId) => attempts.get(paymentId) ?? 0,
    senders: (paymentId) => senders.get(paymentId) ?? [],
    worker: {
      provider: (real) => ({
        ...real,
        findPayment: (...args) => put(args[0], 'look', real.findPayment, args),
        submitPayment(...args) {
          const { paymentId } = args[0];
          senders.set(paymentId, [...(senders.get(paymentId) ?? []), activityInfo().attempt]);
          return put(paymentId, 'send', real.submitPayment, args);
        },
      }),
      store: (real) => ({
        ...real,
        payments: {
          ...real.payments,
          async read(...args) {
            begin(args[0]);
            return await put(args[0], 'read', real.payments.read, args);
          },
          claim: (...args) => put(args[0], 'claim', real.payments.claim, args),
          answered: (...args) => put(args[0], 'answered', real.payments.answered, args),
        },
      }),
    },
  };
}

function fallSilent(): void {
  Object.assign(Context.current(), { heartbeat: () => undefined });
}

/** A step that hangs until the test lets it go on. */
export interface Hang<Result> {
  readonly reached: Promise<void>;
  release(): void;
  /** What the step answered in the end. */
  readonly result: Promise<Result>;
  before(step: () => Promise<Result>): Promise<Result>;
  after(step: () => Promise<Result>): Promise<Result>;
}

export function createHang<Result>(): Hang<Result> {
  const [reached, released, result] = [later<void>(), later<void>(), later<Result>()];
  async function hang(): Promise<void> {
    reached.resolve();
    await released.promise;
  }
  return {
    reached: reached.promise,
    release: () => released.resolve(),
    result: result.promise,
    async before(step) {
      await hang();
      const answer = await step();
      result.resolve(answer);
      return answer;
    },
    async after(step) {
      const answer = await step();
      await hang();
      result.resolve(answer);
      return answer;
    },
  };
}

export const PRICE = 220;
const FUNDS = 1_000;

/** A payment with faults, paid from an account of its own. */
export async function payWith(
  { flow, worker }: { readonly flow: Flow; readonly worker: FaultyWorker },
  behaviour: BehaviourName,
  faults: (paymentId: string) => Faults | Promise<Faults>,
  change: Partial<BillPaymentRequest> = {},
): Promise<string> {
  const request = flow.request(behaviour, change);
  worker.arm(request.paymentId, await faults(request.paymentId));
  return await payFromOwnAccount(flow, request);
}

/** So that where its money is can be told from this payment alone. */
export async function payFromOwnAccount(flow: Flow, request: BillPaymentRequest): Promise<string> {
  const { paymentId } = request;
  await flow.store.funds.add({ account: paymentId, amount: FUNDS, currency: FLOAT.currency });
  await flow.payments.start({ ...request, amount: PRICE, fundingAccount: paymentId });
  return paymentId;
}

/** What the provider saw of a payment, and where its money is. */
export async function truthOf(flow: Flow, paymentId: string) {
  const { postsSeen: seen, postsCaptured: captured } = flow.sandbox.payment(paymentId);
  const account = await flow.store.funds.account(paymentId);
  if (account === undefined) throw new Error(`payment ${paymentId} has no account of its own`);
  const { available, reserved, posted } = account;
  return { seen, captured, funds: { available, reserved, posted } };
}

export const FUNDS_WHEN = {
  paid: { available: FUNDS - PRICE, reserved: 0, posted: PRICE },
  open: { available: FUNDS - PRICE, reserved: PRICE, posted: 0 },
  back: { available: FUNDS, reserved: 0, posted: 0 },
} as const;
