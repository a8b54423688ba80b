import type { Ending } from '../payment/ending';
import type { BillPaymentOutcome } from '../payment/outcome';
import { attentionAt } from '../payment/judge';
import { resolvePolicy } from '../payment/policy';
import type { RecordResult } from '../payment/steps';
import { recordOutcome } from './activities';
import type { Payment } from './payment';
import { untilStored, type WaitsForStore } from './until-stored';

/**
 * The one way to end: for the flow, a cancellation and a person's decision alike. What is recorded ends the run; what is not says how
 * the payment stands.
 */
export async function record(payment: Payment, ending: Ending): Promise<RecordResult> {
  payment.apply({ kind: 'recording', as: kindOf(payment, ending) });
  try {
    const { paymentId } = payment;
    const result = await untilStored(waitsForStore(payment), () =>
      payment.localActivities.runExclusive(() => recordOutcome({ paymentId, ending })),
    );
    if (result.kind === 'open') payment.apply({ kind: 'looked', look: result.look });
    if (result.kind === 'closed') payment.apply(result);
    return result;
  } finally {
    payment.apply({ kind: 'not-recorded' });
  }
}

/** What is shown while it is written down. */
function kindOf({ state: { step } }: Payment, ending: Ending): BillPaymentOutcome['kind'] {
  switch (ending.kind) {
    case 'decided':
      return ending.resolution.decision;
    case 'unsent':
      return ending.why.kind === 'cancelled' ? 'cancelled' : 'declined';
    case 'proven':
      return step.kind === 'awaiting' && step.look.verdict.kind === 'paid' ? 'paid' : 'declined';
  }
}

/** A payment that waits for the store says so, from the moment at which a person would be asked. */
export function waitsForStore(payment: Payment): WaitsForStore {
  return {
    get attentionAt() {
      const { step, startedAt } = payment.state;
      return step.kind === 'registering' || step.look === undefined
        ? startedAt + resolvePolicy(undefined).attentionAfter
        : attentionAt(step.look.facts);
    },
    storeIsAway: (because) => payment.apply({ kind: 'store-away', because, at: Date.now() }),
    storeAnswered: () => {
      if (payment.state.storeAway !== undefined) payment.apply({ kind: 'store-answered' });
    },
  };
}
