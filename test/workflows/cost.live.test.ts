import type { temporal } from '@temporalio/proto';
import { workflowIdOf } from '../../src/payment/contract';
import type { BillPaymentRequest } from '../../src/payment/request';
import { historyOf, outcomeOf, SHORT_POLICY, startFlow, until, type Flow } from '../support/flow';

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

/** As measured. It costs less where a slow worker hears of two things at once. */
const MOST = { events: 26, actions: 8 };

describe('what a payment costs', () => {
  let flow: Flow;
  beforeAll(async () => {
    // The POST is answered before the callback comes, as in the provider's documents.
    flow = await startFlow({ sandbox: { pendingMs: 1_000, callbackDelayMs: 300 } });
  });

  async function expectCheap(request: BillPaymentRequest) {
    await flow.payments.start(request);
    expect(await outcomeOf(flow, request.paymentId)).toMatchObject({ kind: 'paid', settledBy: 'callback' });
    const { events, actions } = await costOf(flow, request.paymentId, { open: 1 });
    expect(events).toBeLessThanOrEqual(MOST.events);
    expect(actions).toBeLessThanOrEqual(MOST.actions);
  }
  const policy = { ...SHORT_POLICY, callbackGrace: '1 minute' };

  test.concurrent(`paid by callback, its money held: ${MOST.events} events and ${MOST.actions} actions`, async () => {
    await expectCheap(flow.request('paid-with-callback', { policy }));
  });

  test.concurrent('without money to hold: no more', async () => {
    const { fundingAccount: _none, ...request } = flow.request('paid-with-callback', { policy });
    await expectCheap(request);
  });

  test.concurrent('a look costs no event: after two or ten, the history is as long', async () => {
    const { paymentId, ...request } = flow.request('pending-for-ever', {
      policy: {
        ...SHORT_POLICY,
        callbackGrace: '1 millisecond',
        pollInterval: '100 milliseconds',
        pollMaxInterval: '100 milliseconds',
      },
    });
    await flow.payments.start({ paymentId, ...request });
    const handle = flow.client.workflow.getHandle(workflowIdOf(paymentId));
    const eventsAfter = async (looks: number): Promise<number> => {
      const attempt = async () => {
        const { pendingActivities } = (await handle.describe()).raw;
        return pendingActivities?.find(({ activityType }) => activityType?.name === 'pollPayment')?.attempt ?? 0;
      };
      // One of them is under way.
      await until(`${looks} looks`, attempt, (seen) => seen > looks);
      return (await historyOf(flow, paymentId)).events?.length ?? 0;
    };
    const afterTwo = await eventsAfter(2);
    expect(await eventsAfter(10)).toBe(afterTwo);
  });
});
