import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const NAMESPACE = 'almara_callbacks';

/** Why a request was turned away, in the order in which it is checked. */
const REFUSALS = ['too-large', 'not-ours', 'not-json', 'unreadable', 'other-payment', 'not-stored'] as const;
export type Refusal = (typeof REFUSALS)[number];

/**
 * What one endpoint measures, since its start, in a registry of its own: a process may run two. Labels are fixed words: nothing of a
 * payment gets in. Every series is there from the start, with 0: its absence would hide it.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name: `${NAMESPACE}_${name}_total`, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `${NAMESPACE}_${name}`, help, registers });
  function counterBy<Label extends string>(label: Label, values: readonly string[], name: string, help: string) {
    const made = new Counter({ name: `${NAMESPACE}_${name}_total`, help, labelNames: [label], registers });
    for (const value of values) made.labels(value).inc(0);
    return made;
  }
  return {
    registry,
    received: counterBy(
      'result',
      ['stored', 'duplicate', 'overflow'],
      'received',
      'Callbacks with our token; overflow is beyond what is stored for one payment.',
    ),
    refused: counterBy('cause', REFUSALS, 'refused', 'Requests turned away, by cause.'),
    requestSeconds: new Histogram({
      name: `${NAMESPACE}_request_duration_seconds`,
      help: 'From the request to the end of its answer, by HTTP status.',
      labelNames: ['status'],
      registers,
    }),
    signals: counterBy('result', ['sent', 'no-run', 'withheld'], 'signals', 'Signals to payment workflows, by result.'),
    agreements: counter('agreements', 'Callbacks of closed payments that agree with the outcome.'),
    contradictions: counter('contradictions', 'Callbacks of closed payments that contradict the outcome.'),
    deliveryFailures: counter('delivery_failures', 'Deliveries and sweeps that failed and are tried again.'),
    undelivered: gauge('undelivered', 'Callbacks that the last sweep could not deliver.'),
    unopened: gauge('unopened', 'Disputes whose workflow the last sweep could not start.'),
  };
}

export type CallbackMetrics = ReturnType<typeof createMetrics>;
