import { DefaultLogger, Runtime, makeTelemetryFilterString, type LogEntry } from '@temporalio/worker';
import type { Log } from '../log';

/**
 * Said when whoever asked for the progress has left before the answer: every `billpay pay` whose outcome comes while it looks.
 * Nothing is lost, and nobody can do anything about it.
 */
const ASKER_HAS_LEFT = 'Query not found when attempting to respond to it';

/** The SDK's own log lines go through ours; its metrics are served for Prometheus. Once for a process, before any connection. */
export function installRuntime(log: Log, metrics?: { readonly host: string; readonly metricsPort: number }): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', writeTo(log)),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(metrics && { metrics: { prometheus: { bindAddress: `${metrics.host}:${metrics.metricsPort}` } } }),
    },
  });
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

export function writeTo(log: Log): (entry: Pick<LogEntry, 'level' | 'message' | 'meta'>) => void {
  return ({ level, message, meta }) => {
    if (message === ASKER_HAS_LEFT) return;
    const { error, ...rest } = (meta ?? {}) as Record<string, unknown>;
    log[LEVELS[level]]({ ...rest, ...(error !== undefined && { err: error }) }, message);
  };
}
