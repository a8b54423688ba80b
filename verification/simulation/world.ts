import { createHash } from 'node:crypto';
import { createAlmaraCallbacks, parseKeyRing } from '../../src/almara/callback';
import { workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { Violation } from '../guarantees';
import { createStoreModel, type StoreModel } from '../store-model';
import { Agenda } from './agenda';
import { spoilActivities, spoilAlmara, unwrittenOf, type Bug } from './bugs';
import { Endpoint } from './endpoint';
import { Engine } from './engine';
import { createExecute, silentLog } from './execute';
import type { GateParts } from './gate';
import { needsAttention, People } from './people';
import { Provider } from './provider';
import { Random } from './random';
import { SimulationProblem } from './replay';
import type { Run } from './runs';
import { createScenario, type Scenario } from './scenario';
import { gateStore, StoreOutage } from './store-gates';
import type { WorkflowVm } from './vm';
import { Weather, type Cell } from './weather';
import { Witness } from './witness';
import { Workers } from './workers';

/** One run: one payment in a world of its own, from its start to the moment when nothing moves any more. */

export interface RunOptions {
  readonly seed: number;
  readonly vm: WorkflowVm;
  readonly bug?: Bug | undefined;
  readonly only?: Cell | undefined;
  /** The agenda that fake timers are to use from now on. */
  readonly onAgenda: (agenda: Agenda) => void;
}

export interface RunReport {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly steps: number;
  /** How the payment stands in the end. */
  readonly ended: BillPaymentOutcome['kind'] | 'needs-attention' | 'refused';
  readonly violations: readonly Violation[];
  readonly cells: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly hash: string;
}

const START = Date.UTC(2027, 0, 4, 8);
const MINUTE = 60_000;
/** What still needs attention after so long a calm has had its looks. */
const CALM_LOOKS = 25 * MINUTE;
const LONGEST = 30 * 24 * 60 * MINUTE;
const MOST_STEPS = 40_000;
const CALLBACKS = createAlmaraCallbacks(parseKeyRing(`sim:${Buffer.alloc(32, 7).toString('base64')}`));

export class World {
  readonly #random: Random;
  readonly #agenda: Agenda;
  readonly #weather: Weather;
  readonly #scenario: Scenario;
  readonly #model: StoreModel;
  readonly #provider: Provider;
  readonly #workers: Workers;
  readonly #engine: Engine;
  readonly #endpoint: Endpoint;
  readonly #people: People;
  readonly #trace: string[] = [];
  readonly #witness: Witness;
  #isDirty = true;
  /** A callback is stored and not dealt with. */
  #isUndelivered = false;
  #hasDispute = false;
  #calmSince = Infinity;

  constructor(private readonly options: RunOptions) {
    const { seed, vm, bug, only } = options;
    const random = new Random(seed);
    const agenda = new Agenda(START, random);
    const weather = new Weather(random, only);
    const scenario = createScenario(random, only);
    const { paymentId } = scenario.request;
    const trace = (line: string): void => void this.#trace.push(`${this.#time()} ${line}`);
    [this.#random, this.#agenda, this.#weather, this.#scenario] = [random, agenda, weather, scenario];
    options.onAgenda(agenda);

    this.#workers = new Workers({
      agenda,
      random,
      places: scenario.losesRecord ? 1 : 2,
      trace,
      onDeath: (worker) => this.#engine.workerDied(worker),
      onSilence: (worker) => this.#engine.workerSilent(worker),
    });
    const gateParts: GateParts = { agenda, random, weather, trace, onStep: (step) => this.#people.meddle(step) };
    this.#model = createStoreModel({
      now: () => agenda.now,
      bugs: { noSeal: bug === 'no-seal', twoStepRecord: bug === 'two-step-record' },
      betweenSteps: async () => this.#witness.look(),
    });
    const model = this.#model;
    this.#witness = new Witness({ scenario, model, provider: () => this.#provider, runs: () => this.#engine.runs });
    const outage = new StoreOutage(agenda);
    const onEffect = () => void (this.#isDirty = true);
    this.#endpoint = new Endpoint({
      ...gateParts,
      paymentId,
      callbacks: CALLBACKS,
      log: silentLog,
      storeFor: (gate) => gateStore({ agenda, random, outage, model, gate, stepOf: () => 'callback', onEffect }),
      signal: (name, hint) => this.#engine.signal(name, hint),
      openDispute: () => void (this.#hasDispute = true),
      hasWork: () => this.#hasEndpointWork(),
      onRefusalCode: () => void (this.#witness.refusals += 1),
      trustsEverybody: bug === 'code-from-unauthenticated-callback',
    });
    this.#provider = new Provider({
      agenda,
      random,
      weather,
      paymentId,
      asked: scenario.request,
      trace,
      timings: scenario.timings,
      tokenLifeMs: scenario.tokenLifeMs,
      onCallback: (body, url) => this.#endpoint.receive(body, url),
      onCaptured: () => this.#captured(),
    });
    this.#engine = new Engine({
      agenda,
      random,
      vm,
      trace,
      workers: this.#workers,
      workflowId: workflowIdOf(paymentId),
      execute: createExecute({
        ...gateParts,
        workers: this.#workers,
        provider: this.#provider,
        model,
        outage,
        workflowId: workflowIdOf(paymentId),
        onEffect,
        settings: {
          callbackUrl: (id) => CALLBACKS.urlOf('https://callbacks.example', id),
          prepaidServices: scenario.prepaidServices,
          failedWithoutCode: scenario.failedWithoutCode,
          allowTestPolicy: false,
        },
        spoilAlmara: (almara) => spoilAlmara(bug, almara),
        spoilActivities: (activities) => spoilActivities(bug, activities, model),
        unwrittenOf: (worker) => unwrittenOf(bug, worker),
        losesRecord: scenario.losesRecord,
      }),
      onEnd: (run) => this.#ended(run),
    });
    this.#people = new People({
      agenda,
      random,
      weather,
      scenario,
      trace,
      callbacks: CALLBACKS,
      engine: this.#engine,
      provider: this.#provider,
      endpoint: this.#endpoint,
      isRegistered: () => model.snapshot(paymentId) !== undefined,
    });
  }

  async run(): Promise<RunReport> {
    const { request, deposit } = this.#scenario;
    if (deposit > 0) await this.#model.funds.add({ account: 'payer', amount: deposit, currency: 'KES' });
    let steps = 0;
    try {
      this.#people.start();
      for (; !this.#isOver(steps); steps += 1) {
        await this.#agenda.step();
        await this.#look();
      }
      const unrest = this.#unrest();
      this.#witness.atRest(unrest && `${steps} steps, ${this.#time()}, waiting for ${unrest}`);
      await this.#engine.proveReplays();
    } catch (error) {
      if (!(error instanceof SimulationProblem)) throw error;
      this.#witness.report('G4', error.message);
    }
    this.#engine.forgetAll();
    const outcome = this.#model.snapshot(request.paymentId)?.outcome;
    const isWaiting = needsAttention(this.#engine.open?.visible);
    return {
      seed: this.options.seed,
      scenario: this.#scenario,
      steps,
      ended: outcome?.kind ?? (isWaiting ? 'needs-attention' : 'refused'),
      violations: this.#witness.found,
      cells: this.#weather.cells,
      trace: this.#trace,
      hash: createHash('sha256').update(this.#trace.join('\n')).digest('hex').slice(0, 16),
    };
  }

  #isOver(steps: number): boolean {
    if (this.#witness.found.length > 0) return true;
    const { now, nextAt } = this.#agenda;
    if (!this.#weather.isCalm && ((nextAt ?? Infinity) > START + this.#scenario.stormMs || nextAt === undefined))
      this.#calm();
    return steps >= MOST_STEPS || now > START + LONGEST || (this.#weather.isCalm && this.#unrest() === undefined);
  }

  /** Nothing goes wrong any more, and whoever started the payment wants to know its outcome. */
  #calm(): void {
    this.#trace.push(`${this.#time()} --- calm ---`);
    this.#weather.isCalm = true;
    this.#calmSince = this.#agenda.now;
    this.#endpoint.sweepSoon();
    const ask = (): void => {
      if (this.#engine.open === undefined && !this.#isSettled()) this.#people.start();
      this.#agenda.after(MINUTE, ask);
    };
    this.#agenda.after(MINUTE, ask);
  }

  /** Its outcome is recorded, and a run has told it. */
  #isSettled(): boolean {
    const outcome = this.#model.snapshot(this.#scenario.request.paymentId)?.outcome;
    return outcome !== undefined && this.#witness.lastOwnRun?.end?.kind === 'completed';
  }

  /** What still moves, or is still to come; undefined: nothing. */
  #unrest(): string | undefined {
    const run = this.#engine.open;
    const busy = this.#workers.all
      .flatMap(({ actors }) => [...actors])
      .find(({ name }) => !name.includes('pollPayment'));
    if (busy !== undefined) return busy.name;
    if (!this.#provider.isQuiet) return 'the provider';
    if (!this.#endpoint.isQuiet) return 'the endpoint';
    if (this.#hasEndpointWork()) return 'the inbox';
    if (run === undefined) return this.#isSettled() ? undefined : 'no run';
    if (run.task !== undefined || run.pending.length > 0) return `a task of ${run.runId}`;
    if (!needsAttention(run.visible)) return run.runId;
    if (this.#scenario.operators !== 'away') return 'the operators';
    return this.#provider.isSettled && this.#agenda.now > this.#calmSince + CALM_LOOKS ? undefined : 'the polls';
  }

  #hasEndpointWork(): boolean {
    const isDisputed = this.#model.snapshot(this.#scenario.request.paymentId)?.disputed === true;
    return this.#isUndelivered || (isDisputed && !this.#hasDispute);
  }

  async #look(): Promise<void> {
    if (needsAttention(this.#engine.open?.visible)) this.#people.lookAfter();
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#witness.look();
    this.#isUndelivered = (await this.#model.inbox.pending(1)).length > 0;
    if (this.#hasEndpointWork()) this.#endpoint.sweepSoon();
  }

  #ended(run: Run): void {
    this.#isDirty = true;
    this.#trace.push(`${this.#time()} ${run.runId} ends: ${run.end?.kind}`);
    this.#witness.ended(run);
    this.#people.meddle('record');
  }

  #captured(): boolean {
    this.#isDirty = true;
    return this.#model.snapshot(this.#scenario.request.paymentId)?.outcome !== undefined;
  }

  #time(): string {
    const ms = this.#agenda.now - START;
    const part = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
    return `${part(ms / 3_600_000)}:${part((ms / MINUTE) % 60)}:${part((ms / 1_000) % 60)}.${part(ms % 1_000, 3)}`;
  }
}
