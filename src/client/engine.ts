import { setMaxListeners } from 'node:events';
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  QueryNotRegisteredError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, TASK_QUEUE } from '../payment/contract';
import { BillPaymentError, EngineUnavailable } from './errors';

/** gRPC status codes (grpc/doc/statuscodes.md). */
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
export const FAILED_PRECONDITION = 9;
const UNAUTHENTICATED = 16;

/**
 * The deadline the server learns lies this much behind ours. Near a deadline the server answers long polls empty at once and
 * the SDK asks again at once: a wait of 2.5 s made 112 calls. Ours comes first, and cancels the one call that is under way.
 */
const SERVER_DEADLINE_MARGIN_MS = 5_000;

/** Events of a run that no worker has seen yet: started, task scheduled. */
const UNTOUCHED_EVENTS = 2;

interface Limits {
  readonly ms?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The deadline of one call has passed. */
class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

export const isOutOfTime = (error: unknown): boolean => error instanceof OutOfTime || isGrpcDeadlineError(error);

/** Every call to Temporal goes through here: it is bounded in time, it can be aborted, and its error becomes one of ours. */
export class Engine {
  constructor(
    readonly client: Client,
    private readonly callTimeoutMs: number,
  ) {}

  /** For messages. A connection of the worker's kind does not tell its address. */
  get address(): string {
    const connection: object = this.client.connection;
    const { address } = (connection as { readonly options?: { readonly address?: unknown } }).options ?? {};
    return typeof address === 'string' ? address : 'the configured address';
  }

  /**
   * Runs `call` within its limits. Errors come as the SDK throws them, a passed deadline as one that `isOutOfTime`; an
   * aborted signal rejects with its reason.
   */
  async bounded<T>(call: () => Promise<T>, { ms = this.callTimeoutMs, signal }: Limits = {}): Promise<T> {
    signal?.throwIfAborted();
    // Any number of payments may wait with one signal, and each removes its listener: Node would warn of a leak that is none.
    if (signal !== undefined) setMaxListeners(Infinity, signal);
    // A controller of our own: the SDK never removes its listeners, and the caller's signal may live as long as the process.
    const stop = new AbortController();
    setMaxListeners(Infinity, stop.signal); // one for each request of the SDK: waiting for a result may take many
    const release: (() => void)[] = [];
    const ended = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(new OutOfTime()), ms);
      const onAbort = (): void => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      release.push(
        () => clearTimeout(timer),
        () => signal?.removeEventListener('abort', onAbort),
      );
    });
    try {
      const { client } = this;
      return await Promise.race([
        ended,
        client.withDeadline(Date.now() + ms + SERVER_DEADLINE_MARGIN_MS, () =>
          client.withAbortSignal(stop.signal, call),
        ),
      ]);
    } finally {
      release.forEach((undo) => undo());
      stop.abort();
    }
  }

  /** Whether a worker has ever taken the run up. @throws as `bounded` does */
  async isTakenUp(run: WorkflowHandle): Promise<boolean> {
    return (await this.bounded(() => run.describe())).historyLength > UNTOUCHED_EVENTS;
  }

  /** What a failed call means, when it is not an answer about the payment. Not an engine's error: given back as it is. */
  trouble(error: unknown, part: EngineUnavailable['part'] = 'server'): unknown {
    if (error instanceof BillPaymentError) return error;
    const because = this.#because(error, part);
    return because === undefined ? error : new EngineUnavailable(because, this.address, part, { cause: error });
  }

  #because(error: unknown, part: EngineUnavailable['part']): string | undefined {
    const at = `Temporal at ${this.address}`;
    if (error instanceof NamespaceNotFoundError) {
      return `${at} has no namespace "${error.namespace}". Check TEMPORAL_NAMESPACE.`;
    }
    if (error instanceof QueryNotRegisteredError) {
      return `The worker cannot answer this question about the payment. Are client and worker of one version?`;
    }
    if (part === 'worker') {
      return `${at} answers, but no worker of the task queue "${TASK_QUEUE}" does. Start a worker, then ask again: whatever was asked may still be carried out.`;
    }
    if (isOutOfTime(error)) return this.#silent();
    const status = grpcStatus(error);
    if (status === undefined)
      return error instanceof Error && error.name === 'ServiceError' ? this.#silent() : undefined;
    if (status.code === UNAUTHENTICATED || status.code === PERMISSION_DENIED) {
      return `${at} refuses this client. Check the API key or the certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_…).`;
    }
    if (status.code === INVALID_ARGUMENT && /search attribute/i.test(status.details)) {
      const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => `--name ${name} --type Keyword`);
      return `${at} lacks a search attribute. Add them: temporal operator search-attribute create ${names.join(' ')}`;
    }
    return this.#silent(status.details);
  }

  #silent(details = 'no answer in time'): string {
    return `Temporal at ${this.address} cannot be reached or did not answer (${details}). Check TEMPORAL_ADDRESS and the server, then ask again with the same id: that is safe at any time.`;
  }
}

/** The gRPC error at the bottom of an SDK error. */
export function grpcStatus(error: unknown): { readonly code: number; readonly details: string } | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return { code: cause.code, details: cause.details };
  }
  return undefined;
}
