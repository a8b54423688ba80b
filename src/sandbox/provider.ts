import { callback, type Body } from './answers';
import type { CallbackContent, PostAnswer, Timings } from './behaviour';
import type { Background } from './background';
import type { CallbackSender } from './callbacks';
import { disturbCallbacks, type FaultPlan, type Sending } from './faults';
import type { Ledger, LedgerEntry, SentCallback } from './ledger';
import { look, post, postSeen, type DueCallback, type LookAnswer, type PaymentRequest } from './rules';

export interface ProviderParts {
  readonly ledger: Ledger;
  readonly timings: Timings;
  readonly background: Background;
  readonly sender: CallbackSender;
  readonly now: () => number;
  readonly faults: FaultPlan | undefined;
}

/** Applies the rules to the ledger and sends the callbacks they call for. */
export class Provider {
  constructor(private readonly parts: ProviderParts) {}

  /** Resolves when the POST may be answered. */
  async receive(request: PaymentRequest): Promise<{ readonly answer: PostAnswer; readonly entry: LedgerEntry }> {
    const { ledger, timings, now } = this.parts;
    const entry = ledger.entry(request.id);
    const isNew = entry.state.captured === undefined;
    const { state, answer, callbacks } = post(entry.state, request, now(), timings);
    entry.state = state;
    const captured = isNew && state.captured !== undefined;
    await this.#dispatch(entry, request, captured ? this.#disturbed(request.id, callbacks) : callbacks);
    return { answer, entry };
  }

  /** A payment POST that is refused before its content matters. */
  turnAway(id: string): void {
    const entry = this.parts.ledger.entry(id);
    entry.state = postSeen(entry.state);
  }

  findPayment(id: string): { readonly answer: LookAnswer; readonly entry: LedgerEntry } {
    const { ledger, timings, now } = this.parts;
    const entry = ledger.entry(id);
    const announced = isUntouched(entry) ? ledger.takeAnnouncement() : undefined;
    if (announced !== undefined) entry.state = { ...entry.state, behaviour: announced };
    const { state, answer } = look(entry.state, now(), timings);
    entry.state = state;
    return { answer, entry };
  }

  /** For the rules and for tests that script a provider. */
  async sendCallback(entry: LedgerEntry, url: string, body: string, isForged = false): Promise<SentCallback> {
    const sent: SentCallback = { at: this.parts.now(), body, ...(isForged && { forged: true }) };
    entry.callbacksSent.push(sent);
    return Object.assign(sent, await this.parts.sender.send(url, body));
  }

  async #dispatch(entry: LedgerEntry, request: PaymentRequest, callbacks: readonly Sending[]): Promise<void> {
    const send = ({ content, forged }: Sending) => {
      const about = forged === 'other-payment' ? { ...request, id: `${request.id}-other` } : request;
      const url = forged === 'wrong-token' ? strangersUrl(request.callbackUrl) : request.callbackUrl;
      const body = JSON.stringify(this.callbackBody(entry, about, content));
      return this.sendCallback(entry, url, body, forged !== undefined);
    };
    for (const callback of callbacks) {
      if (callback.after === 'before-answer') await send(callback);
      else this.parts.background.after(callback.after, async () => void (await send(callback)));
    }
  }

  #disturbed(paymentId: string, callbacks: readonly DueCallback[]): readonly Sending[] {
    const fault = this.parts.faults?.callback(paymentId);
    const sendings = disturbCallbacks(fault, callbacks);
    // Where no callback is due, most faults change nothing, and what changes nothing is not counted.
    const isStruck = fault !== undefined && callbacks.length + sendings.length > 0;
    if (isStruck) this.parts.ledger.noteFault('callback', fault.kind);
    return sendings;
  }

  callbackBody(entry: LedgerEntry, request: PaymentRequest, content: CallbackContent): Body {
    return callback(request, entry.state.systemId, content);
  }
}

/** Somebody who knows the address but not the token. */
const strangersUrl = (url: string): string => url.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));

/** Nobody looked for it, posted it or scripted it, and its id asks for nothing. */
function isUntouched({ state, patch }: LedgerEntry): boolean {
  const { behaviour, postsSeen, looks, looksRefused } = state;
  return behaviour === undefined && patch === undefined && postsSeen + looks.length + looksRefused === 0;
}
