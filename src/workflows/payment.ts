import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../payment/contract';
import type { BillPaymentOutcome } from '../payment/outcome';
import { initialState, next, type PaymentEvent, type PaymentState } from '../payment/state';
import { attributesOf, detailsOf } from '../payment/views';
import { Mutex } from './mutex';

/**
 * One run of a payment: its state, which the flow and the message handlers share, and the showing of it. It exists before the first
 * await, so that nothing sent early is lost. What changes is `next`'s, what is shown is the views'.
 */
export class Payment {
  state: PaymentState = initialState(ownPaymentId(), workflowInfo().startTime.getTime());
  /** Callbacks that were signalled and not looked at yet. */
  callbacksToLookAt = 0;
  /** Local activities never run beside each other. */
  readonly localActivities = new Mutex();
  private markEnded: (outcome: BillPaymentOutcome) => void = () => undefined;
  /** The recorded outcome, whoever recorded it: the flow, or a handler beside it. */
  readonly ended = new Promise<BillPaymentOutcome>((resolve) => {
    this.markEnded = resolve;
  });

  constructor() {
    this.show();
  }

  get paymentId(): string {
    return this.state.paymentId;
  }

  get outcome(): BillPaymentOutcome | undefined {
    const { step } = this.state;
    return step.kind === 'closed' ? step.outcome : undefined;
  }

  apply(event: PaymentEvent): void {
    this.state = next(this.state, event);
    this.show();
    if (this.outcome !== undefined) this.markEnded(this.outcome);
  }

  private show(): void {
    setCurrentDetails(detailsOf(this.state, Date.now()));
    const attributes = attributesOf(this.state);
    if (attributes === undefined) return;
    const { typedSearchAttributes: shown } = workflowInfo();
    const { state, reason, service } = attributes;
    if (shown.get(SEARCH_ATTRIBUTES.state) === state && shown.get(SEARCH_ATTRIBUTES.reason) === reason) return;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: state },
      ...(shown.get(SEARCH_ATTRIBUTES.reason) === reason
        ? []
        : [{ key: SEARCH_ATTRIBUTES.reason, value: reason ?? null }]),
      ...(shown.get(SEARCH_ATTRIBUTES.service) === undefined && service !== undefined
        ? [{ key: SEARCH_ATTRIBUTES.service, value: service }]
        : []),
    ]);
  }
}

/** Nothing of the request is trusted yet but the id that the engine knows. */
function ownPaymentId(): string {
  const prefix = workflowIdOf('');
  const { workflowId } = workflowInfo();
  return workflowId.startsWith(prefix) ? workflowId.slice(prefix.length) : workflowId;
}
