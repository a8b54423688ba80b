import { cancellationSignal } from '@temporalio/activity';
import { isOfAnotherAccount } from '../payment/facts';
import { ProviderTrouble } from '../payment/provider';
import { isAsked, type ProviderAnswer, type StoredPayment } from '../payment/reconciliation';
import { stopwatch, systemClock, type ReconcileDependencies } from './dependencies';
import { writeDown } from './look';

/** Looks at many payments, a few at a time, and stops when it has become useless. */
export interface Inquiry {
  /** An error when nothing was learnt about this payment: never a reason to call it different. */
  ask(payment: StoredPayment): Promise<ProviderAnswer | Error>;
  /** Trouble after which another attempt may learn more. */
  readonly trouble: ProviderTrouble | undefined;
}

const LOOK_WITHIN_MS = 12_000;
/** Without an answer in between: the provider is down, and not only one payment's record broken. */
export const TROUBLES_IN_A_ROW = 4;

export function createInquiry(dependencies: ReconcileDependencies): Inquiry {
  const { provider, clock = systemClock } = dependencies;
  let trouble: ProviderTrouble | undefined;
  let stopped: ProviderTrouble | undefined;
  let inARow = 0;

  function note(error: ProviderTrouble): ProviderTrouble {
    inARow += 1;
    trouble = later(trouble, error);
    if (concernsAll(error) || inARow >= TROUBLES_IN_A_ROW) stopped ??= error;
    return error;
  }

  /** What is learnt is written down, as with every look. */
  async function look(paymentId: string): Promise<ProviderAnswer | Error> {
    const signal = AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN_MS)]);
    const askedAgo = stopwatch(clock).atMost;
    try {
      const { observation } = await provider.findPayment(paymentId, signal);
      inARow = 0;
      if (observation.kind === 'unreadable') return new Error(`The answer says nothing of it: ${observation.said}`);
      const observed = { observation, askedAgo, answeredAgo: stopwatch(clock).atLeast };
      const { facts } = await writeDown(dependencies, paymentId, observed);
      return { kind: 'answer', answer: facts.seen.last ?? NOT_FOUND };
    } catch (error) {
      if (error instanceof ProviderTrouble) return note(error);
      if (signal.aborted && !cancellationSignal().aborted)
        return note(new ProviderTrouble('timeout', `${provider.name} did not answer in time`));
      throw error;
    }
  }

  return {
    get trouble() {
      return trouble;
    },
    async ask(payment) {
      if (!isAsked(payment)) return { kind: 'not-asked' };
      const { claim, paymentId } = payment;
      if (isOfAnotherAccount(claim, provider.account)) return { kind: 'another-account' };
      return stopped ?? (await look(paymentId));
    },
  };
}

/** Of a payment about which nothing was known and nothing needed to be written. */
const NOT_FOUND = {
  askedAt: 0,
  answeredAt: 0,
  state: 'not-found',
  said: 'not found',
  differs: [],
  receipt: {},
} as const;

/** For the rest of a reconciliation whose provider is down. */
export const askNobody: Inquiry = {
  trouble: undefined,
  ask: (payment) =>
    Promise.resolve(
      isAsked(payment)
        ? new Error('The provider was not asked any more: it has not answered for pages')
        : { kind: 'not-asked' },
    ),
};

/** They would say the same of every payment. */
const concernsAll = ({ kind }: ProviderTrouble): boolean =>
  kind === 'rate-limited' || kind === 'forbidden' || kind === 'unauthorized' || kind === 'connection';

/** The one that wants us to wait for longer. */
const later = (one: ProviderTrouble | undefined, other: ProviderTrouble): ProviderTrouble =>
  one !== undefined && (one.retryAfterMs ?? 0) >= (other.retryAfterMs ?? 0) ? one : other;
