import { randomUUID } from 'node:crypto';
import type { WorkflowStartOptions } from '@temporalio/client';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../../src/payment/contract';
import { requestFor } from './payment-calls';
import type { Stage } from './stage';

/** What is compared, in the order of a round. */
export const ROW_NAMES = ['payment', 'raw', 'skeleton', 'bare', 'samples'] as const;
export type RowName = (typeof ROW_NAMES)[number];

/** What each is, for the table. */
export const MEANINGS: Readonly<Record<RowName, string>> = {
  payment: 'a payment, paid by callback, its funds held',
  raw: 'the same HTTP and SQL calls without an engine',
  skeleton: "an empty workflow with a payment's steps",
  bare: 'a workflow with one activity',
  samples: "a payment as the engine's samples would have it: the same calls, no guarantee",
};

export interface Row {
  /** Whether the provider takes its time in it: latency is told without that. */
  readonly waitsForProvider: boolean;
  /** Whether it is a run of the engine, whose events can be counted. */
  readonly hasRun: boolean;
  /** One of it, until it is done. @throws if it did not end as it must */
  run(paymentId: string): Promise<void>;
}

/** An outcome that has not come by then is none. */
const DONE_WITHIN_MS = 5 * 60_000;

export function rowsOn(stage: Stage): Readonly<Record<RowName, Row>> {
  const payRaw = rawPayments(stage);
  /** With what the client starts a payment with, so that they differ only in what they do. */
  const execute = async (workflow: string, paymentId: string, args: readonly unknown[]): Promise<void> => {
    const options: WorkflowStartOptions = {
      taskQueue: stage.taskQueue,
      workflowId: workflowIdOf(paymentId),
      args: [...args],
      memo: { fingerprint: 'v1' },
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.state, value: 'InProgress' },
        { key: SEARCH_ATTRIBUTES.service, value: 'KPLC POSTPAID' },
      ],
      staticSummary: 'KES 1 · KPLC POSTPAID · …001',
      workflowRunTimeout: DONE_WITHIN_MS,
    };
    await stage.client.workflow.execute(workflow, options);
  };

  return {
    payment: {
      waitsForProvider: true,
      hasRun: true,
      async run(paymentId) {
        const outcome = await stage.payments.pay(requestFor(paymentId), { waitMs: DONE_WITHIN_MS });
        if (outcome.kind !== 'paid') throw new Error(`a payment was not paid but ${outcome.kind}`);
      },
    },
    raw: {
      waitsForProvider: true,
      hasRun: false,
      run: payRaw,
    },
    skeleton: {
      waitsForProvider: true,
      hasRun: true,
      run: (paymentId) => execute('skeleton', paymentId, []),
    },
    bare: {
      waitsForProvider: false,
      hasRun: true,
      run: (paymentId) => execute('bare', paymentId, []),
    },
    samples: {
      waitsForProvider: true,
      hasRun: true,
      run: (paymentId) => execute('samples', paymentId, [requestFor(paymentId)]),
    },
  };
}

/** The bench's worker pays them when it is told to, and says when it is done. */
function rawPayments({ hub }: Stage): Row['run'] {
  const waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();
  hub.onMessage((message) => {
    if (message.kind !== 'paid') return;
    const { paymentId, problem } = message;
    const one = waiting.get(paymentId);
    waiting.delete(paymentId);
    if (problem === undefined) one?.resolve();
    else one?.reject(new Error(`a payment without an engine was not paid: ${problem}`));
  });
  return (paymentId) =>
    new Promise((resolve, reject) => {
      waiting.set(paymentId, { resolve, reject });
      hub.send('worker', { kind: 'pay', paymentId });
    });
}

export const newId = (): string => randomUUID();
