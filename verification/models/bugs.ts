/** What could be wrong around the rules: in SQL, in an activity, in a transaction's bounds. Each is planted where the world meets the rules. */
export const WORLD_BUGS = [
  'the claim is given back',
  'a claim without the version it was asked about',
  'an end that leaves the claim free',
  'the money in a transaction after the claim',
  'the money in a transaction after the end',
  'a claim without the money',
  'no deadline for the first byte',
  'a look speaks before it writes',
  'an answer is as old as its write',
  'anybody writes the answer to the request',
  'judged by a clock that is ahead',
  'the end names callbacks that it has not read',
  'the end rests on callbacks that were read before the row',
  'the question is forgotten',
  'money given back while it is unknown',
] as const;

export type WorldBug = (typeof WORLD_BUGS)[number];
