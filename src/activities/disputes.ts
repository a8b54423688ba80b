import { disputeWorkflowIdOf, WORKFLOWS } from '../payment/contract';
import type { DisputeReading, ResolveDisputeRequest, ResolveDisputeResult } from '../payment/dispute';
import { mayNotDecide } from '../payment/words';
import { checked, SHAPES } from './arguments';
import type { ActivityDependencies } from './dependencies';
import { mayDecide } from './operators';
import { onlyFrom } from './own-run';
import type { ServiceNames } from './service-names';

/** The steps of a dispute. They touch the store alone, and no outcome. Idempotent. */
export function createDisputeActivities({ store, settings }: ActivityDependencies, names: ServiceNames) {
  const { disputes, operatorActions } = store;
  return {
    /** What is disputed, as it is recorded: what a run was started with is not trusted. */
    async readDispute(request: { readonly paymentId: string }): Promise<DisputeReading> {
      const { paymentId } = checked(SHAPES.dispute, request);
      const facts = await disputes.facts(paymentId);
      if (facts === undefined) return { kind: 'none' };
      const { serviceId, ...raised } = facts;
      const serviceName = names.nameOf(serviceId);
      return { kind: 'raised', ...raised, ...(serviceName !== undefined && { serviceName }) };
    },

    /** Records what was agreed, once; what was recorded before stands. */
    async recordResolution(request: ResolveDisputeRequest): Promise<ResolveDisputeResult> {
      const { paymentId, resolution, updateId } = checked(SHAPES.resolveDispute, request);
      onlyFrom(WORKFLOWS.paymentDispute, disputeWorkflowIdOf(paymentId));
      const known = await disputes.find(paymentId);
      if (known === undefined) return { kind: 'none' };
      if (known.resolution !== undefined) return { kind: 'stands', resolution: known.resolution };
      const { operator, note, ...details } = resolution;
      const action = { operator, note, action: 'resolveDispute', details, ...(updateId !== undefined && { updateId }) };
      const because =
        (await operatorActions.refusal(paymentId, action)) ??
        (mayDecide(settings, operator) ? undefined : mayNotDecide(operator));
      if (because === undefined) return await disputes.resolve(paymentId, resolution, action);
      await operatorActions.refuse(paymentId, action, because);
      return { kind: 'refused', because };
    },
  };
}
