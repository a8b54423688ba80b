import type { CallbackMetrics } from '../../src/callbacks';

type Metric = CallbackMetrics['received' | 'agreements' | 'undelivered'];

/** By the value of its one label; by '' for a metric without one. */
export async function countsOf(metric: Metric): Promise<Readonly<Record<string, number>>> {
  const { values } = await metric.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

export const countOf = async (metric: Metric, label = ''): Promise<number> => (await countsOf(metric))[label] ?? 0;
