import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { Log } from '../log';

/** The SDK's own log lines go through ours; its metrics are served for Prometheus. Once for a process, before any connection. */
export function installRuntime(log: Log, metrics?: { readonly host: string; readonly metricsPort: number }): void {
  const level = (name: string) =>
    ({ TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' })[name] ?? 'info';
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level: name, message, meta }) => {
      const { error, ...rest } = (meta ?? {}) as Record<string, unknown>;
      (log as unknown as Record<string, (fields: object, text: string) => void>)[level(name)]?.(
        { ...rest, ...(error !== undefined && { err: error }) },
        message,
      );
    }),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(metrics && { metrics: { prometheus: { bindAddress: `${metrics.host}:${metrics.metricsPort}` } } }),
    },
  });
}
