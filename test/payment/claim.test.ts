import type { Facts } from '../../src/payment/facts';
import { claimable, type Claimable } from '../../src/payment/claim';

import { callbacks, cancelled, CLAIMS, EXPECTED, facts, seenOf } from './support';

/** Who may send: a claim is taken once, for what was registered, of a payment that nobody has ended and the provider does not know. */

const free = facts({ claim: CLAIMS.free });
const closed = { outcome: cancelled(EXPECTED.paymentId), disputed: false };

// prettier-ignore
test.each<[what: string, known: Facts, is: Claimable['kind']]>([
  ['nothing is known', free, 'claimable'],
  ['the provider does not know it, as it should', { ...free, seen: seenOf([1, 'not found']) }, 'claimable'],
  ['a person was asked before', { ...free, attentionSince: 0 }, 'claimable'],
  ['taken by another attempt', facts({ claim: CLAIMS.unanswered }), 'taken'],
  ['taken and not sent: never given back', facts({ claim: CLAIMS['not sent'] }), 'taken'],
  ['sealed', facts({ claim: CLAIMS.sealed }), 'taken'],
  ['ended', { ...free, closed }, 'closed'],
  ['ended and sealed', facts({ claim: CLAIMS.sealed, closed }), 'closed'],
  ['a record is there', { ...free, seen: seenOf([1, 'pending']) }, 'record-seen'],
  ['a record that differs', { ...free, seen: seenOf([1, 'failed, other amount']) }, 'record-seen'],
  ['a callback has come: a restored store has forgotten that it was sent', { ...free, callbacks: callbacks({ count: 1 }) }, 'record-seen'],
  ['a record was there', { ...free, seen: seenOf([1, 'pending'], [2, 'not found']) }, 'record-seen'],
])('%s: %s', (_what, known, is) => {
  expect(claimable(known, true)).toEqual({ kind: is });
  // Whatever is known, nothing else is sent than what was registered.
  expect(claimable(known, false)).toEqual({ kind: 'other-content' });
});
