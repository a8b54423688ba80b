import { cancellationSignal } from '@temporalio/activity';
import { ProviderTrouble, type Provider } from '../payment/provider';
import { answerAbout, isAsked, type ProviderAnswer, type StoredPayment } from '../payment/reconciliation';

/** Asking about many payments, a few at a time, and stopping when it has become useless. */
export interface Asking {
  /** An error when nothing was learnt about this payment: never a reason to call it different. */
  ask(payment: StoredPayment): Promise<ProviderAnswer | Error>;
  /** Trouble after which another attempt may learn more. */
  readonly trouble: ProviderTrouble | undefined;
}

const LOOK_WITHIN_MS = 12_000;
/** Without an answer in between: the provider is down, and not only one payment's record broken. */
export const TROUBLES_IN_A_ROW = 4;

export function createAsking(provider: Provider): Asking {
  let trouble: ProviderTrouble | undefined;
  let stopped: ProviderTrouble | undefined;
  let inARow = 0;

  function note(error: ProviderTrouble): ProviderTrouble {
    inARow += 1;
    trouble = later(trouble, error);
    if (concernsAll(error) || inARow >= TROUBLES_IN_A_ROW) stopped ??= error;
    return error;
  }

  async function look(paymentId: string): Promise<ProviderAnswer | Error> {
    const signal = AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN_MS)]);
    try {
      const { observation } = await provider.findPayment(paymentId, signal);
      inARow = 0;
      return answerAbout(paymentId, observation) ?? new Error(`The answer says nothing of it: ${observation.said}`);
    } catch (error) {
      if (error instanceof ProviderTrouble) return note(error);
      if (signal.aborted && !cancellationSignal().aborted)
        return note(new ProviderTrouble('timeout', 'Almara Pay did not answer in time'));
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
      if (claim.kind === 'taken' && claim.account !== provider.account) return { kind: 'another-account' };
      return stopped ?? (await look(paymentId));
    },
  };
}

/** For the rest of a reconciliation whose provider is down. */
export const askingNobody: Asking = {
  trouble: undefined,
  ask: (payment) =>
    Promise.resolve(
      isAsked(payment)
        ? new Error('Almara Pay was not asked any more: it has not answered for pages')
        : { kind: 'not-asked' },
    ),
};

/** They would say the same of every payment. */
const concernsAll = ({ kind }: ProviderTrouble): boolean =>
  kind === 'rate-limited' || kind === 'forbidden' || kind === 'unauthorized' || kind === 'connection';

/** The one that wants us to wait for longer. */
const later = (one: ProviderTrouble | undefined, other: ProviderTrouble): ProviderTrouble =>
  one !== undefined && (one.retryAfterMs ?? 0) >= (other.retryAfterMs ?? 0) ? one : other;
