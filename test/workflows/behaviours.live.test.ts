import { EXPECTED, type Expected } from '../../dev/expected';
import { BEHAVIOURS, type BehaviourName } from '../../src/sandbox';
import { FUNDS_WHEN, payFromOwnAccount, truthOf } from '../support/faults';
import { factsOf, needsAttention, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';

/**
 * One payment for each thing the provider may do: the outcome, what the store holds, where the money is, and how often the
 * provider was sent a payment (G1, G4, G6).
 */
const MAIN_PATHS: readonly BehaviourName[] = [
  'paid-with-callback',
  'callback-lost',
  'rejected',
  'failed-refusal',
  'failed-callback-lost',
  'post-timeout',
  'prepaid',
];

const VARIANTS = [
  { name: 'with cached workflows', maxCachedWorkflows: 100, each: test.concurrent.each, behaviours: BEHAVIOURS },
  // Every workflow task replays the run from its start. One after the other: without a cache, the SDK drops the local activities of
  // a run as soon as another run has a task, and waits for its workflow task to time out.
  {
    name: 'with no workflow cached',
    maxCachedWorkflows: 0,
    each: test.each,
    behaviours: BEHAVIOURS.filter(({ name }) => MAIN_PATHS.includes(name)),
  },
] as const;

/** On a slow machine, too, a callback comes before the poll where one is expected; a person is asked soon only where nothing else ends it. */
function waiting(name: BehaviourName, { settledBy }: Expected): Partial<Record<keyof typeof SHORT_POLICY, string>> {
  if (settledBy === 'callback') return { callbackGrace: '1 minute' };
  return name === 'pending-for-ever' ? { attentionAfter: '10 seconds' } : {};
}

describe.each(VARIANTS)('what the provider may do, $name', ({ maxCachedWorkflows, each, behaviours }) => {
  let flow: Flow;
  beforeAll(async () => {
    // On a slow machine, too, a failure has been believed by the time that it turns.
    flow = await startFlow({ overrides: { maxCachedWorkflows }, sandbox: { completedLaterMs: 20_000 } });
  });

  each(behaviours)('$name', async ({ name }) => {
    const expected = EXPECTED[name];
    const request = flow.request(name, { policy: { ...SHORT_POLICY, ...waiting(name, expected) } });
    const paymentId = await payFromOwnAccount(flow, request);

    if (expected.outcome === 'needs-attention') {
      expect(await needsAttention(flow, paymentId)).toMatchObject({
        stage: 'needs-attention',
        reason: expected.reason,
      });
      // Nothing was decided: the payment is open, and its money is held from the claim on.
      expect((await factsOf(flow, paymentId)).closed).toBeUndefined();
    } else {
      const outcome = await outcomeOf(flow, paymentId);
      expect(outcome.kind).toBe(expected.outcome);
      if (outcome.kind === 'declined') expect(outcome.reason).toBe(expected.reason);
      if (outcome.kind !== 'cancelled' && expected.settledBy !== undefined)
        expect(outcome.settledBy).toBe(expected.settledBy);
      expect((await factsOf(flow, paymentId)).closed?.outcome).toEqual(outcome);
    }
    expect(await truthOf(flow, paymentId)).toEqual({
      seen: expected.seen,
      captured: expected.captured,
      funds: FUNDS_WHEN[fundsBy(expected)],
    });
    if (name === 'failed-then-completed') await untilDisputed(flow, paymentId);
  });
});

const fundsBy = ({ outcome, seen }: Expected): keyof typeof FUNDS_WHEN =>
  outcome === 'paid' ? 'paid' : outcome === 'needs-attention' && seen === 1 ? 'open' : 'back';

/** The provider takes its failure back after we have closed: the outcome stands, and a person is told. */
async function untilDisputed(flow: Flow, paymentId: string): Promise<void> {
  const closed = async () => (await factsOf(flow, paymentId)).closed;
  const recorded = await closed();
  const later = await until('the dispute', closed, (seen) => seen?.disputed === true);
  expect(later?.outcome).toEqual(recorded?.outcome);
  expect((await truthOf(flow, paymentId)).funds).toEqual(FUNDS_WHEN.back);
}
