import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES, workflowIdOf, type BillPaymentState } from '../payment/contract';
import { mismatches, type Expected, type Look } from '../payment/look';
import type { PaymentRecord, Receipt } from '../payment/observation';
import type { AttentionReason, BillPaymentOutcome } from '../payment/outcome';
import { clampPolicy, resolvePolicy } from '../payment/policy';
import type { PaymentProgress, Resolution, Stage } from '../payment/progress';
import type { CheckedRequest } from '../payment/request';
import type { OperatorAction, Registration, SubmissionResult } from '../payment/steps';
import { observe, type Facts, type Rules } from '../payment/verdict';
import { progressDetails } from './details';
import { Turns } from './turns';

/** The record may be unknown to this run: an earlier one saw it. */
interface InUse {
  readonly kind: 'id-in-use';
  readonly record?: PaymentRecord;
}

/** A person's decision, from when it is taken until it is recorded. */
export type Decided = Resolution & { readonly at: number; readonly updateId?: string };

type Registered = Extract<Registration, { kind: 'open' }>;

/**
 * Where one payment stands: the state that the flow and the message handlers share. It exists before the first await, so that
 * nothing sent early is lost, and before the request is known to be good, so it trusts nothing but the workflow id.
 */
export class PaymentTracker {
  stage: Stage = 'validating';
  attention: { readonly reason: AttentionReason; readonly because: string; readonly since: number } | undefined;
  /** Since when, and how, the store keeps a step waiting. */
  storeDown: { readonly because: string; readonly since: number } | undefined;
  /** Money was reserved for it, by this run or an earlier one. */
  fundsHeld = false;
  submission: PaymentProgress['submission'];
  facts: Facts | undefined;
  lastLook: Look | undefined;
  /** What brought the last look. */
  cause: 'callback' | 'poll' = 'poll';
  said: { readonly said: string; readonly at: number } | undefined;
  /** Callbacks signalled and not looked at yet. */
  hints = 0;
  decision: Decided | undefined;
  /** What came of the last decision that was not taken. */
  takenBack: 'news' | 'not-an-operator' = 'news';
  /** Why the UI's Request Cancellation, which nobody can be answered, changed nothing. */
  cancellationRefused: string | undefined;
  /** What is being written down, from the moment it is decided. */
  ending: BillPaymentOutcome | undefined;
  outcome: BillPaymentOutcome | undefined;
  /** Looks, the hold and the close never run beside each other. */
  readonly turns = new Turns();
  /** Counts what was learnt: the waiting flow wakes on a change. */
  revision = 0;

  readonly startedAt = workflowInfo().startTime.getTime();
  private registered: Registered | undefined;
  private acceptedAs: string | undefined;
  private markEnded: (outcome: BillPaymentOutcome) => void = () => undefined;
  /** The recorded outcome, whoever recorded it: the flow, or a cancellation beside it. */
  readonly ended = new Promise<BillPaymentOutcome>((resolve) => {
    this.markEnded = resolve;
  });

  constructor() {
    setCurrentDetails(progressDetails(this));
  }

  get paymentId(): string {
    const prefix = workflowIdOf('');
    const id = workflowInfo().workflowId;
    return id.startsWith(prefix) ? id.slice(prefix.length) : id;
  }

  get isRegistered(): boolean {
    return this.registered !== undefined;
  }

  get request(): CheckedRequest {
    return this.known.request;
  }

  get serviceName(): string | undefined {
    return this.registered?.request.serviceName ?? this.registered?.serviceName;
  }

  get expected(): Expected {
    const { paymentId, accountNumber, amount, currency } = this.request;
    return { paymentId, accountNumber, amount, currency };
  }

  get rules(): Rules {
    const { policy, prepaid, failedWithoutCode } = this.known;
    return { policy, prepaid, failedWithoutCode, attentionAt: this.attentionAt };
  }

  get attentionAt(): number {
    return this.startedAt + (this.registered?.policy ?? resolvePolicy(undefined)).attentionAfter;
  }

  get expiresAt(): number {
    return this.startedAt + this.known.policy.submitWithin;
  }

