import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { SIGNALS, workflowIdOf } from '../payment/contract';
import type { CallbackHint } from '../payment/observation';
import { within } from './trouble';

/** Tells a payment's workflow that a callback came. 'no-run': none is running. Throws when the engine did not take it. */
export type Signal = (paymentId: string, hint: CallbackHint) => Promise<'sent' | 'no-run'>;

/** The engine takes a signal in milliseconds; a longer wait would only keep other payments from theirs. The sweep tries again. */
const SIGNAL_WITHIN_MS = 5_000;
/** The SDK notices a passed deadline only after the pause it is in; nobody waits for that. */
const GRACE_MS = 250;

/** Never starts a workflow: a callback is no reason to pay anything. */
export function createSignal(client: Client): Signal {
  return async (paymentId, hint) => {
    const handle = client.workflow.getHandle(workflowIdOf(paymentId));
    try {
      const sent = client.withDeadline(Date.now() + SIGNAL_WITHIN_MS, () =>
        handle.signal(SIGNALS.providerCallback, hint),
      );
      await within(SIGNAL_WITHIN_MS + GRACE_MS, sent);
      return 'sent';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'no-run';
      throw error;
    }
  };
}
