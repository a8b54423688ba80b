import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { WORKFLOWS, workflowIdOf } from '../payment/contract';
import type { Ending } from '../payment/ending';
import { fingerprint } from '../payment/fingerprint';
import { judge } from '../payment/judge';
import { actionOf, type OperatorAction } from '../payment/operator-action';
import { resolvePolicy } from '../payment/policy';
import { checkRequest } from '../payment/request';
import type { RecordRequest, RecordResult, Registration } from '../payment/steps';
import { mayNotDecide, notLookedAt } from '../payment/words';
import { checked, SHAPES } from './arguments';
import { merchantOf, type ActivityDependencies } from './dependencies';
import { invalidRequest, paymentConflict } from './failures';
import { isUntouched, lookBefore } from './look';
import { mayDecide } from './operators';
import { onlyFrom } from './own-run';
import type { ServiceNames } from './service-names';

/** The first and the last step of a payment. Both are idempotent: the engine may run them again at will. */
export function createPaymentActivities(dependencies: ActivityDependencies, names: ServiceNames) {
  const { provider, store, settings } = dependencies;
  const by = merchantOf(dependencies);
  return {
    /**
     * Checks the request and writes the payment down, once for ever. The same id with the same content is the same payment; one
     * that is closed answers its outcome.
     * @throws ApplicationFailure `InvalidRequest` or `PaymentConflict`, not retryable
     */
    async registerPayment(input: unknown): Promise<Registration> {
      const check = checkRequest(input, settings);
      const problems = check.ok ? [] : [...check.problems];
      const paymentId: unknown = check.ok
        ? check.request.paymentId
        : (input as { paymentId?: unknown } | null | undefined)?.paymentId;
      if (typeof paymentId === 'string' && activityInfo().workflowExecution?.workflowId !== workflowIdOf(paymentId)) {
        problems.push({
          field: 'paymentId',
          problem: `must match the workflow id: it belongs to the workflow id ${workflowIdOf('<payment id>')}`,
        });
      }
      if (!check.ok || problems.length > 0) throw invalidRequest(problems);

      const { request } = check;
      const policy = resolvePolicy(request.policy);
      const prepaid = settings.prepaidServices.includes(request.serviceId);
      const rules = { policy, prepaid, failedWithoutCode: settings.failedWithoutCode };
      const known = await store.payments.register(request, await fingerprint(request), rules, by);
      if (known.kind === 'conflict') throw paymentConflict(request.paymentId);
      if (known.kind === 'closed') return known;
      const { facts, now } = known.reading;
      const serviceName = request.serviceName ?? names.nameOf(request.serviceId);
      return {
        kind: 'open',
        request,
        provider: provider.name,
        look: { facts, verdict: judge(facts, now), at: now },
        expiresIn: facts.registeredAt + facts.rules.policy.submitWithin - now,
        ...(serviceName !== undefined && { serviceName }),
      };
    },

    /**
     * Ends a payment by what the store knows, or says how it stands. No outcome is believed: an end that is proven is made of what
     * was seen, whoever asks; what has to be believed, a person's decision or why nothing was sent, is believed from the payment's
     * own run alone.
     */
    async recordOutcome(request: RecordRequest): Promise<RecordResult> {
      const { paymentId, ending } = checked(SHAPES.record, request);
      if (ending.kind !== 'proven') onlyFrom(WORKFLOWS.billPayment, workflowIdOf(paymentId));
      const action = actionOf(ending);
      if (action === undefined) return await recordBy(paymentId, ending);
      const because = (await store.operatorActions.refusal(paymentId, action)) ?? notTaken(ending, action);
      const result = because === undefined ? await recordBy(paymentId, ending) : await refused(paymentId, because);
      if (result.kind === 'refused') await store.operatorActions.refuse(paymentId, action, result.because);
      return result;
    },
  };

  async function recordBy(paymentId: string, ending: Ending): Promise<RecordResult> {
    if (ending.kind === 'unsent') await lookFirstIfRestored(paymentId);
    return await store.payments.recordOutcome(paymentId, ending, by);
  }

  /** Whatever the facts are. */
  function notTaken(ending: Ending, { operator }: OperatorAction): string | undefined {
    if (!mayDecide(settings, operator)) return mayNotDecide(operator);
    const needsLook = ending.kind === 'decided' && ending.resolution.decision === 'declined';
    return needsLook && ending.lookFailed ? notLookedAt : undefined;
  }

  /** What they decided may have been recorded before: by a worker with another list of operators, or before its answer was lost. */
  async function refused(paymentId: string, because: string): Promise<RecordResult> {
    const { closed } = (await store.payments.read(paymentId, by)).facts;
    return closed === undefined ? { kind: 'refused', because } : { kind: 'closed', ...closed };
  }

  /**
   * While submissions are off the store may have been restored from a backup, and may not remember that it was sent: a free claim
   * proves nothing, and the provider is asked.
   */
  async function lookFirstIfRestored(paymentId: string): Promise<void> {
    if (settings.submissions !== 'off') return;
    const { facts } = await store.payments.read(paymentId, by);
    if (isUntouched(facts)) await lookBefore(dependencies, paymentId, cancellationSignal());
  }
}
