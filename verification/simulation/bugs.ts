import { AccessToken } from '../../src/almara/token';
import type { Provider } from '../../src/payment/provider';
import type { StoreModel } from '../store-model';
import type { Activities } from './execute';

/** Bugs that each break one rule of the protocols, planted where such a bug would really be, to see them found. */
export const BUGS = [
  'claim-given-back',
  'no-seal',
  'no-deadline',
  'two-step-close',
  'decline-on-not-found',
  'void-while-unknown',
  'code-from-unauthenticated-callback',
  'decline-without-code',
  'first-failure-believed',
  'no-turns',
] as const;
export type Bug = (typeof BUGS)[number];

/** In the workflow's source, as the bundler writes it. */
const PATCHES: Partial<Record<Bug, readonly [is: string, becomes: string]>> = {
  'decline-on-not-found': [`return ask('not-found', seen.said);`, `return { kind: 'failed', said: seen.said };`],
  'void-while-unknown': [
    `ask('provider-silent', (`,
    `((_reason, said) => ({ kind: 'failed', said }))('provider-silent', (`,
  ],
  'decline-without-code': [`rules.failedWithoutCode === 'decline'`, `true`],
  'first-failure-believed': [`return failed.until < due ? due : undefined;`, `return undefined;`],
  // Store steps and looks of a run beside one another.
  'no-turns': [`while(this.taken)`, `while(false)`],
};

/** @throws Error when the source is not what the bug was written for */
export function plantInWorkflows(code: string, bug: Bug | undefined): string {
  const patch = bug && PATCHES[bug];
  if (patch === undefined) return code;
  const [is, becomes] = patch;
  const found = code.split(is).length - 1;
  if (found !== 1)
    throw new Error(
      `The planted bug ${bug} looks for "${is}" in the workflows and finds it ${found} times: write it anew.`,
    );
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
      const submission = (await submitPayment(...args)) as { readonly kind: string };
      if (submission.kind !== 'unknown') return submission;
      const [request] = args as unknown as readonly [{ readonly paymentId: string }];
      model.giveBackClaim(request.paymentId);
      throw new Error('not known whether it was sent: try again');
    },
  };
}
