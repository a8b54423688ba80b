import type { Log } from '../log';
import { ProviderTrouble } from '../payment/provider';
import type { HttpAnswer } from './answers';
import { NAME } from './errors';
import type { Reply, Transport } from './transport';
import type { Request } from './wire';

/**
 * One request that is not the payment, and its answer.
 * @throws ProviderTrouble `connection` or `timeout` when there was no whole answer
 * @throws the signal's reason when the caller gave up
 */
export type Exchange = (request: Request, signal?: AbortSignal) => Promise<HttpAnswer>;

export function createExchange(transport: Transport, log: Log, now: () => number): Exchange {
  return async (request, signal) => {
    signal?.throwIfAborted();
    const startedAt = now();
    const answer = answerIn(await transport.ask(request, signal), request);
    const { status, text, truncated } = answer;
    // What and how it went, never an address or a body: both hold account numbers.
    log.debug(
      { call: request.what, status, characters: text.length, truncated, ms: now() - startedAt },
      'the provider answered',
    );
    return answer;
  };
}

function answerIn(reply: Reply, { what }: Request): HttpAnswer {
  switch (reply.kind) {
    case 'answer':
      return reply.answer;
    case 'broken':
      throw new ProviderTrouble('connection', `${NAME} could not be reached for ${what} (${reply.code})`);
    case 'timeout':
      throw new ProviderTrouble('timeout', `${NAME} did not answer ${what} within ${reply.afterMs / 1000} s`);
  }
}
