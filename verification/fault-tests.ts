import type { Fault } from './faults';

/** For each fault the tests that show it on real servers: a real Temporal, a real PostgreSQL, the sandbox over HTTP. */

export interface RealServerTest {
  readonly file: string;
  /** As it is written there: a title, or the name of a case in its table. */
  readonly test: string;
}

const of =
  (file: string) =>
  (...tests: readonly string[]): readonly RealServerTest[] =>
    tests.map((test) => ({ file: `test/${file}.live.test.ts`, test }));

const provider = of('workflows/fault-matrix-provider');
const store = of('workflows/fault-matrix-store');
const engine = of('workflows/fault-matrix-engine');
const callbacks = of('workflows/fault-matrix-callbacks');
const deaths = of('workflows/worker-deaths');
const zombies = of('workflows/submit-zombies');

/** One file has a scenario for each step, and runs it with every fault of this kind. */
const whenReading = provider(
  'expires-unsent at validate',
  'expires-unsent at look',
  'looked-again at callback',
  'looked-again at poll',
  'decline-refused at decide',
);
const unconnected = [...whenReading, ...provider('not-sent at send')];
const unanswered = [...whenReading, ...provider('unknown-then-asked at send')];
const afterCapture = provider('unknown-then-asked at send');

export const FAULT_TESTS: Readonly<Record<Fault, readonly RealServerTest[]>> = {
  'worker-killed-before-effect': deaths(
    'between claim and POST: no POST, a person is asked, the money stays held',
    '${PAYMENTS.length} payments: one POST each at most, nothing lost, and the money adds up',
  ),
  'worker-killed-after-effect': deaths(
    'mid-POST: one POST, paid',
    'between claim and POST: no POST, a person is asked, the money stays held',
  ),
  'worker-stalled': [
    ...deaths(
      'between look and claim: the other has paid, and this one sends nothing',
      'between claim and POST: no POST leaves, and the money is given back',
    ),
    ...zombies('that hung before its claim, when another has sent and waits'),
  ],
  'endpoint-killed': of('callbacks/end-to-end')(
    'G4, G5: stored, the endpoint killed before the signal; the next endpoint signals, and the payment ends',
  ),
  'store-down': [
    ...store(
      'store-down at register: waits-for-store',
      'store-down at look: expires-unsent',
      'store-down at claim: expires-unsent',
      'store-down at send: kept-until-written',
      'store-down at callback: seen-at-next-look',
      'store-down at poll: looked-again',
      'store-down at decide: waits-for-store',
      'store-down at record: waits-for-store',
    ),
    ...zombies('the store does not take the claim'),
    ...of('workflows/regressions')(
      'the store is down when the end is written down: it is said, and a decision meets the proof',
    ),
  ],
  'commit-answer-lost': [
    ...store(
      'commit-answer-lost at register: retried',
      'commit-answer-lost at send: retried',
      'commit-answer-lost at callback: seen-at-next-look',
      'commit-answer-lost at poll: looked-again',
      'commit-answer-lost at decide: retried',
      'commit-answer-lost at record: retried',
    ),
    ...of('workflows/submit-faults')(
      'the claim is committed, its answer lost',
      'the claim is committed, its answer lost for good',
    ),
  ],
  'engine-restarted': of('workflows/fault-matrix-restart')(
    'payments at three steps go on where they were, and each is sent once',
  ),
  'run-reset': [
    ...engine(
      'run-reset at validate: retried',
      'run-reset at look: claim-decides',
      'run-reset at claim: claim-decides',
      'run-reset at send: unknown-then-asked',
      'run-reset at record: first-stands',
    ),
    ...of('workflows/reset')(
      'a decision that was not recorded before the reset has to be sent again',
      'awaiting its result: $how',
    ),
  ],
  'run-terminated-and-restarted': [
    ...engine(
      'run-terminated-and-restarted at register: retried',
      'run-terminated-and-restarted at validate: retried',
      'run-terminated-and-restarted at look: claim-decides',
      'run-terminated-and-restarted at claim: claim-decides',
      'run-terminated-and-restarted at send: unknown-then-asked',
      'run-terminated-and-restarted at record: first-stands',
    ),
    ...of('workflows/reset')('needing attention: $how', 'awaiting its result: $how'),
  ],
  'started-twice': [
    ...engine(
      'started-twice at register: same-end',
      'started-twice at validate: same-end',
      'started-twice at look: same-end',
      'started-twice at claim: same-end',
      'started-twice at send: same-end',
      'started-twice at record: same-end',
    ),
    ...of('client/payments')(
      'while it runs: any number of starts with the same content are one run, other content is a conflict',
    ),
  ],
  'cancel-requested': of('workflows/cancel')(
    'while it is being registered, $way: once it is',
    'while the account is checked',
    'while the look before sending hangs',
    'right before the claim, with its money',
    'a cancellation that loses the race to the claim',
    'between the claim and the POST',
    'while its result is awaited',
    'by update, and from the UI just as it ends: once, and the update is answered',
    'while the outcome is written down',
  ),
  'operator-decides': [
    ...engine(
      'operator-decides at register: refused',
      'operator-decides at validate: refused',
      'operator-decides at look: refused',
      'operator-decides at claim: refused',
      'operator-decides at send: refused',
      'operator-decides at record: refused',
    ),
    ...of('workflows/decisions')(
      'two people at once: one acts, the other is told',
      'the provider answers while a person decides: proof wins',
    ),
  ],
  'connection-refused': unconnected,
  'reset-before-capture': unanswered,
  'reset-after-capture': afterCapture,
  'timeout-before-capture': unanswered,
  'timeout-after-capture': afterCapture,
  'answer-401': unanswered,
  'answer-403': unanswered,
  'answer-429': unanswered,
  'answer-5xx': unanswered,
  'body-truncated': unanswered,
  'body-unreadable': unanswered,
  'body-slow': unanswered,
  'callback-lost': callbacks('callback-lost at callback: seen-at-next-look'),
  'callback-repeated': callbacks('callback-repeated at callback: same-end'),
  'callback-early': callbacks('callback-early at callback: same-end'),
  'callback-late': callbacks('callback-late at callback: same-end'),
  'callbacks-reordered': callbacks('callbacks-reordered at callback: same-end'),
  'callback-forged': callbacks('callback-forged at callback: refused'),
  'callback-contradictory': callbacks(
    'callback-contradictory at callback: raised',
    'callback-contradictory at record: raised',
  ),
};
