import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { fingerprint } from '../payment/fingerprint';
import { workflowIdOf } from '../payment/contract';
import { resolvePolicy } from '../payment/policy';
import { ProviderTrouble } from '../payment/provider';
import { checkRequest } from '../payment/request';
import type { CloseRequest, CloseResult, Registration, Reservation, ReserveRequest } from '../payment/steps';
import type { ActivityDependencies } from './dependencies';
import { invalidRequest, paymentConflict } from './failures';
import { mayDecide } from './operators';
import type { ServiceNames } from './service-names';

/** The steps that only touch our own store. All are idempotent: the engine may run them again at will. */
export function createPaymentActivities({ provider, store, settings }: ActivityDependencies, names: ServiceNames) {
  return {
    /**
     * Checks the request and writes the payment down, once for ever. The same id with the same content is the same payment; one
     * that is closed answers its outcome.
     * @throws ApplicationFailure `InvalidRequest` or `PaymentConflict`, not retryable
     */
    async registerPayment(input: unknown): Promise<Registration> {
      const checked = checkRequest(input, settings);
      const problems = checked.ok ? [] : [...checked.problems];
      const paymentId: unknown = checked.ok
        ? checked.request.paymentId
        : (input as { paymentId?: unknown } | null | undefined)?.paymentId;
      const { workflowId } = activityInfo().workflowExecution ?? { workflowId: '' };
      if (typeof paymentId === 'string' && workflowId !== workflowIdOf(paymentId)) {
        problems.push({
          field: 'paymentId',
          problem: `must match the workflow id: it belongs to the workflow id ${workflowIdOf('<payment id>')}`,
        });
      }
      if (!checked.ok || problems.length > 0) throw invalidRequest(problems);

      const { request } = checked;
      const known = await store.payments.register(request, await fingerprint(request));
      if (known.kind === 'conflict') throw paymentConflict(request.paymentId);
      if (known.kind === 'closed') {
        const { disputed } = await store.payments.facts(request.paymentId);
        return { ...known, disputed };
      }
      const serviceName = request.serviceName ?? names.nameOf(request.serviceId);
      return {
        kind: 'open',
        request,
        policy: resolvePolicy(request.policy),
        claimed: known.claimed,
        reserved: known.reserved,
        prepaid: settings.prepaidServices.includes(request.serviceId),
        failedWithoutCode: settings.failedWithoutCode,
        ...(serviceName !== undefined && { serviceName }),
      };
    },

    /** Moves money from available to reserved, or says why not. */
    async reserveFunds({ paymentId, ...funds }: ReserveRequest): Promise<Reservation> {
      return await store.reservations.reserve(paymentId, funds);
    },

    /** Outcome, funds and seal in one transaction. What is recorded already stands. */
    async closePayment(request: CloseRequest): Promise<CloseResult> {
      const { action, ...close } = request;
      if (close.unsent && settings.submissions === 'off' && (await isForgotten(close.paymentId)))
        return { kind: 'reconsider', because: 'Almara Pay has a record of it' };
      if (action === undefined) return await store.payments.close(close);
      const { argument, before, ...by } = action;
      if (!mayDecide(settings, by.operator)) {
        // An earlier try may have recorded it, before a worker with another list came.
        const { outcome } = await store.payments.facts(close.paymentId);
        return outcome === undefined ? { kind: 'not-an-operator' } : { kind: 'stands', outcome, contradicts: false };
      }
      return await store.payments.close({ ...close, action: { ...by, details: { ...argument, before } } });
    },
  };

  /**
   * While submissions are off the store may have been restored from a backup, and may not remember that it was sent: a free claim
   * proves nothing, and Almara Pay is asked.
   */
  async function isForgotten(paymentId: string): Promise<boolean> {
    const { outcome, claim } = await store.payments.facts(paymentId);
    if (outcome !== undefined || claim !== undefined) return false;
    const { observation } = await provider.findPayment(paymentId, cancellationSignal());
    if (observation.kind === 'unreadable')
      throw new ProviderTrouble(
        'unreadable',
        `Submissions are off, and Almara Pay does not say what it has: ${observation.said}`,
      );
    return observation.kind === 'record';
  }
}
