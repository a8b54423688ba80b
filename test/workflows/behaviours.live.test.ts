import { EXPECTED } from '../../dev/expected';
import { BEHAVIOURS, type BehaviourName } from '../../src/sandbox';
import { FUNDS_WHEN, payFromOwnAccount, truthOf } from '../support/faults';
import { SHORT_POLICY, needsAttention, outcomeOf, startFlow, until, type Flow } from '../support/flow';

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

/** Only where nothing else ends the waiting. */
const ATTENTION_SOON: readonly BehaviourName[] = ['pending-for-ever'];

describe.each(VARIANTS)('what the provider may do, $name', ({ maxCachedWorkflows, each, behaviours }) => {
  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow({ overrides: { maxCachedWorkflows } });
  });

  each(behaviours)('$name', async ({ name }) => {
    const expected = EXPECTED[name];
    const attentionAfter = ATTENTION_SOON.includes(name) ? '10 seconds' : SHORT_POLICY.attentionAfter;
    const request = flow.request(name, { policy: { ...SHORT_POLICY, attentionAfter } });
    const paymentId = await payFromOwnAccount(flow, request);

    if (expected.outcome === 'needs-attention') {
      expect(await needsAttention(flow, paymentId)).toMatchObject({
        stage: 'needs-attention',
        reason: expected.reason,
      });
      // Nothing was decided: the money is held and the payment is open.
      expect((await flow.store.payments.facts(paymentId)).outcome).toBeUndefined();
    } else {
      const outcome = await outcomeOf(flow, paymentId);
      expect(outcome.kind).toBe(expected.outcome);
      if (outcome.kind === 'declined') expect(outcome.reason).toBe(expected.reason);
      if (outcome.kind !== 'cancelled' && expected.settledBy !== undefined)
        expect(outcome.settledBy).toBe(expected.settledBy);
      expect((await flow.store.payments.facts(paymentId)).outcome).toEqual(outcome);
    }
    expect(await truthOf(flow, paymentId)).toEqual({
      seen: expected.seen,
      captured: expected.captured,
      funds:
        FUNDS_WHEN[expected.outcome === 'paid' ? 'paid' : expected.outcome === 'needs-attention' ? 'open' : 'back'],
    });
    if (name === 'failed-then-completed') await untilDisputed(flow, paymentId);
  });
});

/** The provider takes its failure back after we have closed: the outcome stands, and a person is told. */
async function untilDisputed(flow: Flow, paymentId: string): Promise<void> {
  const { outcome } = await flow.store.payments.facts(paymentId);
  const later = await until(
    'the dispute',
    () => flow.store.payments.facts(paymentId),
    ({ disputed }) => disputed,
  );
  expect(later.outcome).toEqual(outcome);
  expect((await truthOf(flow, paymentId)).funds).toEqual(FUNDS_WHEN.back);
}