  register(registered: Registered): void {
    this.registered = { ...registered, policy: clampPolicy(registered.policy) };
    this.fundsHeld = registered.reserved;
    // A client in another language may not have set the attributes at the start.
    if (workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) === undefined) this.publish('InProgress');
    this.refresh();
  }

  /** Of our payment, not of somebody else's record under our id. */
  private get ownRecord(): PaymentRecord | undefined {
    const seen = this.facts?.observation;
    return seen?.kind === 'record' && mismatches(this.expected, seen).length === 0 ? seen : undefined;
  }

  /** What is known of the receipt, whoever decides. */
  get knownReceipt(): Receipt {
    return { ...this.facts?.callbacks.receipt, ...this.ownRecord?.receipt };
  }

  /** The provider's id of the payment. */
  get providerId(): string | undefined {
    return this.ownRecord?.providerId ?? this.acceptedAs;
  }

  enter(stage: Stage): void {
    if (this.outcome !== undefined) return;
    this.stage = stage;
    this.refresh();
  }

  takeBackDecision(because: 'news' | 'not-an-operator'): void {
    this.takenBack = because;
    this.decision = undefined;
  }

  /** From here on the request may have left. */
  submitted(result: Extract<SubmissionResult, { kind: 'accepted' | 'unknown' }> | InUse): void {
    const at = Date.now();
    const nothingYet = { callbacks: { count: 0, receipt: {} }, completedSeen: false, submittedAt: at };
    switch (result.kind) {
      case 'accepted':
        this.acceptedAs = result.providerId;
        this.submission = { kind: 'accepted', at: iso(at), said: `Almara Pay id ${result.providerId}` };
        this.facts = { sent: 'accepted', ...nothingYet };
        break;
      case 'unknown':
        this.submission = { kind: 'unknown', at: iso(at), said: result.because };
        this.facts = { sent: 'unknown', ...nothingYet };
        break;
      case 'id-in-use':
        if (result.record !== undefined) this.said = { said: result.record.said, at };
        this.facts = { sent: 'not-by-us', ...nothingYet, ...(result.record && { observation: result.record }) };
        break;
    }
    this.enter('awaiting-result');
  }

  learn(look: Look, cause: 'callback' | 'poll'): void {
    if (this.facts === undefined) return;
    const at = Date.now();
    this.facts = observe(this.expected, this.facts, look, at);
    this.lastLook = look;
    this.cause = cause;
    this.said = { said: look.observation.said, at };
    this.revision += 1;
    this.refresh();
  }

  /** A person is asked; the newest reason is shown. Asking twice for the same costs nothing. */
  needAttention(reason: AttentionReason, because: string): void {
    if (this.outcome !== undefined) return;
    const changed = this.attention?.reason !== reason;
    this.attention = { reason, because, since: this.attention?.since ?? Date.now() };
    this.stage = 'needs-attention';
    if (changed) this.publish('NeedsAttention', reason);
    this.refresh();
  }

  /** Once asked, a person stays asked until there is an answer; a reason that no longer holds gives way to the plain one. */
  stillAsks(): { readonly reason: AttentionReason; readonly because: string } | undefined {
    return this.attention && { reason: 'provider-silent', because: this.said?.said ?? 'nothing yet' };
  }

  /** A step waits for the store for too long. The stage stays: this is not a question that anybody can answer. */
  storeIsDown(because: string): void {
    if (this.outcome !== undefined) return;
    if (this.storeDown === undefined) this.publish('NeedsAttention', 'store-unavailable');
    this.storeDown = { because: because.slice(0, 200), since: this.storeDown?.since ?? Date.now() };
    this.refresh();
  }

  /** What waited for the store goes on by itself. */
  storeAnswered(): void {
    if (this.storeDown === undefined) return;
    this.storeDown = undefined;
    if (this.attention === undefined) this.publish('InProgress');
    else this.publish('NeedsAttention', this.attention.reason);
    this.refresh();
  }

  /** Why a person is asked. A store that is down comes first: nothing can be decided while it is. */
  get asks(): PaymentTracker['attention'] {
    return this.storeDown === undefined ? this.attention : { reason: 'store-unavailable', ...this.storeDown };
  }

  /** What was recorded; a contradiction of it is somebody's to settle. */
  close(outcome: BillPaymentOutcome, { disputed }: { readonly disputed: boolean }): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.stage = 'closed';
    const states = { paid: 'Paid', declined: 'Declined', cancelled: 'Cancelled' } as const;
    this.publish(disputed ? 'Disputed' : states[outcome.kind], disputed ? 'disputed' : undefined);
    this.refresh();
    this.markEnded(outcome);
  }

  progress(): PaymentProgress {
    const request = this.registered?.request;
    const asks = this.stage === 'closed' ? undefined : this.asks;
    return {
      paymentId: this.paymentId,
      stage: this.stage,
      serviceId: request?.serviceId ?? '',
      amount: request?.amount ?? 0,
      currency: request?.currency ?? '',
      startedAt: iso(this.startedAt),
      callbacks: this.facts?.callbacks.count ?? 0,
      attentionAt: iso(this.attentionAt),
      ...(asks && { reason: asks.reason, because: asks.because }),
      ...(this.serviceName !== undefined && { serviceName: this.serviceName }),
      ...(request?.fundingAccount !== undefined && { fundingAccount: request.fundingAccount }),
      ...(this.submission && { submission: this.submission }),
      ...(this.said && { provider: { said: this.said.said, at: iso(this.said.at) } }),
      ...(this.asks && { attentionSince: iso(this.asks.since) }),
      ...(this.outcome && { outcome: this.outcome }),
    };
  }

  /** Only once it may have been sent. */
  get seen(): Facts {
    if (this.facts === undefined) throw new Error('the payment was not submitted yet');
    return this.facts;
  }

  refresh(): void {
    setCurrentDetails(progressDetails(this));
  }

  private get known(): Registered {
    if (this.registered === undefined) throw new Error('the payment is not registered yet');
    return this.registered;
  }

  private publish(state: BillPaymentState, reason?: string): void {
    const { typedSearchAttributes } = workflowInfo();
    const had = typedSearchAttributes.get(SEARCH_ATTRIBUTES.reason);
    const name = typedSearchAttributes.get(SEARCH_ATTRIBUTES.service) === undefined ? this.serviceName : undefined;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: state },
      ...(reason !== undefined || had !== undefined ? [{ key: SEARCH_ATTRIBUTES.reason, value: reason ?? null }] : []),
      ...(name !== undefined ? [{ key: SEARCH_ATTRIBUTES.service, value: name }] : []),
    ]);
  }
}

export const iso = (at: number): string => new Date(at).toISOString();

/** Who does what and why, with what it looks like before. */
export function actionOf(
  payment: PaymentTracker,
  action: OperatorAction['action'],
  {
    operator,
    note,
    updateId,
    ...argument
  }: { readonly operator: string; readonly note: string; readonly updateId?: string },
): OperatorAction {
  const { stage, reason, provider } = payment.progress();
  return {
    action,
    operator,
    note,
    ...(updateId !== undefined && { updateId }),
    argument,
    before: { stage, ...(reason && { reason }), ...(provider && { said: provider.said }) },
  };
}
