import { createAlmara } from '../../src/almara';
import { DEFAULT_TIMEOUTS } from '../../src/almara/settings';
import type { Call, PaymentPost, Reply, Transport } from '../../src/almara/transport';
import type { Log } from '../../src/log';
import type { Provider } from '../../src/payment/provider';
import type { Fault, Step } from '../faults';
import type { Agenda } from './agenda';
import type { Gate } from './gate';
import { ACCOUNT, disturbed, plain, type Provider as SimulatedProvider } from './provider';
import type { Worker } from './workers';

/**
 * The real client over a simulated network: only the transport is made up. One for each attempt, since what it does stands at that
 * attempt's gate; the token is its worker's.
 */

const READ_FAULTS: readonly Fault[] = [
  'connection-refused',
  'reset-before-capture',
  'timeout-before-capture',
  'answer-401',
  'answer-403',
  'answer-429',
  'answer-5xx',
  'body-truncated',
  'body-unreadable',
  'body-slow',
];
const SEND_FAULTS: readonly Fault[] = [...READ_FAULTS, 'reset-after-capture', 'timeout-after-capture'];
const STATUS_OF: Partial<Record<Fault, number>> = {
  'answer-401': 401,
  'answer-403': 403,
  'answer-429': 429,
  'answer-5xx': 502,
};

export interface AlmaraParts {
  readonly agenda: Agenda;
  readonly gate: Gate;
  readonly worker: Worker;
  readonly provider: SimulatedProvider;
  readonly stepOf: (call: string) => Step;
  readonly log: Log;
}

export function createSimulatedAlmara(parts: AlmaraParts): Provider {
  const { agenda, worker, log } = parts;
  /** Of the call under way. It ends the wait for a token as well: an attempt waits for one thing at a time. */
  let caller: AbortSignal | undefined;
  const real = createAlmara(ACCOUNT, {
    log,
    now: () => agenda.now,
    tokens: worker.tokens,
    transport: createNetwork(parts, () => caller),
  });
  return {
    ...real,
    validateAccount: (bill, signal) => real.validateAccount(bill, (caller = signal)),
    findPayment: (paymentId, signal) => real.findPayment(paymentId, (caller = signal)),
    // Asked beside the work, at a moment that nobody chooses.
    listBillServices: async () => [],
  };
}

function createNetwork(parts: AlmaraParts, caller: () => AbortSignal | undefined): Transport {
  const { agenda, gate, provider, stepOf } = parts;
  const { readMs, payMs } = DEFAULT_TIMEOUTS;

  return {
    async ask(call, signal = caller()) {
      const { name, answer } = endpointOf(provider, call);
      const before = { step: stepOf(name), call: name, side: 'before' } as const;
      const fault = await gate.pass(before, READ_FAULTS, signal);
      if (fault === 'connection-refused' || fault === 'reset-before-capture')
        return { kind: 'broken', code: fault === 'connection-refused' ? 'ECONNREFUSED' : 'ECONNRESET' };
      if (fault === 'timeout-before-capture' || fault === 'body-slow') {
        await gate.pause(readMs, signal);
        return { kind: 'timeout', afterMs: readMs };
      }
      const status = fault && STATUS_OF[fault];
      const whole = { kind: 'answer', answer: status === undefined ? answer() : plain(status) } as const;
      const reply = status === undefined ? disturbed(whole, fault) : whole;
      await gate.pass({ ...before, side: 'after' }, [], signal);
      return reply;
    },
    async postOnce({ body, headers, mayStillSend }: PaymentPost, signal) {
      const before = { step: stepOf('send'), call: 'send', side: 'before' } as const;
      const fault = await gate.pass(before, SEND_FAULTS, signal);
      if (fault === 'connection-refused') return { kind: 'broken', code: 'ECONNREFUSED' };
      if (!mayStillSend()) return { kind: 'broken', code: 'too late' };
      const reply = await gate.wait<Reply>((go) => {
        provider.send(body, headers.authorization, fault, go);
        agenda.after(payMs, () => go({ kind: 'timeout', afterMs: payMs }));
      }, signal);
      if (reply.kind === 'answer') await gate.pass({ ...before, side: 'after' });
      return reply;
    },
    close: async () => undefined,
  };
}

/** Which of the provider's endpoints is called, as the steps name it, and what it answers now. */
function endpointOf(provider: SimulatedProvider, { method, url, body = '', headers }: Call) {
  const { pathname, searchParams } = new URL(url);
  if (pathname.endsWith('/connect/token')) return { name: 'token', answer: () => provider.issueToken() };
  if (method === 'GET') {
    const id = searchParams.get('OriginatorConversationId');
    return { name: 'look', answer: () => provider.look(id, headers?.authorization) };
  }
  return { name: 'validate', answer: () => provider.validate(body, headers?.authorization) };
}
