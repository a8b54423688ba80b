import { FAULTS, STEPS, type Fault, type Step } from './faults';

/**
 * What becomes of a payment when a fault strikes at a step: a cell for each pair, so that none is forgotten. The tests on real
 * servers and the simulation take what they expect from here, and `docs/fault-matrix.md` shows it.
 */

/** The outcomes, each with what it means. Closed: a new one is a new promise. */
export const OUTCOMES = {
  retried:
    'Run again by whoever is alive. What it had done already it finds; the payment goes on as if nothing had happened.',
  'expires-unsent':
    'Tried again until it works or `submitWithin` is over; then declined as `expired` and sealed, so that it is never sent. What was claimed after all does not end so, and is asked by its id.',
  'waits-for-store':
    'Repeated until the store answers, and a person sees `store-unavailable` in time. Meanwhile nothing is sent, believed or ended.',
  'claim-decides':
    'Whoever gets the claim decides, once for ever: an attempt, which holds the money and may send, or an end without sending, which seals. Everyone else sends nothing and asks by the id.',
  'unknown-then-asked':
    'Claimed, so it may have left: never sent again, never declined for want of an answer. For 30 seconds after the claim nothing is proven or decided; then it is asked by its id until there is proof, or a person, or until who took the claim says that nothing has left.',
  'not-sent':
    'Not one byte can have left, and who took the claim says so: declined as `not-sent`, and the money is given back. The claim stays taken, so it is never sent.',
  'kept-until-written':
    'Who sent it keeps what it heard until the store takes it, and nobody believes anything before. If it dies first, nobody knows: the same as `unknown-then-asked`.',
  'looked-again':
    'No verdict comes of it. What was known stands, the next look follows, and a person is asked when `attentionAfter` is over.',
  'seen-at-next-look':
    'The message may be late or lost; the poll or the sweep finds what it would have brought. What only it could say, a refusal code or a token, is asked of a person.',
  'same-end':
    'No other end comes of it: the provider’s record decides as without it, and where that proves nothing, a person.',
  raised:
    'Never believed, never overwriting. While the payment is open it is a hint to look, and against a failed record a person is asked; once it is closed it is a dispute.',
  'first-stands':
    'What is recorded first stands. The other is refused with a sentence, or raised as a dispute if by it another amount was paid.',
  'sent-again':
    'Acts, or whoever sent it gets an error and sends it again: never silently lost, and it acts at most once.',
  'too-late': 'Refused with a sentence: it may have been sent, or its end is being recorded. The payment goes its way.',
  'decline-refused':
    'A decline needs an answer of the last minute, and is refused without one. While that does not say failed, it needs the case the provider names, once no request can be on its way. `paid` is the person’s word.',
  refused: 'Refused, with a sentence for a person and a 404 for a stranger. Nothing is changed.',
} as const satisfies Readonly<Record<string, string>>;
export type Outcome = keyof typeof OUTCOMES;

export type Cell =
  | { readonly kind: 'expected'; readonly outcome: Outcome }
  | { readonly kind: 'cannot-happen'; readonly because: string };

const never = (because: string): Cell => ({ kind: 'cannot-happen', because });

const OUR_STORE = never('the step speaks to our store alone');
const NO_STORE = never('the step speaks to the provider alone');
const NO_COMMIT = never('the step commits nothing');
const NO_CAPTURE = never('the step captures nothing: a lost answer is the same as a lost request');
const NO_ENDPOINT = never('nothing of the step runs in the callback endpoint');
const NO_CALLBACK = never('a callback is the step `callback`, whenever it comes');

type Entry = Cell | Outcome;
const cellOf = (entry: Entry): Cell => (typeof entry === 'string' ? { kind: 'expected', outcome: entry } : entry);

/** A row, in the order of a payment's life. An entry that is missing does not compile. */
function row(
  ...[register, validate, look, claim, send, callback, poll, decide, record]: readonly [
    register: Entry,
    validate: Entry,
    look: Entry,
    claim: Entry,
    send: Entry,
    callback: Entry,
    poll: Entry,
    decide: Entry,
    record: Entry,
  ]
): Record<Step, Cell> {
  const entries: Record<Step, Entry> = { register, validate, look, claim, send, callback, poll, decide, record };
  return Object.fromEntries(STEPS.map((step) => [step, cellOf(entries[step])])) as Record<Step, Cell>;
}

/** A fault in how the provider answers, by who asks it: to read before anything was sent, to pay, to read afterwards. */
const answer = (before: Entry, send: Entry, after: Entry, decide: Entry): Record<Step, Cell> =>
  row(OUR_STORE, before, before, OUR_STORE, send, after, after, decide, OUR_STORE);

