import { callback, type Body } from './answers';
import type { CallbackContent, PostAnswer, Timings } from './behaviour';
import type { Background } from './background';
import type { CallbackSender } from './callbacks';
import type { Ledger, LedgerEntry, SentCallback } from './ledger';
import { look, post, postSeen, type DueCallback, type LookAnswer, type PaymentRequest } from './rules';

export interface ProviderParts {
  readonly ledger: Ledger;
  readonly timings: Timings;
  readonly background: Background;
  readonly sender: CallbackSender;
  readonly now: () => number;
}

/** Applies the rules to the ledger and sends the callbacks they call for. */
export class Provider {
  constructor(private readonly parts: ProviderParts) {}

  /** Resolves when the POST may be answered. */
  async receive(request: PaymentRequest): Promise<{ readonly answer: PostAnswer; readonly entry: LedgerEntry }> {
    const { ledger, timings, now } = this.parts;
    const entry = ledger.entry(request.id);
    const { state, answer, callbacks } = post(entry.state, request, now(), timings);
    entry.state = state;
    await this.#dispatch(entry, request, callbacks);
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
  async sendCallback(entry: LedgerEntry, url: string, body: string): Promise<SentCallback> {
    const sent: SentCallback = { at: this.parts.now(), body };
    entry.callbacksSent.push(sent);
    return Object.assign(sent, await this.parts.sender.send(url, body));
  }

  async #dispatch(entry: LedgerEntry, request: PaymentRequest, callbacks: readonly DueCallback[]): Promise<void> {
    const send = (content: CallbackContent) =>
      this.sendCallback(entry, request.callbackUrl, JSON.stringify(this.callbackBody(entry, request, content)));
    for (const { after, content } of callbacks) {
      if (after === 'before-answer') await send(content);
      else this.parts.background.after(after, async () => void (await send(content)));
    }
  }

  callbackBody(entry: LedgerEntry, request: PaymentRequest, content: CallbackContent): Body {
    return callback(request, entry.state.systemId, content);
  }
}

/** Nobody looked for it, posted it or scripted it, and its id asks for nothing. */
function isUntouched({ state, patch }: LedgerEntry): boolean {
  const { behaviour, postsSeen, looks, looksRefused } = state;
  return behaviour === undefined && patch === undefined && postsSeen + looks.length + looksRefused === 0;
}
