/** Why a request was turned away, in the order in which it is checked. */
export type Refusal = 'too-large' | 'not-ours' | 'not-json' | 'unreadable' | 'other-payment' | 'not-stored';

/** What the endpoint counts, and how it is described to Prometheus. Labels are fixed words: nothing of a payment gets in. */
const METRICS = {
  stored: { type: 'counter', help: 'Callbacks stored for the first time.' },
  duplicates: { type: 'counter', help: 'Callbacks that were stored before.' },
  overflow: { type: 'counter', help: 'Callbacks beyond what is stored for one payment.' },
  refused: { type: 'counter', help: 'Requests turned away, by cause.' },
  signals: { type: 'counter', help: 'Signals to payment workflows, by result.' },
  agreed: { type: 'counter', help: 'Callbacks of closed payments that agree with the outcome.' },
  contradictions: { type: 'counter', help: 'Callbacks of closed payments that contradict the outcome.' },
  delivery_failures: { type: 'counter', help: 'Deliveries and sweeps that failed and are tried again.' },
  undelivered: { type: 'gauge', help: 'Callbacks that the last sweep could not deliver.' },
  unopened: { type: 'gauge', help: 'Disputes whose workflow the last sweep could not start.' },
} as const satisfies Readonly<Record<string, { readonly type: 'counter' | 'gauge'; readonly help: string }>>;

export type Metric = keyof typeof METRICS;

/** The label's name, for the metrics that have one. */
const LABELS: Partial<Record<Metric, string>> = { refused: 'cause', signals: 'result' };

/** Counters in memory, since the start of the process. */
export class Counters {
  readonly #values = new Map<Metric, Map<string, number>>();

  add(metric: Metric, label = '', by = 1): void {
    this.#of(metric).set(label, this.get(metric, label) + by);
  }

  set(metric: Metric, value: number): void {
    this.#of(metric).set('', value);
  }

  get(metric: Metric, label = ''): number {
    return this.#values.get(metric)?.get(label) ?? 0;
  }

  /** In Prometheus' text format. A metric without labels is there from the start, with 0: its absence would hide it. */
  toPrometheus(): string {
    const lines = Object.entries(METRICS).flatMap(([key, { type, help }]) => {
      const metric = key as Metric;
      const name = `almara_callbacks_${metric}${type === 'counter' ? '_total' : ''}`;
      const label = LABELS[metric];
      const values = label === undefined ? [['', this.get(metric)] as const] : [...this.#of(metric)];
      const samples = values.map(([value, n]) => `${name}${label === undefined ? '' : `{${label}="${value}"}`} ${n}`);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
    });
    return `${lines.join('\n')}\n`;
  }

  #of(metric: Metric): Map<string, number> {
    const known = this.#values.get(metric);
    if (known !== undefined) return known;
    const fresh = new Map<string, number>();
    this.#values.set(metric, fresh);
    return fresh;
  }
}
