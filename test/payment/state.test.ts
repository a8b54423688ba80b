import type { Stage } from '../../src/payment/progress';
import {
  askOf,
  initialState,
  next,
  stageOf,
  type PaymentEvent,
  type PaymentState,
  type Step,
} from '../../src/payment/state';
import type { Look } from '../../src/payment/steps';
import { at, CLAIMS, EXPECTED, facts, paid, seenOf } from './support';
import { billOf, lookAt } from './states';

/** Every change of what a run shows: each event in each step, and what stands beside the step. */

const { paymentId } = EXPECTED;
const bill = billOf();
const quiet = lookAt(10, facts({ claim: CLAIMS.free }));
const sent = lookAt(20, facts());
const asks = lookAt(30, facts({ claim: CLAIMS.free, seen: seenOf([30, 'pending']) }));
const outcome = paid(paymentId);

const STARTED = initialState(paymentId, at(-61));
const STEPS = {
  registering: { kind: 'registering' },
  validating: { kind: 'validating', bill, look: quiet },
  submitting: { kind: 'submitting', bill, look: quiet },
  awaiting: { kind: 'awaiting', bill, look: sent },
  closed: { kind: 'closed', bill, look: sent, outcome, disputed: false },
} as const satisfies Record<Step['kind'], Step>;
type StepKind = keyof typeof STEPS;
const KINDS = Object.keys(STEPS) as readonly StepKind[];
const OPEN = KINDS.filter((kind) => kind !== 'closed');
const IN_BETWEEN = OPEN.filter((kind) => kind !== 'registering');

const inStep = (kind: StepKind): PaymentState => ({ ...STARTED, step: STEPS[kind] });
const after = (kind: StepKind, ...events: readonly PaymentEvent[]) => events.reduce(next, inStep(kind));
const looked = (look: Look) => ({ kind: 'looked', look }) as const;
const registered = (look: Look) => ({ kind: 'registered', bill, look }) as const;

test('a run begins with knowing nothing', () => {
  expect(STARTED).toEqual({ paymentId, startedAt: at(-61), step: { kind: 'registering' } });
});

describe('the step', () => {
  test('registered: it is checked; or waited for, if it may have been sent or a person is asked', () => {
    expect(after('registering', registered(quiet)).step).toEqual({ kind: 'validating', bill, look: quiet });
    expect(after('registering', registered(sent)).step).toEqual({ kind: 'awaiting', bill, look: sent });
    expect(after('registering', registered(asks)).step).toEqual({ kind: 'awaiting', bill, look: asks });
  });

  test.each(IN_BETWEEN)('%s: submitting and awaiting follow, and keep what is known', (kind) => {
    const { look } = STEPS[kind];
    expect(after(kind, { kind: 'submitting' }).step).toEqual({ kind: 'submitting', bill, look });
    expect(after(kind, { kind: 'awaiting' }).step).toEqual({ kind: 'awaiting', bill, look });
  });

  test.each(IN_BETWEEN)('%s: a look that shows that it was sent, or asks a person, makes it wait', (kind) => {
    for (const look of [lookAt(40, facts()), lookAt(40, asks.facts)])
      expect(after(kind, looked(look)).step).toEqual({ kind: 'awaiting', bill, look });
  });

  test.each(IN_BETWEEN)('%s: any other look is only known', (kind) => {
    const look = lookAt(40, quiet.facts);
    expect(after(kind, looked(look)).step).toEqual({ kind, bill, look });
  });

  test('the later look wins, in whichever order they are told', () => {
    const [earlier, later] = [lookAt(40, facts()), lookAt(41, facts({ seen: seenOf([41, 'pending']) }))];
    for (const [one, other] of [
      [earlier, later],
      [later, earlier],
    ] as const)
      expect(after('awaiting', looked(one), looked(other)).step).toMatchObject({ look: later });
    // Of two at once, the one that was told last.
    const same = lookAt(41, facts({ seen: seenOf([41, 'failed']) }));
    expect(after('awaiting', looked(later), looked(same)).step).toMatchObject({ look: same });
  });

  test.each<PaymentEvent>([{ kind: 'submitting' }, { kind: 'awaiting' }, looked(sent)])(
    'before it is registered there is nothing to change: $kind',
    (event) => {
      expect(next(STARTED, event)).toEqual(STARTED);
    },
  );
});

