import type { BillPaymentRequest } from '../../src/client';
import { accountOf, BEHAVIOUR_NAMES, draw, pick, SERVICES, type BehaviourName } from '../../src/sandbox';

/**
 * Everything that a chaos run does to the payments and to the processes: a pure function of the seed and the number of payments.
 * Its clock is the number of payments started, so that a slow machine meets the same trouble as a quick one.
 */
export interface Plan {
  readonly payments: readonly PlannedPayment[];
  /** In the order in which they are due. */
  readonly strikes: readonly Strike[];
}

export interface PlannedPayment {
  readonly request: BillPaymentRequest;
  readonly behaviour: BehaviourName;
  /** What its caller and its operators do besides starting it. */
  readonly deeds: readonly Deed[];
  /** When it needs attention. */
  readonly operator: 'decides' | 'decides-twice' | 'two-decide' | 'leaves-it';
}

export interface Deed {
  readonly kind:
    'start-again' | 'start-other-content' | 'cancel' | 'request-cancellation' | 'check-now' | 'decide-too-early';
  /** After the start. */
  readonly afterMs: number;
}

export const PROCESSES = ['worker-1', 'worker-2', 'endpoint', 'engine', 'store'] as const;
export type ProcessName = (typeof PROCESSES)[number];

export type Strike = {
  /** It is due when so many payments were started. */
  readonly at: number;
  /** From 0 to 1: which of the payments there are then, which event of its history. */
  readonly chance: number;
} & (
  | { readonly kind: 'kill'; readonly process: ProcessName; readonly downMs: number }
  | { readonly kind: 'stall'; readonly process: 'worker-1' | 'worker-2'; readonly forMs: number }
  | { readonly kind: 'lose-commit-answer'; readonly words: string }
  | { readonly kind: 'reset'; readonly which: 'running' | 'closed' }
  | { readonly kind: 'terminate' }
  /** The engine forgets a closed payment, as it does when the retention time is over. */
  | { readonly kind: 'forget' }
);

export const FLOAT = 'chaos-float';
/** Pays for a few, and then declines. */
export const POOR = 'chaos-poor';

/** @param share of the usual number of strikes, above 0 and at most 1; each kind strikes at least once */
export function planRun(seed: number, payments: number, share = 1): Plan {
  return {
    payments: Array.from({ length: payments }, (_, index) => planPayment(seed, index)),
    strikes: planStrikes(seed, payments, share),
  };
}

/** How many of a thousand payments behave so; what is left behaves well. Those that nobody can decide today are few. */
const PER_THOUSAND: Readonly<Partial<Record<BehaviourName, number>>> = {
  'reset-before-capture': 4,
  '429-before-capture': 4,
  'pending-for-ever': 4,
  'failed-then-completed': 25,
};
const OTHERS_PER_THOUSAND = 22;

function behaviourFor(chance: number): BehaviourName {
  let left = chance * 1000;
  for (const name of BEHAVIOUR_NAMES) {
    left -= PER_THOUSAND[name] ?? OTHERS_PER_THOUSAND;
    if (left < 0) return name;
  }
  return 'paid-with-callback';
}

function planPayment(seed: number, index: number): PlannedPayment {
  const of = (what: string): number => draw(seed, 'payment', index, what);
  const behaviour = behaviourFor(of('behaviour'));
  const account = accountOf(behaviour);
  // The account's number in the id: the only way for the sandbox to know the behaviour before the first look.
  const paymentId = `chaos-s${seed}-${account}-${String(index).padStart(5, '0')}`;
  const fundingAccount = fundingFor(of('funds'));
  return {
    behaviour,
    request: {
      paymentId,
      serviceId: serviceFor(behaviour),
      accountNumber: account,
      amount: 1 + Math.floor(of('amount') * 500),
      payer: { name: 'Chaos Payer', msisdn: '254712345678' },
      description: `Chaos ${index}`,
      ...(fundingAccount !== undefined && { fundingAccount }),
      policy: policyFor(of),
    },
    deeds: deedsFor(of),
    operator: pick(['decides', 'decides', 'decides', 'decides-twice', 'two-decide', 'leaves-it'], of('operator')),
  };
}

function serviceFor(behaviour: BehaviourName): string {
  const wanted = behaviour.startsWith('prepaid') ? 'KPLC PREPAID' : 'KPLC POSTPAID';
  return SERVICES.find(({ serviceTypeDescription }) => serviceTypeDescription === wanted)?.serviceId ?? '';
}

function fundingFor(chance: number): string | undefined {
  if (chance < 0.75) return FLOAT;
  if (chance < 0.8) return POOR;
  return chance < 0.81 ? 'chaos-unknown' : undefined;
}

