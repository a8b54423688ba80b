import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type GrpcRetryOptions,
} from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { EngineUnavailable } from './errors';

/** Long enough for a failover of the server, short enough for a request handler. */
export const CALL_TIMEOUT_MS = 10_000;

/** About half a minute without a server, if the call's own limit leaves so much. */
const MAX_ATTEMPTS = 30;
const LONGEST_PAUSE_MS = 1_000;
const TIMER_SLACK_MS = 20;

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
  const interceptors = [makeGrpcRetryInterceptor(repeats.options)];
  const connection = Connection.lazy({
    ...connectionOptions,
    ...(address === undefined ? {} : { address }),
    interceptors,
  });
  const used = namespace ?? configured;
  const client = new Client({
    connection,
    ...(used === undefined ? {} : { namespace: used }),
    ...(dataConverter === undefined ? {} : { dataConverter }),
  });
  const close = async (): Promise<void> => {
    await repeats.end();
    await connection.close();
  };
  return { client, close };
}

/**
 * The SDK's own rules for repeating a call that found no server, with shorter pauses and an end: a repetition that comes
 * due on a closed connection throws out of a timer and takes the whole process down, so `close` waits it out.
 */
class Repeats {
  #ending = false;
  #lastDue = 0;
  readonly options: GrpcRetryOptions;

  constructor() {
    const rules = defaultGrpcRetryOptions({ maxAttempts: MAX_ATTEMPTS });
    this.options = {
      retryableDecider: (attempt, status) => !this.#ending && rules.retryableDecider(attempt, status),
      delayFunction: (attempt, status) => {
        const delay = Math.min(rules.delayFunction(attempt, status), LONGEST_PAUSE_MS);
        this.#lastDue = Math.max(this.#lastDue, performance.now() + delay);
        return delay;
      },
    };
  }

  async end(): Promise<void> {
    this.#ending = true;
    const left = this.#lastDue - performance.now();
    if (left > 0) await sleep(left + TIMER_SLACK_MS);
  }
}

function temporalConfig(address: string | undefined) {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig();
    const { address: configured, apiKey, tls, metadata } = connectionOptions;
    return { namespace, connectionOptions: defined({ address: configured, apiKey, tls, metadata }) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const where = address ?? 'the configured address';
    throw new EngineUnavailable(
      `Temporal's settings cannot be read: ${why}. Check TEMPORAL_… and temporal.toml.`,
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
