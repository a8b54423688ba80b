import { cancellationSignal } from '@temporalio/activity';
import { AlmaraTrouble, type Almara } from '../almara';
import { answerAbout, isAsked, type ProviderAnswer, type StoredPayment } from '../payment/reconciliation';

/** Asking about many payments, a few at a time, and stopping when it has become useless. */
export interface Asking {
  /** An error when nothing was learnt about this payment: never a reason to call it different. */
  ask(payment: StoredPayment): Promise<ProviderAnswer | Error>;
  /** Trouble after which another attempt may learn more. */
  readonly trouble: AlmaraTrouble | undefined;
}

const LOOK_WITHIN_MS = 12_000;
/** Without an answer in between: the provider is down, and not only one payment's record broken. */
export const TROUBLES_IN_A_ROW = 4;

export function createAsking(almara: Almara): Asking {
  let trouble: AlmaraTrouble | undefined;
  let stopped: AlmaraTrouble | undefined;
  let inARow = 0;

  function note(error: AlmaraTrouble): AlmaraTrouble {
    inARow += 1;
    trouble = later(trouble, error);
    if (concernsAll(error) || inARow >= TROUBLES_IN_A_ROW) stopped ??= error;
    return error;
  }

  async function look(paymentId: string): Promise<ProviderAnswer | Error> {
    const signal = AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LOOK_WITHIN_MS)]);
    try {
      const { observation } = await almara.findPayment(paymentId, signal);
      inARow = 0;
      return answerAbout(paymentId, observation) ?? new Error(`The answer says nothing of it: ${observation.said}`);
    } catch (error) {
      if (error instanceof AlmaraTrouble) return note(error);
      if (signal.aborted && !cancellationSignal().aborted)
        return note(new AlmaraTrouble('timeout', 'Almara Pay did not answer in time'));
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
      if (claim.kind === 'taken' && claim.account !== almara.accountHash) return { kind: 'another-account' };
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
const concernsAll = ({ kind }: AlmaraTrouble): boolean =>
  kind === 'rate-limited' || kind === 'forbidden' || kind === 'unauthorized' || kind === 'connection';

/** The one that wants us to wait for longer. */
const later = (one: AlmaraTrouble | undefined, other: AlmaraTrouble): AlmaraTrouble =>
  one !== undefined && (one.retryAfterMs ?? 0) >= (other.retryAfterMs ?? 0) ? one : other;
