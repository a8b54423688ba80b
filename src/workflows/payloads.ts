import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import { ApplicationFailure, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { UNREADABLE, readArgument } from '../payment/arguments';
import { FAILURES } from '../payment/contract';

/**
 * How the arguments of starts, signals and updates are read. Anybody may send them, and the dialogs of the Web UI take any text
 * and offer json/protobuf as its encoding. The SDK decodes before any code of ours runs, and what its own converter cannot decode
 * fails every further task of the run: that payment would stand still for ever. Both exports belong into every bundle of the
 * workflows, as payload converter and as interceptor.
 */

/** Results of activities are our own workers': one that cannot be read must stop the run, and never pass for an answer. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload: <T>(...[payload, context, hint]: Parameters<PayloadConverter['fromPayload']>) =>
    context?.type === 'workflow'
      ? (readArgument(payload) as T)
      : defaultPayloadConverter.fromPayload<T>(payload, context, hint as never),
};

const PROBLEM = 'cannot be read: send one JSON object with the encoding json/plain';

/** A run that is started with such an argument ends: to a workflow that has a default for it, it must not look like none. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      execute: (input, next) =>
        input.args.includes(UNREADABLE)
          ? Promise.reject(
              ApplicationFailure.nonRetryable(`The input ${PROBLEM}.`, FAILURES.invalidRequest, [
                [{ field: 'input', problem: PROBLEM }],
              ]),
            )
          : next(input),
    },
  ],
});
