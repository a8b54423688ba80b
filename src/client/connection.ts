import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { reasonOf } from '../payment/reason';
import { EngineUnavailable } from './errors';

/** Long enough for a failover of the server, short enough for a request handler. */
export const CALL_TIMEOUT_MS = 10_000;

/** About half a minute without a server, if the call's own limit leaves so much. */
const MAX_ATTEMPTS = 30;
const LONGEST_PAUSE_MS = 1_000;
/** gRPC's status code. */
const CANCELLED = 1;

export interface ConnectOptions {
  /** Must be the worker's: payloads may be encrypted. */
  readonly dataConverter?: DataConverter | undefined;
  /** Instead of `TEMPORAL_ADDRESS`, as `host:port`. */
  readonly address?: string | undefined;
  /** Instead of `TEMPORAL_NAMESPACE`. */
  readonly namespace?: string | undefined;
  /** How long one call to Temporal may take. Default 10 000. */
  readonly callTimeoutMs?: number | undefined;
}

/**
 * Settings come from the environment and `temporal.toml` (`@temporalio/envconfig`). The connection is made by the first
 * call and made again when it is lost, so that a backend may start before Temporal does.
 */
export function openClient({ address, namespace, dataConverter }: ConnectOptions): {
  readonly client: Client;
  readonly close: () => Promise<void>;
} {
  const { connectionOptions, namespace: configured } = temporalConfig(address);
  const repeats = new Repeats();
  const connection = Connection.lazy({
    ...connectionOptions,
    ...(address === undefined ? {} : { address }),
    interceptors: repeats.interceptors,
  });
  const used = namespace ?? configured;
  const client = new Client({
    connection,
    ...(used === undefined ? {} : { namespace: used }),
    ...(dataConverter === undefined ? {} : { dataConverter }),
  });
  const close = async (): Promise<void> => {
    repeats.end();
    await connection.close();
  };
  return { client, close };
}

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/**
 * The SDK's own rules for repeating a call that found no server, with shorter pauses and an end. A repetition comes out of a timer
 * that nobody can stop: on a closed connection it would throw there and take the whole process down, so it meets a call that has
 * ended already.
 */
class Repeats {
  #isClosed = false;
  /** From the outermost: the second one makes the calls of the first. */
  readonly interceptors: Interceptor[];

  constructor() {
    const rules = defaultGrpcRetryOptions({ maxAttempts: MAX_ATTEMPTS });
    const repeat = makeGrpcRetryInterceptor({
      retryableDecider: (attempt, status) => !this.#isClosed && rules.retryableDecider(attempt, status),
      delayFunction: (attempt, status) => Math.min(rules.delayFunction(attempt, status), LONGEST_PAUSE_MS),
    });
    // Calls of this kind are passed from one interceptor to the next; the SDK's type names the class, whose fields nobody reads.
    const guard: Interceptor = (options, nextCall) =>
      this.#isClosed ? (endedCall() as ReturnType<Interceptor>) : (nextCall(options) as ReturnType<Interceptor>);
    this.interceptors = [repeat, guard];
  }

  end(): void {
    this.#isClosed = true;
  }
}

type Call = ReturnType<Parameters<Interceptor>[1]>;

function endedCall(): Call {
  const nothing = (): void => undefined;
  return {
    start(metadata, listener) {
      listener?.onReceiveMessage?.(null);
      listener?.onReceiveStatus?.({ code: CANCELLED, details: 'the connection was closed', metadata });
    },
    sendMessage: nothing,
    sendMessageWithContext: nothing,
    halfClose: nothing,
    startRead: nothing,
    cancelWithStatus: nothing,
    getPeer: () => 'closed',
    getAuthContext: () => null,
  };
}

function temporalConfig(address: string | undefined) {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig();
    const { address: configured, apiKey, tls, metadata } = connectionOptions;
    return { namespace, connectionOptions: defined({ address: configured, apiKey, tls, metadata }) };
  } catch (cause) {
    const where = address ?? 'the configured address';
    throw new EngineUnavailable(
      `Temporal's settings cannot be read: ${reasonOf(cause)}. Check TEMPORAL_… and temporal.toml.`,
      where,
      'server',
      { cause },
    );
  }
}

/** Without the fields that are undefined: to the SDK a field that is there is set. */
function defined<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>;
  };
}
