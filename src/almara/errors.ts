import { ProviderRefusal, ProviderTrouble } from '../payment/provider';
import type { HttpAnswer } from './answers';

/** As people know the provider. */
export const NAME = 'Almara Pay';

/** What is asked, as it reads in "… to the look-up". */
export const WHAT = {
  token: 'the token request',
  validateAccount: 'the account validation',
  queryBill: 'the bill query',
  findPayment: 'the look-up',
  services: 'the list of services',
  findBillNumber: 'the look-up of the saved bill number',
  saveBillNumber: 'saving the bill number',
  routes: 'the list of routes',
  wallet: 'the wallet balance',
  health: 'the health check',
} as const;
export type What = (typeof WHAT)[keyof typeof WHAT];

/** The trouble an HTTP status stands for, whatever the body. */
export function troubleFor(answer: HttpAnswer, what: What): ProviderTrouble {
  const { status } = answer;
  if (status === 401)
    return new ProviderTrouble('unauthorized', `${NAME} refused a fresh token: 401 to ${what}`, answer);
  if (status === 403) return new ProviderTrouble('forbidden', `${NAME} does not allow us this: 403 to ${what}`, answer);
  if (status === 429)
    return new ProviderTrouble('rate-limited', `${NAME} asks us to slow down: 429 to ${what}`, answer);
  if (status >= 500) return new ProviderTrouble('server-error', `${NAME} did not answer: ${status} to ${what}`, answer);
  return new ProviderTrouble('unexpected-status', `${NAME} gave an unexpected answer: ${status} to ${what}`, answer);
}

/** @param because the message ends with it, if there is more to say */
export function unreadable({ status }: HttpAnswer, what: What, because?: string): ProviderTrouble {
  const why = because === undefined ? '' : `: ${because}`;
  return new ProviderTrouble('unreadable', `${NAME}’s answer to ${what} cannot be read${why}`, { status });
}

export function refusal(what: What, reasons: readonly string[]): ProviderRefusal {
  return new ProviderRefusal(`${NAME} refused ${what}: ${reasons.join('; ')}`, reasons);
}
