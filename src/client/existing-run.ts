import { WorkflowNotFoundError, type Payload, type WorkflowSerializationContext } from '@temporalio/common';
import { readArgument } from '../payment/arguments';
import { workflowIdOf } from '../payment/contract';
import { fingerprint } from '../payment/fingerprint';
import { checkRequest } from '../payment/request';
import type { Engine } from './engine';
import { PaymentNotFound } from './errors';

/**
 * The fingerprint of what the payment's run was started with: from its memo or, if another language's client or the Web UI
 * started it without one, from the input itself. Undefined when that input is no valid request: then it is none like ours.
 */
export async function contentOf(engine: Engine, paymentId: string, signal?: AbortSignal): Promise<string | undefined> {
  const workflowId = workflowIdOf(paymentId);
  try {
    const run = await engine.bounded(() => engine.client.workflow.getHandle(workflowId).describe(), { signal });
    const known: unknown = run.memo?.['fingerprint'];
    if (typeof known === 'string') return known;
    const checked = checkRequest(await inputOf(engine, { workflowId, runId: run.runId }, signal), {
      allowTestPolicy: true,
    });
    return checked.ok ? await fingerprint(checked.request) : undefined;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw error instanceof WorkflowNotFoundError
      ? new PaymentNotFound(paymentId, { cause: error })
      : engine.trouble(error);
  }
}

/** The first argument, out of the first event of the run's history. */
async function inputOf(
  engine: Engine,
  execution: { workflowId: string; runId: string },
  signal?: AbortSignal,
): Promise<unknown> {
  const { client } = engine;
  const { namespace } = client.options;
  const { history } = await engine.bounded(
    () => client.workflowService.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1 }),
    { signal },
  );
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return payload === undefined
    ? undefined
    : await decoded(engine, payload, { type: 'workflow', namespace, workflowId: execution.workflowId });
}

/** As a worker decodes: the codecs from the last to the first, then the converter; what that cannot read, as the workflow reads it. */
async function decoded(engine: Engine, payload: Payload, context: WorkflowSerializationContext): Promise<unknown> {
  const { payloadCodecs, payloadConverter } = engine.client.options.loadedDataConverter;
  let payloads: Payload[] = [payload];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads, context);
  const [plain] = payloads;
  if (plain === undefined) return undefined;
  try {
    return payloadConverter.fromPayload(plain, context);
  } catch {
    return readArgument(plain);
  }
}
