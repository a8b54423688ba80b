/**
 * Rules that verification leaves out one at a time, to see that something finds it. Nothing is ever left out in what is shipped: only
 * `verification/` and `test/` may import `plant` (lint), and the package does not export it.
 */
export const RULES = [
  'older answers displace nothing',
  'completed is never forgotten',
  'a failure must last',
  'a failure that broke off asks',
  'a failure that is not confirmed asks in the end',
  'a code that can hide a payment asks',
  'a code must speak of this payment',
  'a callback that was not kept asks',
  'a failure without a code asks',
  'a record must agree',
  'a record of what was not sent asks',
  'silence asks and proves nothing',
  'not found proves nothing',
  'the send window',
  'a rejection against a record proves nothing',
  'not sent against a record proves nothing',
  'a claim needs a free payment',
  'a claim needs the registered content',
  'a claim needs a payment without a record',
  'unsent needs a free claim',
  'unsent needs a payment without a record',
  'a decision needs a question',
  'proof goes before a decision',
  'a decline needs a fresh answer',
  'a decline waits for the dead token',
  'a decline needs a case',
  'a decline is not against completed',
  'paid carries the amount of the record',
  'an end is final',
  'a contradiction after the end is disputed',
  'a failure from before the end is no news',
  'an answer from another account',
  'old answers are not written',
  'an old answer tells what is true for ever',
] as const;

export type Rule = (typeof RULES)[number];

let leftOut: Rule | undefined;

/** Only for verification: leaves one rule out, until it is called again. */
export function plant(rule: Rule | undefined): void {
  leftOut = rule;
}

export const isLeftOut = (rule: Rule): boolean => leftOut === rule;

/** The condition of a rule; with the rule left out everything passes. */
export const holds = (rule: Rule, condition: boolean): boolean => condition || leftOut === rule;
