import type { temporal } from '@temporalio/proto';
import { historyOf, outcomeOf, SHORT_POLICY, startFlow, type Flow } from '../support/flow';

/**
 * What a payment costs, counted from real histories: events (they bound a run's size) and actions as Temporal Cloud bills them:
 * a start, a signal, an update, a timer, a search attribute upsert, each start of an activity, and the local activities of one
 * workflow task together.
 */
type Event = temporal.api.history.v1.IHistoryEvent;

const BILLED = [
  'workflowExecutionStartedEventAttributes',
  'workflowExecutionSignaledEventAttributes',
  'workflowExecutionUpdateAcceptedEventAttributes',
  'timerStartedEventAttributes',
  'upsertWorkflowSearchAttributesEventAttributes',
] as const satisfies readonly (keyof Event)[];

const isThere = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

const billedEvents = (events: readonly Event[]): number =>
  events.filter((event) => BILLED.some((kind) => isThere(event[kind]))).length;

/** Retries are billed too: the started event of an activity tells its attempt. One that is still open has none: it ran `open` times. */
function activityStarts(events: readonly Event[], open: number): number {
  const scheduled = events.filter((event) => isThere(event.activityTaskScheduledEventAttributes)).length;
  const started = events.map((event) => event.activityTaskStartedEventAttributes).filter(isThere);
  return started.reduce((sum, { attempt }) => sum + (attempt ?? 1), 0) + (scheduled - started.length) * open;
}

const localActivityTasks = (events: readonly Event[]): number =>
  new Set(
    events
      .map((event) => event.markerRecordedEventAttributes?.workflowTaskCompletedEventId?.toString())
      .filter((id) => id !== undefined),
  ).size;

async function costOf(flow: Flow, paymentId: string, { open }: { readonly open: number }) {
  const { events } = await historyOf(flow, paymentId);
  const all = events ?? [];
  return { events: all.length, actions: billedEvents(all) + activityStarts(all, open) + localActivityTasks(all) };
}

describe('what a payment costs', () => {
  let flow: Flow;
  beforeAll(async () => {
    // The POST is answered before the callback comes, as in the provider's documents.
    flow = await startFlow({ sandbox: { pendingMs: 1_000, callbackDelayMs: 300 } });
  });
  const policy = { ...SHORT_POLICY, callbackGrace: '1 minute' };

  test('paid by callback: at most 26 events and 8 actions', async () => {
    const { fundingAccount: _none, ...request } = flow.request('paid-with-callback', { policy });
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    const cost = await costOf(flow, request.paymentId, { open: 1 });
    expect(cost.events).toBeLessThanOrEqual(26);
    expect(cost.actions).toBeLessThanOrEqual(8);
  });

  test('holding funds adds one event and one action', async () => {
    const request = flow.request('paid-with-callback', { policy });
    await flow.payments.start(request);
    await outcomeOf(flow, request.paymentId);
    const cost = await costOf(flow, request.paymentId, { open: 1 });
    expect(cost.events).toBeLessThanOrEqual(27);
    expect(cost.actions).toBeLessThanOrEqual(9);
  });

  test('a poll costs no event: two looks or ten, the history is as long', async () => {
    const events = async (looks: number): Promise<number> => {
      const { paymentId, ...request } = flow.request('pending-for-ever', {
        policy: {
          ...SHORT_POLICY,
          callbackGrace: '1 millisecond',
          pollInterval: '100 milliseconds',
          pollMaxInterval: '100 milliseconds',
        },
      });
      await flow.payments.start({ paymentId, ...request });
      const handle = flow.client.workflow.getHandle(`bill-payment-${paymentId}`);
      for (;;) {
        const { raw } = await handle.describe();
        const poll = raw.pendingActivities?.find((activity) => activity.activityType?.name === 'pollPayment');
        // The first attempt waits for the callback; every later one is a look.
        if ((poll?.attempt ?? 0) > looks + 1) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { events: all } = await historyOf(flow, paymentId);
      await handle.terminate('counted');
      return all?.length ?? 0;
    };
    expect(await events(10)).toBe(await events(2));
  });
});
