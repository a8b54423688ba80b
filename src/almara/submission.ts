import type { Submission } from '../payment/observation';
import type { PaymentOrder } from '../payment/provider';
import { readSubmission } from './readings';
import type { PaymentPost, Reply, Transport } from './transport';

/**
 * Sends the payment once and never throws. What "not sent" rests on: no byte leaves before the gate has opened.
 * @param build makes the request, so that a fault in making it is an answer as well
 */
export async function submitOnce(
  transport: Transport,
  order: PaymentOrder,
  build: () => Omit<PaymentPost, 'mayStillSend'>,
  mayStillSend: () => boolean,
  signal: AbortSignal | undefined,
): Promise<Submission> {
  const gate = createGate(mayStillSend);
  const withoutAnswer = (because: string): Submission =>
    gate.state === 'open' ? { kind: 'unknown', because } : { kind: 'not-sent', because };
  try {
    signal?.throwIfAborted();
    const reply = await transport.postOnce({ ...build(), mayStillSend: gate.ask }, signal);
    if (reply.kind === 'answer') return readSubmission(reply.answer, order.paymentId, personalOf(order));
    return withoutAnswer(inWords(reply, gate.state));
  } catch {
    // No fault of ours may look like an answer of theirs, and none may make the engine try again.
    return withoutAnswer(signal?.aborted === true ? 'the worker is stopping' : 'a fault of our own while sending');
  }
}

type GateState = 'unasked' | 'open' | 'refused';

/** Opens on nothing but a plain yes: a promise by mistake would be one too. Asked again, it says no. */
function createGate(mayStillSend: () => boolean): { readonly ask: () => boolean; readonly state: GateState } {
  let state: GateState = 'unasked';
  return {
    ask() {
      if (state !== 'unasked') return false;
      state = 'refused';
      try {
        if (mayStillSend() === true) state = 'open';
      } catch {
        // Whoever cannot say yes says no.
      }
      return state === 'open';
    },
    get state() {
      return state;
    },
  };
}

function inWords(reply: Exclude<Reply, { kind: 'answer' }>, state: GateState): string {
  if (state === 'refused') return 'too late to send';
  const mayHaveLeft = state === 'open';
  if (reply.kind === 'timeout') return `no ${mayHaveLeft ? 'answer' : 'connection'} within ${reply.afterMs / 1000} s`;
  return `${mayHaveLeft ? 'the connection broke' : 'no connection'} (${reply.code})`;
}

function personalOf(order: PaymentOrder): readonly string[] {
  return [order.payer.name, order.payer.msisdn, order.accountNumber, order.callbackUrl];
}
