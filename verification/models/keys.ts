import type { Callback, Look, State } from './state';

/** Names of parts of a state: they find what the rules have said to the same parts before. */

export const lookKey = ({ said, tick, isAnotherAccount }: Look): string =>
  `${said}${tick}${isAnotherAccount ? '!' : ''}`;

/** Their order makes no difference, unless somebody has read the first of them. */
export function inboxKey({ inbox, isCut, recording }: Pick<State, 'inbox' | 'isCut' | 'recording'>): string {
  const callbacks = inbox.filter(({ named }) => named === undefined || named === 'dispute').map(callbackKey);
  return (recording === undefined ? callbacks.sort() : callbacks).join() + (isCut ? '…' : '');
}

const callbackKey = ({ kind, named }: Callback): string => (named === undefined ? kind : 'd');