/** No connection stands, so nothing can have left. */
const unconnected = answer('expires-unsent', 'not-sent', 'looked-again', 'decline-refused');
const unanswered = answer('expires-unsent', 'unknown-then-asked', 'looked-again', 'decline-refused');
/** Only the payment POST captures. */
const afterCapture = answer(NO_CAPTURE, 'unknown-then-asked', NO_CAPTURE, NO_CAPTURE);

/** A fault of a callback of the provider's. */
const callback = (outcome: Outcome): Record<Step, Cell> =>
  row(NO_CALLBACK, NO_CALLBACK, NO_CALLBACK, NO_CALLBACK, NO_CALLBACK, outcome, NO_CALLBACK, NO_CALLBACK, NO_CALLBACK);

/** Whoever sends it chooses the moment. */
const atAnyStep = (outcome: Outcome): Record<Step, Cell> =>
  row(outcome, outcome, outcome, outcome, outcome, outcome, outcome, outcome, outcome);

// prettier-ignore
export const MATRIX: Readonly<Record<Fault, Readonly<Record<Step, Cell>>>> = {
  //                                  register           validate         look              claim                 send                  callback             poll            decide             record
  'worker-killed-before-effect':  row('retried',         'retried',       'retried',        'retried',            'unknown-then-asked', 'retried',           'retried',      'retried',         'retried'),
  'worker-killed-after-effect':   row('retried',         'retried',       'retried',        'unknown-then-asked', 'unknown-then-asked', 'retried',           'retried',      'retried',         'retried'),
  'worker-stalled':               row('retried',         'retried',       'claim-decides',  'claim-decides',      'unknown-then-asked', 'retried',           'retried',      'first-stands',    'first-stands'),
  'endpoint-killed':              row(NO_ENDPOINT,       NO_ENDPOINT,     NO_ENDPOINT,      NO_ENDPOINT,          NO_ENDPOINT,          'seen-at-next-look', NO_ENDPOINT,    NO_ENDPOINT,       NO_ENDPOINT),
  'store-down':                   row('waits-for-store', NO_STORE,        'expires-unsent', 'expires-unsent',     'kept-until-written', 'seen-at-next-look', 'looked-again', 'waits-for-store', 'waits-for-store'),
  'commit-answer-lost':           row('retried',         NO_COMMIT,       'retried',        'claim-decides',      'retried',            'seen-at-next-look', 'looked-again', 'retried',         'retried'),
  'engine-restarted':             row('retried',         'retried',       'claim-decides',  'claim-decides',      'unknown-then-asked', 'seen-at-next-look', 'retried',      'sent-again',      'retried'),
  'run-reset':                    row('retried',         'retried',       'claim-decides',  'claim-decides',      'unknown-then-asked', 'seen-at-next-look', 'looked-again', 'retried',         'first-stands'),
  'run-terminated-and-restarted': row('retried',         'retried',       'claim-decides',  'claim-decides',      'unknown-then-asked', 'seen-at-next-look', 'looked-again', 'sent-again',      'first-stands'),
  'started-twice':                row('same-end',        'same-end',      'same-end',       'same-end',           'same-end',           'same-end',          'same-end',     'same-end',        'same-end'),
  'cancel-requested':             row('claim-decides',   'claim-decides', 'claim-decides',  'claim-decides',      'too-late',           'too-late',          'too-late',     'first-stands',    'too-late'),
  'operator-decides':             row('refused',         'refused',       'refused',        'refused',            'refused',            'first-stands',      'first-stands', 'first-stands',    'refused'),
  'connection-refused':           unconnected,
  'reset-before-capture':         unanswered,
  'reset-after-capture':          afterCapture,
  'timeout-before-capture':       unanswered,
  'timeout-after-capture':        afterCapture,
  'answer-401':                   unanswered,
  'answer-403':                   unanswered,
  'answer-429':                   unanswered,
  'answer-5xx':                   unanswered,
  'body-truncated':               unanswered,
  'body-unreadable':              unanswered,
  'body-slow':                    unanswered,
  'callback-lost':                callback('seen-at-next-look'),
  'callback-repeated':            callback('same-end'),
  'callback-early':               callback('same-end'),
  'callback-late':                callback('same-end'),
  'callbacks-reordered':          callback('same-end'),
  'callback-forged':              atAnyStep('refused'),
  'callback-contradictory':       atAnyStep('raised'),
};

export interface Possible {
  readonly fault: Fault;
  readonly step: Step;
  readonly outcome: Outcome;
}

/** The cells that can happen, in order. */
export const POSSIBLE: readonly Possible[] = FAULTS.flatMap((fault) =>
  STEPS.flatMap((step) => {
    const cell = MATRIX[fault][step];
    return cell.kind === 'expected' ? [{ fault, step, outcome: cell.outcome }] : [];
  }),
);
