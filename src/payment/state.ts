import type { BillPaymentOutcome } from './outcome';
import type { Stage } from './progress';
import type { CheckedRequest } from './request';
import type { Look } from './steps';

/**
 * Where one run of a payment stands, for showing alone: what is decided is decided in the store. Pure: `next` makes every change, the
 * views (`views.ts`) make everything that people see of it. All times are epoch ms.
 */
export interface PaymentState {
  readonly paymentId: string;
  readonly startedAt: number;
  readonly step: Step;
  /** An end is being written down. */
  readonly recording?: BillPaymentOutcome['kind'];
  /** A step waits for the store for longer than a payment may take. */
  readonly storeAway?: { readonly because: string; readonly since: number };
  /** Why the UI's Request Cancellation, which nobody can be answered, changed nothing. */
  readonly cancellationRefused?: string;
}

export type Step =
  /** Nothing is known yet, not even whether an earlier run has sent it. */
  | { readonly kind: 'registering' }
  | { readonly kind: 'validating' | 'submitting'; readonly bill: RegisteredBill; readonly look: Look }
  /** It may have been sent, or a person is asked. */
  | { readonly kind: 'awaiting'; readonly bill: RegisteredBill; readonly look: Look }
  | {
      readonly kind: 'closed';
      readonly bill?: RegisteredBill;
      readonly look?: Look;
      readonly outcome: BillPaymentOutcome;
      readonly disputed: boolean;
    };

/** What the registration has told. */
export interface RegisteredBill {
  readonly request: CheckedRequest;
  readonly serviceName?: string;
  /** The provider's name. */
  readonly provider: string;
  /** Until then it is sent, or expires; by the clock of the run. */
  readonly expiresAt: number;
}

export type PaymentEvent =
  | { readonly kind: 'registered'; readonly bill: RegisteredBill; readonly look: Look }
  | { readonly kind: 'submitting' }
  /** There is nothing to do but to wait for what the provider says. */
  | { readonly kind: 'awaiting' }
  | { readonly kind: 'looked'; readonly look: Look }
  | { readonly kind: 'recording'; readonly as: BillPaymentOutcome['kind'] }
  | { readonly kind: 'not-recorded' }
  | { readonly kind: 'closed'; readonly outcome: BillPaymentOutcome; readonly disputed: boolean }
  | { readonly kind: 'store-away'; readonly because: string; readonly at: number }
  | { readonly kind: 'store-answered' }
  | { readonly kind: 'cancellation-refused'; readonly because: string };

export const initialState = (paymentId: string, startedAt: number): PaymentState => ({
  paymentId,
  startedAt,
  step: { kind: 'registering' },
});

/** How much of a cause is shown. */
const CAUSE_CHARACTERS = 200;

export function next(state: PaymentState, event: PaymentEvent): PaymentState {
  // What has ended stays as it ended.
  if (state.step.kind === 'closed') return state;
  switch (event.kind) {
    case 'registered': {
      const { bill, look } = event;
      return { ...state, step: { kind: isWaiting(look) ? 'awaiting' : 'validating', bill, look } };
    }
    case 'submitting':
      return withStep(state, (step) => ({ ...step, kind: 'submitting' }));
    case 'awaiting':
      return withStep(state, (step) => ({ ...step, kind: 'awaiting' }));
    case 'looked':
      return withStep(state, (step) => looked(step, event.look));
    case 'recording':
      return { ...state, recording: event.as };
    case 'not-recorded':
      return without(state, 'recording');
    case 'closed': {
      const { outcome, disputed } = event;
      const known = state.step.kind === 'registering' ? {} : { bill: state.step.bill, look: state.step.look };
      const { paymentId, startedAt } = state;
      return { paymentId, startedAt, step: { kind: 'closed', ...known, outcome, disputed } };
    }
    case 'store-away': {
      const since = state.storeAway?.since ?? event.at;
      return { ...state, storeAway: { because: event.because.slice(0, CAUSE_CHARACTERS), since } };
    }
    case 'store-answered':
      return without(state, 'storeAway');
    case 'cancellation-refused':
      return { ...state, cancellationRefused: event.because };
  }
}

type OpenStep = Extract<Step, { kind: 'validating' | 'submitting' | 'awaiting' }>;

function withStep(state: PaymentState, change: (step: OpenStep) => OpenStep): PaymentState {
  const { step } = state;
  return step.kind === 'registering' || step.kind === 'closed' ? state : { ...state, step: change(step) };
}

/** Two looks at once may be told in either order: the later one is shown. */
function looked(step: OpenStep, look: Look): OpenStep {
  if (look.at < step.look.at) return step;
  return { ...step, kind: isWaiting(look) ? 'awaiting' : step.kind, look };
}

/** It may have been sent, or a person is asked. */
const isWaiting = ({ facts, verdict }: Look): boolean =>
  facts.claim.kind === 'taken' || (verdict.kind === 'open' && verdict.ask !== undefined);

function without<Field extends 'recording' | 'storeAway'>(state: PaymentState, field: Field): PaymentState {
  const { [field]: _gone, ...rest } = state;
  return rest as PaymentState;
}

/** The reason for which a person is asked, if one is. */
export function askOf({ step }: PaymentState) {
  if (step.kind !== 'awaiting' || step.look.verdict.kind !== 'open') return undefined;
  return step.look.verdict.ask;
}

export function stageOf(state: PaymentState): Stage {
  const { step } = state;
  if (step.kind === 'closed') return 'closed';
  if (state.recording !== undefined) return 'recording';
  if (step.kind !== 'awaiting') return step.kind;
  return askOf(state) === undefined ? 'awaiting-result' : 'needs-attention';
}
