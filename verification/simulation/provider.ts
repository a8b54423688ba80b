import type { HttpAnswer } from '../../src/almara/answers';
import type { AlmaraSettings } from '../../src/almara';
import { DEFAULT_TIMEOUTS } from '../../src/almara/settings';
import type { Reply } from '../../src/almara/transport';
import { accepted, accountValidated, callback, record } from '../../src/sandbox/answers';
import type { BillPaymentRequest } from '../../src/payment/request';
import type { CallbackContent, Timings } from '../../src/sandbox/behaviour';
import { ANY_OTHER_ACCOUNT, listedBehaviour } from '../../src/sandbox/behaviours';
import { duplicateError, notFoundError, reasonError, validationError } from '../../src/sandbox/errors';
import { fieldsOf, readPayment } from '../../src/sandbox/requests';
import * as rules from '../../src/sandbox/rules';
import type { Fault } from '../faults';
import { isRequestOf, type ProviderTruth } from '../guarantees';
import type { Agenda } from './agenda';
import type { Random } from './random';
import type { Weather } from './weather';

/** Almara Pay as the sandbox's rules have it, for one payment, with faults by seed. What it saw and did is the truth. */

export interface ProviderParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly weather: Weather;
  readonly paymentId: string;
  /** What its caller wants paid. */
  readonly asked: BillPaymentRequest;
  readonly timings: Timings;
  readonly tokenLifeMs: number;
  readonly trace: (line: string) => void;
  /** A callback goes out, to the address it was given. */
  readonly onCallback: (body: string, url: string) => void;
  /** The payment is taken. True: the store says that it is closed. */
  readonly onCaptured: () => boolean;
}

/** How its one customer knows it. */
export const ACCOUNT: AlmaraSettings = {
  apiUrl: 'https://provider.example',
  identityUrl: 'https://provider.example',
  clientId: 'simulated',
  clientSecret: 'simulated',
  scope: 'PyPay_api',
  routeId: '068d89af-be67-f011-bb46-0e7d952d79b7',
  serviceField: 'ServiceId',
};
const TRACE_ID = '00-0-0-00';
const RESET: Reply = { kind: 'broken', code: 'ECONNRESET' };
const SILENCE: Reply = { kind: 'timeout', afterMs: DEFAULT_TIMEOUTS.payMs };

