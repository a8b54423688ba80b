import type { HttpAnswer } from './answers';

/** Why nothing could be learnt from the provider. */
export type TroubleKind =
  | 'connection'
  | 'timeout'
  | 'unauthorized'
  | 'forbidden'
  | 'rate-limited'
  | 'server-error'
  | 'unreadable'
  | 'unexpected-status';

interface TroubleDetails {
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/**
 * The provider could not be asked, or its answer says nothing. Never thrown by the payment POST.
 * The message is for people; it holds no body, no secret and nothing personal.
 */
export class AlmaraTrouble extends Error {
  override readonly name = 'AlmaraTrouble';
  readonly status?: number;
  /** How long the provider asks us to wait (`Retry-After`), at most an hour. */
  readonly retryAfterMs?: number;

  constructor(
    readonly kind: TroubleKind,
    message: string,
    { status, retryAfterMs }: TroubleDetails = {},
  ) {
    super(message);
    if (status !== undefined) this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** A clear refusal of something that is not the payment: asking again would get the same answer. The reason is in the message. */
export class AlmaraRefusal extends Error {
  override readonly name = 'AlmaraRefusal';

  constructor(
    what: string,
    readonly reasons: readonly string[],
  ) {
    super(`Almara Pay refused ${what}: ${reasons.join('; ')}`);
  }
}

/** The trouble an HTTP status stands for, whatever the body. */
export function troubleFor(answer: HttpAnswer, what: string): AlmaraTrouble {
  const { status } = answer;
  if (status === 401)
    return new AlmaraTrouble('unauthorized', `Almara Pay refused a fresh token: 401 to ${what}`, answer);
  if (status === 403)
    return new AlmaraTrouble('forbidden', `Almara Pay does not allow us this: 403 to ${what}`, answer);
  if (status === 429)
    return new AlmaraTrouble('rate-limited', `Almara Pay asks us to slow down: 429 to ${what}`, answer);
  if (status >= 500)
    return new AlmaraTrouble('server-error', `Almara Pay did not answer: ${status} to ${what}`, answer);
  return new AlmaraTrouble('unexpected-status', `Almara Pay gave an unexpected answer: ${status} to ${what}`, answer);
}