describe('closed', () => {
  test.each(OPEN)('from %s: with what is known', (kind) => {
    const step = STEPS[kind];
    const known = step.kind === 'registering' ? {} : { bill: step.bill, look: step.look };
    expect(after(kind, { kind: 'closed', outcome, disputed: true })).toEqual({
      ...STARTED,
      step: { kind: 'closed', ...known, outcome, disputed: true },
    });
  });

  test('what stood beside the step is over', () => {
    const before = after(
      'awaiting',
      { kind: 'store-away', because: 'no answer', at: at(1) },
      { kind: 'recording', as: 'paid' },
      { kind: 'cancellation-refused', because: 'too late' },
    );
    expect(next(before, { kind: 'closed', outcome, disputed: false })).toEqual(inStep('closed'));
  });

  /** One of each kind: a new one does not compile without its line here. */
  const EVENTS = {
    registered: registered(quiet),
    submitting: { kind: 'submitting' },
    awaiting: { kind: 'awaiting' },
    looked: looked(lookAt(99, facts())),
    recording: { kind: 'recording', as: 'declined' },
    'not-recorded': { kind: 'not-recorded' },
    closed: { kind: 'closed', outcome, disputed: true },
    'store-away': { kind: 'store-away', because: 'no answer', at: at(1) },
    'store-answered': { kind: 'store-answered' },
    'cancellation-refused': { kind: 'cancellation-refused', because: 'too late' },
  } as const satisfies { readonly [Kind in PaymentEvent['kind']]: Extract<PaymentEvent, { kind: Kind }> };

  test.each(Object.values(EVENTS))('is final: $kind changes nothing', (event) => {
    const closed = inStep('closed');
    expect(next(closed, event)).toBe(closed);
  });

  test.each(Object.values(EVENTS))('$kind changes no state that is kept elsewhere', (event) => {
    const before = after('validating', EVENTS['store-away'], EVENTS.recording);
    const copy = structuredClone(before);
    next(before, event);
    expect(before).toEqual(copy);
  });
});

describe('beside the step', () => {
  test.each(OPEN)('%s: an end is being written down, or is not after all', (kind) => {
    const recording = after(kind, { kind: 'recording', as: 'paid' });
    expect(recording).toEqual({ ...inStep(kind), recording: 'paid' });
    expect(next(recording, { kind: 'not-recorded' })).toEqual(inStep(kind));
  });

  test.each(OPEN)('%s: the store is away since it was first missed, and the last cause is shown', (kind) => {
    const away = after(
      kind,
      { kind: 'store-away', because: 'no answer', at: at(1) },
      { kind: 'store-away', because: 'x'.repeat(1_000), at: at(2) },
    );
    expect(away).toEqual({ ...inStep(kind), storeAway: { because: 'x'.repeat(200), since: at(1) } });
    expect(next(away, { kind: 'store-answered' })).toEqual(inStep(kind));
  });

  test('a look alone does not say that the store is back: whoever looked does', () => {
    const away: PaymentEvent = { kind: 'store-away', because: 'no answer', at: at(1) };
    expect(after('awaiting', away, looked(lookAt(40, facts()))).storeAway).toEqual({
      because: 'no answer',
      since: at(1),
    });
  });

  test.each(OPEN)('%s: a refused cancellation is shown until the end', (kind) => {
    const refused = after(kind, { kind: 'cancellation-refused', because: 'too late' });
    expect(refused).toEqual({ ...inStep(kind), cancellationRefused: 'too late' });
  });
});

describe('the stage', () => {
  const reasonOf = (state: PaymentState) => askOf(state)?.reason;
  const recording: PaymentEvent = { kind: 'recording', as: 'paid' };
  const away: PaymentEvent = { kind: 'store-away', because: 'no answer', at: at(1) };

  // prettier-ignore
  const STAGES = {
    registering: [STARTED],
    validating: [inStep('validating'), after('validating', away)],
    submitting: [inStep('submitting')],
    'awaiting-result': [inStep('awaiting'), after('submitting', { kind: 'awaiting' })],
    'needs-attention': [after('validating', looked(asks))],
    recording: OPEN.map((kind) => after(kind, recording)),
    closed: [inStep('closed')],
  } satisfies Record<Stage, readonly PaymentState[]>;

  test.each(Object.entries(STAGES))('%s', (stage, states) => {
    for (const state of states) expect(stageOf(state)).toBe(stage);
  });

  test('a person is asked only while it waits and the last look asks', () => {
    expect(reasonOf(after('validating', looked(asks)))).toBe('id-in-use');
    expect(reasonOf(inStep('awaiting'))).toBeUndefined();
    expect(reasonOf(after('validating', looked(asks), { kind: 'submitting' }))).toBeUndefined();
    expect(reasonOf(after('awaiting', looked(lookAt(40, facts({ seen: seenOf([40, 'completed']) })))))).toBeUndefined();
    expect(reasonOf(inStep('closed'))).toBeUndefined();
  });
});
