import { AccessToken } from '../../src/almara/token';
import type { Unwritten } from '../../src/activities/dependencies';
import type { Facts } from '../../src/payment/facts';
import { RULES, type Rule } from '../../src/payment/planted';
import type { Provider } from '../../src/payment/provider';
import type { SubmitResult } from '../../src/payment/steps';
import type { StoreModel } from '../store-model';
import type { Activities } from './execute';
import type { Worker } from './workers';

/** Bugs of what is around the rules, planted where such a bug would really be. */
export const WORLD_BUGS = [
  'claim-given-back',
  'no-seal',
  'no-deadline',
  'two-step-record',
  'code-from-unauthenticated-callback',
  'no-mutex',
  'seen-is-forgotten',
] as const;
export type WorldBug = (typeof WORLD_BUGS)[number];

/** Each breaks one thing, to see it found: a shipped rule that is left out, or something around the rules. */
export const BUGS = [...WORLD_BUGS, ...RULES];
export type Bug = (typeof BUGS)[number];

export const ruleOf = (bug: Bug | undefined): Rule | undefined => RULES.find((rule) => rule === bug);

/** In the workflow's source, as the bundler writes it: local activities of a run beside one another. */
const NO_MUTEX = [`while(this.isLocked)`, `while(false)`] as const;

/** @throws Error when the source is not what the bug was written for */
export function plantInWorkflows(code: string, bug: Bug | undefined): string {
  if (bug !== 'no-mutex') return code;
  const [is, becomes] = NO_MUTEX;
  const found = code.split(is).length - 1;
  if (found !== 1)
    throw new Error(`The planted bug looks for "${is}" in the workflows and finds it ${found} times: write it anew.`);
  return code.replace(is, () => becomes);
}

/** A POST whose time is over is sent all the same, with a token that was renewed for it. */
export function spoilAlmara(bug: Bug | undefined, almara: Provider): Provider {
  if (bug !== 'no-deadline') return almara;
  return {
    ...almara,
    submitPayment: (order, _session, _mayStillSend, signal) =>
      almara.submitPayment(order, new AccessToken('until:Infinity', Infinity), () => true, signal),
  };
}

/** Whoever does not know whether it was sent gives the claim back and tries again. */
export function spoilActivities(bug: Bug | undefined, activities: Activities, model: StoreModel): Activities {
  const { submitPayment } = activities;
  if (bug !== 'claim-given-back' || submitPayment === undefined) return activities;
  return {
    ...activities,
    async submitPayment(...args) {
      const result = (await submitPayment(...args)) as SubmitResult;
      if (result.kind !== 'looked' || !isUnknown(result.look.facts)) return result;
      const [request] = args as unknown as readonly [{ readonly paymentId: string }];
      model.giveBackClaim(request.paymentId);
      throw new Error('not known whether it was sent: try again');
    },
  };
}

/** What an activity has seen and could not write down is gone with it. */
export function unwrittenOf(bug: Bug | undefined, { unwritten }: Worker): Unwritten {
  const forgotten: Unwritten = new Map();
  return bug === 'seen-is-forgotten' ? forgotten : unwritten;
}

const isUnknown = ({ claim }: Facts): boolean =>
  claim.kind === 'taken' && (claim.answer === undefined || claim.answer.kind === 'unknown');
