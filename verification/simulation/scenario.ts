import type { BillPaymentRequest } from '../../src/payment/request';
import { BEHAVIOURS } from '../../src/sandbox';
import type { Behaviour, BehaviourName, Timings } from '../../src/sandbox/behaviour';
import { SERVICES } from '../../src/sandbox/catalogue';
import type { Step } from '../faults';
import type { Random } from './random';
import type { Cell } from './weather';

/** What one run is about, before anything goes wrong: a bill, a payer's money, a provider's mood, and how long the storm lasts. */
export interface Scenario {
  readonly request: BillPaymentRequest;
  readonly behaviour: BehaviourName;
  /** What is in the funding account. */
  readonly deposit: number;
  readonly timings: Timings;
  readonly tokenLifeMs: number;
  readonly stormMs: number;
  readonly prepaidServices: readonly string[];
  readonly failedWithoutCode: 'ask' | 'decline';
  /**
   * The provider's record is gone as soon as we could not write down that it was completed. There is one worker then: what one has
   * seen and could not write, another does not know.
   */
  readonly losesRecord: boolean;
  /** Whether people look after what needs attention. */
  readonly operators: 'quick' | 'slow' | 'away';
}

const MINUTE = 60_000;
const AMOUNT = 220;

export function createScenario(random: Random, only: Cell | undefined): Scenario {
  const behaviour = random.pick(only === undefined ? (random.chance(0.4) ? HARD : BEHAVIOURS) : leadingTo(only.step));
  const service = behaviour.name.startsWith('prepaid') ? 'KE-KPLC-PREPAID' : 'KE-KPLC-POSTPAID';
  const serviceId = SERVICES.find(({ serviceCode }) => serviceCode === service)?.serviceId ?? '';
  const isFunded = random.chance(0.75);
  return {
    request: {
      paymentId: `sim-${random.hex(8)}`,
      serviceId,
      accountNumber: behaviour.account,
      amount: AMOUNT,
      payer: { name: 'A Payer', msisdn: '254712345678' },
      description: 'a simulated bill',
      ...(isFunded && { fundingAccount: 'payer' }),
      policy: random.pick(POLICIES),
    },
    behaviour: behaviour.name,
    deposit: only !== undefined ? 1_000 : random.pick([1_000, 1_000, 1_000, AMOUNT, AMOUNT - 1, 0]),
    timings: {
      pendingMs: random.pick([0, 500, 500, MINUTE, 40 * MINUTE]),
      callbackDelayMs: random.pick([0, 500, 500, 2 * MINUTE]),
      completedLaterMs: random.pick([5_000, 5 * MINUTE, 24 * 60 * MINUTE]),
      notFoundMs: random.pick([3_000, 30_000, 15 * MINUTE]),
    },
    tokenLifeMs: random.pick([2 * MINUTE, 10 * MINUTE, 60 * MINUTE]),
    stormMs: random.pick([MINUTE, 10 * MINUTE, 45 * MINUTE, 240 * MINUTE]),
    prepaidServices: SERVICES.filter(({ serviceCode }) => serviceCode === 'KE-KPLC-PREPAID').map(
      (one) => one.serviceId,
    ),
    failedWithoutCode: random.chance(0.9) ? 'ask' : 'decline',
    losesRecord: only?.fault === 'store-down' && only.step === 'poll' && random.chance(0.5),
    operators: only !== undefined ? 'quick' : random.pick(['quick', 'slow', 'away']),
  };
}

const named = (...names: readonly BehaviourName[]): readonly Behaviour[] =>
  names.flatMap((name) => BEHAVIOURS.filter((behaviour) => behaviour.name === name));

/** Where the protocols have to earn their keep. */
const HARD = named(
  'paid-with-callback',
  'failed-refusal',
  'failed-callback-lost',
  'failed-then-completed',
  'not-found-then-paid',
  'post-timeout',
  'reset-before-capture',
);
const WITH_CALLBACK = named('paid-with-callback', 'failed-refusal', 'failed-then-completed', 'post-timeout');
const POLLED = named('callback-lost', 'failed-callback-lost', 'not-found-then-paid', 'post-timeout');
const ASKED = named('failed-callback-lost', 'failed-ambiguous', 'pending-for-ever', 'reset-before-capture');

/** The store is asked at the look only when a record is there already. */
const LOOKED_AT = named('record-exists', 'paid-with-callback', 'failed-refusal');

/** A payment that comes to this step, whatever it is. */
function leadingTo(step: Step): readonly Behaviour[] {
  if (step === 'callback') return WITH_CALLBACK;
  if (step === 'poll') return POLLED;
  if (step === 'look') return LOOKED_AT;
  return step === 'decide' ? ASKED : HARD;
}

/** Defaults mostly; at times everything at once, at times nothing for long. */
const POLICIES = [
  {},
  {},
  { submitWithin: '1 minute', callbackGrace: '1 second', attentionAfter: '2 minutes', notFoundGrace: '2 minutes' },
  { failureConfirmation: '30 seconds', receiptGrace: '1 second', callbackGrace: '10 minutes' },
];