export class Provider {
  #state: rules.PaymentState;
  #said: { completedAt: number | undefined; timesFailed: number; rejected: boolean } = {
    completedAt: undefined,
    timesFailed: 0,
    rejected: false,
  };
  /** The store had an outcome when it took the payment. */
  #isAfterClose = false;
  /** Callbacks that are still to come. */
  #due = 0;
  /** Requests that have left us and not arrived. */
  #underWay = 0;
  #isRecordLost = false;

  constructor(private readonly parts: ProviderParts) {
    const { random, paymentId } = parts;
    const systemId = `${random.hex(8)}-${random.hex(4)}-4000-8000-${random.hex(12)}`;
    this.#state = rules.newPayment(paymentId, systemId);
  }

  get isQuiet(): boolean {
    return this.#due === 0 && this.#underWay === 0;
  }

  /** When its record will not change any more. */
  get isSettled(): boolean {
    const { captured, behaviour } = this.#state;
    if (captured === undefined) return true;
    const { timings, agenda } = this.parts;
    const last = Math.max(0, ...(behaviour?.history ?? []).map(({ at }) => rules.delay(at, timings)));
    return agenda.now >= captured.at + last;
  }

  truth(): ProviderTruth {
    const { postsSeen, postsCaptured, captured } = this.#state;
    const status = rules.statusAt(this.#state, this.parts.agenda.now, this.parts.timings) ?? null;
    const { completedAt, timesFailed, rejected } = this.#said;
    return {
      postsSeen,
      postsCaptured,
      capturedAfterClose: this.#isAfterClose,
      capturedOther: captured !== undefined && !isRequestOf(this.parts.asked, captured.request),
      status,
      saidCompleted: completedAt !== undefined,
      saidCompletedAt: completedAt,
      saidFailed: timesFailed > 0,
      timesSaidFailed: timesFailed,
      saidRejected: rejected,
      refusalCallbacks: 0,
    };
  }

  /** What was taken stays taken, but from now on nobody is told of it. */
  loseRecord(): void {
    this.#isRecordLost = true;
  }

  /** A token that says itself until when it is good. */
  issueToken(): HttpAnswer {
    const { agenda, tokenLifeMs } = this.parts;
    return json(200, { access_token: `until:${agenda.now + tokenLifeMs}`, expires_in: tokenLifeMs / 1_000 });
  }

  validate(body: string, authorization: string | undefined): HttpAnswer {
    if (!this.#isGood(authorization)) return plain(401);
    const account = String(fieldsOf(JSON.parse(body)).get('accountnumber'));
    const { accountValid } = listedBehaviour(account) ?? ANY_OTHER_ACCOUNT;
    const { looks, postsSeen, behaviour } = this.#state;
    const announced = rules.announcedBy(account);
    if (announced !== undefined && behaviour === undefined && looks.length + postsSeen === 0)
      this.#state = { ...this.#state, behaviour: announced };
    return accountValid
      ? json(200, accountValidated(this.#exchange()))
      : json(400, reasonError(this.#exchange(), 'Account number number is invalid.'));
  }

  look(id: string | null, authorization: string | undefined): HttpAnswer {
    if (!this.#isGood(authorization)) return plain(401);
    const { agenda, timings, paymentId } = this.parts;
    if (id !== paymentId) throw new Error(`a look at ${id}, which nobody asked for`);
    const { state, answer } = rules.look(this.#state, agenda.now, timings);
    this.#state = state;
    const notFound = () => json(404, notFoundError(paymentId, 'OriginatorConversationId', 'Bill payment not found.'));
    if (this.#isRecordLost) return notFound();
    switch (answer.kind) {
      case 'not-found':
        return notFound();
      case 'refused':
        return answer.status === 429
          ? { ...plain(429), retryAfterMs: answer.retryAfterSeconds * 1_000 }
          : plain(answer.status);
      case 'record': {
        const { status, accountNumber, amount, request } = answer.record;
        const agrees = request !== undefined && isRequestOf(this.parts.asked, { ...request, accountNumber, amount });
        if (status === 4 && agrees) this.#said.completedAt ??= agenda.now;
        if (status === 6) this.#said.timesFailed += 1;
        return json(200, record(paymentId, answer.record));
      }
    }
  }

  /** The payment request has left us; it arrives when the seed says, whatever becomes of who sent it. */
  send(body: string, authorization: string | undefined, fault: Fault | undefined, go: (reply: Reply) => void): void {
    const { agenda, random, trace } = this.parts;
    // A network can hold a request back for very long: only its token's end makes it harmless.
    const travel = random.chance(0.04) ? random.pick([40_000, 600_000, 5_000_000]) : random.pick([1, 5, 50, 400]);
    this.#underWay += 1;
    agenda.after(travel, () => {
      this.#underWay -= 1;
      const reply = this.#receive(body, authorization, fault);
      trace(`the payment request arrives: ${reply.kind === 'answer' ? reply.answer.status : reply.kind}`);
      agenda.after(fault === 'body-slow' ? 35_000 : random.pick([1, 5, 50, 400, 3_000]), () => go(reply));
    });
  }

  /** A callback made up of this payment's facts, or undefined when there are none. */
  callbackBody(content: CallbackContent): string | undefined {
    const request = this.#state.captured?.request;
    return request && JSON.stringify(callback(request, this.#state.systemId, content));
  }

  #isGood(authorization: string | undefined): boolean {
    const [, until] = /^Bearer until:(\d+|Infinity)$/.exec(authorization ?? '') ?? [];
    return until !== undefined && this.parts.agenda.now < Number(until);
  }

  #receive(body: string, authorization: string | undefined, fault: Fault | undefined): Reply {
    const turnAway = (status: number): Reply => {
      this.#state = rules.postSeen(this.#state);
      return { kind: 'answer', answer: plain(status) };
    };
    if (!this.#isGood(authorization) || fault === 'answer-401') return turnAway(401);
    if (fault === 'answer-403') return turnAway(403);
    if ((fault === 'answer-429' || fault === 'answer-5xx') && this.parts.random.chance(0.5))
      return turnAway(fault === 'answer-429' ? 429 : 502);
    if (fault === 'reset-before-capture' || fault === 'timeout-before-capture') {
      this.#state = rules.postSeen(this.#state);
      return fault === 'reset-before-capture' ? RESET : SILENCE;
    }
    return disturbed(this.#capture(body), fault);
  }

  #capture(body: string): Reply {
    const { agenda, timings, onCaptured } = this.parts;
    const payment = readPayment(fieldsOf(JSON.parse(body)));
    if (!payment.ok) throw new Error(`the provider cannot read our request: ${JSON.stringify(payment.errors)}`);
    const before = this.#state.postsCaptured;
    const { state, answer, callbacks } = rules.post(this.#state, payment.value, agenda.now, timings);
    this.#state = state;
    if (state.postsCaptured > before) this.#isAfterClose = onCaptured();
    for (const due of callbacks) this.#call(payment.value, due);
    const exchange = this.#exchange();
    switch (answer.kind) {
      case 'accepted':
        return { kind: 'answer', answer: json(200, accepted(exchange, payment.value.currency)) };
      case 'invalid-field':
        this.#said.rejected = true;
        return { kind: 'answer', answer: json(400, validationError({ [answer.field]: [answer.problem] }, TRACE_ID)) };
      case 'duplicate-id':
        return { kind: 'answer', answer: json(400, duplicateError(exchange)) };
      case 'error':
        return { kind: 'answer', answer: plain(answer.status) };
      case 'unreadable':
        return { kind: 'answer', answer: halved(json(200, accepted(exchange, payment.value.currency))) };
      case 'reset':
        return RESET;
      case 'hang':
        return SILENCE;
    }
  }

  #call(request: rules.PaymentRequest, { after, content }: rules.DueCallback): void {
    const { agenda, random, weather, onCallback, trace } = this.parts;
    const body = JSON.stringify(callback(request, this.#state.systemId, content));
    const fault = weather.strike('callback', CALLBACK_FAULTS);
    const at = after === 'before-answer' || fault === 'callback-early' ? 0 : after;
    if (fault !== undefined) trace(`the provider's callback: ${fault}`);
    if (fault === 'callback-lost') return;
    const times = fault === 'callback-repeated' ? random.between(2, 4) : 1;
    for (let time = 0; time < times; time += 1) {
      this.#due += 1;
      const late = fault === 'callback-late' ? random.pick([60_000, 3_600_000, 86_400_000]) : 0;
      const shuffled = fault === 'callbacks-reordered' ? random.pick([0, 10_000, 1_000_000]) : 0;
      agenda.after(at + late + shuffled + time * random.pick([0, 1, 30_000]), () => {
        this.#due -= 1;
        onCallback(body, request.callbackUrl);
      });
    }
  }

  #exchange() {
    const { paymentId, agenda } = this.parts;
    return { originatorConversationId: paymentId, systemConversationId: this.#state.systemId, now: agenda.now };
  }
}

const CALLBACK_FAULTS = [
  'callback-lost',
  'callback-repeated',
  'callback-early',
  'callback-late',
  'callbacks-reordered',
] as const;

export const json = (status: number, body: unknown): HttpAnswer => ({
  status,
  text: JSON.stringify(body),
  truncated: false,
});
export const plain = (status: number): HttpAnswer => ({ status, text: '', truncated: false });
const halved = (answer: HttpAnswer): HttpAnswer => ({
  ...answer,
  text: answer.text.slice(0, Math.floor(answer.text.length / 2)),
});

/** What a fault on the way back leaves of a reply. */
export function disturbed(reply: Reply, fault: Fault | undefined): Reply {
  if (fault === 'reset-after-capture') return RESET;
  if (fault === 'timeout-after-capture') return SILENCE;
  if (reply.kind !== 'answer') return reply;
  const { answer } = reply;
  if (fault === 'answer-429') return { kind: 'answer', answer: plain(429) };
  if (fault === 'answer-5xx') return { kind: 'answer', answer: plain(503) };
  if (fault === 'body-truncated') return { kind: 'answer', answer: halved(answer) };
  if (fault === 'body-unreadable') return { kind: 'answer', answer: { ...answer, text: '<html>Bad gateway</html>' } };
  return reply;
}