/** Short, so that a run of thousands goes through every deadline; none so short that a payment has no chance. */
function policyFor(of: (what: string) => number): NonNullable<BillPaymentRequest['policy']> {
  const between = (least: number, most: number, what: string): string =>
    `${Math.round(least + (most - least) * of(what))} milliseconds`;
  return {
    submitWithin: '90 seconds',
    callbackGrace: between(300, 3_000, 'callbackGrace'),
    pollInterval: between(400, 1_500, 'pollInterval'),
    pollMaxInterval: between(8_000, 20_000, 'pollMaxInterval'),
    notFoundGrace: between(3_000, 8_000, 'notFoundGrace'),
    failureConfirmation: between(800, 3_000, 'failureConfirmation'),
    attentionAfter: between(45_000, 90_000, 'attentionAfter'),
    receiptGrace: '500 milliseconds',
  };
}

const DEEDS: readonly (readonly [kind: Deed['kind'], share: number, withinMs: number])[] = [
  ['start-again', 0.08, 8_000],
  ['start-other-content', 0.05, 8_000],
  ['cancel', 0.05, 600],
  ['request-cancellation', 0.02, 600],
  ['check-now', 0.05, 5_000],
  ['decide-too-early', 0.03, 1_000],
];

function deedsFor(of: (what: string) => number): readonly Deed[] {
  return DEEDS.filter(([kind, share]) => of(kind) < share).map(([kind, , withinMs]) => ({
    kind,
    afterMs: Math.round(of(`${kind} when`) * withinMs),
  }));
}

/** Per thousand payments; of each at least one, however short the run. */
const STRIKES: readonly (readonly [kind: string, perThousand: number, make: (chance: number) => Unplaced])[] = [
  ['kill worker-1', 5, (chance) => ({ kind: 'kill', process: 'worker-1', downMs: ms(chance, 0, 2_000) })],
  ['kill worker-2', 5, (chance) => ({ kind: 'kill', process: 'worker-2', downMs: ms(chance, 0, 2_000) })],
  ['kill endpoint', 5, (chance) => ({ kind: 'kill', process: 'endpoint', downMs: ms(chance, 0, 3_000) })],
  ['kill engine', 2, (chance) => ({ kind: 'kill', process: 'engine', downMs: ms(chance, 0, 2_000) })],
  ['kill store', 3, (chance) => ({ kind: 'kill', process: 'store', downMs: ms(chance, 0, 2_000) })],
  ['stall worker-1', 3, (chance) => ({ kind: 'stall', process: 'worker-1', forMs: stallFor(chance) })],
  ['stall worker-2', 3, (chance) => ({ kind: 'stall', process: 'worker-2', forMs: stallFor(chance) })],
  // What is one statement commits itself; the names are the store's own, in its comments.
  ['lose claim', 15, () => ({ kind: 'lose-commit-answer', words: 'take-claim' })],
  ['lose answer', 10, () => ({ kind: 'lose-commit-answer', words: 'write-answer' })],
  ['lose look', 15, () => ({ kind: 'lose-commit-answer', words: 'write-look' })],
  ['lose end', 15, () => ({ kind: 'lose-commit-answer', words: 'end-payment' })],
  ['lose COMMIT', 5, () => ({ kind: 'lose-commit-answer', words: 'COMMIT' })],
  ['reset running', 40, () => ({ kind: 'reset', which: 'running' })],
  ['reset closed', 20, () => ({ kind: 'reset', which: 'closed' })],
  ['terminate', 12, () => ({ kind: 'terminate' })],
  ['forget', 8, () => ({ kind: 'forget' })],
];

type Unplaced = Strike extends infer One ? (One extends Strike ? Omit<One, 'at' | 'chance'> : never) : never;

const ms = (chance: number, least: number, most: number): number => Math.round(least + chance * (most - least));

/** Past the heartbeat's 3 s; one in fifteen past the 60 s that a submission may take in all. */
const stallFor = (chance: number): number => (chance < 1 / 15 ? 65_000 : ms(chance, 4_000, 20_000));

function planStrikes(seed: number, payments: number, share: number): readonly Strike[] {
  return STRIKES.flatMap(([kind, perThousand, make]) => {
    const count = Math.max(1, Math.round((perThousand * payments * share) / 1000));
    return Array.from({ length: count }, (_, nth): Strike => {
      const of = (what: string): number => draw(seed, kind, nth, what);
      // Spread over the run, each in its own part of it; not at the very start, when there is nothing to disturb.
      const at = Math.ceil(((nth + 0.1 + 0.9 * of('when')) / count) * payments);
      return { ...make(of('how long')), at, chance: of('which') };
    });
  }).sort((one, other) => one.at - other.at);
}
