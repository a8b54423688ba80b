import { ClaimUncertain, type Store } from '../../src/store';
import type { Step } from '../faults';
import type { StoreModel } from '../store-model';
import type { Agenda } from './agenda';
import type { Gate } from './gate';
import type { Random } from './random';

/** The store, with a network before it that can be down, and can lose an answer after the effect or before it. */

export type GatedStore = Pick<Store, 'payments' | 'funds' | 'inbox' | 'disputes' | 'operatorActions'>;

/** An outage of the database is everybody's. */
export class StoreOutage {
  #until = 0;

  constructor(private readonly agenda: Agenda) {}

  get isDown(): boolean {
    return this.agenda.now < this.#until;
  }

  begin(ms: number): void {
    this.#until = Math.max(this.#until, this.agenda.now + ms);
  }
}

export interface StoreGateParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly outage: StoreOutage;
  readonly model: StoreModel;
  readonly gate: Gate;
  readonly stepOf: (call: string) => Step;
  /** Something may have changed. */
  readonly onEffect: () => void;
}

export function gateStore(parts: StoreGateParts): GatedStore {
  const { model } = parts;
  return {
    payments: gated(parts, model.payments),
    funds: gated(parts, model.funds),
    inbox: gated(parts, model.inbox),
    disputes: gated(parts, model.disputes),
    operatorActions: gated(parts, model.operatorActions),
  };
}

type AnyMethod = (...args: unknown[]) => Promise<unknown>;
const READS = new Set([
  'read',
  'facts',
  'pending',
  'signalsSent',
  'forPayment',
  'toOpen',
  'unresolved',
  'find',
  'refusal',
  'list',
  'account',
]);

function gated<T extends object>(parts: StoreGateParts, table: T): T {
  const entries = Object.entries(table).map(([name, method]) => [name, gatedMethod(parts, name, method as AnyMethod)]);
  return Object.fromEntries(entries) as T;
}

function gatedMethod(parts: StoreGateParts, call: string, method: AnyMethod): AnyMethod {
  const { agenda, random, outage, gate, stepOf, onEffect } = parts;
  const act: AnyMethod = async (...args) => {
    const result = method(...args);
    onEffect();
    return await result;
  };
  return async (...args) => {
    const point = { step: stepOf(call), call, side: 'before' } as const;
    const fault = await gate.pass(point, READS.has(call) ? ['store-down'] : ['store-down', 'commit-answer-lost']);
    if (fault === 'store-down') outage.begin(random.pick([1, 2_000, 30_000, 600_000]));
    if (outage.isDown) throw new Error('Connection terminated unexpectedly');
    if (fault === 'commit-answer-lost' && random.chance(0.3)) {
      // It is still on its way while its sender has given up, and takes effect later.
      agenda.after(random.pick([1, 100, 2_000, 20_000]), () => {
        act(...args).catch(() => undefined);
      });
      throw lost(call, args);
    }
    const result = await act(...args);
    await gate.pass({ ...point, side: 'after' });
    if (fault !== 'commit-answer-lost') return result;
    // Who has claimed recognises the claim when it can read again, and learns nothing when it cannot.
    if (call === 'claim' && random.chance(0.5)) return result;
    throw lost(call, args);
  };
}

function lost(call: string, [paymentId]: readonly unknown[]): Error {
  const error = new Error('Connection terminated unexpectedly');
  return call === 'claim' ? new ClaimUncertain(String(paymentId), error) : error;
}
