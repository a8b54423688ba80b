import { randomUUID } from 'node:crypto';
import type { Behaviour, Timings } from './behaviour';
import { announcedBy, newPayment, statusAt, type PaymentState } from './rules';
import type { Body } from './answers';

/** Every request the simulated provider saw and what became of it: the truth that tests compare with. */

export interface SeenRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** As parsed; a broken-off body as far as it came. Never that of a token request. */
  readonly body?: unknown;
  /** The payment POST and the look-up have one; a validation may carry one, and should not. */
  readonly originatorConversationId?: string;
  /** The HTTP status, or what happened instead. */
  answered?: number | 'reset' | 'no answer' | 'broken off by the client';
}

export interface SentCallback {
  readonly at: number;
  readonly body: string;
  /** As a stranger would send it: without our token, or about another payment. */
  readonly forged?: true;
  /** The status of the answer; absent while it is awaited, and when there was none. */
  answered?: number;
  /** Why there was no answer, or why nothing was sent. */
  failed?: string;
}

export interface PaymentView {
  readonly id: string;
  readonly behaviour: string | null;
  /** Payment POSTs (type 2) whose headers reached us, whatever became of them. */
  readonly postsSeen: number;
  /** Those that became a payment record. */
  readonly postsCaptured: number;
  /** The truth, whether or not a look-up may see it yet; null: no record. */
  readonly status: number | null;
  readonly said: Said;
  readonly callbacksSent: readonly SentCallback[];
  readonly requests: readonly SeenRequest[];
}

/** What the caller was told about a payment, in an answer that may have arrived whole. */
export interface Said {
  /** A look-up showed a completed record that agrees with the request in every field. */
  readonly completed: boolean;
  /** A look-up showed status 6. */
  readonly failed: boolean;
  /** The payment POST was refused clearly. */
  readonly rejected: boolean;
}

const NOTHING_SAID: Said = { completed: false, failed: false, rejected: false };

/** What is laid over the look-up's body; null: not found. */
export type RecordPatch = Body | null;

export interface LedgerEntry {
  state: PaymentState;
  patch?: RecordPatch;
  said: Said;
  readonly callbacksSent: SentCallback[];
  readonly requests: SeenRequest[];
}

/** A look-up that follows a validation this late is somebody else's. */
const ANNOUNCEMENT_MS = 10_000;
/** The oldest requests are forgotten first; those of a payment stay with it. */
const MAX_REQUESTS = 20_000;

export class Ledger {
  /** Ids are compared without case, as the provider may. */
  readonly #payments = new Map<string, LedgerEntry>();
  readonly #requests: SeenRequest[] = [];
  #announced: { readonly behaviour: Behaviour; readonly at: number }[] = [];
  #brokenPosts = 0;
  readonly #faults = new Map<string, number>();

  constructor(
    private readonly timings: Timings,
    private readonly now: () => number,
  ) {}

  /** The entry of an id, made at the first mention. */
  entry(id: string): LedgerEntry {
    const key = id.toLowerCase();
    const known = this.#payments.get(key);
    if (known !== undefined) return known;
    const fresh: LedgerEntry = {
      state: newPayment(id, randomUUID()),
      said: NOTHING_SAID,
      callbacksSent: [],
      requests: [],
    };
    this.#payments.set(key, fresh);
    return fresh;
  }

  find(id: string): LedgerEntry | undefined {
    return this.#payments.get(id.toLowerCase());
  }

  /** A validation may say how the next look-up of a new id goes (`announcedBy`). */
  announce(account: string): void {
    const behaviour = announcedBy(account);
    if (behaviour !== undefined) this.#announced.push({ behaviour, at: this.now() });
  }

  /** For the first look-up of an id nobody has seen. */
  takeAnnouncement(): Behaviour | undefined {
    const since = this.now() - ANNOUNCEMENT_MS;
    this.#announced = this.#announced.filter(({ at }) => at >= since);
    return this.#announced.shift()?.behaviour;
  }

  note(request: SeenRequest): SeenRequest {
    this.#requests.push(request);
    if (this.#requests.length > MAX_REQUESTS) this.#requests.shift();
    if (request.originatorConversationId !== undefined)
      this.find(request.originatorConversationId)?.requests.push(request);
    return request;
  }

  /** A POST to the payment path that broke off before its id could be read. */
  noteBrokenPost(): void {
    this.#brokenPosts += 1;
  }

  get brokenPosts(): number {
    return this.#brokenPosts;
  }

  /** @param where an endpoint, `connection` or `callback` */
  noteFault(where: string, kind: string): void {
    const key = `${where} ${kind}`;
    this.#faults.set(key, (this.#faults.get(key) ?? 0) + 1);
  }

  /** How often each fault of the plan struck: `look answer-429` → 3. */
  faults(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#faults);
  }

  requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  payments(): readonly PaymentView[] {
    return [...this.#payments.values()].map((entry) => this.#view(entry));
  }

  /** An id nobody mentioned has zeros: that is the truth about it. */
  payment(id: string): PaymentView {
    const entry = this.find(id);
    return entry === undefined
      ? {
          id,
          behaviour: null,
          postsSeen: 0,
          postsCaptured: 0,
          status: null,
          said: NOTHING_SAID,
          callbacksSent: [],
          requests: [],
        }
      : this.#view(entry);
  }

  #view({ state, patch, said, callbacksSent, requests }: LedgerEntry): PaymentView {
    const scripted = patch?.['status'];
    return {
      id: state.id,
      behaviour: state.behaviour?.name ?? null,
      postsSeen: state.postsSeen,
      postsCaptured: state.postsCaptured,
      status: typeof scripted === 'number' ? scripted : (statusAt(state, this.now(), this.timings) ?? null),
      said,
      callbacksSent: [...callbacksSent],
      requests: [...requests],
    };
  }
}
