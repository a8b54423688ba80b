import { isKnownThere, type Facts } from './facts';
import { holds } from './planted';

/** Whether the claim may be taken, by whoever is about to send. Pure: the store takes it only on the row that this was asked about. */
export type Claimable =
  | { readonly kind: 'claimable' }
  | { readonly kind: 'closed' | 'taken' | 'record-seen' }
  /** What is about to be sent is not what was registered. */
  | { readonly kind: 'other-content' };

export function claimable(facts: Facts, isRegisteredContent: boolean): Claimable {
  if (!holds('a claim needs the registered content', isRegisteredContent)) return { kind: 'other-content' };
  if (facts.closed !== undefined && !holds('a claim needs a free payment', false)) return { kind: 'closed' };
  if (!holds('a claim needs a free payment', facts.claim.kind === 'free')) return { kind: 'taken' };
  if (!holds('a claim needs a payment without a record', !isKnownThere(facts))) return { kind: 'record-seen' };
  return { kind: 'claimable' };
}
