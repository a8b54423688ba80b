import type { Rule } from '../src/payment/planted';
import type { WorldBug } from './models/bugs';
import type { Side } from './models/sides';

/**
 * Why each rule is there: what is planted to break it, and what finds that. `npm run models` prints the table with what it has found; what
 * no exploring can show has a test instead.
 */
export interface NeededRule {
  readonly number: number;
  readonly rule: string;
  /** Each in the side of the models that finds it first. */
  readonly planted: { readonly [Bug in Rule | WorldBug]?: Side };
  /** What shows the rest of it. */
  readonly elsewhere?: string;
}

export const NEEDED: readonly NeededRule[] = [
  {
    number: 1,
    rule: 'An answer is as old as its question, by the database’s clock; one older than a minute is not written.',
    planted: {
      'old answers are not written': 'clocks that jump',
      'an old answer tells what is true for ever': 'looks',
      'an answer is as old as its write': 'another amount',
    },
  },
  {
    number: 2,
    rule: 'What is known only grows, in whatever order answers come.',
    planted: {
      'older answers displace nothing': 'another amount',
      'completed is never forgotten': 'looks',
    },
    elsewhere: 'that merging commutes, for any answers: test/payment/seen.test.ts',
  },
  {
    number: 3,
    rule: 'A failure is believed when it has lasted without a break.',
    planted: {
      'a failure must last': 'looks',
      'a failure that broke off asks': 'looks',
      'a failure that is not confirmed asks in the end': 'looks',
    },
  },
  {
    number: 4,
    rule: 'It is judged by the database’s clock, and deadlines count from the row’s times.',
    planted: { 'judged by a clock that is ahead': 'a foreign record' },
    elsewhere: 'that what is to come is a duration of at least a second: test/payment/judge-properties.test.ts',
  },
  {
    number: 5,
    rule: 'The look before sending is written like any other.',
    planted: { 'a look speaks before it writes': 'a foreign record' },
  },
  {
    number: 6,
    rule: 'The claim is taken once, by whoever sends what was registered, while nobody knows of a record.',
    planted: {
      'a claim needs a free payment': 'sending',
      'a claim needs the registered content': 'a foreign caller',
      'a claim needs a payment without a record': 'a foreign record',
      'a record of what was not sent asks': 'a foreign record',
      'a claim without the version it was asked about': 'a foreign record',
      'the claim is given back': 'sending',
      'an end that leaves the claim free': 'sending',
    },
  },
  {
    number: 7,
    rule: 'The answer to the request is written by the claim’s holder alone.',
    planted: { 'anybody writes the answer to the request': 'sending' },
  },
  {
    number: 8,
    rule: 'Rejected, or not sent, proves a decline only when nothing speaks against it.',
    planted: {
      'a rejection against a record proves nothing': 'a foreign record',
      'not sent against a record proves nothing': 'a foreign record',
    },
  },
  {
    number: 9,
    rule: 'While it is being sent nobody decides and nothing is proven.',
    planted: { 'the send window': 'sending', 'no deadline for the first byte': 'sending' },
  },
  {
    number: 10,
    rule: 'It ends as unsent only with a free claim and without a record, for its own run alone.',
    planted: {
      'unsent needs a free claim': 'sending',
      'unsent needs a payment without a record': 'a foreign record',
    },
    elsewhere: 'that nobody else’s run is believed, and the look while submissions are off: tests of the activities',
  },
  {
    number: 11,
    rule: 'A person’s decline needs a fresh readable answer that does not say completed, a dead token, and a case.',
    planted: {
      'a decline needs a fresh answer': 'another amount',
      'a decline waits for the dead token': 'sending',
      'a decline needs a case': 'another amount',
      'a decline is not against completed': 'another amount',
    },
  },
  {
    number: 12,
    rule: 'Proof goes before a decision.',
    planted: { 'proof goes before a decision': 'callbacks' },
  },
  {
    number: 13,
    rule: 'A decision needs that a person was asked, which is never forgotten.',
    planted: { 'a decision needs a question': 'sending', 'the question is forgotten': 'looks' },
  },
  {
    number: 14,
    rule: 'A smaller amount is not recorded against our own completed record.',
    planted: { 'paid carries the amount of the record': 'prepaid service' },
  },
  {
    number: 15,
    rule: 'Exactly the callbacks that were read are named; one that can hide a payment, or was not kept, asks.',
    planted: {
      'a code that can hide a payment asks': 'callbacks',
      'a code must speak of this payment': 'callbacks',
      'a callback that was not kept asks': 'callbacks',
      'the end names callbacks that it has not read': 'slow ends',
      'the end rests on callbacks that were read before the row': 'slow ends',
    },
  },
  {
    number: 16,
    rule: 'After the end what is said is compared with it, and what contradicts it is disputed.',
    planted: {
      'a contradiction after the end is disputed': 'another amount',
      'a failure from before the end is no news': 'looks',
    },
    elsewhere: 'receipts that fill, and receipts that differ: test/payment/after-end.test.ts',
  },
  {
    number: 17,
    rule: 'What another merchant account does not find says nothing.',
    planted: { 'an answer from another account': 'another account' },
  },
  {
    number: 18,
    rule: 'An end is final; who brought it about is told so, however often.',
    planted: { 'an end is final': 'another amount' },
    elsewhere: 'who is told what: test/payment/ending.test.ts',
  },
  {
    number: 19,
    rule: 'Money is held with the claim and settled with the end.',
    planted: {
      'the money in a transaction after the claim': 'sending',
      'the money in a transaction after the end': 'another amount',
      'a claim without the money': 'sending',
      'money given back while it is unknown': 'looks',
    },
    elsewhere: 'locks, their order and their time-outs: tests of the store on PostgreSQL',
  },
  {
    number: 20,
    rule: 'The policy is the first registration’s; a failure without a code goes by the stricter of row and worker.',
    planted: { 'a failure without a code asks': 'another amount' },
    elsewhere: 'what a second registration changes, and whose rule is stricter: test/store/payments.live.test.ts',
  },
  {
    number: 21,
    rule: 'When the store is away at the deadline, the poll says that alone.',
    planted: {},
    elsewhere: 'nothing is known and nothing is written then: tests of the flow',
  },
  {
    number: 22,
    rule: 'A run’s copy is for showing: the transaction decides.',
    planted: {},
    elsewhere: 'the models have no run at all: whatever one can ask for is asked at any time, by anybody who may',
  },
];

/** What makes an outcome at all: beneath all of them. */
export const PROOF: Omit<NeededRule, 'number'> = {
  rule: 'Nothing but what the provider says of this very payment proves anything.',
  planted: {
    'a record must agree': 'another amount',
    'silence asks and proves nothing': 'looks',
    'not found proves nothing': 'looks',
  },
};
