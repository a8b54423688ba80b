import { createHash } from 'node:crypto';
import { createDelivery, type Delivery } from '../../src/callbacks';
import type { Log } from '../../src/log';
import type { ProviderCallbacks } from '../../src/payment/provider';
import { Actor } from './actor';
import type { Agenda } from './agenda';
import { createGate, type Gate, type GateParts, type Host } from './gate';
import type { GatedStore } from './store-gates';

/** A callback endpoint: the checks of its door, the inbox, and the real delivery and sweep over it. */

const SWEEP_EVERY = 10_000;

export interface EndpointParts extends GateParts {
  readonly agenda: Agenda;
  readonly paymentId: string;
  readonly callbacks: ProviderCallbacks;
  readonly log: Log;
  readonly storeFor: (gate: Gate) => GatedStore;
  readonly signal: (name: string, hint: unknown) => 'sent' | 'no-run';
  readonly openDispute: () => void;
  /** Whether anything waits in the inbox or for a dispute. */
  readonly hasWork: () => boolean;
  /** An authentic callback with a refusal code was stored. */
  readonly onRefusalCode: () => void;
  /** Planted: the door is open to everybody. */
  readonly trustsEverybody: boolean;
}

export class Endpoint implements Host {
  readonly name = 'endpoint';
  stalledUntil = 0;
  readonly #actors = new Set<Actor>();
  #delivery: Delivering | undefined;
  #queue: number[] = [];
  #sweepDue = false;

  constructor(private readonly parts: EndpointParts) {}

  get isQuiet(): boolean {
    return this.#actors.size === 0 && this.#queue.length === 0;
  }

  blows() {
    return ['endpoint-killed'] as const;
  }

  /** What it was doing is over; another one starts, and sweeps. */
  strike(): void {
    this.parts.trace('the endpoint is killed');
    for (const actor of this.#actors) actor.kill();
    this.#actors.clear();
    this.#queue = [];
    this.#delivery = undefined;
    const down = this.parts.random.pick([500, 5_000, 120_000]);
    this.stalledUntil = this.parts.agenda.now + down;
    this.sweepSoon();
  }

  /** A POST to our address, from whomever. */
  receive(body: string, url: string): void {
    if (this.stalledUntil > this.parts.agenda.now) return this.parts.trace('a callback finds no endpoint');
    const token = url.split('/').at(-1) ?? '';
    this.#run('door', (gate) => this.#receive(gate, body, token));
  }

  /** The sweep that comes every ten seconds, when there is something for it. */
  sweepSoon(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    this.parts.agenda.after(SWEEP_EVERY, () => {
      this.#sweepDue = false;
      if (!this.parts.hasWork()) return;
      if (this.#delivery === undefined) this.#deliver((delivery) => delivery.sweep());
      this.sweepSoon();
    });
  }

  async #receive(gate: Gate, body: string, token: string): Promise<void> {
    const { paymentId, callbacks, trace, trustsEverybody, storeFor, agenda, onRefusalCode } = this.parts;
    const isAuthentic = callbacks.isAuthentic(paymentId, token);
    if (!isAuthentic && !trustsEverybody) return trace('a callback without our token is refused');
    const read = callbacks.read(JSON.parse(body));
    if (read.kind === 'unreadable' || read.paymentId.toLowerCase() !== paymentId)
      return trace('a callback is refused: unreadable, or about another payment');
    const digest = createHash('sha256').update(body).digest('hex');
    const { reading } = read;
    const entry = { paymentId, digest, body, reading, receivedAt: new Date(agenda.now) };
    // It counts from the moment it may be in the inbox.
    if (isAuthentic && reading.code?.meaning === 'refusal') onRefusalCode();
    const added = await storeFor(gate).inbox.add(entry);
    trace(`a callback that claims ${reading.claims} (code ${reading.code?.value ?? 'none'}) is ${added.kind}`);
    if (added.kind === 'overflow') return;
    this.#queue.push(added.id);
    this.#next();
  }

  #next(): void {
    if (this.#delivery !== undefined || this.#queue.length === 0) return;
    const ids = this.#queue;
    this.#queue = [];
    this.#deliver((delivery) => delivery.deliverPayment(this.parts.paymentId, ids));
  }

  #deliver(work: (delivery: Delivery) => Promise<unknown>): void {
    const { log, storeFor } = this.parts;
    const mine = {};
    this.#delivery = mine;
    this.#run(
      'delivery',
      (gate) => {
        const store = storeFor(gate);
        return work(
          createDelivery({
            store,
            log,
            signal: async (_paymentId, hint) => {
              await gate.pass({ step: 'callback', call: 'signal', side: 'before' });
              return this.parts.signal('providerCallback', hint);
            },
            openDispute: async () => {
              await gate.pass({ step: 'callback', call: 'openDispute', side: 'before' });
              this.parts.openDispute();
            },
          }),
        );
      },
      () => {
        if (this.#delivery === mine) this.#delivery = undefined;
        this.#next();
      },
    );
  }

  #run(what: string, work: (gate: Gate) => Promise<unknown>, onEnd: () => void = () => undefined): void {
    const actor = new Actor(`endpoint ${what}`);
    this.#actors.add(actor);
    const gate = createGate(this.parts, actor, this);
    this.parts.agenda.after(0, () =>
      actor.isDead
        ? undefined
        : actor.start(
            () => work(gate),
            () => {
              this.#actors.delete(actor);
              if (this.parts.hasWork()) this.sweepSoon();
              onEnd();
            },
          ),
    );
  }
}

/** Which delivery is under way. */
type Delivering = object;
