import { createHash } from 'node:crypto';
import { STATUS, type CallbackContent } from './behaviour';
import type { DueCallback } from './rules';

/**
 * What goes wrong between the simulated provider and its caller, besides what the accounts ask for. A plan is a pure function of its
 * seed: the same request of the same payment meets the same fault in every run. The ledger stays the truth about what was captured.
 */

/** Where a fault can strike: what a payment asks the provider. */
export const ENDPOINTS = ['token', 'validate', 'look', 'pay'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export const REQUEST_FAULTS = [
  'reset-before-capture',
  'reset-after-capture',
  'timeout-before-capture',
  'timeout-after-capture',
  'answer-401',
  'answer-403',
  'answer-429',
  'answer-5xx',
  'body-truncated',
  'body-unreadable',
  /** Slower than a look may take, or than the time for a payment. */
  'body-slow',
] as const;

export const CALLBACK_FAULTS = [
  'callback-lost',
  'callback-repeated',
  /** Before the POST is answered, or before look-ups show what it says. */
  'callback-early',
  /** After the payment is closed. */
  'callback-late',
  'callbacks-reordered',
  /** Without our token, whatever it says. */
  'callback-forged',
  /** It says the opposite of the record or of the outcome. */
  'callback-contradictory',
] as const;

export interface CallbackFault {
  readonly kind: (typeof CALLBACK_FAULTS)[number];
  /** Of the two ways a forged and a contradictory callback come in. */
  readonly way: 'one' | 'other';
}

export interface RequestFault {
  readonly kind: (typeof REQUEST_FAULTS)[number];
  /** How long a request without an answer hangs before its connection is closed, and how long a slow body stops half-way. */
  readonly holdMs: number;
}

export interface FaultPlan {
  /** Whether the nth connection is reset before anything can be said on it. */
  refuses(nth: number): boolean;
  /** @param subject the payment id; the account of a validation, which carries no id; nothing for a token */
  request(endpoint: Endpoint, subject: string, nth: number): RequestFault | undefined;
  callback(paymentId: string): CallbackFault | undefined;
}

/** How often, from 0 to 1. */
export interface FaultRates {
  readonly refuses: number;
  readonly request: Readonly<Record<Endpoint, number>>;
  readonly callback: number;
}

const DEFAULT_RATES: FaultRates = {
  refuses: 0.01,
  request: { token: 0.2, validate: 0.08, look: 0.08, pay: 0.12 },
  callback: 0.4,
};

/** A number from 0 to 1 for these words, always the same one. */
export function draw(...words: readonly (string | number)[]): number {
  return createHash('sha256').update(words.join('\n')).digest().readUInt32LE(0) / 2 ** 32;
}

export function pick<T>(choices: readonly [T, ...T[]], chance: number): T {
  return choices[Math.floor(chance * choices.length)] ?? choices[0];
}

/** Most of what hangs is given up soon, so that a run of thousands goes on; one in ten outlasts the caller's own time-out. */
const SOON_MS = 1_500;
const TOO_LONG_MS = 35_000;

export function planFaults(seed: number, rates: FaultRates = DEFAULT_RATES): FaultPlan {
  return {
    refuses: (nth) => draw(seed, 'connection', nth) < rates.refuses,
    request(endpoint, subject, nth) {
      const of = (what: string) => draw(seed, endpoint, subject, nth, what);
      if (of('whether') >= rates.request[endpoint]) return undefined;
      const holdMs = of('for ever') < 0.1 ? TOO_LONG_MS : Math.ceil(of('how long') * SOON_MS);
      return { kind: pick(REQUEST_FAULTS, of('which')), holdMs };
    },
    callback(paymentId) {
      if (draw(seed, 'callback', paymentId, 'whether') >= rates.callback) return undefined;
      const of = (what: string) => draw(seed, 'callback', paymentId, what);
      return { kind: pick(CALLBACK_FAULTS, of('which')), way: of('way') < 0.5 ? 'one' : 'other' };
    },
  };
}

/** Whether the request never reaches the rules, as if something before them had answered. */
export function strikesBefore({ kind }: RequestFault): boolean {
  return kind.startsWith('answer-') || kind.endsWith('-before-capture');
}

/** A callback as it is sent. */
export interface Sending extends DueCallback {
  /** A stranger's, who has no token; or one with our token, about another payment. */
  readonly forged?: 'wrong-token' | 'other-payment';
}

const SUCCESS: CallbackContent = { shape: 'nested', status: STATUS.completed, code: '0' };
const LATE_MS = 6_000;
/** Most payments are closed by then. */
const AFTER_THE_END_MS = 15_000;
/** Between callbacks that follow one another. */
const NEXT_MS = 150;

/** What becomes of the callbacks that the rules call for. Empty stays empty, but for what strangers send. */
export function disturbCallbacks(fault: CallbackFault | undefined, due: readonly DueCallback[]): readonly Sending[] {
  const last = due.at(-1);
  const content = last?.content ?? SUCCESS;
  const lastAt = typeof last?.after === 'number' ? last.after : 0;
  switch (fault?.kind) {
    case undefined:
      return due;
    case 'callback-lost':
      return [];
    case 'callback-repeated':
      return [...due, ...due.map((one) => ({ ...one, after: later(one, NEXT_MS) })), ...due];
    case 'callback-early':
      return due.map((one, index) => (index === 0 ? { ...one, after: 'before-answer' } : one));
    case 'callback-late':
      return due.map((one) => ({ ...one, after: later(one, LATE_MS) }));
    case 'callbacks-reordered':
      // What says that it is under way comes after what says how it ended.
      return last === undefined
        ? []
        : [...due, { after: lastAt + NEXT_MS, content: { ...content, status: STATUS.pending } }];
    case 'callback-forged':
      return [
        ...due,
        { after: lastAt, content: opposite(content), forged: fault?.way === 'one' ? 'wrong-token' : 'other-payment' },
      ];
    case 'callback-contradictory':
      return last === undefined
        ? []
        : [...due, { after: fault?.way === 'one' ? lastAt : lastAt + AFTER_THE_END_MS, content: opposite(content) }];
  }
}

const later = ({ after }: DueCallback, ms: number): number => (after === 'before-answer' ? 0 : after) + ms;

function opposite(content: CallbackContent): CallbackContent {
  return content.status === STATUS.completed
    ? { shape: 'nested', status: STATUS.failed, code: '1' }
    : { ...SUCCESS, shape: 'nested' };
}
