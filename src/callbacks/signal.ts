import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { SIGNALS, workflowIdOf } from '../payment/contract';
import type { CallbackNotice } from '../payment/observation';
import { engineOf } from './engine';

/** Tells a payment's workflow that a callback came. 'no-run': none is running. Throws when the engine did not take it. */
export type Signal = (paymentId: string, notice: CallbackNotice) => Promise<'sent' | 'no-run'>;

/** Never starts a workflow: a callback is no reason to pay anything. */
export function createSignal(client: Client): Signal {
  const engine = engineOf(client);
  return async (paymentId, notice) => {
    const handle = client.workflow.getHandle(workflowIdOf(paymentId));
    try {
      await engine.bounded(() => handle.signal(SIGNALS.providerCallback, notice));
      return 'sent';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'no-run';
      throw error;
    }
  };
}
