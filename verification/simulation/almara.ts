import { AlmaraTrouble, type Almara } from '../../src/almara';
import { isSuccess, type HttpAnswer } from '../../src/almara/answers';
import { readAccount } from '../../src/almara/bill-readings';
import { troubleFor } from '../../src/almara/errors';
import { readLook, readSubmission } from '../../src/almara/readings';
import type { Submission } from '../../src/payment/observation';
import type { Fault, Step } from '../faults';
import type { Agenda } from './agenda';
import type { Gate } from './gate';
import { disturbed, plain, type Provider, type Reply } from './provider';
import type { Worker } from './workers';

/**
 * The adapter with a simulated network in place of HTTP: the real readings of what comes back, the real rule of when the last
 * byte may leave. One for each attempt, since what it does stands at that attempt's gate.
 */

const READ_WITHIN = 10_000;
const PAY_WITHIN = 30_000;

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
  readonly provider: Provider;
  readonly stepOf: (call: string) => Step;
}

type Used = Pick<Almara, 'validateAccount' | 'findPayment' | 'submitPayment' | 'listBillServices' | 'accountHash'>;

export function createSimulatedAlmara({ agenda, gate, worker, provider, stepOf }: AlmaraParts): Almara {
  async function read(call: string, what: string, ask: () => HttpAnswer, signal?: AbortSignal): Promise<HttpAnswer> {
    const before = { step: stepOf(call), call, side: 'before' } as const;
    const fault = await gate.pass(before, READ_FAULTS, signal);
    if (fault === 'connection-refused' || fault === 'reset-before-capture')
      throw new AlmaraTrouble('connection', `Almara Pay could not be reached for ${what} (ECONNRESET)`);
    if (fault === 'timeout-before-capture' || fault === 'body-slow') {
      await gate.pause(READ_WITHIN, signal);
      throw new AlmaraTrouble('timeout', `Almara Pay did not answer ${what} within ${READ_WITHIN / 1000} s`);
    }
    const status = fault && STATUS_OF[fault];
    const reply = status === undefined ? disturbed({ kind: 'answer', answer: ask() }, fault) : undefined;
    await gate.pass({ ...before, side: 'after' }, [], signal);
    return reply?.kind === 'answer' ? reply.answer : plain(status ?? 502);
  }

  /** As the client does it: a 401 renews the token and asks again once; what is not expected is trouble. */
  async function ask(
    call: string,
    what: string,
    expected: readonly number[],
    once: () => HttpAnswer,
    signal?: AbortSignal,
  ) {
    let token = worker.token();
    let answer = await read(call, what, once, signal);
    if (answer.status === 401) {
      token = worker.token({ renew: true });
      answer = await read(call, what, once, signal);
    }
    if (!isSuccess(answer.status) && !expected.includes(answer.status)) throw troubleFor(answer, what);
    return { answer, token };
  }

  const used: Used = {
    async validateAccount(bill, signal) {
      const look = () => provider.validate(bill.accountNumber);
      const { answer } = await ask('validate', 'the account validation', [400], look, signal);
      return readAccount(answer, [bill.accountNumber]);
    },
    async findPayment(_paymentId, signal) {
      const { answer, token } = await ask('look', 'the look-up', [400, 404], () => provider.look(), signal);
      return { observation: readLook(answer), token };
    },
    async submitPayment(order, token, mayStillSend, signal) {
      try {
        const before = { step: stepOf('send'), call: 'send', side: 'before' } as const;
        const fault = await gate.pass(before, SEND_FAULTS, signal);
        if (fault === 'connection-refused') return notSent('no connection (ECONNREFUSED)');
        if (signal?.aborted === true) return notSent('the worker is stopping');
        if (!mayStillSend()) return notSent('too late after the claim');
        const reply = await gate.wait<Reply>((go) => {
          provider.send(order, token.expiresAt, fault, go);
          agenda.after(PAY_WITHIN, () => go({ kind: 'silence' }));
        }, signal);
        if (reply.kind !== 'answer') return { kind: 'unknown', because: `no answer (${reply.kind})` };
        await gate.pass({ ...before, side: 'after' });
        return readSubmission(reply.answer, order.paymentId, []);
      } catch {
        return { kind: 'unknown', because: 'a fault of our own while sending' };
      }
    },
    listBillServices: async () => [],
    accountHash: 'simulated',
  };
  return used as Almara;
}

const notSent = (because: string): Submission => ({ kind: 'unknown', because: `not sent: ${because}` });
