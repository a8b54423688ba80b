import { UPDATES } from '../../src/payment/contract';
import type { ProviderCallbacks } from '../../src/payment/provider';
import type { CallbackContent } from '../../src/sandbox/behaviour';
import type { Step } from '../faults';
import type { Agenda } from './agenda';
import type { Endpoint } from './endpoint';
import type { Engine } from './engine';
import type { Provider } from './provider';
import type { Random } from './random';
import type { Scenario } from './scenario';
import type { Weather } from './weather';

/** What people and strangers do to a payment, at any time: the right thing, the wrong thing, and everything twice. */

export interface PeopleParts {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly weather: Weather;
  readonly scenario: Scenario;
  readonly engine: Engine;
  readonly provider: Provider;
  readonly endpoint: Endpoint;
  readonly callbacks: ProviderCallbacks;
  readonly trace: (line: string) => void;
  /** Whether the payment is known, with the content it was started with. */
  readonly isRegistered: () => boolean;
}

const DEEDS = [
  'engine-restarted',
  'run-reset',
  'run-terminated-and-restarted',
  'started-twice',
  'cancel-requested',
  'operator-decides',
  'callback-forged',
  'callback-contradictory',
] as const;
type Deed = (typeof DEEDS)[number];
/** Of all the gates that a payment passes, only some are a moment to meddle. */
const MEDDLING = 0.3;
const BASE = 'https://callbacks.example';

export class People {
  #isThinking = false;

  constructor(private readonly parts: PeopleParts) {}

  /** The payment is at this step: somebody may do something to it. */
  meddle(step: Step): void {
    const { weather, random, agenda } = this.parts;
    if (!weather.isDue(step) && !random.chance(MEDDLING)) return;
    const deed = weather.strike(step, DEEDS);
    if (deed !== undefined) agenda.after(random.pick([0, 1, 30, 2_000]), () => this.#do(deed));
  }

  /** What needs attention is looked at, sooner or later. */
  lookAfter(): void {
    const { agenda, random, engine, scenario, weather } = this.parts;
    if (this.#isThinking || scenario.operators === 'away' || engine.open === undefined) return;
    this.#isThinking = true;
    const pause = scenario.operators === 'quick' ? [1_000, 60_000, 400_000] : [3_600_000, 20_000_000];
    agenda.after(random.pick(pause), () => {
      this.#isThinking = false;
      if (!needsAttention(engine.open?.visible)) return;
      weather.note('operator-decides', 'decide');
      this.decide();
      this.lookAfter();
    });
  }

  decide(): void {
    const { random, engine, agenda } = this.parts;
    const times = random.chance(0.2) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const argument = this.#decision();
      agenda.after(time * random.pick([0, 3]), () => {
        const name = random.chance(0.15) ? UPDATES.checkStatusNow : UPDATES.resolvePayment;
        this.parts.trace(`an operator: ${name} ${JSON.stringify(argument)}`);
        engine.update(name, argument);
      });
    }
  }

  start(): void {
    this.parts.engine.start(this.parts.scenario.request);
  }

  #do(deed: Deed): void {
    const { engine, random, agenda, trace } = this.parts;
    trace(`somebody: ${deed}`);
    switch (deed) {
      case 'engine-restarted':
        return engine.restart();
      case 'run-reset':
        return void engine.reset();
      case 'run-terminated-and-restarted':
        engine.terminate();
        agenda.after(random.pick([1, 1_000, 60_000, 3_600_000]), () => this.start());
        return;
      case 'started-twice':
        return this.#startAgain();
      case 'cancel-requested':
        return this.#cancel();
      case 'operator-decides':
        return this.decide();
      case 'callback-forged':
        return this.#call(random.pick(HARMFUL), `${BASE}${this.parts.callbacks.path}/x/${'A'.repeat(43)}`);
      case 'callback-contradictory':
        return this.#contradict();
    }
  }

  /** With the same content it is the same payment; with other content it is refused. */
  #startAgain(): void {
    const { engine, scenario, random, trace } = this.parts;
    // What is registered first is the payment: other content comes after it.
    const isSame = random.chance(0.6) || !this.parts.isRegistered();
    const input = isSame ? scenario.request : { ...scenario.request, amount: scenario.request.amount + 1 };
    const isStarted = engine.start(input);
    trace(`a second start with ${isSame ? 'the same' : 'other'} content: ${isStarted ? 'a new run' : 'refused'}`);
  }

  #cancel(): void {
    const { engine, random } = this.parts;
    if (random.chance(0.4)) engine.requestCancel();
    else engine.update(UPDATES.cancelPayment, random.chance(0.9) ? { operator: 'ann', note: 'by mistake' } : {});
  }

  #contradict(): void {
    const { scenario, callbacks, random } = this.parts;
    this.#call(random.pick(CONTENTS), callbacks.urlOf(BASE, scenario.request.paymentId));
  }

  #call(content: CallbackContent, url: string): void {
    const { provider, endpoint, scenario } = this.parts;
    // Before there is a record, a stranger makes one up.
    const body =
      provider.callbackBody(content) ??
      JSON.stringify({
        originatorConversationId: scenario.request.paymentId,
        billRequestOutcome: { status: content.status, resultCode: content.code },
      });
    endpoint.receive(body, url);
  }

  #decision(): object {
    const { random, scenario } = this.parts;
    const { amount } = scenario.request;
    const decision = random.pick(['paid', 'declined'] as const);
    return {
      decision,
      operator: random.pick(['ann', 'bob']),
      note: random.chance(0.95) ? 'as the provider confirmed' : '',
      ...(decision === 'paid' && random.chance(0.3) && { amount: random.pick([amount, amount - 20, amount + 1]) }),
      ...(decision === 'paid' && random.chance(0.3) && { receiptNumber: 'R1', token: '1234' }),
      ...(decision === 'declined' && random.chance(0.7) && { providerCase: 'CASE-1' }),
    };
  }
}

export const needsAttention = (visible: Readonly<Record<string, unknown>> | undefined): boolean =>
  [visible?.['BillPaymentState']].flat().includes('NeedsAttention');

/** What somebody forges who wants a payment declined, or believed. */
const HARMFUL: readonly CallbackContent[] = [
  { shape: 'nested', status: 6, code: '1' },
  { shape: 'nested', status: 6, code: '18' },
  { shape: 'nested', status: 4, code: '0' },
];

const CONTENTS: readonly CallbackContent[] = [
  { shape: 'nested', status: 6, code: '1' },
  { shape: 'nested', status: 6, code: '18' },
  { shape: 'nested', status: 6, code: '14' },
  { shape: 'nested', status: 4, code: '0' },
  { shape: 'nested', status: 4, code: '1' },
  { shape: 'nested', status: 6, code: '9' },
  { shape: 'flat', status: 6, code: '1' },
];
